"""A small operator's inputs, and a study of them, for the tests of economics."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from fractions import Fraction

from yuzui.accounting.prices import parse_price
from yuzui.economics.energy import GridFactor
from yuzui.economics.inputs import Inputs, Told, read_inputs
from yuzui.economics.ownership import AS_WRITTEN, Factors, Ownership, PricedVendor
from yuzui.economics.study import Study, speed_of, study

SOURCED = 'source = "a test"\ndate = 2026-11-01\n'
TEXT = f"""
currency = "USD"
[traffic]
requests_per_month = 1_000_000
input_tokens_per_request = 800
output_tokens_per_request = 200
cached_input_share = 0.25
peak_factor = 2.0
growth_per_year = 0.5
{SOURCED}
[goal]
wait_quantile = 0.95
wait_s = 0.5
max_utilisation = 0.8
{SOURCED}
[[machines]]
name = "box"
embodied_kg_co2e = 480
{SOURCED}
[machines.purchase]
price = 24_000
residual_value = 0
lifetime_months = 48
{SOURCED}
[machines.power]
idle_w = 200
busy_w = 800
pue = 1.25
price_per_kwh = "0.20"
{SOURCED}
[machines.staff]
full_time_share = 0.1
cost_per_month = 8000
{SOURCED}
[machines.speed]
input_token_weight = 0.1
{SOURCED}
[[machines.speed.levels]]
concurrency = 1
input_tokens_per_s = 200.0
output_tokens_per_s = 50.0
[[machines.speed.levels]]
concurrency = 4
input_tokens_per_s = 640.0
output_tokens_per_s = 160.0
[[machines.speed.levels]]
concurrency = 16
input_tokens_per_s = 1600.0
output_tokens_per_s = 400.0
[[vendors]]
name = "big"
price = {{ currency = "USD", input = 2, cached_input = 1, output = 10 }}
{SOURCED}
[[vendors]]
name = "small"
price = {{ currency = "CNY", input = 1, output = 4 }}
{SOURCED}
[rates.CNY]
value = "0.14"
{SOURCED}
[grid]
g_co2e_per_kwh = 400
{SOURCED}
"""
"""One machine, two vendors of which one is abroad."""

TOLD = Told(source="a test", date=dt.date(2026, 11, 1))
BIG = PricedVendor(
    name="big", price=parse_price({"currency": "USD", "input": 2, "cached_input": 1, "output": 10}, "big"),
    rate=Fraction(1), is_foreign=False, batch_discount=Fraction(0), told=TOLD,
)  # fmt: skip
SMALL = PricedVendor(
    name="small", price=parse_price({"currency": "CNY", "input": 1, "output": 4}, "small"), rate=Fraction(14, 100),
    is_foreign=True, batch_discount=Fraction(0), told=TOLD,
)  # fmt: skip


def inputs(text: str = TEXT) -> Inputs:
    return read_inputs(text)


def own(found: Inputs | None = None, factors: Factors = AS_WRITTEN) -> Ownership:
    found = found or inputs()
    machine = found.machines[0]
    assert found.traffic is not None
    curve, _, _ = speed_of(machine, {})
    return Ownership(machine, curve, found.traffic, found.goal, service_cv2=1.0, factors=factors)


def a_study(text: str = TEXT, versus: str = "") -> Study:
    found = inputs(text)
    grid = None
    if found.grid is not None and found.grid.g_per_kwh is not None:
        grid = GridFactor(g_per_kwh=found.grid.g_per_kwh, told=TOLD)
    vendors = [BIG, SMALL] if found.vendors else []
    return study(
        found, date=dt.date(2026, 11, 26), traffic=None, measurements={}, vendors=vendors, grid=grid, versus=versus
    )


def at_price(output: int) -> PricedVendor:
    """A vendor that asks whole USD per million output tokens, and a fifth of it for input."""
    price = parse_price({"currency": "USD", "input": f"{output / 5:.1f}", "output": output}, "x")
    return replace(BIG, price=price)
