from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from economics_kit import inputs, own
from yuzui.economics.break_even import break_even
from yuzui.economics.ownership import Ownership

OWN = own()


def is_no_dearer(found: Ownership, requests: int, request_nano: Fraction) -> bool:
    return found.month_nano(requests) <= requests * request_nano


@settings(max_examples=40, deadline=None)
@given(st.integers(200_000, 50_000_000))
def test_at_the_first_volume_own_is_no_dearer_and_below_it_is(price: int) -> None:
    """`price`: nano-units per request. Own is compared at the volume itself, and at volumes below and above."""
    found = break_even(OWN, Fraction(price))
    if found.first is None:
        return
    assert is_no_dearer(OWN, found.first, Fraction(price))
    assert OWN.replicas_for(found.first) == found.first_replicas
    for share in (1, 2, 5, 10, 30, 60, 90, 99):
        below = found.first * share // 100
        assert below < 1 or not is_no_dearer(OWN, below, Fraction(price))
    assert not is_no_dearer(OWN, max(1, found.first - 1), Fraction(price)) or found.first == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(200_000, 50_000_000), st.lists(st.integers(0, 900), max_size=20))
def test_from_the_lasting_volume_on_own_stays_no_dearer(price: int, further: list[int]) -> None:
    found = break_even(OWN, Fraction(price))
    if found.lasting is None:
        return
    assert found.first is not None and found.lasting >= found.first
    for percent in further:
        assert is_no_dearer(OWN, found.lasting + found.lasting * percent // 100, Fraction(price))
    for count in range(1, 12):  # just after each step own is at its dearest
        edge = OWN.most_requests(OWN.replicas_for(found.lasting) + count - 1) + 1
        assert is_no_dearer(OWN, edge, Fraction(price))


def test_a_vendor_between_the_steps_has_two_answers() -> None:
    """Two replicas that are just full pay, the third just opened does not."""
    two = OWN.most_requests(2)
    price = OWN.month_nano(two) / two * Fraction(101, 100)
    found = break_even(OWN, price)
    assert found.first is not None and found.first <= two and found.first_replicas == 2
    assert found.lasting is not None and found.lasting > two
    assert not is_no_dearer(OWN, two + 1, price)


@settings(max_examples=60, deadline=None)
@given(st.integers(10_000, 50_000_000), st.integers(10_000, 50_000_000))
def test_a_lower_price_at_the_vendor_never_brings_break_even_nearer(one: int, other: int) -> None:
    low, high = sorted((one, other))
    cheap, dear = break_even(OWN, Fraction(low)), break_even(OWN, Fraction(high))
    if cheap.first is not None:
        assert dear.first is not None and dear.first <= cheap.first
    if cheap.lasting is not None:
        assert dear.lasting is not None and dear.lasting <= cheap.lasting


def test_a_vendor_below_the_power_of_a_request_is_never_met() -> None:
    assert break_even(OWN, OWN.marginal_nano).never == "marginal"
    assert break_even(OWN, Fraction(0)).never == "marginal"


def test_a_vendor_below_a_full_replica_is_never_met() -> None:
    full = OWN.marginal_nano + OWN.per_replica_nano / Fraction(OWN.limit_per_replica)
    found = break_even(OWN, full * Fraction(999, 1000))
    assert (found.first, found.lasting, found.never) == (None, None, "capacity")


def test_a_break_even_that_nobody_would_build_is_far() -> None:
    full = OWN.marginal_nano + OWN.per_replica_nano / Fraction(OWN.limit_per_replica)
    machine = inputs().machines[0]
    fixed = tuple([replace(line, amount=line.amount * 10**6) for line in machine.fixed])
    heavy = own(replace(inputs(), machines=(replace(machine, fixed=fixed),)))
    assert break_even(heavy, full * Fraction(1001, 1000)).never == "far"


def test_without_fixed_cost_the_first_request_pays() -> None:
    machine = inputs().machines[0]
    assert machine.purchase is not None and machine.power is not None
    free = replace(
        machine, purchase=replace(machine.purchase, price=0), fixed=(), power=replace(machine.power, price_per_kwh=0)
    )
    found = break_even(own(replace(inputs(), machines=(free,))), Fraction(1))
    assert (found.first, found.lasting) == (1, 1)


def test_it_costs_what_a_hand_would_compute() -> None:
    """One replica: 800 + 536.50 a month, over the vendor's price less the power of a request."""
    price = Fraction(4_000_000)  # 0.004 USD
    found = break_even(OWN, price)
    by_hand = (OWN.for_all_nano + OWN.per_replica_nano) / (price - OWN.marginal_nano)
    assert found.first == pytest.approx(float(by_hand), abs=1)
    assert found.first_replicas == 1
