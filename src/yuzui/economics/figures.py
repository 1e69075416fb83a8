"""Numbers for people: amounts, shares and times, rounded for reading. What is kept and computed with is not."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

from yuzui.core.money import NANO

_SMALL_DIGITS = 4


def plain(text: str) -> str:
    """On one line, without what a terminal obeys or XML forbids: names and sources come out of files."""
    return "".join([char if char.isprintable() else "\ufffd" for char in " ".join(text.split())])


def amount(nano: Fraction | int) -> str:
    """Nano-units as units: `1,234.56`, `0.004321`: two decimals, and four digits below one."""
    value = Fraction(nano) / NANO
    if not value:
        return "0"
    if abs(value) >= 1:
        cents = round(value * 100)
        return f"{Decimal(cents) / 100:,.2f}"
    digits = _SMALL_DIGITS - 1 - math.floor(math.log10(abs(float(value)))) if abs(value) > Fraction(1, 10**15) else 15
    text = f"{float(value):.{digits}f}".rstrip("0").rstrip(".")
    return text if text.strip("-0.") else "0"


def number(value: float | Fraction | int) -> str:
    """`1,234`, `12.3`, `0.00123`: four digits that count."""
    found = float(value)
    if not found or not math.isfinite(found):
        return "0" if not found else "∞"
    if abs(found) >= 1000:
        return f"{found:,.0f}"
    digits = max(0, _SMALL_DIGITS - 1 - math.floor(math.log10(abs(found))))
    text = f"{found:.{min(digits, 15)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float | Fraction) -> str:
    return f"{float(share) * 100:.1f} %"


def change(share: float | Fraction) -> str:
    """With its sign: `-50 %`, `+20 %`."""
    return f"{float(share) * 100:+.0f} %"


def seconds(value: float) -> str:
    if not math.isfinite(value):
        return "∞"
    return f"{value * 1000:.0f} ms" if abs(value) < 1 else f"{value:.1f} s"


def short(value: float) -> str:
    """For axes: `1.2M`, `350k`, `0.05`."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"
