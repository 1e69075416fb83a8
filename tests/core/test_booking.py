"""What is handed to the books is complete and cannot change while it waits for the disk."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from yuzui.core.booking import Closing, Intent, Outcome, Posting, Receipt

INTENT = Intent(request_id="r", at_ns=1, key_id="k", window="", cap_nano=0, reserved_nano=5, record=b"{}")
CLOSING = Closing(
    request_id="r", at_ns=1, key_id="k", app="a", team="", model="m", target="t", outcome="answered", window="",
    reserved_nano=5, spent_nano=3, is_estimated=False, input_tokens=1, output_tokens=1,
    postings=(
        Posting(account="spend:k", amount_nano=3, currency="USD", price_version="v"),
        Posting(account="target:t", amount_nano=-3, currency="USD", price_version="v"),
    ),
    record=b"{}",
)  # fmt: skip


@pytest.mark.parametrize("value", [INTENT, CLOSING, CLOSING.postings[0], Receipt(index=0, leaf_hash=bytes(32))])
def test_what_waits_for_the_disk_is_frozen(value: object) -> None:
    field = next(iter(type(value).__dataclass_fields__))  # type: ignore[attr-defined]  # all are dataclasses
    with pytest.raises(FrozenInstanceError):
        setattr(value, field, None)
    assert not hasattr(value, "__dict__")


def test_a_leg_without_a_rate_is_in_the_book_currency() -> None:
    assert CLOSING.postings[0].rate == "1"
    assert sum(leg.amount_nano for leg in CLOSING.postings) == 0


def test_unknown_is_an_outcome_of_its_own() -> None:
    assert set(get_args(Outcome)) == {"answered", "refused", "failed", "aborted", "unknown"}
