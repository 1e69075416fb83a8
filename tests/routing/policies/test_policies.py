"""What every policy found in the folder promises, whatever its idea of best."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing_kit import CHEAP, DEAR, FREE, HOUSE, price
from yuzui.core.target import Target
from yuzui.routing.policies._contract import Facts, expected_cost, is_full
from yuzui.routing.policies.catalogue import load_policies

POLICIES = load_policies()


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Target], Facts]:
    count = draw(st.integers(1, 12))
    targets = [
        replace(
            draw(st.sampled_from([HOUSE, CHEAP, DEAR])),
            name=f"target/{index}",
            price=draw(st.sampled_from([FREE, price(1, 2), price(3, 1), price(2, 2, "CNY")])),
            weight=draw(st.integers(0, 3)),
            max_concurrency=draw(st.integers(0, 2)),
        )
        for index in range(count)
    ]
    names = st.sampled_from([target.name for target in targets])
    facts = Facts(
        input_tokens=draw(st.integers(0, 100_000)),
        output_tokens=draw(st.integers(0, 100_000)),
        rates={"USD": 1.0, "CNY": 0.14},
        latency_ms=draw(st.dictionaries(names, st.floats(0, 1e5))),
        in_flight=draw(st.dictionaries(names, st.integers(0, 5))),
        weights=draw(st.dictionaries(names, st.integers(0, 9))),
        fraction=draw(st.floats(0, 1, exclude_max=True)),
    )
    return targets, facts


@pytest.mark.parametrize("name", sorted(POLICIES))
@given(scene=scenes())
def test_an_order_holds_every_candidate_once_and_is_the_same_every_time(
    name: str, scene: tuple[list[Target], Facts]
) -> None:
    targets, facts = scene
    first = POLICIES[name].order(targets, facts)
    assert sorted(target.name for target in first) == sorted(target.name for target in targets)
    assert POLICIES[name].order(targets, facts) == first


@pytest.mark.parametrize("name", sorted(POLICIES))
@given(scene=scenes(), other=scenes())
def test_a_fact_that_a_policy_does_not_name_cannot_change_its_order(
    name: str, scene: tuple[list[Target], Facts], other: tuple[list[Target], Facts]
) -> None:
    targets, facts = scene
    policy, changed = POLICIES[name], facts
    if "size" not in policy.depends_on:
        changed = replace(changed, input_tokens=other[1].input_tokens, output_tokens=other[1].output_tokens)
    if "health" not in policy.depends_on:
        changed = replace(changed, latency_ms=other[1].latency_ms, in_flight=other[1].in_flight)
    if "fraction" not in policy.depends_on:
        changed = replace(changed, fraction=other[1].fraction)
    assert policy.order(targets, changed) == policy.order(targets, facts)


def test_the_expected_cost_is_in_the_book_currency_and_unknown_is_infinite() -> None:
    facts = Facts(input_tokens=1000, output_tokens=100, rates={"USD": 1.0, "CNY": 0.14})
    assert expected_cost(replace(DEAR, price=price(2, 10)), facts) == pytest.approx(3_000_000_000)
    assert expected_cost(replace(DEAR, price=price(2, 10, "CNY")), facts) == pytest.approx(420_000_000)
    assert expected_cost(replace(DEAR, price=price(2, 10, "XXX")), facts) == float("inf")
    assert expected_cost(replace(DEAR, price=None), facts) == float("inf")
    assert expected_cost(replace(DEAR, price=FREE), Facts()) == 0.0


def test_a_target_is_full_when_its_slots_and_its_queue_are_taken() -> None:
    small = replace(HOUSE, max_concurrency=2, max_queue=3)
    assert not is_full(small, Facts(in_flight={HOUSE.name: 4}))
    assert is_full(small, Facts(in_flight={HOUSE.name: 5}))
    assert not is_full(HOUSE, Facts(in_flight={HOUSE.name: 10_000}))
