"""Overlapping reports become one."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.ner.spans import DEFAULT_LEVELS, NameSpan, merge


def span(start: int, end: int, kind: str = "person", score: float = 0.5) -> NameSpan:
    return NameSpan(start, end, kind, score, "m")  # type: ignore[arg-type]  # kinds of the tables below


def test_overlaps_of_one_kind_are_joined_with_the_better_score() -> None:
    assert merge([span(3, 6, score=0.9), span(0, 4), span(4, 5), span(8, 9)]) == [span(0, 6, score=0.9), span(8, 9)]


def test_neighbours_and_other_kinds_stay_apart() -> None:
    spans = [span(0, 3), span(0, 5, "organization"), span(3, 5)]
    assert sorted(merge(spans)) == sorted(spans)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8), st.sampled_from(sorted(DEFAULT_LEVELS)))))
def test_nothing_is_lost_and_nothing_is_added(drawn: list[tuple[int, int, str]]) -> None:
    spans = [span(start, start + size, kind) for start, size, kind in drawn]
    merged = merge(spans)

    def places(listed: list[NameSpan]) -> set[tuple[str, int]]:
        return {(one.kind, at) for one in listed for at in range(one.start, one.end)}

    assert places(merged) == places(spans)
    for kind in DEFAULT_LEVELS:
        own = [one for one in merged if one.kind == kind]
        assert all(one.end <= other.start for one, other in pairwise(own))
