from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from economics_kit import BIG, SMALL, inputs, own
from yuzui.core.errors import ConfigError
from yuzui.core.money import NANO
from yuzui.economics.inputs import HOURS_PER_MONTH
from yuzui.economics.ownership import MILLION, Factors, cheapest, nano
from yuzui.economics.queueing import wait_s

TRAFFIC = own().traffic


def test_fixed_costs_are_purchase_idle_power_and_staff() -> None:
    found = {line.name: line for line in own().fixed}
    assert found["purchase"].nano == 500 * NANO  # 24,000 over 48 months
    # 200 W * 1.25 * 730 h = 182.5 kWh, at 0.20
    assert found["idle_power"].nano == Fraction(365, 10) * NANO
    assert found["staff"].nano == 800 * NANO and not found["staff"].is_per_replica
    assert own().per_replica_nano == Fraction(5365, 10) * NANO
    assert own().for_all_nano == 800 * NANO


def test_a_request_draws_the_difference_of_idle_and_busy_for_its_machine_time() -> None:
    found = own()
    kwh = 600 * 1.25 * found.machine_s / 3_600_000
    assert float(found.marginal_kwh) == pytest.approx(kwh)
    assert float(found.marginal_nano) == pytest.approx(kwh * 0.20 * NANO)


def test_rent_is_by_the_hour_of_the_whole_month() -> None:
    machine = inputs().machines[0]
    assert machine.purchase is not None
    from yuzui.economics.inputs import Rental

    rented = replace(machine, purchase=None, rental=Rental(price_per_hour=2 * NANO, told=machine.told))
    found = own(replace(inputs(), machines=(rented,)))
    assert next(line.nano for line in found.fixed if line.name == "rental") == 2 * HOURS_PER_MONTH * NANO


def test_a_vendors_request_is_its_list_price_with_the_cached_share() -> None:
    # 600 fresh at 2, 200 cached at 1, 200 out at 10, all per million
    assert BIG.request_nano(TRAFFIC) == Fraction(600 * 2 + 200 * 1 + 200 * 10, MILLION) * NANO
    # in CNY without a price for cached input: 800 at 1, 200 at 4, times 0.14
    assert SMALL.request_nano(TRAFFIC) == Fraction(1600 * 14, 100 * MILLION) * NANO


def test_a_batch_discount_counts_for_the_share_that_can_wait() -> None:
    vendor = replace(BIG, batch_discount=Fraction(1, 2))
    work = replace(TRAFFIC, batch_share=Fraction(1, 2))
    assert vendor.request_nano(work) == BIG.request_nano(TRAFFIC) * Fraction(3, 4)


def test_the_rate_moves_only_foreign_prices() -> None:
    up = Factors(fx=Fraction(11, 10))
    assert BIG.request_nano(TRAFFIC, up) == BIG.request_nano(TRAFFIC)
    assert SMALL.request_nano(TRAFFIC, up) == SMALL.request_nano(TRAFFIC) * Fraction(11, 10)


def test_the_cheapest_vendor_is_found_by_the_work() -> None:
    assert cheapest([BIG, SMALL], TRAFFIC) is SMALL
    assert cheapest([], TRAFFIC) is None


def test_the_fewest_replicas_keep_the_goal() -> None:
    found = own()
    requests = 5 * found.most_requests(1)
    count = found.replicas_for(requests)
    assert found.most_requests(count) >= requests > found.most_requests(count - 1)
    busiest = found.busiest_per_s(found.most_requests(count))
    assert wait_s(found.station(count), busiest, 0.95) <= 0.5
    assert busiest * found.service_s / (count * found.slots) <= 0.8 + 1e-9


def test_replicas_that_share_a_queue_take_more_each() -> None:
    found = own()
    each = [found.most_requests(count) / count for count in (1, 2, 4, 8)]
    assert each == sorted(each)
    assert each[-1] <= found.limit_per_replica


def test_input_and_output_per_million_give_the_sum_again() -> None:
    found, requests = own(), 1_000_000
    total = found.month_nano(requests)
    of_input, of_output = found.per_million(total, requests)
    again = (of_input * TRAFFIC.input_tokens + of_output * TRAFFIC.output_tokens) * requests / MILLION
    assert again == total


def test_work_beyond_all_reason_is_refused() -> None:
    with pytest.raises(ConfigError, match="need more than"):
        own().replicas_for(10**15)


def test_more_places_than_were_measured_are_refused() -> None:
    machine = inputs().machines[0]
    wider = replace(machine, speed=replace(machine.speed, slots=17))
    with pytest.raises(ConfigError, match="only 16 at once were measured"):
        own(replace(inputs(), machines=(wider,)))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_more_work_never_costs_less(one: int, other: int) -> None:
    found, (low, high) = own(), sorted((one, other))
    assert found.replicas_for(low) <= found.replicas_for(high)
    assert found.month_nano(low) <= found.month_nano(high)


@pytest.mark.parametrize(
    ("factors", "is_dearer"),
    [
        (Factors(machine_price=Fraction(2)), True),
        (Factors(power_price=Fraction(2)), True),
        (Factors(staff=Fraction(2)), True),
        (Factors(utilisation=Fraction(1, 2)), True),
        (Factors(speed=Fraction(1, 2)), True),
        (Factors(speed=Fraction(3)), False),
    ],
)
def test_each_factor_moves_the_cost_its_way(factors: Factors, is_dearer: bool) -> None:
    requests = 3 * own().most_requests(1)
    assert (own(factors=factors).month_nano(requests) > own().month_nano(requests)) is is_dearer


def test_amounts_are_rounded_up_once() -> None:
    assert nano(Fraction(10, 3)) == 4
    assert nano(Fraction(-10, 3)) == -3
    assert nano(Fraction(4)) == 4
