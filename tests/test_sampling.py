"""A flood of refusals is counted, not listed."""

from __future__ import annotations

import pytest

from yuzui.core.caller import LOOPBACK_CALLER
from yuzui.core.errors import InvalidRequest, RateExceeded, Unauthenticated, YuzuiError
from yuzui.core.sensitivity import Lattice
from yuzui.exchange import Exchange
from yuzui.sampling import RefusalSampler


def exchange() -> Exchange:
    return Exchange(
        id="r", at_ns=0, started=0.0, lattice=Lattice(), snapshot_id="s", content_key=bytes(32), dialect="openai_chat"
    )


@pytest.mark.parametrize("error", [Unauthenticated("x"), InvalidRequest("x", code="unsupported_content_encoding")])
def test_strangers_cannot_flood_the_books(error: YuzuiError) -> None:
    sampler = RefusalSampler()
    recorded = sum(sampler.wants(error, 5.0 + i / 2000, exchange()) for i in range(1000))
    assert recorded == RefusalSampler.PER_SECOND
    later = exchange()
    assert sampler.wants(error, 6.5, later)
    assert later.suppressed == 1000 - RefusalSampler.PER_SECOND


def test_what_a_known_caller_did_is_recorded_each_time_except_beyond_its_rate() -> None:
    sampler = RefusalSampler()

    def wants(error: YuzuiError, *, has_intent: bool = False) -> bool:
        known = exchange()
        known.caller, known.has_intent = LOOPBACK_CALLER, has_intent
        return sampler.wants(error, 1.0, known)

    assert all(wants(InvalidRequest("x")) for _ in range(100))
    assert sum(wants(RateExceeded("x")) for _ in range(100)) == RefusalSampler.PER_SECOND
    assert all(wants(RateExceeded("x"), has_intent=True) for _ in range(100))
