"""Cheapest: by expected cost in the book currency."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing_kit import CHEAP, DEAR, FREE, HOUSE, price
from yuzui.core.target import Target
from yuzui.routing.policies._contract import Facts
from yuzui.routing.policies.cheapest import POLICY

RATES = {"USD": 1.0, "CNY": 0.14}
READER = replace(DEAR, name="reader", price=price(1, 20))
WRITER = replace(DEAR, name="writer", price=price(5, 5))


@pytest.mark.parametrize(
    ("input_tokens", "output_tokens", "candidates", "first"),
    [
        (1000, 100, [DEAR, CHEAP, HOUSE], HOUSE),
        (1000, 100, [DEAR, CHEAP], CHEAP),
        (100_000, 10, [WRITER, READER], READER),
        (10, 100_000, [READER, WRITER], WRITER),
        (1000, 100, [CHEAP, replace(DEAR, price=price(5, 10, "CNY"))], replace(DEAR, price=price(5, 10, "CNY"))),
        (1000, 100, [replace(CHEAP, price=FREE), HOUSE], HOUSE),
    ],
    ids=["free first", "cheaper vendor", "long prompt", "long answer", "currencies are compared", "own before vendor"],
)
def test_the_size_of_the_request_decides(
    input_tokens: int, output_tokens: int, candidates: list[Target], first: Target
) -> None:
    facts = Facts(input_tokens=input_tokens, output_tokens=output_tokens, rates=RATES)
    assert POLICY.order(candidates, facts)[0] == first


def test_a_full_queue_is_no_bargain() -> None:
    small = replace(HOUSE, max_concurrency=1)
    facts = Facts(input_tokens=10, output_tokens=10, rates=RATES, in_flight={HOUSE.name: 1})
    assert POLICY.order([small, DEAR, CHEAP], facts) == [CHEAP, DEAR, small]
