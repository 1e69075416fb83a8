"""The watch: what the pipeline reports, as the router sees it."""

from __future__ import annotations

from routing_kit import FakeClock
from yuzui.core.errors import UpstreamUnreachable
from yuzui.routing.health import Health, Watch

DOWN = UpstreamUnreachable("refused")


def watch(clock: FakeClock) -> Watch:
    return Watch(clock=clock, jitter=lambda: 1.0)


def attempt_that_fails(watched: Watch, target: str) -> None:
    watched.started(target)
    watched.failed(target, DOWN)
    watched.finished(target)


def test_a_target_that_fails_is_blocked_and_comes_back_at_the_first_byte_of_its_probe() -> None:
    clock = FakeClock()
    watched = watch(clock)
    for _ in range(5):
        attempt_that_fails(watched, "a")
    assert watched.health().blocked == {"a"}
    clock.now_s += 5
    assert watched.health().blocked == frozenset()
    watched.started("a")
    assert watched.health().blocked == {"a"}
    watched.first_token("a", 120.0)
    assert watched.health().blocked == frozenset()
    watched.succeeded("a")
    watched.finished("a")
    clock.now_s += 1
    assert 110.0 < watched.health().latency_ms["a"] < 120.0


def test_a_probe_that_ends_without_a_word_does_not_block_for_good() -> None:
    clock = FakeClock()
    watched = watch(clock)
    for _ in range(5):
        attempt_that_fails(watched, "a")
    clock.now_s += 5
    watched.started("a")
    watched.finished("a")  # the client hung up
    clock.now_s += 1
    assert watched.health().blocked == frozenset()


def test_in_flight_is_seen_at_once_and_the_epoch_moves_with_the_seconds() -> None:
    clock = FakeClock(7.2)
    watched = watch(clock)
    watched.started("a")
    assert watched.health().in_flight == {"a": 1}
    assert watched.health().epoch == 7
    clock.now_s = 8.0
    assert watched.health().epoch == 8


def test_the_claim_of_a_planned_probe_reaches_the_breaker() -> None:
    clock = FakeClock()
    watched = watch(clock)
    for _ in range(5):
        attempt_that_fails(watched, "a")
    clock.now_s += 5
    health: Health = watched.health()
    assert health.claim is not None
    health.claim("a")
    assert watched.health().blocked == {"a"}
