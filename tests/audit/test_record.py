"""Records: canonical, readable, and never too long for the log."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuzui.audit.record import (
    MAX_RECORD_BYTES,
    VERSION,
    AttemptRecord,
    CauseRecord,
    CostRecord,
    RequestRecord,
    UsageRecord,
    first_tried,
    read_record,
    write_record,
)
from yuzui.audit.tiles import MAX_ENTRY_BYTES
from yuzui.cascading import Role

TIME = "2026-11-22T12:00:00.000Z"


def test_a_record_reads_back_and_is_written_one_way_only() -> None:
    record = RequestRecord(
        id="req_1",
        at=TIME,
        findings={"email": 2, "cn_resident_id": 1},
        refused={"clearance": ("deepseek/chat",)},
        attempts=(AttemptRecord(target="house/qwen", outcome="ok", upstream_status=200),),
        usage=UsageRecord(input=3, output=4),
        cost=CostRecord(amount=1, currency="USD", book=1, book_currency="USD", price_version="2026-11"),
    )
    data = write_record(record)
    assert read_record(data) == record
    turned = msgspec.structs.replace(record, findings={"cn_resident_id": 1, "email": 2})
    assert write_record(turned) == data


def test_the_bound_is_that_of_the_log() -> None:
    assert MAX_RECORD_BYTES == MAX_ENTRY_BYTES


def test_a_record_that_fits_is_not_touched() -> None:
    record = RequestRecord(id="req_1", at=TIME, model="m" * 60_000)
    assert read_record(write_record(record)) == record


TEXT = st.sampled_from(["x", "\0", "漢", "\U0001f600", '"']).flatmap(
    lambda char: st.sampled_from([1, 300, 70_000, 1_000_000]).map(lambda count: char * count)
)


@settings(max_examples=40, deadline=None)
@given(model=TEXT, message=TEXT, names=st.sampled_from([0, 10, 5_000]), name=TEXT)
def test_a_record_of_any_size_can_be_recorded(model: str, message: str, names: int, name: str) -> None:
    many = tuple(f"{number}{name[:100]}" for number in range(names))
    record = RequestRecord(
        id="req_" + "0" * 28,
        at=TIME,
        request_hash="a" * 64,
        model=model,
        error_message=message,
        allowed=many,
        refused=dict.fromkeys(many[:50], many[:50]),
        findings=dict.fromkeys(many, 1),
        causes=tuple(CauseRecord(source=one, level=one, detail=one) for one in many),
        attempts=tuple(AttemptRecord(target=one, outcome=one, detail=one) for one in many),
        plan=many,
        dropped=many,
    )
    data = write_record(record)
    assert len(data) <= MAX_RECORD_BYTES
    again = read_record(data)
    assert (again.id, again.at, again.request_hash) == (record.id, record.at, record.request_hash)
    assert again.shortened == (again != record)


def test_an_identifier_is_never_cut() -> None:
    with pytest.raises(ValueError, match="too long"):
        write_record(RequestRecord(id="r" * 70_000, at=TIME))


def test_what_is_not_a_record_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        read_record(b'{"id":1}')


def test_a_record_of_version_1_reads_as_ever_without_what_version_2_brought() -> None:
    read = read_record(b'{"v":1,"id":"req_1","at":"2026-11-22T08:15:30.123Z","plan":["a"],"target":"a"}')
    assert (read.v, read.plan, read.asked, read.premises) == (1, ("a",), None, "")
    assert VERSION == 2


@pytest.mark.parametrize("role", sorted(set(get_args(Role)) - {"candidate"}))
def test_what_a_cascade_asks_beside_its_candidate_was_not_tried_first(role: str) -> None:
    beside = AttemptRecord(target="house/tiny", outcome="upstream_error", role=role)
    held = AttemptRecord(target="house/small", outcome="escalated", role="candidate")
    assert first_tried((beside, held)) is held
    assert first_tried((beside,)) is None
