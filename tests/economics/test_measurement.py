from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.errors import ConfigError
from yuzui.economics.measurement import (
    MeasuredLevel,
    Measurement,
    Sample,
    quantile,
    read_measurement,
    summarise,
    write_measurement,
)


def sample(started: float, first: float, finished: float, out: int = 10, inp: int = 100) -> Sample:
    return Sample(started_s=started, first_token_s=first, finished_s=finished, input_tokens=inp, output_tokens=out)


def summary(samples: list[Sample], window_s: float) -> MeasuredLevel:
    return summarise(samples, concurrency=2, prompt_words=64, max_output_tokens=10, window_s=window_s)


def test_tokens_count_as_far_as_they_fell_into_the_window() -> None:
    level = summary([sample(0, 1, 2), sample(0, 1, 3)], 2.0)
    assert level.output_tokens_per_s == pytest.approx((10 + 10 * 0.5) / 2)
    assert level.input_tokens_per_s == pytest.approx(100)


def test_what_begins_after_the_window_counts_nothing() -> None:
    level = summary([sample(0, 1, 2), sample(2.5, 3, 4)], 2.0)
    assert level.output_tokens_per_s == pytest.approx(5) and level.input_tokens_per_s == pytest.approx(50)


def test_latencies_are_those_of_each_request() -> None:
    level = summary([sample(0, 0.5, 2), sample(1, 2, 5), sample(0, 1, 3)], 5.0)
    assert level.mean_latency_s == pytest.approx((2 + 4 + 3) / 3) and level.p50_latency_s == pytest.approx(3)
    assert level.mean_first_token_s == pytest.approx((0.5 + 1 + 1) / 3)
    assert level.mean_between_tokens_s == pytest.approx((1.5 + 3 + 2) / 9 / 3)


def test_failures_are_counted_by_their_code_and_measure_nothing() -> None:
    level = summary([sample(0, 1, 2), Sample(started_s=0, failure="cut"), Sample(started_s=1, failure="cut")], 2.0)
    assert (level.requests, level.failures, level.failure_codes) == (1, 2, {"cut": 2})
    assert summary([Sample(started_s=0, failure="cut")], 2.0).output_tokens_per_s == 0


def test_the_variation_of_the_output_is_squared_and_relative() -> None:
    assert summary([sample(0, 1, 2, out=10), sample(0, 1, 2, out=30)], 2.0).output_cv2 == pytest.approx(0.25)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_quantile_lies_between_the_extremes(values: list[float], share: float) -> None:
    assert min(values) <= quantile(values, share) <= max(values) or quantile(values, share) == pytest.approx(
        max(values)
    )


def test_quantiles_of_known_values() -> None:
    assert quantile([1, 2, 3, 4], 0.5) == 2.5
    assert quantile([], 0.5) == 0


def measurement(levels: list[MeasuredLevel]) -> Measurement:
    return Measurement(date="2026-11-26", server="http://127.0.0.1:1/v1", model="m", machine="here", levels=levels)


def level(n: int, words: int, inp: float, out: float) -> MeasuredLevel:
    return MeasuredLevel(concurrency=n, prompt_words=words, max_output_tokens=50, window_s=1, requests=1, failures=0,
                         input_tokens_per_s=inp, output_tokens_per_s=out)  # fmt: skip


def test_a_file_is_read_as_it_was_written() -> None:
    found = measurement([level(1, 64, 10.0, 5.0)])
    assert read_measurement(write_measurement(found), "x") == found


def test_the_curve_goes_through_the_first_shape_and_the_weight_comes_from_all_at_the_top() -> None:
    found = measurement([level(1, 64, 50, 10), level(8, 64, 200, 40), level(8, 512, 600, 15), level(8, 64, 0, 0)])
    assert [(one.concurrency, one.prompt_words) for one in found.main_levels] == [(1, 64), (8, 64)]
    # 1 = a * 200 + b * 40 and 1 = a * 600 + b * 15
    assert found.input_weight == pytest.approx((25 / (600 * 40 - 200 * 15)) / (400 / (600 * 40 - 200 * 15)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"v": 9}, "version 9"),
        ({"odd": 1}, "odd"),
        ({"levels": [{"concurrency": "x"}]}, "concurrency"),
    ],
)
def test_another_file_is_no_measurement(change: dict[str, object], says: str) -> None:
    data = {**json.loads(write_measurement(measurement([level(1, 64, 1, 1)]))), **change}
    with pytest.raises(ConfigError, match=says):
        read_measurement(json.dumps(data).encode(), "m.json")


def test_negative_numbers_are_no_measurement() -> None:
    data = msgspec.json.encode(measurement([level(1, 64, -1, 1)]))
    with pytest.raises(ConfigError, match="below zero"):
        read_measurement(data, "m.json")
    with pytest.raises(ConfigError, match="no concurrency"):
        read_measurement(msgspec.json.encode(measurement([level(0, 64, 1, 1)])), "m.json")
    with pytest.raises(ConfigError, match="no measurement"):
        read_measurement(b"\xff", "m.json")
