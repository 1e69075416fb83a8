from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from yuzui.backtest.latencies import Histogram, Part, bucket_of, join, middle_of, quantiles_of


@given(st.integers(0, 10**9))
def test_a_bucket_is_at_most_three_per_cent_off(value_ms: int) -> None:
    assert abs(middle_of(bucket_of(value_ms)) - value_ms) <= value_ms / 32


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_buckets_are_in_order(one: int, other: int) -> None:
    assert (bucket_of(one) <= bucket_of(other)) == (one <= other) or bucket_of(one) == bucket_of(other)


def histogram(*values_ms: int) -> Histogram:
    made = Histogram()
    for value_ms in values_ms:
        made.add(value_ms)
    return made


def test_histograms_join() -> None:
    joined = join([histogram(1, 1, 50), histogram(50, 900)])
    assert sum(joined.values()) == 5
    assert joined[bucket_of(50)] == 2


def test_a_mixture_weighs_its_parts_by_requests_not_by_what_was_measured() -> None:
    fast, slow = histogram(*[10] * 1000).counts, histogram(*[1000] * 10).counts
    found = quantiles_of([Part(requests=10, measured=fast), Part(requests=90, measured=slow)], (0.05, 0.5), Random(1))
    assert found is not None
    assert [round(one.value_ms, -1) for one in found] == [10, 1000]


def test_an_interval_holds_its_value_and_narrows_with_more_data() -> None:
    dice = Random(2)
    widths = []
    for count in (50, 5000):
        values = [int(dice.lognormvariate(6, 0.5)) for _ in range(count)]
        found = quantiles_of([Part(requests=count, measured=histogram(*values).counts)], (0.5,), dice)
        assert found is not None
        assert found[0].low_ms <= found[0].value_ms <= found[0].high_ms
        widths.append(found[0].high_ms - found[0].low_ms)
    assert widths[1] < widths[0] / 2


def test_without_data_nothing_is_said() -> None:
    assert quantiles_of([], (0.5,), Random(1)) is None
    assert quantiles_of([Part(requests=3, measured={})], (0.5,), Random(1)) is None
