from __future__ import annotations

import pytest

from yuzui.audit.record import CauseRecord, CostRecord, RequestRecord, UsageRecord
from yuzui.cli._demo.cast import Seen
from yuzui.cli._demo.rows import NUMBERS, TITLES, as_json, cells, fit, judge
from yuzui.cli._demo.scenes import Expected

OWN = "own/a"
ANSWERED = RequestRecord(
    id="r", at="x", model="assistant", sensitivity="restricted", findings={"api_key": 1}, allowed=(OWN,),
    causes=(CauseRecord(source="finding", level="restricted", detail="api_key"),), refused={"clearance": ("v",)},
    policy="own_first", target=OWN, outcome="answered", usage=UsageRecord(input=3, output=4),
)  # fmt: skip
REFUSED = RequestRecord(id="r", at="x", sensitivity="restricted", outcome="refused", error="no_permitted_target")
SEEN = Seen(request_id="r", status=200, text="hello", elapsed_ms=12)
AS_IT_WAS = Expected(where="own", sensitivity="restricted", finding="api_key", cause="finding")


def test_what_happened_as_expected_is_ok() -> None:
    assert judge("t", SEEN, ANSWERED, AS_IT_WAS, OWN).problems == ()
    seen = Seen(request_id="r", status=403, code="no_permitted_target")
    assert judge("t", seen, REFUSED, Expected(where="nowhere", code="no_permitted_target"), OWN).problems == ()


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (Expected(where="vendor"), "expected vendor, went own"),
        (Expected(where="nowhere", code="budget_exceeded"), "expected budget_exceeded, got status 200"),
        (Expected(where="own", sensitivity="internal"), "expected internal, was restricted"),
        (Expected(where="own", finding="email"), "email was not found"),
        (Expected(where="own", cause="conversation"), "conversation is not among the causes"),
    ],
)
def test_every_difference_is_named(expected: Expected, words: str) -> None:
    assert words in judge("t", SEEN, ANSWERED, expected, OWN).problems


def test_a_sensitive_answer_from_a_vendor_is_a_problem_whatever_the_client_saw() -> None:
    leaked = RequestRecord(id="r", at="x", sensitivity="restricted", target="v", outcome="answered")
    assert judge("t", SEEN, leaked, Expected(where="own"), OWN).problems


def test_a_request_without_a_record_is_a_problem() -> None:
    assert judge("t", SEEN, None, AS_IT_WAS, OWN).problems == ("the books have no record of it",)


def test_what_the_scene_itself_found_counts() -> None:
    seen = Seen(request_id="r", status=200, problems=["no tool call came back"])
    assert judge("t", seen, ANSWERED, AS_IT_WAS, OWN).problems == ("no tool call came back",)


def test_a_row_shows_label_reason_way_and_cost() -> None:
    row = cells(7, judge("t", SEEN, ANSWERED, AS_IT_WAS, OWN), OWN)
    assert row == (
        "7", "t", "restricted: api_key", "own", "own: only one cleared", "3+4", "0", "12 ms", "ok",
    )  # fmt: skip
    assert len(row) == len(TITLES)


def test_a_simulated_answer_is_marked_in_the_row() -> None:
    record = RequestRecord(
        id="r", at="x", sensitivity="internal", allowed=("v",), policy="pinned", target="v", outcome="answered",
        is_simulated=True,
        cost=CostRecord(amount=109_000, currency="USD", book=109_000, book_currency="USD", price_version="p"),
    )  # fmt: skip
    row = cells(1, judge("t", SEEN, record, Expected(where="vendor"), OWN), OWN)
    assert row[4] == "SIMULATED vendor: by name"
    assert row[6] == "0.000109 USD"


def test_a_refusal_has_nobody_to_go_to_and_costs_nothing() -> None:
    seen = Seen(request_id="r", status=403, code="no_permitted_target")
    row = cells(1, judge("t", seen, REFUSED, Expected(where="nowhere", code="no_permitted_target"), OWN), OWN)
    assert row[3:7] == ("nobody", "refused: no_permitted_target", "-", "-")


def test_json_carries_no_content() -> None:
    told = as_json(1, judge("t", SEEN, ANSWERED, AS_IT_WAS, OWN))
    assert told["ok"] is True and told["target"] == OWN
    assert "hello" not in str(told)


def test_a_narrow_terminal_gets_the_table_without_tokens_and_time() -> None:
    line = tuple("abcdefghi")
    (titles, cells), right = fit([line], 120)
    assert (titles, cells, right) == (TITLES, line, NUMBERS)
    (titles, cells), right = fit([line], 80)
    assert "tokens" not in titles and "time" not in titles and cells == tuple("abcdegi")
    assert {titles[position] for position in right} == {"#", "cost"}
