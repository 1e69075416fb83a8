from __future__ import annotations

from typing import get_type_hints

import msgspec
import pytest

from backtest_kit import Sent, record_of, snapshot
from yuzui.audit.record import VERSION, RequestRecord, UsageRecord, write_record
from yuzui.backtest.recorded import Recorded, Skipped, read_records, refuse_unreadable
from yuzui.core.errors import ConfigError
from yuzui.core.usage import Usage
from yuzui.exchange import usage_record

THERE = snapshot()
RECORD = record_of(Sent(findings=("email",)), THERE)


def test_every_field_that_a_replay_reads_is_one_of_the_record() -> None:
    assert set(Recorded.__struct_fields__) <= set(RequestRecord.__struct_fields__)
    assert get_type_hints(Recorded)["usage"] == UsageRecord | None


def test_usage_comes_back_as_it_was_charged() -> None:
    usage = Usage(input_tokens=9, cached_input_tokens=4, output_tokens=3, images=1, server_tools=(("web_search", 2),))
    written = msgspec.json.encode(usage_record(usage))
    assert msgspec.json.decode(written, type=UsageRecord).as_usage() == usage


def read(*records: RequestRecord, **bounds: str) -> tuple[list[Recorded], Skipped]:
    skipped = Skipped()
    return list(read_records([write_record(one) for one in records], skipped, **bounds)), skipped


def test_bounds_and_teams_choose() -> None:
    red = msgspec.structs.replace(RECORD, team="red")
    assert len(read(red, since="2026-11-18T04:26:40.000Z")[0]) == 1
    assert not read(red, until="2026-11-18T04:26:40.000Z")[0]
    assert read(red, RECORD, team="red")[1].another_team == 1
    assert len(read(RECORD, team="")[0]) == 1


def test_leaves_without_a_request_are_left_out() -> None:
    opened = RequestRecord(id="r", at="2026-11-18T04:26:40.000Z", outcome="vault_opened")
    assert read(opened)[1] == Skipped(no_request=1)


def test_what_is_not_understood_ends_the_backtest() -> None:
    _, skipped = read(msgspec.structs.replace(RECORD, v=VERSION + 1))
    with pytest.raises(ConfigError, match="newer Yuzui"):
        refuse_unreadable(skipped)
    skipped = Skipped()
    assert not list(read_records([b"{", b"\xff"], skipped))
    with pytest.raises(ConfigError, match="2 records cannot be read"):
        refuse_unreadable(skipped)
    refuse_unreadable(Skipped(no_request=3, another_team=2))


@pytest.mark.parametrize(
    ("changes", "is_routed"),
    [
        ({}, True),
        ({"operation": "judge"}, False),
        ({"sensitivity": ""}, False),
        ({"plan": (), "target": "", "error": "no_permitted_target", "outcome": "refused"}, True),
        ({"plan": (), "target": "", "error": "invalid_request", "outcome": "refused"}, False),
        ({"target": "", "error": "budget_exceeded", "outcome": "refused"}, False),
        ({"target": "", "outcome": "unknown"}, True),
        ({"outcome": "failed"}, True),
    ],
)
def test_routing_decided_it_or_it_did_not(changes: dict[str, object], is_routed: bool) -> None:
    assert read(msgspec.structs.replace(RECORD, **changes))[0][0].is_routed is is_routed
