from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from economics_kit import BIG, SMALL, TEXT, a_study, inputs
from yuzui.core.errors import ConfigError
from yuzui.economics.measurement import MeasuredLevel, Measurement
from yuzui.economics.study import Study, speed_of, study


def test_a_study_puts_every_machine_beside_every_vendor() -> None:
    found = a_study()
    one = found.machines[0]
    assert [other.vendor.name for other in one.against] == ["big", "small"]
    assert one.month_nano == one.own.month_nano(1_000_000)
    assert one.goal_wait_s <= 0.5
    assert found.versus is SMALL  # the cheapest
    assert one.base is not None and one.swings
    assert one.footprint is not None and one.footprint.kg_per_month is not None


def test_the_vendor_of_the_sensitivities_can_be_named() -> None:
    assert a_study(versus="big").versus is BIG
    with pytest.raises(ConfigError, match="no vendor is named 'x'; known are big, small"):
        a_study(versus="x")


def test_without_vendors_there_is_a_cost_and_no_comparison() -> None:
    text = TEXT.split("[[vendors]]")[0]
    found = a_study(text)
    assert found.versus is None and found.machines[0].against == () and found.machines[0].base is None


def test_without_work_there_is_nothing_to_ask() -> None:
    bare = replace(inputs(), traffic=None)
    with pytest.raises(ConfigError, match="--from-books"):
        study(bare, date=dt.date(2026, 11, 26), traffic=None, measurements={}, vendors=[], grid=None)


def level(n: int, words: int, inp: float, out: float, cv2: float = 0.0) -> MeasuredLevel:
    return MeasuredLevel(
        concurrency=n, prompt_words=words, max_output_tokens=50, window_s=1, requests=1, failures=0,
        input_tokens_per_s=inp, output_tokens_per_s=out, output_cv2=cv2, mean_input_tokens=60, mean_output_tokens=30,
        mean_latency_s=4.0, p95_latency_s=9.0, mean_first_token_s=0.2 + 0.1 * n, p95_first_token_s=1.0,
    )  # fmt: skip


def measured(*levels: MeasuredLevel) -> Study:
    found = inputs()
    machine = found.machines[0]
    speed = replace(machine.speed, measured="m.json", levels=(), input_weight=None, told=None)
    file = Measurement(date="2026-11-20", server="http://h/v1", model="m", machine="x", levels=list(levels))
    return study(
        replace(found, machines=(replace(machine, speed=speed),)), date=dt.date(2026, 11, 26), traffic=None,
        measurements={"m.json": file}, vendors=[], grid=None,
    )  # fmt: skip


SHORT = (level(1, 64, 60, 30), level(8, 64, 200, 100, cv2=2.5))


def test_a_measurement_gives_curve_weight_variation_source_and_date() -> None:
    one = measured(*SHORT, level(8, 512, 900, 60)).machines[0]
    assert one.curve.largest == 8
    # 1 = a * 200 + b * 100 and 1 = a * 900 + b * 60
    assert one.curve.input_weight == pytest.approx(40 / 700)
    assert [(found.concurrency, found.p95_s) for found in one.latencies] == [(1, 9.0), (8, 9.0)]
    last = one.latencies[1]
    assert last.fitted_s == pytest.approx(8 * (30 + one.curve.input_weight * 60) / one.curve.work_per_s(8))
    assert last.residual == pytest.approx(last.fitted_s / 4.0 - 1)
    assert one.first_token is not None
    assert (one.first_token.slope, one.first_token.at_zero) == pytest.approx((0.1, 0.2))
    assert one.service_cv2 == 2.5 and one.service_cv2_is_measured
    assert one.speed_told.date == dt.date(2026, 11, 20) and "http://h/v1" in one.speed_told.source


def test_one_length_of_prompt_needs_the_weight_by_hand() -> None:
    with pytest.raises(ConfigError, match="--prompt-words 64,512"):
        measured(*SHORT)


def test_one_level_is_no_curve() -> None:
    with pytest.raises(ConfigError, match="two levels"):
        measured(level(8, 64, 200, 100), level(8, 512, 900, 60))


def test_levels_by_hand_have_their_own_source() -> None:
    _, told, variation = speed_of(inputs().machines[0], {})
    assert told.source == "a test" and variation is None


NASTY = (
    "0",
    "-1",
    "1e18",
    "1e-9",
    "inf",
    "nan",
    '"x"',
    "true",
    "[]",
    "{}",
    '"1e30"',
    "999999999999",
    '""',
    "1979-05-27",
)


@pytest.mark.parametrize("value", NASTY)
def test_whatever_stands_in_the_file_is_computed_or_refused_with_words(value: str) -> None:
    """Every key in turn gets a value that nobody meant."""
    lines = TEXT.split("\n")
    for number, line in enumerate(lines):
        key = line.partition(" = ")[0]
        if not key.isidentifier():
            continue
        text = "\n".join([*lines[:number], f"{key} = {value}", *lines[number + 1 :]])
        try:
            found = a_study(text)
        except ConfigError as error:
            assert error.message
        else:
            assert found.machines[0].month_nano >= 0
