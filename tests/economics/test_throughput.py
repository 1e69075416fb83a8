from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.economics.throughput import Level, fit, fit_line, weigh_input


def levels_of(most: float, half: float, ns: tuple[int, ...] = (1, 2, 4, 8, 16, 32)) -> list[Level]:
    return [Level(concurrency=n, input_tokens_per_s=0.0, output_tokens_per_s=most * n / (n + half)) for n in ns]


@given(st.floats(1, 1e6), st.floats(0.05, 200))
def test_a_curve_through_its_own_points_is_found_again(most: float, half: float) -> None:
    curve = fit(levels_of(most, half), 0.0)
    assert curve.most_per_s == pytest.approx(most, rel=1e-3)
    assert curve.half_load == pytest.approx(half, rel=1e-3)
    assert curve.rms_residual < 1e-4
    assert curve.is_good


def test_the_residuals_are_what_the_curve_does_not_explain() -> None:
    levels = levels_of(1000, 8)
    odd = Level(concurrency=8, input_tokens_per_s=0.0, output_tokens_per_s=650.0)  # 500 would lie on it
    curve = fit([*levels[:3], odd, *levels[4:]], 0.0)
    residual = dict(zip([n for n, _ in curve.points], curve.residuals, strict=True))[8]
    assert residual == pytest.approx(curve.work_per_s(8) / 650 - 1)
    assert residual < -0.1
    assert curve.rms_residual == pytest.approx((sum(r * r for r in curve.residuals) / 6) ** 0.5)


def test_a_server_that_gets_slower_under_load_is_told_as_a_bad_fit() -> None:
    slower = [
        Level(concurrency=n, input_tokens_per_s=0, output_tokens_per_s=x) for n, x in ((1, 60.0), (2, 39.0), (4, 20.0))
    ]
    assert not fit(slower, 0.0).is_good


def test_by_littles_law_the_time_of_a_request_is_a_straight_line() -> None:
    curve = fit(levels_of(1000, 8), 0.0)
    times = [curve.request_s(n, 0, 100) for n in (1, 9, 17)]
    assert times[0] == pytest.approx((1 + 8) * 100 / 1000, rel=1e-3)
    assert times[2] - times[1] == pytest.approx(times[1] - times[0], rel=1e-3)


def test_nothing_is_said_beyond_what_was_measured() -> None:
    curve = fit(levels_of(1000, 8), 0.0)
    with pytest.raises(ValueError, match="measured up to 32"):
        curve.work_per_s(33)


def test_a_bend_beyond_the_measured_levels_is_told() -> None:
    assert fit(levels_of(1000, 8), 0.0).is_saturating
    assert not fit(levels_of(1000, 500), 0.0).is_saturating


def test_input_tokens_count_with_their_weight() -> None:
    level = Level(concurrency=2, input_tokens_per_s=500.0, output_tokens_per_s=100.0)
    assert level.work_per_s(0.2) == pytest.approx(200)


@pytest.mark.parametrize("levels", [[], levels_of(10, 1, (4,)), levels_of(10, 1, (4, 4))])
def test_one_level_is_no_curve(levels: list[Level]) -> None:
    with pytest.raises(ValueError, match="two levels"):
        fit(levels, 0.0)


def test_a_level_without_throughput_is_refused() -> None:
    with pytest.raises(ValueError, match="no throughput"):
        fit([*levels_of(10, 1), Level(concurrency=64, input_tokens_per_s=0, output_tokens_per_s=0)], 0.0)


@given(st.floats(0.01, 1.0), st.floats(1e-4, 1.0))
def test_the_weight_of_input_is_found_from_two_lengths_of_prompt(weight: float, output_s: float) -> None:
    """A machine that is busy all the time with prompts of 100 and of 1,000 tokens, and answers of 50."""
    levels = []
    for prompt in (100, 1000):
        per_request_s = output_s * (weight * prompt + 50)
        levels.append(
            Level(concurrency=8, input_tokens_per_s=prompt / per_request_s, output_tokens_per_s=50 / per_request_s)
        )
    assert weigh_input(levels) == pytest.approx(weight, rel=1e-6)


def test_one_length_of_prompt_tells_no_weight() -> None:
    level = Level(concurrency=8, input_tokens_per_s=100, output_tokens_per_s=50)
    assert weigh_input([level, level]) is None
    assert weigh_input([]) is None


def test_a_line_is_found_with_its_residual() -> None:
    line = fit_line([(1, 3.0), (2, 5.0), (3, 7.0)])
    assert line.at_zero == pytest.approx(1) and line.slope == pytest.approx(2)
    assert line.rms_residual == pytest.approx(0, abs=1e-9)
    assert fit_line([(1, 0.0), (2, 1.0), (3, 0.0)]).rms_residual > 0.3
    with pytest.raises(ValueError, match="different loads"):
        fit_line([(1, 1.0), (1, 2.0)])
