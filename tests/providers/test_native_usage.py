"""Counts: told, missing, or beyond all sense."""

from __future__ import annotations

import pytest

from yuzui.providers.native_usage import count_of, counts_of


@pytest.mark.parametrize(
    ("value", "count"), [(0, 0), (7, 7), (7.0, 7), (7.2, 8), (None, None), (-1, None), (1e300, None), (10**12, 10**12)]
)
def test_a_count_is_believed_when_it_makes_sense(value: float | None, count: int | None) -> None:
    assert count_of(value) == count


@pytest.mark.parametrize(
    ("read", "wrote", "counts"),
    [
        (3, 4, (3, 4)),
        (3, None, (3, 0)),
        (None, 4, (0, 4)),
        (None, None, None),
        (-3, 4, None),
        (3, 10**13, None),
    ],
)
def test_nonsense_is_estimated_not_believed_to_be_nothing(
    read: float | None, wrote: float | None, counts: tuple[int, int] | None
) -> None:
    assert counts_of(read, wrote) == counts
