"""Both engines find the same candidates, and say clearly what they cannot use."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.kit import ENGINES
from yuzui.core.errors import ConfigError
from yuzui.privacy import encodings
from yuzui.privacy.catalogue import load_detectors
from yuzui.privacy.detectors._contract import Pattern
from yuzui.privacy.engine import MAX_CANDIDATES, EngineName, TooManyCandidates, check_pattern, compile_engine

PATTERNS = (
    Pattern(regex="ab+"),
    Pattern(regex="[0-9]{3,}"),
    Pattern(regex="straße", ignore_case=True),
    Pattern(regex="^x"),
    Pattern(regex="[一二]{2}"),
)
ALL_PATTERNS = (*(one for detector in load_detectors().values() for one in detector.patterns), *encodings.PATTERNS)
FRAGMENTS = (
    "13800138000", "12 Main Street", "浙江省杭州市文三路8号", "京A·12345", "43185/98", "sk-", "AKIA", "%E4%BD", "&#49;", "=E4=BD", "\\x31\\x33",
    "9f86d081884c7d65", "00110001 ", "eyJhbGciOi.eyJ", "password: ", "born on ", "account ", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "1HGCM82633A004352", "A123456(3)", "-4e55-a1f0-3c6d-", "://u:p@", "; pwd = ", "tin ", "@x", "\n", " ", "é", "ß", "a", "Z",
)  # fmt: skip  # pieces that start or end matches
COMPILED_ALL = {name: compile_engine(ALL_PATTERNS, name) for name in ENGINES}
COMPILED = {name: compile_engine(PATTERNS, name) for name in ENGINES}


@settings(deadline=None)
@given(st.text(alphabet="abx019一二é\n ßS", max_size=60))
def test_both_engines_find_the_same(text: str) -> None:
    first, second = (engine.find(text, text.encode()) for engine in COMPILED.values())
    assert first == second


@settings(deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_both_engines_find_the_same_with_every_pattern_of_ours(text: str) -> None:
    first, second = (sorted(engine.find(text, text.encode())) for engine in COMPILED_ALL.values())
    assert first == second


@pytest.mark.parametrize("run", ["a", "0f", "AB12", "12 ab ", "%E4", "&#49;", "9 ", "1", "x-", "z.", "=4A", "\\x41"])
def test_long_runs_have_few_candidates(run: str) -> None:
    """A pattern with a match at every place of a dump would make the whole request unreadable."""
    text = run * (200_000 // len(run))
    assert len(COMPILED_ALL["hyperscan"].find(text, text.encode())) <= 50_000


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
