"""Levels are ordered by their place in the operator's list, and by nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.sensitivity import DEFAULT_LEVELS, Fact, Finding, Lattice, Place, Sensitivity

NAMES = st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=8, unique=True)


@given(NAMES)
def test_names_and_levels_are_each_others_inverse(names: list[str]) -> None:
    lattice = Lattice(names=tuple(names))
    assert [lattice.names[lattice.level(name)] for name in names] == names
    assert lattice.level(names[0]) == 0
    assert lattice.level(names[-1]) == lattice.top == max(lattice.level(name) for name in names)


@pytest.mark.parametrize("name", ["", "Public", "secret", "restricted "])
def test_an_unknown_level_is_an_error_and_never_a_low_level(name: str) -> None:
    with pytest.raises(KeyError):
        Lattice().level(name)


def test_the_default_levels_rise() -> None:
    assert [Lattice().level(name) for name in DEFAULT_LEVELS] == [0, 1, 2, 3]


@given(st.lists(st.integers(0, 7), min_size=1, max_size=6), st.integers(0, 7))
def test_the_join_of_labels_never_falls_when_a_cause_is_added(levels: list[int], more: int) -> None:
    assert max([*levels, more]) >= max(levels)
    assert max([*levels, more]) == max(max(levels), more) == max([more, *reversed(levels)])


def test_neither_a_finding_nor_a_label_has_a_place_for_content() -> None:
    assert set(Finding.__dataclass_fields__) == {
        "kind", "detector", "rule", "version", "evidence", "start", "end", "path", "confidence", "place",
    }  # fmt: skip  # a set of names reads as a block
    assert set(Fact.__dataclass_fields__) == {"name", "detail", "score"}
    assert set(Place.__dataclass_fields__) == {"path", "form", "start", "end"}
    assert set(Sensitivity.__dataclass_fields__) == {"level", "causes", "kinds", "rules"}


def test_a_finding_names_its_rule_with_the_version_and_a_fact_is_read_aloud() -> None:
    one = Finding(kind="k", detector="case_number", rule="label", version="1f0c93ab", start=0, end=1)
    assert (one.rule_id, one.versioned_rule) == ("case_number/label", "case_number/label@1f0c93ab")
    bare = Finding(kind="k", detector="iban", start=0, end=1)
    assert (bare.rule_id, bare.versioned_rule) == ("iban", "iban")
    facts = (Fact("wrong_checksum"), Fact("cue", "label"), Fact("model", "latin 1", 0.934))
    assert [str(fact) for fact in facts] == ["wrong checksum", "cue label", "model latin 1 0.93"]


def test_a_level_that_is_not_known_any_more_counts_as_the_highest() -> None:
    lattice = Lattice()
    assert [lattice.level_or_top(name) for name in DEFAULT_LEVELS] == [0, 1, 2, 3]
    assert lattice.level_or_top("gone") == lattice.level_or_top("") == lattice.top
