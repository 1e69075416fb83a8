"""Energy and CO2e of a request on own machines: what it draws on top, and its share of what stands there anyway."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from yuzui.economics.inputs import Told
from yuzui.economics.ownership import Ownership


@dataclass(frozen=True, slots=True, kw_only=True)
class GridFactor:
    """CO2e of a kilowatt-hour from the socket."""

    g_per_kwh: Fraction
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Of own replicas. CO2e is None without a grid factor."""

    kwh_per_month: Fraction
    marginal_wh: Fraction
    """Of one request, on top of an idle machine."""
    whole_wh: Fraction
    """Of one request, with its share of idling."""
    kg_per_month: Fraction | None
    marginal_g: Fraction | None
    whole_g: Fraction | None
    """With its share of idling and of making the machines, where that is known."""
    embodied_kg_per_month: Fraction


def footprint(own: Ownership, requests: int, replicas: int, grid: GridFactor | None) -> Footprint | None:
    """For so many requests per month; None where nobody said what the machine draws."""
    if own.machine.power is None:
        return None
    kwh = replicas * own.idle_kwh + requests * own.marginal_kwh
    embodied = replicas * own.machine.embodied_kg / own.machine.embodied_lifetime_months
    kg = None if grid is None else kwh * grid.g_per_kwh / 1000 + embodied
    return Footprint(
        kwh_per_month=kwh,
        marginal_wh=own.marginal_kwh * 1000,
        whole_wh=kwh * 1000 / requests,
        kg_per_month=kg,
        marginal_g=None if grid is None else own.marginal_kwh * grid.g_per_kwh,
        whole_g=None if kg is None else kg * 1000 / requests,
        embodied_kg_per_month=embodied,
    )
