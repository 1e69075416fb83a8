"""Digit groups: which layouts are seen in a cluster."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.numbers import LONGEST_KNOWN, MOST_KNOWN, Layouts, singles

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


def test_two_clusters_of_one_shape_each_give_their_own_digits() -> None:
    layouts = Layouts({(3, 4, 4): ["mobile"]}, {})
    text = "138-0013-8000 x 139-1234-5678 y"
    found = [next(layouts.find(text, start, end))[0] for start, end in ((0, 15), (16, 31))]
    assert [(number.value, number.start, number.end) for number in found] == [
        ("13800138000", 0, 13),
        ("13912345678", 16, 29),
    ]
    assert found[0].gaps == found[1].gaps == ("-", "-")


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=8),
    st.lists(st.sampled_from([" ", "-", "\n", ", ", ". "]), min_size=8, max_size=8),
)
def test_a_remembered_shape_is_read_as_on_the_first_day(lengths: list[int], gaps: list[str]) -> None:
    fresh = Layouts({(3, 4, 4): ["a"], (6, 8, 4): ["b"], (8,): ["a"], singles(7): ["c"]}, {(6, 8, 4): ["b"]})
    text = "".join("7" * length + gap for length, gap in zip(lengths, gaps, strict=False))
    assert list(fresh.find(text, 0, len(text))) == list(fresh.find(text, 0, len(text)))


def test_made_up_shapes_do_not_fill_the_memory() -> None:
    layouts = Layouts({(8,): ["order"]}, {})
    shapes = [f"{'7' * first} {'7' * second}-{'7' * third}" for first, second, third in product(range(1, 13), repeat=3)]
    assert len(shapes) > MOST_KNOWN
    for text in (*shapes, "7 " * LONGEST_KNOWN):
        list(layouts.find(text, 0, len(text)))
    assert len(layouts._known) <= MOST_KNOWN and max(map(len, layouts._known)) <= LONGEST_KNOWN
    assert [number.value for number, _ in layouts.find("12345678 x", 0, 10)] == ["12345678"]
