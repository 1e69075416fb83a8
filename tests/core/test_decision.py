"""The allowed set only shrinks, whatever it is shrunk with."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.decision import AllowedSet

NAMES = st.frozensets(st.sampled_from(["house/a", "house/b", "vendor/a", "vendor/b", "鱼嘴"]))


@given(NAMES, st.lists(NAMES, max_size=5))
def test_no_chain_of_shrinks_ever_adds_a_target(start: frozenset[str], keeps: list[frozenset[str]]) -> None:
    allowed = AllowedSet(start)
    for keep in keeps:
        before, allowed = allowed, allowed.shrink(keep)
        assert allowed.names <= before.names
        assert allowed.names == before.names & keep
    assert all(name in start for name in allowed.listed)


@given(NAMES)
def test_the_list_is_sorted_and_says_the_same_as_membership(names: frozenset[str]) -> None:
    allowed = AllowedSet(names)
    assert list(allowed.listed) == sorted(names)
    assert all(name in allowed for name in allowed.listed)
    assert "nobody" not in allowed


def test_shrinking_leaves_the_original_as_it_was() -> None:
    allowed = AllowedSet(frozenset({"a", "b"}))
    assert allowed.listed == ("a", "b")
    assert allowed.shrink(frozenset({"a"})).listed == ("a",)
    assert allowed.listed == ("a", "b")
