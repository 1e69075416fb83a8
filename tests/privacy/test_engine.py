"""Both engines find the same candidates, and say clearly what they cannot use."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.kit import ENGINES
from yuzui.core.errors import ConfigError
from yuzui.privacy.detectors._contract import Pattern
from yuzui.privacy.engine import MAX_CANDIDATES, EngineName, TooManyCandidates, check_pattern, compile_engine

PATTERNS = (
    Pattern(regex="ab+"),
    Pattern(regex="[0-9]{3,}"),
    Pattern(regex="straße", ignore_case=True),
    Pattern(regex="^x"),
    Pattern(regex="[一二]{2}"),
)
COMPILED = {name: compile_engine(PATTERNS, name) for name in ENGINES}


@settings(deadline=None)
@given(st.text(alphabet="abx019一二é\n ßS", max_size=60))
def test_both_engines_find_the_same(text: str) -> None:
    first, second = (engine.find(text, text.encode()) for engine in COMPILED.values())
    assert first == second


@pytest.mark.parametrize("name", ENGINES)
def test_matches_are_leftmost_longest_in_characters_not_bytes(name: EngineName) -> None:
    text = "汉abbb 1234 字一二\nx"
    assert COMPILED[name].find(text, text.encode()) == [(0, 1, 5), (1, 6, 10), (4, 12, 14), (3, 15, 16)]
    assert COMPILED[name].name == name


@pytest.mark.parametrize("name", ENGINES)
def test_work_is_bounded(name: EngineName) -> None:
    text = "abx" * (MAX_CANDIDATES + 1)
    with pytest.raises(TooManyCandidates):
        COMPILED[name].find(text, text.encode())


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("regex", ["(", "a(?=b)", r"(a)\1", "x*", ""])
def test_a_pattern_that_cannot_be_used_is_named(name: EngineName, regex: str) -> None:
    with pytest.raises(ConfigError, match=r"sensitivity\.patterns\[3\]"):
        check_pattern(Pattern(regex=regex), "sensitivity.patterns[3]", name)


def test_auto_takes_hyperscan_where_it_is_installed() -> None:
    assert compile_engine(PATTERNS).name == "hyperscan"
