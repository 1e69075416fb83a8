"""A copied part is recognised, whatever stands around it; a phrase that anybody says is not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuzui.privacy.fingerprints import (
    GUARANTEED_WORDS,
    NEIGHBOURS,
    PRINT_BYTES,
    RUN,
    WINDOW,
    Fingerprinter,
    anchors,
    neighbours,
)
from yuzui.privacy.words import WordValues

WORDS = WordValues(b"secret")
PRINTER = Fingerprinter(b"secret")
TAG = b"8 bytes!"


def prints(words: list[int]) -> list[bytes]:
    return PRINTER.read(TAG, WORDS.of([str(word) for word in words]))


word_lists = st.lists(st.integers(0, 30), max_size=120)  # few words, so that many are equal


@settings(max_examples=300)
@given(before=word_lists, after=word_lists, left=word_lists, right=word_lists, seed=st.integers(), few=st.booleans())
def test_a_copy_of_the_guaranteed_length_has_neighbouring_prints(
    before: list[int], after: list[int], left: list[int], right: list[int], seed: int, few: bool
) -> None:
    shared = random.Random(seed).choices(range(3 if few else 5000), k=GUARANTEED_WORDS)
    known = set(prints(before + shared + after))
    levels = [1 if one in known else -1 for one in prints(left + shared + right)]
    assert neighbours(levels) == 1


def test_what_is_shorter_than_the_phrase_is_never_recognised() -> None:
    shared = list(range(RUN - 1))
    known = set(prints([*range(1000, 1100), *shared, *range(2000, 2100)]))
    assert not known & set(prints([*range(3000, 3100), *shared, *range(4000, 4100)]))


@given(st.lists(st.integers(0, 5).map(lambda n: bytes([n])), max_size=80))
def test_every_window_has_its_least_word_as_an_anchor(values: list[bytes]) -> None:
    found = list(anchors(values))
    assert found == sorted(set(found))
    expected = set()
    for start in range(len(values) - WINDOW + 1):
        window = values[start : start + WINDOW]
        expected.add(start + max(at for at, value in enumerate(window) if value == min(window)))
    assert set(found) == expected


def test_prints_are_keyed_and_of_one_scope() -> None:
    text = WORDS.read(" ".join(map(str, range(60))))
    here = PRINTER.read(TAG, text)
    assert here and all(len(one) == PRINT_BYTES for one in here)
    assert set(here).isdisjoint(PRINTER.read(b"another!", text))
    assert set(here).isdisjoint(Fingerprinter(b"another").read(TAG, text))
    assert PRINTER.read(TAG, text[: RUN - 1]) == []


@pytest.mark.parametrize(
    ("levels", "best"),
    [
        ([], -1),
        ([3], -1),
        ([3, -1, 3], -1),
        ([3, 3], 3),
        ([1, 3, -1], 1),
        ([1, 3, 3, -1, 2], 3),
        ([-1, 2, 2, -1], 2),
    ],
)
def test_only_neighbours_count_and_the_lower_of_them(levels: list[int], best: int) -> None:
    assert NEIGHBOURS == 2
    assert neighbours(levels) == best
