"""Long texts: what stands at the edge of a window is found once, whole, at its place."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from yuzui.config import read
from yuzui.core.sensitivity import Finding, Place
from yuzui.privacy.scan import Scanner, ScanResult
from yuzui.privacy.windows import CORE_CHARS, TAIL_CHARS, Passage, read_passages

MAIL = "bob@example.com"


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(read("", {}, source=None).sensitivity)


def pieces(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


def found(passages: list[Passage]) -> list[tuple[str, int, int]]:
    return [(one.kind, one.start, one.end) for passage in passages for one in passage.findings]


@pytest.mark.parametrize("shift", range(-20, 21))
def test_a_value_at_the_edge_of_a_window_is_found_once(scanner: Scanner, shift: int) -> None:
    before = "x " * (CORE_CHARS // 2 + 10)
    text = f"{before[: CORE_CHARS + shift - 1]} {MAIL} {'y ' * CORE_CHARS}"
    passages = list(read_passages(scanner.scan_text, [text]))
    assert len(passages) > 2
    assert found(passages) == [("email", CORE_CHARS + shift, CORE_CHARS + shift + len(MAIL))]


def test_the_cores_are_the_whole_text_however_it_is_cut_into_pieces(scanner: Scanner) -> None:
    chance = random.Random(7)
    lines = [f"line {n} {'é世' * chance.randrange(40)} {MAIL if chance.random() < 0.05 else ''}" for n in range(4000)]
    text = "\n".join(lines)
    expected = [at for at in range(len(text)) if text.startswith(MAIL, at)]
    seen = []
    for size in (1000, 77_777, len(text)):
        passages = list(read_passages(scanner.scan_text, pieces(text, size)))
        assert passages[0].first == 0 and passages[-1].last == len(text)
        assert all(one.last == other.first for one, other in pairwise(passages))
        assert all(one.text == text[one.start : one.start + len(one.text)] for one in passages)
        assert [start for _, start, _ in found(passages)] == expected
        seen.append(found(passages))
    assert seen[0] == seen[1] == seen[2]


def test_memory_is_that_of_a_window_not_of_the_text(scanner: Scanner) -> None:
    largest = 0
    for passage in read_passages(scanner.scan_text, ("innocent words\n" * 1000 for _ in range(200))):
        largest = max(largest, len(passage.text))
    assert largest <= CORE_CHARS + TAIL_CHARS + 1024


def test_a_value_that_goes_on_beyond_its_window_is_seen_to_its_end() -> None:
    long = "k" * (TAIL_CHARS * 3)

    def scan(text: str) -> ScanResult:
        start = text.find("k")
        return ScanResult(findings=(Finding(kind="key", detector="d", start=start, end=start + text.count("k")),))

    text = "a" * (CORE_CHARS - 10) + long + "b" * CORE_CHARS * 2
    assert found(list(read_passages(scan, [text])))[0] == ("key", CORE_CHARS - 10, CORE_CHARS - 10 + len(long))


def test_what_was_read_in_another_way_is_placed_on_its_line() -> None:
    def scan(text: str) -> ScanResult:
        if "hidden" not in text:
            return ScanResult()
        place = Place((), "whole")
        return ScanResult(findings=(Finding(kind="key", detector="d", start=0, end=len(text), place=place),))

    assert found(list(read_passages(scan, ["one\ntwo hidden\nthree"]))) == [("key", 4, 14)]


def test_an_empty_text_is_one_empty_passage_and_failures_are_passed_on() -> None:
    passages = list(read_passages(lambda text: ScanResult(failures=("broken",)), []))
    assert [(one.first, one.last, one.failures) for one in passages] == [(0, 0, ("broken",))]
