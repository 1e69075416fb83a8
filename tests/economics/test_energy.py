from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from economics_kit import TOLD, inputs, own
from yuzui.economics.energy import GridFactor, footprint

GRID = GridFactor(g_per_kwh=Fraction(400), told=TOLD)


def test_energy_is_idling_and_what_requests_draw() -> None:
    found = footprint(own(), 1_000_000, 2, GRID)
    assert found is not None
    draws = 600 * 1.25 * own().machine_s / 3_600_000
    assert float(found.kwh_per_month) == pytest.approx(2 * 182.5 + 1_000_000 * draws)
    assert float(found.marginal_wh) == pytest.approx(draws * 1000)
    assert float(found.whole_wh) == pytest.approx(float(found.kwh_per_month) / 1000)


def test_co2e_is_energy_times_the_grid_and_the_share_of_making() -> None:
    found = footprint(own(), 1_000_000, 2, GRID)
    assert found is not None and found.kg_per_month is not None and found.whole_g is not None
    assert found.embodied_kg_per_month == 20  # 480 kg over 48 months, twice
    assert found.kg_per_month == found.kwh_per_month * Fraction(400, 1000) + 20
    assert found.whole_g * 1_000_000 == found.kg_per_month * 1000
    assert found.marginal_g == own().marginal_kwh * 400


def test_without_a_grid_factor_no_co2e_is_told() -> None:
    found = footprint(own(), 1_000_000, 2, None)
    assert found is not None
    assert (found.kg_per_month, found.whole_g, found.marginal_g) == (None, None, None)


def test_without_watts_nothing_is_told() -> None:
    machine = replace(inputs().machines[0], power=None)
    assert footprint(own(replace(inputs(), machines=(machine,))), 1, 1, GRID) is None
