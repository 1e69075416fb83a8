"""Near-duplicates are found, others are not, and the earlier one stays."""

from __future__ import annotations

import random
import sys

import pytest

from yuzui.core.errors import ConfigError
from yuzui.evaluation.near_duplicates import near_duplicates, shingles

WORDS = [f"word{number}" for number in range(2000)]


def jaccard(left: str, right: str) -> float:
    one, other = set(shingles(left)), set(shingles(right))
    return len(one & other) / len(one | other)


def test_what_is_alike_is_found_and_what_is_not_is_left() -> None:
    generator = random.Random(1)
    texts = [" ".join(generator.choices(WORDS, k=120)) for _ in range(200)]
    changed = [" ".join([*text.split()[:-2], "new", "end"]) for text in texts[:40]]
    found = list(near_duplicates([*texts, *changed], 0.85))
    assert [(match.place, match.earlier) for match in found] == [(200 + number, number) for number in range(40)]
    for match in found:
        assert match.likeness == pytest.approx(jaccard(texts[match.earlier], changed[match.place - 200]), abs=0.12)


def test_a_chain_does_not_drag_in_what_is_unlike_the_first() -> None:
    texts = ["one two three four five six", "one two three four five six", "nothing of it is the same here"]
    assert [match.place for match in near_duplicates(texts, 0.9)] == [1]


def test_chinese_texts_are_compared_by_characters() -> None:
    found = list(
        near_duplicates(
            [
                "请问这个订单什么时候可以发货我已经等了三天",
                "请问这个订单什么时候可以发货我已经等了三天呢",
                "今天天气很好",
            ],
            0.8,
        )
    )
    assert [(match.place, match.earlier) for match in found] == [(1, 0)]


def test_short_texts_have_one_shingle() -> None:
    assert shingles("Hello!") == ["hello"] and shingles("") == [""]


def test_a_missing_library_and_a_wrong_threshold_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"between 0\.4 and 1"):
        list(near_duplicates(["a"], 0.1))
    monkeypatch.setitem(sys.modules, "rensa", None)
    with pytest.raises(ConfigError, match=r"yuzui\[evaluation\]"):
        list(near_duplicates(["a"], 0.9))
