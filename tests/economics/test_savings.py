from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from routing_kit import CHEAP, DEAR, HOUSE, price
from yuzui.core.target import Target
from yuzui.economics.savings import Saving, savings
from yuzui.io.work_done import WorkRow

TARGETS = {target.name: target for target in (HOUSE, CHEAP, DEAR)}
RATES = {"USD": Decimal(1)}


def row(model: str, target: str, *, spent: int = 0, requests: int = 2, inp: int = 1000, out: int = 100) -> WorkRow:
    return WorkRow(model=model, team="", target=target, requests=requests, input_tokens=inp, output_tokens=out,
                   output_squares=0, spent_nano=spent)  # fmt: skip


def of(rows: list[WorkRow], reference: str = DEAR.name, targets: dict[str, Target] | None = None) -> list[Saving]:
    return savings(rows, lambda model: reference, targets or TARGETS, RATES)


def test_work_of_others_counts_at_the_references_list_price() -> None:
    (saving,) = of([row("auto", HOUSE.name), row("auto", CHEAP.name, spent=1_200_000)])
    # 1,000 at 5 and 100 at 15 per million: 0.0065 USD, twice
    assert saving.reference_nano == 2 * 6_500_000
    assert (saving.spent_nano, saving.saved_nano) == (1_200_000, 11_800_000)
    assert (saving.requests, saving.elsewhere) == (4, 4)


def test_what_the_reference_answered_counts_as_booked() -> None:
    (saving,) = of([row("auto", DEAR.name, spent=4_000_000)])
    assert (saving.reference_nano, saving.saved_nano, saving.elsewhere) == (4_000_000, 0, 0)


def test_going_elsewhere_can_cost_more() -> None:
    (saving,) = of([row("auto", DEAR.name, spent=6_500_000)], reference=CHEAP.name)
    assert saving.saved_nano == 1000 * 1000 + 100 * 2000 - 6_500_000


def test_a_price_per_request_counts_for_each() -> None:
    priced = replace(DEAR, price=replace(price(0, 0), request_pico=7_000))
    (saving,) = of([row("auto", HOUSE.name, requests=3)], targets={**TARGETS, DEAR.name: priced})
    assert saving.reference_nano == 3 * 7


@pytest.mark.parametrize(
    "targets",
    [
        {HOUSE.name: HOUSE},
        {**TARGETS, DEAR.name: replace(DEAR, price=None)},
        {**TARGETS, DEAR.name: replace(DEAR, price=price(1, 1, "EUR"))},
        {**TARGETS, HOUSE.name: replace(HOUSE, serves=frozenset(("transcription",)))},
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_left_out(targets: dict[str, Target]) -> None:
    assert of([row("auto", HOUSE.name)], targets=targets) == []


def test_a_reference_abroad_is_converted() -> None:
    yuan = replace(DEAR, price=price(5, 15, "CNY"))
    (saving,) = savings(
        [row("auto", HOUSE.name)],
        lambda model: DEAR.name,
        {**TARGETS, DEAR.name: yuan},
        {**RATES, "CNY": Decimal("0.14")},
    )
    assert saving.reference_nano == 6_500_000 * 14 // 100


def test_models_without_a_reference_are_not_told_and_the_largest_saving_comes_first() -> None:
    references = {"a": DEAR.name, "b": DEAR.name}
    rows = [row("a", HOUSE.name), row("b", HOUSE.name, out=10_000), row("c", HOUSE.name)]
    found = savings(rows, lambda model: references.get(model, ""), TARGETS, RATES)
    assert [saving.model for saving in found] == ["b", "a"]
