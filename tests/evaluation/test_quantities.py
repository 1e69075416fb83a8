"""Numbers are read as people write them, and compared in one unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.evaluation.quantities import Quantity, is_same, quantities


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("It is 1,234.5 km away", [(1_234_500.0, "length")]),
        ("about −3 °C", [(-3.0, "temperature")]),
        ("212 °F", [(100.0, "temperature")]),
        ("3/4 of it", [(0.75, "")]),
        ("1e3 m", [(1000.0, "length")]),
        ("$2.5 million", [(2_500_000.0, "usd")]),
        ("5 minutes", [(300.0, "time")]),
        ("2 mi", [(3218.688, "length")]),
        ("3.5万元", [(35_000.0, "cny")]),
        ("12 公斤和 3 克", [(12.0, "mass"), (0.003, "mass")]),
        ("50%", [(50.0, "share")]),
        ("100 km/h", [(100 / 3.6, "speed")]),
        ("2 GB", [(2e9, "data")]),
        ("10 m²", [(10.0, "area")]),
        ("version v1.2.3 of x86", []),
        ("1/0", []),
        ("no number", []),
    ],
)
def test_reading(text: str, values: list[tuple[float, str]]) -> None:
    found = [(one.value, one.dimension) for one in quantities(text)]
    if text.startswith("version"):
        assert all(not dimension for _, dimension in found)
        return
    assert [dimension for _, dimension in found] == [dimension for _, dimension in values]
    assert [value for value, _ in found] == pytest.approx([value for value, _ in values])


def one(text: str) -> Quantity:
    return next(quantities(text))


@pytest.mark.parametrize(
    ("answer", "reference", "same"),
    [
        ("1.5 km", "1500 m", True),
        ("90 min", "1.5 hours", True),
        ("1500", "1500 m", True),  # without a unit: as in the reference's
        ("5 kg", "5 km", False),
        ("1501 m", "1.5 km", False),
        ("$5", "5", True),
        ("5 €", "$5", False),
    ],
)
def test_units(answer: str, reference: str, same: bool) -> None:
    assert is_same(one(answer), one(reference), relative=0, absolute=0, needs_unit=False) is same


def test_tolerances_and_a_unit_that_must_be_there() -> None:
    assert is_same(one("101"), one("100"), relative=0.01, absolute=0, needs_unit=False)
    assert not is_same(one("101.1"), one("100"), relative=0.01, absolute=0, needs_unit=False)
    assert is_same(one("0.4"), one("0"), relative=0.01, absolute=0.5, needs_unit=False)
    assert not is_same(one("1500"), one("1500 m"), relative=0, absolute=0, needs_unit=True)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    list(quantities(text))


@given(st.integers(-(10**9), 10**9))
def test_an_integer_is_itself(number: int) -> None:
    assert [found.value for found in quantities(f"= {number} .")] == [number]
