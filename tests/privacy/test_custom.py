"""The operator's own patterns and words."""

from __future__ import annotations

import pytest

from privacy.kit import ENGINES, make_rules
from yuzui.core.errors import ConfigError
from yuzui.core.sensitivity import CustomPattern, TermList
from yuzui.privacy.engine import EngineName
from yuzui.privacy.scan import Scanner

RULES = make_rules(
    patterns=[CustomPattern(kind="ticket", regex="PRJ-[0-9]{4}")],
    terms=[TermList(kind="project", terms=("Blue Heron", "青鸟计划", "Ann", "C++", "Zürich"))],
)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("see PRJ-1234.", ["PRJ-1234"]),
        ("ＰＲＪ－１２３４", ["ＰＲＪ－１２３４"]),
        ("about BLUE heron", ["BLUE heron"]),
        ("Blue\nHeron", ["Blue\nHeron"]),
        ("关于青鸟计划的进展", ["青鸟计划"]),
        ("Annabel and JoAnn", []),
        ("ann, bob", ["ann"]),
        ("in C++ we", ["C++"]),
        ("ZÜRICH", ["ZÜRICH"]),
        ("Вlue Неrоn", ["Вlue Неrоn"]),
        ("nothing here", []),
    ],
)
def test_patterns_and_whole_words_are_found_on_canonical_text(engine: EngineName, text: str, pieces: list[str]) -> None:
    findings = Scanner(RULES, engine=engine).scan_text(text).findings
    assert [text[finding.start : finding.end] for finding in findings] == pieces
    assert all(finding.kind in ("ticket", "project") for finding in findings)


@pytest.mark.parametrize(
    ("patterns", "terms", "named"),
    [
        ([CustomPattern(kind="bad", regex="(")], [], r"sensitivity\.patterns\[0\] \(bad\)"),
        (
            [CustomPattern(kind="ok", regex="a"), CustomPattern(kind="empty", regex="x?")],
            [],
            r"sensitivity\.patterns\[1\] \(empty\)",
        ),
        ([], [TermList(kind="blank", terms=("\u200b ",))], r"sensitivity\.terms\[0\] \(blank\)"),
        ([], [TermList(kind="long", terms=("x" * 201,))], r"sensitivity\.terms\[0\] \(long\)"),
    ],
)
def test_what_cannot_be_used_is_an_error_that_names_it(
    patterns: list[CustomPattern], terms: list[TermList], named: str
) -> None:
    with pytest.raises(ConfigError, match=named):
        Scanner(make_rules(patterns=patterns, terms=terms))


def test_a_pattern_that_matches_everything_stays_inside_each_leaf() -> None:
    scanner = Scanner(make_rules(patterns=[CustomPattern(kind="all", regex="(?s).+")]))
    result = scanner.scan({"messages": [{"role": "user", "content": "one"}, {"role": "user", "content": "two two"}]})
    assert all(finding.end <= 7 for finding in result.findings) and result.findings


def test_a_thousand_terms_are_compiled_and_found() -> None:
    terms = TermList(kind="customer", terms=tuple(f"customer{n:04d}" for n in range(1000)))
    result = Scanner(make_rules(terms=[terms])).scan_text("from Customer0777 to you")
    assert [(finding.start, finding.end) for finding in result.findings] == [(5, 17)]
