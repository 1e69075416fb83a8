"""Bounded memory: hits, limits, and what is forgotten first."""

from __future__ import annotations

from yuzui.routing.memo import Memo


def test_it_never_holds_more_than_two_generations() -> None:
    memo: Memo[int, str] = Memo(10)
    for key in range(1000):
        memo.put(key, str(key))
        assert len(memo) <= 20
    assert memo.get(999) == "999"
    assert memo.get(0) is None


def test_what_is_asked_for_stays() -> None:
    memo: Memo[int, str] = Memo(10)
    memo.put(0, "kept")
    for key in range(1, 500):
        memo.put(key, "passing")
        assert memo.get(0) == "kept"
