"""After a failure: again, next, or give up."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing_kit import CHEAP, DEAR, HOUSE, FakeClock, FakeRandomness
from yuzui.core.decision import AllowedSet, Decision
from yuzui.core.errors import (
    UpstreamBusy,
    UpstreamFault,
    UpstreamInterrupted,
    UpstreamInvalid,
    UpstreamRedirect,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamTLS,
    UpstreamUnreachable,
)
from yuzui.core.target import Target, Timeouts
from yuzui.routing.health import Watch
from yuzui.routing.retry import Course, FallBack, GiveUp, Retry, RetryBudget, Step, next_step

ONE, TWO = [HOUSE], [HOUSE, CHEAP]


def refused(status: int, code: str | None = None, retry_after_s: float | None = None) -> UpstreamRefused:
    return UpstreamRefused("no", upstream_status=status, code=code, retry_after_s=retry_after_s)


def final(fault: UpstreamFault) -> UpstreamFault:
    """As the codecs mark what waiting does not heal."""
    fault.retryable = False
    return fault


def after(
    fault: UpstreamFault,
    plan: list[Target],
    tried: list[str] | None = None,
    *,
    first_byte_sent: bool = False,
    time_left_s: float = 60.0,
    budget: RetryBudget | None = None,
) -> Step:
    return next_step(
        fault,
        plan=plan,
        tried=tried or [HOUSE.name],
        budget=budget or RetryBudget(),
        first_byte_sent=first_byte_sent,
        fraction=0.5,
        time_left_s=time_left_s,
    )


AGAIN, NEXT, STOP = "again", "next", "stop"


@pytest.mark.parametrize(
    ("fault", "alone", "with_another"),
    [
        (UpstreamUnreachable("x"), AGAIN, NEXT),
        (UpstreamTLS("x"), STOP, NEXT),
        (UpstreamRedirect("x"), STOP, NEXT),
        (UpstreamTimeout("x"), STOP, NEXT),
        (UpstreamInterrupted("x"), STOP, NEXT),
        (UpstreamInvalid("x"), STOP, NEXT),
        (UpstreamFault("x"), AGAIN, NEXT),
        (UpstreamBusy("x"), AGAIN, NEXT),
        (UpstreamBusy("x", retry_after_s=1.5), AGAIN, AGAIN),
        (UpstreamBusy("x", retry_after_s=8.0), AGAIN, NEXT),
        (UpstreamBusy("x", retry_after_s=11.0), STOP, NEXT),
        (refused(400), STOP, STOP),
        (refused(413), STOP, STOP),
        (refused(422), STOP, STOP),
        (refused(400, code="context_length_exceeded"), STOP, NEXT),
        (refused(401), STOP, NEXT),
        (refused(402), STOP, NEXT),
        (refused(404), STOP, NEXT),
        (refused(410), STOP, NEXT),
        (final(refused(429, code="upstream_quota_exhausted", retry_after_s=1.0)), STOP, NEXT),
        (refused(408), AGAIN, NEXT),
        (refused(429), AGAIN, NEXT),
        (refused(500), AGAIN, NEXT),
        (refused(529), AGAIN, NEXT),
        (refused(503, retry_after_s=1.0), AGAIN, AGAIN),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{type(value).__name__} {value.code} {value.retry_after_s}",
)
def test_what_follows_a_fault(fault: UpstreamFault, alone: str, with_another: str) -> None:
    for plan, expected in ((ONE, alone), (TWO, with_another)):
        step = after(fault, plan)
        match step:
            case Retry():
                assert (expected, step.target) == (AGAIN, HOUSE)
            case FallBack():
                assert (expected, step.target) == (NEXT, CHEAP)
            case GiveUp():
                assert expected == STOP


@pytest.mark.parametrize("fault", [UpstreamUnreachable("x"), UpstreamBusy("x", retry_after_s=1.0), refused(500)])
def test_no_second_try_once_a_byte_reached_the_client(fault: UpstreamFault) -> None:
    assert isinstance(after(fault, TWO, first_byte_sent=True), GiveUp)


def test_retry_after_is_honoured_to_the_second() -> None:
    assert after(UpstreamBusy("x", retry_after_s=7.0), ONE) == Retry(target=HOUSE, delay_s=7.0)


def test_backoff_doubles_with_full_jitter() -> None:
    delays = [after(refused(500), ONE, [HOUSE.name] * tries) for tries in (1, 2)]
    assert delays == [Retry(target=HOUSE, delay_s=0.25), Retry(target=HOUSE, delay_s=0.5)]


def test_three_tries_per_target_are_enough() -> None:
    assert isinstance(after(refused(500), ONE, [HOUSE.name] * 3), GiveUp)


def test_no_wait_goes_beyond_the_requests_own_limit() -> None:
    assert isinstance(after(UpstreamBusy("x", retry_after_s=5.0), ONE, time_left_s=4.0), GiveUp)
    assert isinstance(after(refused(500), TWO, time_left_s=0.0), GiveUp)


def test_an_empty_budget_ends_retries_but_not_fallbacks() -> None:
    empty = RetryBudget(burst=0.5)
    assert isinstance(after(refused(500), ONE, budget=empty), GiveUp)
    assert isinstance(after(refused(500), TWO, budget=empty), FallBack)


faults = st.one_of(
    st.sampled_from([UpstreamUnreachable, UpstreamTLS, UpstreamTimeout, UpstreamInterrupted, UpstreamInvalid]).map(
        lambda kind: kind("x")
    ),
    st.builds(refused, st.integers(400, 599), retry_after_s=st.none() | st.floats(0, 30)),
    st.builds(UpstreamBusy, st.just("x"), retry_after_s=st.none() | st.floats(0, 30)),
)


@given(
    sequence=st.lists(faults, min_size=1, max_size=30),
    size=st.integers(1, 3),
    fraction=st.floats(0, 1, exclude_max=True),
)
def test_a_request_never_leaves_its_plan_and_always_comes_to_an_end(
    sequence: list[UpstreamFault], size: int, fraction: float
) -> None:
    plan = [HOUSE, CHEAP, DEAR][:size]
    budget = RetryBudget()
    tried: list[str] = []
    target = plan[0]
    for fault in sequence:
        tried.append(target.name)
        step = next_step(
            fault,
            plan=plan,
            tried=tried,
            budget=budget,
            first_byte_sent=False,
            fraction=fraction,
            time_left_s=100.0,
        )
        if isinstance(step, GiveUp):
            break
        assert step.target in plan
        assert 0.0 <= step.delay_s <= 10.0
        if isinstance(step, FallBack):
            assert step.target.name not in tried
        target = step.target
    assert len(tried) <= 3 * size


@given(wants=st.lists(st.integers(0, 5), max_size=300))
def test_retries_stay_below_a_fifth_of_the_requests_plus_the_burst(wants: list[int]) -> None:
    budget = RetryBudget(share=0.2, burst=10.0)
    granted = 0
    for wanted in wants:
        budget.deposit()
        granted += sum(budget.withdraw() for _ in range(wanted))
    assert granted <= 0.2 * len(wants) + 10.0 + 1e-6


def decision(plan: list[Target]) -> Decision:
    return Decision(
        model="m",
        policy="pinned",
        level=0,
        allowed=AllowedSet(frozenset(target.name for target in plan)),
        plan=tuple(plan),
        refused=(),
        why="",
    )


def test_a_course_walks_its_plan_once() -> None:
    course = Course(RetryBudget(), decision([HOUSE, CHEAP, DEAR]), FakeRandomness(), FakeClock())
    assert course.after(HOUSE, UpstreamTimeout("x")) == FallBack(target=CHEAP)
    assert course.without(CHEAP) == DEAR
    assert course.after(DEAR, UpstreamTimeout("x")) is None


def test_a_course_ends_with_the_most_patient_targets_limit() -> None:
    clock = FakeClock()
    brief = [replace(target, timeouts=Timeouts(total_s=10.0)) for target in (HOUSE, CHEAP)]
    course = Course(RetryBudget(), decision(brief), FakeRandomness(), clock)
    clock.now_s += 10.0
    assert course.after(brief[0], refused(500)) is None


def test_a_storm_of_errors_from_a_lone_target_is_amplified_by_a_fifth_at_most() -> None:
    budget, clock, randomness = RetryBudget(), FakeClock(), FakeRandomness()
    requests, calls = 12_000, 0
    for _ in range(requests):
        course = Course(budget, decision(ONE), randomness, clock)
        calls += 1
        while course.after(HOUSE, refused(500)) is not None:
            calls += 1
    assert calls <= 1.2 * requests + 10


def test_a_storm_from_two_of_three_targets_is_answered_by_the_third_with_few_extra_calls() -> None:
    """200 requests per second for a minute; two targets answer 500, the third is well; then all are well again."""
    clock, randomness = FakeClock(), FakeRandomness()
    watch = Watch(clock=clock, jitter=randomness.fraction)
    budget = RetryBudget()
    targets = [HOUSE, CHEAP, DEAR]
    calls = answered = 0
    probes: dict[str, list[float]] = {HOUSE.name: [], CHEAP.name: []}
    for _ in range(12_000):
        clock.now_s += 1 / 200
        blocked = watch.health().blocked
        plan = [target for target in targets if target.name not in blocked]
        watch.breakers.claim(plan[0].name)
        course = Course(budget, decision(plan), randomness, clock)
        target: Target | None = plan[0]
        while target is not None:
            calls += 1
            watch.started(target.name)
            if target is DEAR:
                watch.succeeded(target.name)
                answered += 1
                step = None
            else:
                probes[target.name].append(clock.now_s)
                fault = refused(500)
                watch.failed(target.name, fault)
                step = course.after(target, fault)
            watch.finished(target.name)
            target = step.target if step is not None else None
    assert answered == 12_000
    assert calls <= 1.2 * 12_000
    for times in probes.values():
        after_opening = times[5:]
        assert all(later - earlier >= 0.999 for earlier, later in pairwise(after_opening))
    healed_at = clock.now_s
    while watch.health().blocked:
        clock.now_s += 0.01
    assert clock.now_s - healed_at <= 5.0
