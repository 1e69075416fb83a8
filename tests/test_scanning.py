"""Patterns and names together: both results count, and a refused body leaves nobody searching."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, cast

import pytest

from yuzui.config import read
from yuzui.core.errors import InvalidRequest
from yuzui.core.sensitivity import Finding, NameRules
from yuzui.privacy.leaves import Leaf
from yuzui.privacy.scan import NOTHING, Scanner, ScanResult
from yuzui.scanning import INLINE_BYTES, join, scan_request
from yuzui.world import Snapshot, World

NAME = Finding(kind="person", detector="m", start=0, end=3)
CONFIG = read('[embedded]\nenabled = true\nmodel = "m"\n', {}, source=None)


class Parts:
    """What `scan_request` needs of a snapshot and a world."""

    def __init__(self, names: Any) -> None:  # Any: a `Names`, or None
        self.config = CONFIG
        self.scanner = Scanner(CONFIG.sensitivity)
        self.names = names


class Names:
    def __init__(self, result: ScanResult, *, is_remembered: bool = False) -> None:
        self.result = result
        self.is_cancelled = False
        self.is_remembered = is_remembered

    def begin(self, leaves: Sequence[Leaf], rules: NameRules) -> ScanResult | Coroutine[Any, Any, ScanResult]:
        return self.result if self.is_remembered else self._find()

    async def _find(self) -> ScanResult:
        try:
            await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        return self.result


def scan(names: Names | None, body: Any, size_bytes: int = 10) -> ScanResult:  # Any: JSON
    parts = Parts(names)
    return asyncio.run(scan_request(cast(Snapshot, parts), cast(World, parts), body, {}, size_bytes))


def test_without_models_the_patterns_stand_alone() -> None:
    found = scan(None, {"m": "mail ada@example.com"})
    assert [one.kind for one in found.findings] == ["email"]


@pytest.mark.parametrize("is_remembered", [False, True])
@pytest.mark.parametrize("size_bytes", [10, INLINE_BYTES + 1])
def test_both_results_are_one(size_bytes: int, is_remembered: bool) -> None:
    found = scan(
        Names(ScanResult(findings=(NAME,)), is_remembered=is_remembered), {"m": "Ada: ada@example.com"}, size_bytes
    )
    assert [one.kind for one in found.findings] == ["email", "person"]


def test_other_readings_of_a_value_stay_where_names_are_found_too() -> None:
    """Masking needs them: they are the places of values in JSON in strings."""
    arguments = '{"to": "ada@example.com", "b": "\\""}'
    body = {"messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": arguments}}]}]}
    alone = scan(None, body)
    assert alone.repeats and scan(Names(ScanResult(findings=(NAME,))), body).repeats == alone.repeats


def test_a_failure_of_either_is_a_failure() -> None:
    assert scan(Names(ScanResult(failures=("names: deadline",))), {"m": "Ada"}).failures == ("names: deadline",)
    assert join(ScanResult(failures=("email",)), NOTHING).failures == ("email",)
    assert join(ScanResult(failures=("a",)), ScanResult(failures=("b",), unscannable=("file",))) == ScanResult(
        failures=("a", "b"), unscannable=("file",)
    )


def test_a_refused_body_leaves_nobody_searching() -> None:
    names = Names(NOTHING)
    with pytest.raises(InvalidRequest):
        scan(names, {"m": "lone \ud800"})
    assert names.is_cancelled
