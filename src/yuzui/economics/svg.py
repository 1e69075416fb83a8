"""Plots as SVG text: lines, and a tornado. Presentation attributes only: any strict CSP takes them.

An own writer: the libraries that draw both are heavy, or load scripts that a strict policy refuses (decision 0020).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from yuzui.economics.figures import plain

WIDTH, HEIGHT = 720, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 16, 16, 48
_ROW = 30
_LEAST_SPAN = 1e-12
_COLOURS = ("#1769aa", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#0f766e", "#a16207", "#475569")
"""Each at least 4.5:1 against white."""
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
"""So that lines can be told apart without colour."""

Show = Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotLine:
    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """From `low` to `high`; None: that end has no value. The labels stand at the ends."""

    name: str
    low: float | None
    high: float | None
    low_label: str
    high_label: str


def line_plot(
    lines: Sequence[PlotLine],
    *,
    title: str,
    x_label: str,
    y_label: str,
    show_x: Show,
    show_y: Show,
    is_log_x: bool = False,
) -> str:
    """One SVG element. Lines without points are left out; raise `ValueError` when nothing is left."""
    lines = [line for line in lines if line.points]
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    if not xs:
        raise ValueError("nothing to draw")
    low_x, high_x = min(xs), max(xs)
    y_ticks = _ticks(min(0.0, *ys), max(ys))
    low_y, high_y = min(y_ticks[0], min(ys)), max(y_ticks[-1], max(ys))
    legend_rows = (len(lines) + 2) // 3
    bottom = HEIGHT - _BOTTOM

    def at_x(x: float) -> float:
        if high_x == low_x:
            return _LEFT
        share = math.log(x / low_x) / math.log(high_x / low_x) if is_log_x else (x - low_x) / (high_x - low_x)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def at_y(y: float) -> float:
        return bottom - (y - low_y) / ((high_y - low_y) or 1.0) * (bottom - _TOP)

    parts = [_open(HEIGHT + 10 + 20 * legend_rows, title)]
    for tick in y_ticks:
        y = at_y(tick)
        parts.append(_line(_LEFT, y, WIDTH - _RIGHT, y, "#d4d4d8"))
        parts.append(_text(_LEFT - 6, y + 4, show_y(tick), anchor="end"))
    for tick in _log_ticks(low_x, high_x) if is_log_x else _inside(_ticks(low_x, high_x), low_x, high_x):
        x = at_x(tick)
        parts.append(_line(x, bottom, x, bottom + 5, "#71717a"))
        parts.append(_text(x, bottom + 18, show_x(tick), anchor="middle"))
    parts.append(_line(_LEFT, bottom, WIDTH - _RIGHT, bottom, "#71717a"))
    parts.append(_text((_LEFT + WIDTH - _RIGHT) / 2, bottom + 38, x_label, anchor="middle"))
    parts.append(_text(14, (_TOP + bottom) / 2, y_label, anchor="middle", turn=True))
    for number, line in enumerate(lines):
        colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number // len(_COLOURS) % len(_DASHES)]
        points = " ".join([f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in line.points])
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>')
        column, row = number % 3, number // 3
        x, y = _LEFT + column * 210, HEIGHT + 12 + 20 * row
        parts.append(f'<line x1="{x}" y1="{y}" x2="{x + 24}" y2="{y}" stroke="{colour}" stroke-width="3"{dashed}/>')
        parts.append(_text(x + 30, y + 4, _short(line.name, 26)))
    return "".join([*parts, "</svg>"])


def tornado_plot(bars: Sequence[Bar], base: float, *, title: str, x_label: str, show_x: Show) -> str:
    """One SVG element: a bar per number, the line of the base case through all. Raise `ValueError` without bars."""
    ends = [end for bar in bars for end in (bar.low, bar.high) if end is not None]
    if not bars:
        raise ValueError("nothing to draw")
    ticks = _ticks(min([*ends, base]), max([*ends, base]))
    low, high = ticks[0], ticks[-1]
    left = 190
    height = _TOP + _ROW * len(bars) + _BOTTOM

    def at_x(value: float) -> float:
        return left + (value - low) / ((high - low) or 1.0) * (WIDTH - left - 60)

    bottom = _TOP + _ROW * len(bars)
    parts = [_open(height, title)]
    for tick in ticks:
        parts.append(_line(at_x(tick), _TOP, at_x(tick), bottom, "#d4d4d8"))
        parts.append(_text(at_x(tick), bottom + 16, show_x(tick), anchor="middle"))
    for number, bar in enumerate(bars):
        y = _TOP + _ROW * number + 5
        parts.append(_text(left - 64, y + 14, _short(bar.name, 22), anchor="end"))
        for end, label, colour in ((bar.low, bar.low_label, _COLOURS[0]), (bar.high, bar.high_label, _COLOURS[1])):
            if end is None:
                continue
            begin, stop = sorted((at_x(base), at_x(end)))
            parts.append(
                f'<rect x="{begin:.1f}" y="{y}" width="{stop - begin:.1f}" height="{_ROW - 10}" fill="{colour}"/>'
            )
            is_left = end < base
            parts.append(_text(begin - 4 if is_left else stop + 4, y + 14, label, anchor="end" if is_left else "start"))
    parts.append(_line(at_x(base), _TOP, at_x(base), bottom, "#18181b"))
    parts.append(_text((left + WIDTH) / 2, bottom + 38, x_label, anchor="middle"))
    return "".join([*parts, "</svg>"])


# ---- pieces ----------------------------------------------------------------------------------------------------------


def _open(height: float, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'aria-label={quoteattr(plain(title))} font-family="sans-serif" font-size="12">'
        f"<title>{escape(plain(title))}</title>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", turn: bool = False) -> str:
    turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#18181b"{turned}>{escape(plain(text))}</text>'


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers at equal distances, from at most `low` to at least `high`."""
    if high - low < max(_LEAST_SPAN, 1e-9 * max(abs(low), abs(high))):  # nothing that digits could tell apart
        high = low + max(abs(low), 1.0)
    raw = (high - low) / 5
    unit = 10 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= raw)
    first = math.floor(low / step)
    last = math.ceil(high / step)
    return [step * number for number in range(first, last + 1)]


def _inside(ticks: Sequence[float], low: float, high: float) -> list[float]:
    return [tick for tick in ticks if low <= tick <= high]


def _log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 of each power of ten between the ends, thinned where there are many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    inside = _inside(ticks, low, high)
    return inside if len(inside) <= 9 else _inside([10.0**power for power in powers], low, high) or [low, high]
