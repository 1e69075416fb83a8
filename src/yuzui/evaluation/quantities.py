"""Numbers with their units, as people and models write them, in English and Chinese; made comparable."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TABLE: Final[dict[str, dict[str, float]]] = {
    "length": {
        "m": 1, "metre": 1, "meter": 1, "米": 1, "km": 1e3, "kilometre": 1e3, "kilometer": 1e3, "千米": 1e3, "公里": 1e3,
        "cm": 1e-2, "centimetre": 1e-2, "centimeter": 1e-2, "厘米": 1e-2, "mm": 1e-3, "millimetre": 1e-3,
        "millimeter": 1e-3, "毫米": 1e-3, "µm": 1e-6, "nm": 1e-9, "inch": 0.0254, "inches": 0.0254, "ft": 0.3048,
        "foot": 0.3048, "feet": 0.3048, "yard": 0.9144, "yd": 0.9144, "mile": 1609.344, "mi": 1609.344,
    },
    "mass": {
        "kg": 1, "kilogram": 1, "千克": 1, "公斤": 1, "g": 1e-3, "gram": 1e-3, "克": 1e-3, "mg": 1e-6, "milligram": 1e-6,
        "毫克": 1e-6, "t": 1e3, "ton": 1e3, "tonne": 1e3, "吨": 1e3, "lb": 0.45359237, "lbs": 0.45359237,
        "pound": 0.45359237, "oz": 0.028349523125, "ounce": 0.028349523125, "斤": 0.5,
    },
    "time": {
        "s": 1, "sec": 1, "second": 1, "秒": 1, "ms": 1e-3, "millisecond": 1e-3, "毫秒": 1e-3, "min": 60, "minute": 60,
        "分钟": 60, "h": 3600, "hr": 3600, "hour": 3600, "小时": 3600, "day": 86_400, "天": 86_400, "日": 86_400,
        "week": 604_800, "周": 604_800,
    },
    "volume": {
        "l": 1, "litre": 1, "liter": 1, "升": 1, "ml": 1e-3, "millilitre": 1e-3, "milliliter": 1e-3, "毫升": 1e-3,
        "m3": 1e3, "m³": 1e3, "cm3": 1e-3, "cm³": 1e-3, "立方米": 1e3, "gallon": 3.785411784,
    },
    "area": {"m2": 1, "m²": 1, "平方米": 1, "km2": 1e6, "km²": 1e6, "平方公里": 1e6, "ha": 1e4, "hectare": 1e4, "公顷": 1e4,
             "亩": 2000 / 3, "acre": 4046.8564224},
    "speed": {"m/s": 1, "km/h": 1 / 3.6, "kmh": 1 / 3.6, "kph": 1 / 3.6, "mph": 0.44704, "公里/小时": 1 / 3.6},
    "energy": {"j": 1, "joule": 1, "焦耳": 1, "kj": 1e3, "kwh": 3.6e6, "wh": 3600, "cal": 4.184, "kcal": 4184, "度电": 3.6e6},
    "power": {"w": 1, "watt": 1, "瓦": 1, "kw": 1e3, "千瓦": 1e3, "mw": 1e6},
    "data": {"b": 1, "byte": 1, "字节": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 2**10, "mib": 2**20,
             "gib": 2**30, "tib": 2**40},
    "share": {"%": 1, "percent": 1, "per cent": 1, "‰": 0.1, "pp": 1},
    "temperature": {"°c": 1, "℃": 1, "celsius": 1, "摄氏度": 1, "°f": 1, "℉": 1, "fahrenheit": 1, "k": 1, "kelvin": 1},
    "usd": {"$": 1, "usd": 1, "dollar": 1, "美元": 1, "us$": 1},
    "cny": {"¥": 1, "cny": 1, "rmb": 1, "元": 1, "yuan": 1, "人民币": 1},
    "eur": {"€": 1, "eur": 1, "euro": 1, "欧元": 1},
    "gbp": {"£": 1, "gbp": 1},
}  # fmt: skip  # a row per dimension
_UNITS: Final = {unit: (dimension, size) for dimension, units in _TABLE.items() for unit, size in units.items()}
_SCALES: Final = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "百": 1e2, "千": 1e3, "万": 1e4,
                  "亿": 1e8}  # fmt: skip
_NUMBER: Final = (
    r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?(?:/\d+(?:\.\d+)?)?|[+-]?\.\d+(?:[eE][+-]?\d{1,3})?"
)
_BEFORE: Final = r"(?:us\$|[$¥€£])"
_NAMES: Final = "|".join(
    re.escape(name) + (r"s?(?![a-z])" if name[-1].isascii() and name[-1].isalpha() else "")
    for name in sorted(_UNITS, key=len, reverse=True)
)
_SCALE_NAMES: Final = "|".join(sorted(_SCALES, key=len, reverse=True))
_QUANTITY: Final = re.compile(
    rf"(?P<before>{_BEFORE})?\s*(?<![\w.])(?P<number>{_NUMBER})\s*(?P<scale>{_SCALE_NAMES})?\s*(?P<unit>{_NAMES})?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """`value` in the base unit of `dimension`; as written, where there is no unit."""

    value: float
    written: float
    """Without the unit, for a comparison with a number that has none."""
    unit: str = ""
    dimension: str = ""


def quantities(text: str) -> Iterator[Quantity]:
    """Every number in `text`, with the unit beside it."""
    text = unicodedata.normalize("NFKC", text.replace("℃", "°C").replace("℉", "°F")).replace("−", "-")
    text = text.replace("²", "2").replace("³", "3").replace("μ", "µ")
    for found in _QUANTITY.finditer(text):
        number = _value(found["number"])
        if number is None:
            continue
        number *= _SCALES.get((found["scale"] or "").lower(), 1)
        unit = (found["unit"] or found["before"] or "").lower().replace("μ", "µ")
        unit = unit if unit in _UNITS or not unit.endswith("s") else unit[:-1]
        dimension, size = _UNITS.get(unit, ("", 1.0))
        yield Quantity(value=_in_base(number, unit, size), written=number, unit=unit, dimension=dimension)


def _value(text: str) -> float | None:
    numerator, _, denominator = text.replace(",", "").partition("/")
    if not denominator:
        return float(numerator)
    return float(numerator) / float(denominator) if float(denominator) else None


def _in_base(number: float, unit: str, size: float) -> float:
    if unit in ("°f", "fahrenheit"):
        return (number - 32) / 1.8
    if unit in ("k", "kelvin"):
        return number - 273.15
    return number * size


def is_same(answer: Quantity, reference: Quantity, *, relative: float, absolute: float, needs_unit: bool) -> bool:
    """Within either tolerance, in one unit. A number without one counts as in the reference's, unless `needs_unit`."""
    if answer.dimension and reference.dimension:
        if answer.dimension != reference.dimension:
            return False
        mine, theirs = answer.value, reference.value
    elif bool(answer.dimension) != bool(reference.dimension) and needs_unit:
        return False
    else:
        mine, theirs = answer.written, reference.written
    return abs(mine - theirs) <= max(absolute, relative * abs(theirs), 1e-12 * abs(theirs))
