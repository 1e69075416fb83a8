"""Two plots as SVG text: means with their intervals, and quality against cost. Presentation attributes only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

WIDTH: Final = 720
_LEFT, _RIGHT, _ROW, _FOOT = 210, 30, 28, 50
_OWN, _VENDOR, _OTHER = "#1769aa", "#c2410c", "#475569"
"""Each at least 4.5:1 against white; shapes differ as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    name: str
    premises: str
    value: float
    low: float | None = None
    high: float | None = None
    x: float | None = None
    """Cost, in a plot of quality against cost."""


def interval_plot(points: Sequence[Point], *, title: str, x_label: str) -> str:
    """A row per point, from 0 to 1. Raise `ValueError` without points."""
    if not points:
        raise ValueError("nothing to draw")
    bottom = 12 + _ROW * len(points)

    def at(value: float) -> float:
        return _LEFT + value * (WIDTH - _LEFT - _RIGHT)

    parts = [_open(bottom + _FOOT, title)]
    for tick in range(0, 11, 2):
        parts.append(_line(at(tick / 10), 8, at(tick / 10), bottom, "#d4d4d8"))
        parts.append(_text(at(tick / 10), bottom + 16, f"{tick / 10:g}", anchor="middle"))
    for number, point in enumerate(points):
        y = 12 + _ROW * number + _ROW / 2
        parts.append(_text(_LEFT - 12, y + 4, _short(point.name), anchor="end"))
        if point.low is not None and point.high is not None:
            parts.append(_line(at(point.low), y, at(point.high), y, _colour(point.premises), width=3))
        parts.append(_mark(at(point.value), y, point.premises))
    parts.append(_text((_LEFT + WIDTH - _RIGHT) / 2, bottom + 38, x_label, anchor="middle"))
    return "".join([*parts, "</svg>"])


def cost_plot(points: Sequence[Point], *, title: str, x_label: str, y_label: str) -> str:
    """Quality over cost; costs of 0 stand at the left edge. Raise `ValueError` without points."""
    placed = [point for point in points if point.x is not None]
    if not placed:
        raise ValueError("nothing to draw")
    height, left, bottom = 320, 70, 270
    most = max(point.x or 0.0 for point in placed) or 1.0
    top = _round_up(most)

    def at_x(value: float) -> float:
        return left + value / top * (WIDTH - left - 160)

    def at_y(value: float) -> float:
        return bottom - value * (bottom - 16)

    parts = [_open(height, title)]
    for tick in range(0, 11, 2):
        parts.append(_line(left, at_y(tick / 10), WIDTH - 160, at_y(tick / 10), "#d4d4d8"))
        parts.append(_text(left - 8, at_y(tick / 10) + 4, f"{tick / 10:g}", anchor="end"))
    for tick in range(5):
        value = top * tick / 4
        parts.append(_text(at_x(value), bottom + 18, f"{value:.3g}", anchor="middle"))
    for point in placed:
        x, y = at_x(point.x or 0.0), at_y(point.value)
        parts.append(_mark(x, y, point.premises))
        parts.append(_text(x + 10, y + 4, _short(point.name)))
    parts.append(_text((left + WIDTH - 160) / 2, bottom + 40, x_label, anchor="middle"))
    parts.append(_text(16, (16 + bottom) / 2, y_label, anchor="middle", turn=True))
    return "".join([*parts, "</svg>"])


def _round_up(value: float) -> float:
    unit = 10.0 ** math.floor(math.log10(value))
    return next(unit * factor for factor in (1, 2, 4, 5, 10) if unit * factor >= value)


def _colour(premises: str) -> str:
    return {"own": _OWN, "vendor": _VENDOR}.get(premises, _OTHER)


def _mark(x: float, y: float, premises: str) -> str:
    """A disc for own, a square for a vendor's, a ring for others: so that they can be told apart without colour."""
    colour = _colour(premises)
    match premises:
        case "vendor":
            return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{colour}"/>'
        case "own":
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{colour}"/>'
        case _:
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#fff" stroke="{colour}" stroke-width="2"/>'


def _open(height: float, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'aria-label={quoteattr(title)} font-family="sans-serif" font-size="12"><title>{escape(title)}</title>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, width: int = 1) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", turn: bool = False) -> str:
    turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#18181b"{turned}>{escape(text)}</text>'


def _short(text: str, most: int = 30) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
