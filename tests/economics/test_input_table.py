from __future__ import annotations

import datetime as dt

from economics_kit import TEXT, a_study
from yuzui.economics.input_table import input_rows, list_inputs
from yuzui.economics.words import Speaker


def test_every_input_has_value_source_and_date() -> None:
    rows = list(input_rows(a_study()))
    assert all(value and source for _, value, source, _ in rows)
    assert all(dt.date.fromisoformat(date) for _, _, _, date in rows)
    keys = {key for key, *_ in rows}
    for key in (
        "rates.CNY", "traffic.requests_per_month", "traffic.peak_factor", "goal.wait_s", "goal.max_utilisation",
        "machines[box].purchase.price", "machines[box].power.pue", "machines[box].power.price_per_kwh",
        "machines[box].staff (per all, month)", "machines[box].speed, 16 at once", "machines[box].speed.input_token_weight",
        "machines[box].embodied_kg_co2e", "vendors[big].output (per million)", "vendors[small].input (per million)",
        "grid.g_co2e_per_kwh", "sensitivity.vendor_price", "outlook.months",
    ):  # fmt: skip
        assert key in keys, key


def test_every_number_of_the_file_is_in_the_table() -> None:
    """Whatever an operator changes in the file changes a row."""
    base = {key: value for key, value, *_ in input_rows(a_study())}
    for before, after in (
        ("= 1_000_000", "= 1_100_000"), ("_request = 800", "_request = 900"), ("_share = 0.25", "_share = 0.5"),
        ("peak_factor = 2.0", "peak_factor = 2.5"), ("growth_per_year = 0.5", "growth_per_year = 0.6"),
        ("wait_s = 0.5", "wait_s = 0.6"), ("max_utilisation = 0.8", "max_utilisation = 0.7"),
        ("price = 24_000", "price = 25_000"), ("residual_value = 0", "residual_value = 10"),
        ("lifetime_months = 48", "lifetime_months = 47"), ("idle_w = 200", "idle_w = 201"), ("busy_w = 800", "busy_w = 801"),
        ("pue = 1.25", "pue = 1.3"), ('kwh = "0.20"', 'kwh = "0.21"'), ("full_time_share = 0.1", "full_time_share = 0.2"),
        ("embodied_kg_co2e = 480", "embodied_kg_co2e = 481"), ("weight = 0.1", "weight = 0.2"),
        ("output_tokens_per_s = 50.0", "output_tokens_per_s = 51.0"), ('value = "0.14"', 'value = "0.15"'),
        ("g_co2e_per_kwh = 400", "g_co2e_per_kwh = 401"),
    ):  # fmt: skip
        assert before in TEXT, before
        changed = {key: value for key, value, *_ in input_rows(a_study(TEXT.replace(before, after, 1)))}
        assert changed != base, before


def test_the_table_has_the_columns_of_its_language() -> None:
    assert list_inputs(a_study(), Speaker("zh")).columns == ("键", "数值", "来源", "日期")
