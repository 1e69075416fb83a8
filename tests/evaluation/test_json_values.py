"""JSON is found, compared field by field, and checked without fetching anything."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.evaluation.json_values import field_score, find_json, leaves, same

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "text", ['{"a": 1}', ' {"a":1}\n', '```json\n{"a": 1}\n```', 'Here:\n```\n{"a":1}\n```\nDone.']
)
def test_json_is_found_alone_or_in_its_only_fence(text: str) -> None:
    assert find_json(text) == {"a": 1}


@pytest.mark.parametrize("text", ["", "a", "{a: 1}", "```json\n{}\n```\n```json\n{}\n```", 'x {"a": 1}', "[" * 100_000])
def test_anything_else_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        find_json(text)


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [
        ({"a": 1, "b": "x"}, {"a": 1, "b": "x"}, 1.0),
        ({"a": 1.0}, {"a": 1}, 1.0),
        ({"a": True}, {"a": 1}, 0.0),
        ({"a": 1, "b": 2}, {"a": 1}, 2 / 3),
        ({"a": [1, 2, 3]}, {"a": [1, 2, 4]}, 2 / 3),
        ({"a": []}, {"a": {}}, 0.0),
        ({"a": {"b": None}}, {"a": {"b": None}}, 1.0),
    ],
)
def test_fields(answer: Any, reference: Any, score: float) -> None:
    assert field_score(answer, reference) == pytest.approx(score)


def test_loose_texts() -> None:
    assert field_score({"a": "The Cat."}, {"a": "cat"}) == 0
    assert field_score({"a": "The Cat."}, {"a": "cat"}, is_loose=True) == 1


@given(left=JSON, right=JSON)
def test_scores_are_symmetric_between_0_and_1_and_1_for_the_same(left: Any, right: Any) -> None:
    assert 0 <= field_score(left, right) <= 1
    assert field_score(left, right) == field_score(right, left)
    assert field_score(left, left) == 1 and same(left, left)


def test_deep_json_is_refused() -> None:
    value: Any = 1
    for _ in range(100):
        value = [value]
    with pytest.raises(ValueError, match="deeper"):
        leaves(value)
