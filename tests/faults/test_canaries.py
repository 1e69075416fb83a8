"""Marked values of generated conversations: no vendor's server ever receives one, and the check can fail."""

from __future__ import annotations

import asyncio

import pytest

from canary_kit import MASKING, play
from yuzui.privacy import scan


@pytest.mark.parametrize("seed", [1, 2])
def test_no_vendor_receives_a_marked_value(seed: int) -> None:
    tally = asyncio.run(play(seed, 160))
    assert tally.marked_requests == 160
    assert tally.leaks == []
    assert tally.vendor_requests > 10, "harmless requests go to vendors"
    assert tally.outcomes["answered"] > 5 and tally.outcomes["refused"] > 50


def test_no_vendor_receives_a_marked_value_where_stand_ins_are_sent() -> None:
    tally = asyncio.run(play(3, 200, more=MASKING))
    assert tally.leaks == []
    assert tally.vendor_requests > 80, "most marked requests go to vendors, masked"


def test_without_detection_the_same_conversations_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan.Scanner, "scan", lambda *_: scan.NOTHING)
    tally = asyncio.run(play(1, 48))
    assert len(tally.leaks) > 10
