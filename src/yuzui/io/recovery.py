"""Knows how to close a request whose gateway died: outcome unknown, charged at its ceiling, marked as estimated."""

from __future__ import annotations

import msgspec

from yuzui.audit.record import CostRecord, RequestRecord, read_record, write_record
from yuzui.core.booking import Closing, Intent, Posting
from yuzui.exchange import rfc3339

PRICE_VERSION = "ceiling"
"""Not a price list: the bound that was reserved before the request was sent."""
UNKNOWN_TARGET = "target:unknown"


def closing_of_dead(intent: Intent, at_ns: int, book_currency: str) -> Closing:
    """The closing of `intent` at `at_ns`. Its record is the intent's, and says what happened to it."""
    record = _patched(intent, at_ns, book_currency)
    spent_nano = intent.reserved_nano
    postings = (
        Posting(account=f"spend:{intent.key_id}", amount_nano=spent_nano, currency=book_currency,
                price_version=PRICE_VERSION),
        Posting(account=UNKNOWN_TARGET, amount_nano=-spent_nano, currency=book_currency, price_version=PRICE_VERSION),
    ) if spent_nano else ()  # fmt: skip
    return Closing(
        request_id=intent.request_id, at_ns=at_ns, key_id=intent.key_id, app=record.app, team=record.team,
        model=record.model, target="", outcome="unknown", window=intent.window, reserved_nano=intent.reserved_nano,
        spent_nano=spent_nano, is_estimated=True, input_tokens=0, output_tokens=0, postings=postings,
        record=write_record(record),
    )  # fmt: skip


def _patched(intent: Intent, at_ns: int, book_currency: str) -> RequestRecord:
    try:
        record = read_record(intent.record)
    except msgspec.DecodeError:  # written by another version: what the table knows is still evidence
        record = RequestRecord(id=intent.request_id, at=rfc3339(intent.at_ns), key_id=intent.key_id)
    spent = intent.reserved_nano
    return msgspec.structs.replace(
        record,
        outcome="unknown",
        error="outcome_unknown",
        error_message=f"the gateway stopped before this request ended; closed at {rfc3339(at_ns)} at its ceiling",
        cost=CostRecord(amount=spent, currency=book_currency, book=spent, book_currency=book_currency,
                        price_version=PRICE_VERSION),
    )  # fmt: skip
