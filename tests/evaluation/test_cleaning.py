"""Cleaning removes what it says, and says what it removes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.errors import ConfigError
from yuzui.evaluation.cleaning import Cleaned, Rules, clean
from yuzui.evaluation.examples import Example
from yuzui.evaluation.near_duplicates import Match, near_duplicates


def nothing_near(texts: Sequence[str], threshold: float) -> list[Match]:
    return []


def reasons(found: Cleaned) -> list[tuple[str, str]]:
    return [(one.example, one.reason) for one in found.removed]


def test_every_reason() -> None:
    examples = [
        Example(id="ok", prompt="How do I reset it?  \r\n"),
        Example(id="blank", prompt=" \n"),
        Example(id="short", prompt="Hi"),
        Example(id="long", prompt="x" * 60),
        Example(id="zh", prompt="怎么重置密码呢"),
        Example(id="again", prompt="how do i RESET it?"),
    ]
    found = clean(examples, Rules(least_chars=5, most_chars=50, scripts=frozenset(("latin",)), near=0), nothing_near)
    assert [example.id for example in found.kept] == ["ok"]
    assert found.kept[0].prompt == "How do I reset it?" and found.tidied == 1
    assert reasons(found) == [
        ("blank", "empty"), ("short", "too_short"), ("long", "too_long"), ("zh", "script"), ("again", "duplicate"),
    ]  # fmt: skip
    assert found.removed[3].detail == "han; wanted: latin"


def test_a_leak_stays_in_the_split_that_is_held_out() -> None:
    examples = [Example(id="a", prompt="Same", split="train"), Example(id="b", prompt="same ", split="test")]
    found = clean(examples, Rules(), nothing_near)
    assert [example.id for example in found.kept] == ["b"]
    assert reasons(found) == [("a", "leak")]
    assert found.removed[0].detail == "the same as b, which is in split test; this one is in train"


def test_a_near_leak_is_one_too() -> None:
    text = " ".join(f"w{number}" for number in range(60))
    examples = [Example(id="a", prompt=text, split="calib"), Example(id="b", prompt=text + " more", split="train")]
    found = clean(examples, Rules(near=0.85), near_duplicates)
    assert [example.id for example in found.kept] == ["a"]
    assert reasons(found) == [("b", "leak")] and "alike), which is in split calib" in found.removed[0].detail


def test_duplicates_with_other_references_are_a_conflict() -> None:
    examples = [Example(id="a", prompt="1+1", references=["2"]), Example(id="b", prompt="1+1", references=["3"])]
    assert clean(examples, Rules(), nothing_near).conflicts == ["a and b ask the same and have other references"]


def test_the_same_question_with_other_tools_is_another_example() -> None:
    examples = [Example(prompt="a b"), Example(prompt="a b", tools=[{"type": "function"}])]
    assert len(clean(examples, Rules(), nothing_near).kept) == 2


def test_texts_in_messages_are_tidied_and_pictures_stay() -> None:
    parts = [{"type": "text", "text": "x  "}]
    example = Example(messages=[{"role": "user", "content": "Hello  \r\n"}, {"role": "user", "content": parts}])
    (kept,) = clean([example], Rules(), nothing_near).kept
    assert kept.messages == [{"role": "user", "content": "Hello"}, {"role": "user", "content": parts}]


@given(st.lists(st.sampled_from(["a", "b", "A", " ", "cc", "ccc"]), max_size=12))
def test_nothing_goes_silently(prompts: list[str]) -> None:
    examples = [Example(prompt=prompt or "-", id=str(place)) for place, prompt in enumerate(prompts)]
    found = clean(examples, Rules(least_chars=1, most_chars=2), nothing_near)
    assert sorted([*[example.id for example in found.kept], *[one.example for one in found.removed]]) == sorted(
        [example.id for example in examples]
    )
    assert [example.id for example in found.kept] == sorted([e.id for e in found.kept], key=int)


def test_rules_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="must not be above"):
        clean([], Rules(least_chars=9, most_chars=2), nothing_near)
