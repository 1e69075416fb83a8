"""How much may be sent: never more than the burst and the rate together, whatever the order of events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.admission.limits import Admission, Limiter
from yuzui.core.caller import Limits
from yuzui.core.errors import RateExceeded

gaps = st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=150)


@given(st.integers(1, 60), gaps)
def test_admitted_requests_never_exceed_burst_plus_rate_times_window(per_minute: int, waits: list[float]) -> None:
    limiter, limits = Limiter(), Limits(requests_per_minute=per_minute)
    now = 1000.0
    admitted: list[float] = []
    for wait in waits:
        now += wait
        try:
            limiter.release(limiter.admit("k", limits, 1, now), 1)
            admitted.append(now)
        except RateExceeded as refused:
            assert refused.retry_after_s is not None and 0 < refused.retry_after_s <= 60
    for start in range(len(admitted)):
        for end in range(start, len(admitted)):
            window = admitted[end] - admitted[start]
            assert end - start + 1 <= per_minute + per_minute / 60 * window + 1e-6


@given(st.integers(1, 1000), st.lists(st.tuples(st.floats(0, 20), st.integers(0, 1500)), min_size=1, max_size=80))
def test_admitted_tokens_never_exceed_burst_plus_rate_times_window(
    per_minute: int, story: list[tuple[float, int]]
) -> None:
    limiter, limits = Limiter(), Limits(tokens_per_minute=per_minute)
    now = start = 0.0
    total = 0
    for wait, tokens in story:
        now += wait
        try:
            admission = limiter.admit("k", limits, tokens, now)
        except RateExceeded:
            continue
        used = min(tokens, per_minute)
        limiter.release(admission, used)
        total += used
    assert total <= per_minute + per_minute / 60 * (now - start) + 1e-6


def test_retry_after_is_exactly_when_the_next_request_may_come() -> None:
    limiter, limits = Limiter(), Limits(requests_per_minute=2)
    for _ in range(2):
        limiter.admit("k", limits, 1, 100.0)
    with pytest.raises(RateExceeded) as refused:
        limiter.admit("k", limits, 1, 110.0)
    wait_s = refused.value.retry_after_s
    assert wait_s == pytest.approx(20)
    assert wait_s is not None
    with pytest.raises(RateExceeded):
        limiter.admit("k", limits, 1, 110.0 + wait_s - 0.01)
    limiter.admit("k", limits, 1, 110.0 + wait_s + 0.01)


def test_tokens_that_were_not_used_come_back_and_those_beyond_the_bound_are_owed() -> None:
    limiter, limits = Limiter(), Limits(tokens_per_minute=600)
    limiter.release(limiter.admit("k", limits, 600, 0.0), 100)
    limiter.release(limiter.admit("k", limits, 500, 0.0), 1100)
    with pytest.raises(RateExceeded) as refused:
        limiter.admit("k", limits, 1, 0.0)
    assert refused.value.retry_after_s == pytest.approx(60.1)


def test_a_request_larger_than_the_minute_needs_a_full_bucket_and_is_not_refused_for_ever() -> None:
    limiter, limits = Limiter(), Limits(tokens_per_minute=100)
    limiter.release(limiter.admit("k", limits, 5000, 0.0), 90)
    with pytest.raises(RateExceeded):
        limiter.admit("k", limits, 5000, 0.0)
    limiter.admit("k", limits, 5000, 60.0)


def test_running_requests_are_counted_and_given_back_once() -> None:
    limiter, limits = Limiter(), Limits(concurrency=2)
    first, second = (limiter.admit("k", limits, 1, 0.0) for _ in range(2))
    with pytest.raises(RateExceeded) as refused:
        limiter.admit("k", limits, 1, 0.0)
    assert refused.value.code == "concurrency_limit_exceeded" and refused.value.retry_after_s
    for _ in range(3):
        limiter.release(first, 1)
    limiter.admit("k", limits, 1, 0.0)
    with pytest.raises(RateExceeded):
        limiter.admit("k", limits, 1, 0.0)
    limiter.release(second, 1)


def test_a_refused_request_costs_nothing() -> None:
    limiter, limits = Limiter(), Limits(requests_per_minute=2, tokens_per_minute=10)
    limiter.admit("k", limits, 10, 0.0)
    for _ in range(50):
        with pytest.raises(RateExceeded):
            limiter.admit("k", limits, 10, 0.0)
    limiter.admit("k", limits, 0, 0.0)


def test_callers_do_not_share_limits() -> None:
    limiter, limits = Limiter(), Limits(requests_per_minute=1)
    for key_id in ("a", "b", "c"):
        limiter.admit(key_id, limits, 1, 0.0)


def test_a_changed_limit_does_not_forgive_what_was_used() -> None:
    limiter = Limiter()
    running = limiter.admit("k", Limits(requests_per_minute=1, concurrency=1), 1, 0.0)
    with pytest.raises(RateExceeded) as refused:
        limiter.admit("k", Limits(requests_per_minute=5, concurrency=1), 1, 0.0)
    assert refused.value.code == "concurrency_limit_exceeded"
    limiter.release(running, 1)
    with pytest.raises(RateExceeded):
        limiter.admit("k", Limits(requests_per_minute=5, concurrency=1), 1, 0.0)


def test_a_request_that_outlives_a_change_of_its_limits_is_given_back() -> None:
    limiter = Limiter()
    running = limiter.admit("k", Limits(concurrency=1), 1, 0.0)
    changed = Limits(concurrency=1, requests_per_minute=100)
    with pytest.raises(RateExceeded):
        limiter.admit("k", changed, 1, 0.0)
    limiter.release(running, 1)
    limiter.admit("k", changed, 1, 0.0)


def test_memory_is_bounded_by_dropping_what_says_nothing() -> None:
    limiter, limits = Limiter(most_idle_states=100), Limits(requests_per_minute=60)
    busy: list[Admission] = [limiter.admit(f"busy{n}", limits, 1, 0.0) for n in range(10)]
    for n in range(5000):
        limiter.release(limiter.admit(f"k{n}", limits, 1, n * 2.0), 1)
        assert len(limiter) <= 210
    for admission in busy:
        limiter.release(admission, 1)


def test_a_caller_without_limits_leaves_no_trace() -> None:
    limiter = Limiter()
    limiter.release(limiter.admit("k", Limits(), 10**9, 0.0), 1)
    assert len(limiter) == 0


def test_a_request_that_grows_counts_as_if_it_had_come_whole() -> None:
    limiter, limits = Limiter(), Limits(tokens_per_minute=100)
    admission = limiter.admit("k", limits, 30, 0.0)
    limiter.grow(admission, 1000, 0.0)  # beyond the capacity: a full bucket is enough
    assert admission.tokens == 1030
    with pytest.raises(RateExceeded):
        limiter.admit("k", limits, 1, 0.0)
    limiter.release(admission, 40)
    second = limiter.admit("k", limits, 50, 0.0)
    with pytest.raises(RateExceeded) as refused:
        limiter.grow(second, 20, 0.0)
    assert refused.value.retry_after_s == pytest.approx(6) and second.tokens == 50
    limiter.grow(second, 10, 0.0)


def test_a_request_without_limits_grows_freely() -> None:
    limiter = Limiter()
    limiter.grow(limiter.admit("k", Limits(), 5, 0.0), 10**9, 0.0)
