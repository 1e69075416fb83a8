"""The real clock and the real randomness keep the promises of their ports."""

from __future__ import annotations

import time

from yuzui.io.clock import SystemClock, SystemRandomness
from yuzui.ports import Clock, Randomness


def test_the_clock_tells_the_time_in_nanoseconds_and_never_goes_back() -> None:
    clock: Clock = SystemClock()
    assert abs(clock.now_ns() - time.time_ns()) < 60 * 10**9
    first, second = clock.monotonic(), clock.monotonic()
    assert second >= first


def test_two_processes_that_start_together_draw_different_numbers() -> None:
    # Each has a generator of its own, seeded by the system: a fork or a restart must not repeat request ids.
    first: Randomness = SystemRandomness()
    second: Randomness = SystemRandomness()
    drawn = {source.bits64() for source in (first, second) for _ in range(1000)}
    assert len(drawn) == 2000
    assert all(0 <= bits < 2**64 for bits in drawn)
    assert max(drawn).bit_length() == 64


def test_fractions_lie_in_the_half_open_unit_interval() -> None:
    source = SystemRandomness()
    values = [source.fraction() for _ in range(10_000)]
    assert 0.0 <= min(values) < 0.01 < 0.99 < max(values) < 1.0
