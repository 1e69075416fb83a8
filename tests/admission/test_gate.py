"""Who is let in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from yuzui.admission.gate import Gate, caller_of
from yuzui.admission.keys import UNIFORM_MESSAGE, key_hash, make_secret
from yuzui.core.booking import KeyRecord
from yuzui.core.caller import LOOPBACK_CALLER, Budget
from yuzui.core.errors import GatewayFault, RateExceeded, Unauthenticated
from yuzui.core.sensitivity import Lattice
from yuzui.core.usage import Usage

PEPPER = b"p" * 32
SECRET = make_secret(b"r" * 32)
OTHER = make_secret(b"s" * 32)
HEADER = (f"Bearer {SECRET}",)
NOW_NS = 1_000

RECORD = KeyRecord(
    id="key_1", key_hash=key_hash(PEPPER, SECRET), app="shop", team="web", floor="confidential", models=("auto",),
    own_only=True, forbidden_jurisdictions=("US",), requests_per_minute=1, tokens_per_minute=2, concurrency=3,
    budget_nano=4, budget_period="week", created_ns=1,
)  # fmt: skip


class Shelf:
    def __init__(self, *records: KeyRecord) -> None:
        self.records = {record.key_hash: record for record in records}
        self.is_down = False

    def find_key(self, key_hash: bytes) -> KeyRecord | None:
        if self.is_down:
            raise GatewayFault("the books are unavailable", code="ledger_unavailable")
        return self.records.get(key_hash)

    def has_keys(self) -> bool:
        return bool(self.records)


def a_gate(shelf: Shelf, *, is_loopback: bool = False) -> Gate:
    return Gate(shelf, pepper=PEPPER, lattice=Lattice(), now_ns=lambda: NOW_NS, monotonic=lambda: 5.0,
                is_loopback=is_loopback)  # fmt: skip


def test_a_key_brings_everything_that_its_record_says() -> None:
    caller = a_gate(Shelf(RECORD)).identify(HEADER)
    assert (caller.key_id, caller.app, caller.team, caller.models) == ("key_1", "shop", "web", frozenset({"auto"}))
    assert (caller.constraints.floor, caller.constraints.own_only) == (2, True)
    assert caller.constraints.forbidden_jurisdictions == frozenset({"US"})
    assert (caller.limits.requests_per_minute, caller.limits.tokens_per_minute, caller.limits.concurrency) == (1, 2, 3)
    assert caller.budget == Budget(cap_nano=4, period="week")


def test_the_same_key_is_translated_once() -> None:
    gate = a_gate(Shelf(RECORD))
    assert gate.identify(HEADER) is gate.identify(HEADER)


@pytest.mark.parametrize(
    "record",
    [
        replace(RECORD, key_hash=key_hash(PEPPER, OTHER)),
        replace(RECORD, key_hash=key_hash(b"q" * 32, SECRET)),
        replace(RECORD, revoked_ns=NOW_NS),
        replace(RECORD, revoked_ns=0),
        replace(RECORD, expires_ns=NOW_NS),
    ],
)
def test_a_wrong_revoked_or_expired_key_gets_one_and_the_same_answer(record: KeyRecord) -> None:
    with pytest.raises(Unauthenticated) as refused:
        a_gate(Shelf(record)).identify(HEADER)
    assert (refused.value.code, refused.value.message) == ("invalid_api_key", UNIFORM_MESSAGE)


def test_a_key_that_is_about_to_end_still_works() -> None:
    record = replace(RECORD, expires_ns=NOW_NS + 1, revoked_ns=NOW_NS + 1)
    assert a_gate(Shelf(record)).identify(HEADER).key_id == "key_1"


def test_a_key_that_changed_is_translated_anew() -> None:
    shelf = Shelf(RECORD)
    gate = a_gate(shelf)
    gate.identify(HEADER)
    shelf.records[RECORD.key_hash] = replace(RECORD, models=None)
    assert gate.identify(HEADER).models is None
    shelf.records[RECORD.key_hash] = replace(RECORD, revoked_ns=NOW_NS)
    with pytest.raises(Unauthenticated):
        gate.identify(HEADER)


def test_loopback_without_keys_is_a_first_try_whatever_the_client_sends() -> None:
    gate = a_gate(Shelf(), is_loopback=True)
    assert gate.identify(()) is LOOPBACK_CALLER
    assert gate.identify(("Bearer " + "sk-" + "A" * 40,)) is LOOPBACK_CALLER


@pytest.mark.parametrize("is_loopback", [True, False])
def test_once_there_is_a_key_everybody_needs_one(is_loopback: bool) -> None:
    with pytest.raises(Unauthenticated) as refused:
        a_gate(Shelf(replace(RECORD, revoked_ns=1)), is_loopback=is_loopback).identify(())
    assert refused.value.code == "missing_api_key"


def test_without_keys_nobody_comes_in_from_another_machine() -> None:
    with pytest.raises(Unauthenticated):
        a_gate(Shelf()).identify(HEADER)


def test_books_that_are_down_are_not_a_wrong_key() -> None:
    shelf = Shelf(RECORD)
    shelf.is_down = True
    with pytest.raises(GatewayFault):
        a_gate(shelf).identify(HEADER)


def test_a_floor_that_the_configuration_forgot_is_the_highest() -> None:
    assert caller_of(replace(RECORD, floor="secret"), Lattice()).constraints.floor == Lattice().top
    assert caller_of(replace(RECORD, floor=""), Lattice()).constraints.floor == 0


def test_limits_hold_through_the_gate_and_what_was_not_used_comes_back() -> None:
    gate = a_gate(Shelf(replace(RECORD, requests_per_minute=3, tokens_per_minute=100, concurrency=0)))
    caller = gate.identify(HEADER)
    gate.release(gate.admit(caller, 100), Usage(input_tokens=5, output_tokens=5))
    gate.release(gate.admit(caller, 90), None)
    gate.admit(caller, 90)
    with pytest.raises(RateExceeded) as refused:
        gate.admit(caller, 1)
    assert refused.value.retry_after_s == pytest.approx(20)


def test_a_rotated_key_goes_on_with_the_conversations_of_the_first_of_its_line() -> None:
    rotated = caller_of(replace(RECORD, id="key_new", rotated_from="key_first"), Lattice())
    assert (rotated.key_id, rotated.scope) == ("key_new", "key_first")
    assert caller_of(replace(RECORD, rotated_from=""), Lattice()).scope == RECORD.id
