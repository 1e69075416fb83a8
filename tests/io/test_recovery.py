"""What is written about a request whose gateway died."""

from __future__ import annotations

import pytest

from books_kit import START_NS, an_intent
from yuzui.audit.record import read_record
from yuzui.io.recovery import closing_of_dead


def test_the_ceiling_is_charged_and_marked_as_estimated() -> None:
    closing = closing_of_dead(an_intent("r1", reserved=70), START_NS + 10**9, "USD")
    assert (closing.spent_nano, closing.is_estimated, closing.outcome) == (70, True, "unknown")
    assert (closing.window, closing.at_ns, closing.app) == ("2026-11", START_NS + 10**9, "shop")
    assert [(leg.account, leg.amount_nano) for leg in closing.postings] == [("spend:k1", 70), ("target:unknown", -70)]
    assert "2026-11-22T00:00:01.000Z" in read_record(closing.record).error_message


def test_a_free_request_has_no_postings() -> None:
    assert closing_of_dead(an_intent("r1", reserved=0), START_NS, "USD").postings == ()


@pytest.mark.parametrize("record", [b"", b"\xff", b"{}", b"[1]"])
def test_a_record_that_cannot_be_read_still_gives_a_leaf(record: bytes) -> None:
    intent = an_intent("r1")
    object.__setattr__(intent, "record", record)  # a frozen dataclass, and this is the one field that varies
    leaf = read_record(closing_of_dead(intent, START_NS, "USD").record)
    assert (leaf.id, leaf.key_id, leaf.outcome) == ("r1", "k1", "unknown")
