"""Digit groups: which layouts are seen in a cluster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.numbers import Layouts, singles

LAYOUTS = Layouts(
    {(3, 4, 4): ["mobile"], (11,): ["mobile"], (6, 8, 4): ["id"], singles(11): ["mobile"]}, {(6, 8, 4): ["id"]}
)


def groups(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(text[digits.start : digits.end], owners) for digits, owners in LAYOUTS.find(text, 0, len(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13800138000", ["13800138000"]),
        ("138-0013-8000", ["138-0013-8000"]),
        ("20 138 0013 8000 99", ["138 0013 8000"]),
        ("138\n0013\n8000", []),
        ("110101\n19900307\n4610", ["110101\n19900307\n4610"]),
        ("1,3,8,0,0,1,3,8,0,0,0", ["1,3,8,0,0,1,3,8,0,0,0"]),
        ("1,3,8,0,0,1,3,8,0,0,0,5", []),
        ("138001380001", []),
    ],
)
def test_only_wanted_layouts_are_reported(text: str, expected: list[str]) -> None:
    assert [piece for piece, _ in groups(text)] == expected


@given(st.lists(st.integers(1, 12), min_size=1, max_size=20), st.sampled_from([" ", "-", ". "]))
def test_a_group_gives_back_its_digits_layout_and_gaps(lengths: list[int], gap: str) -> None:
    text = gap.join("7" * length for length in lengths)
    for digits, _ in LAYOUTS.find(text, 0, len(text)):
        assert tuple(map(len, digits.value.split())) == (sum(digits.layout),)
        assert len(digits.gaps) == len(digits.layout) - 1 and set(digits.gaps) <= {gap}
        assert text[digits.start : digits.end].replace(gap, "") == digits.value
