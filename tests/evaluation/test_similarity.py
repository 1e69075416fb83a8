"""Similarities have the values of their definitions, worked out by hand, and stay between 0 and 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.evaluation.similarity import _common_subsequence, chrf, rouge_l, token_f1


def test_token_f1_of_bags() -> None:
    # 2 of 3 words are right, 2 of 4 were wanted: 2 * (2/3 * 1/2) / (2/3 + 1/2)
    assert token_f1("red green blue", "red green yellow pink") == pytest.approx(4 / 7)
    assert token_f1("the cat", "A cat!") == 1
    assert token_f1("cat cat", "cat") == pytest.approx(2 / 3)
    assert token_f1("", "x") == 0 and token_f1("", "the") == 1


def test_rouge_l_is_of_the_longest_common_subsequence() -> None:
    # Lin 2004, section 3: "police killed the gunman" against "police kill the gunman" and "the gunman kill police"
    assert rouge_l("police kill the gunman", "police killed the gunman") == pytest.approx(0.75)
    assert rouge_l("the gunman kill police", "police killed the gunman") == pytest.approx(0.5)
    assert rouge_l("我喜欢茶", "我喜欢咖啡") == pytest.approx(2 * 3 / 9)


def test_chrf_by_hand() -> None:
    # abc/abd: unigrams 2 of 3, bigrams 1 of 2, trigrams 0 of 1, on both sides; so every F is the mean 7/18
    assert chrf("abc", "abd") == pytest.approx(7 / 18)
    # ab/abcd: precision (1 + 1) / 2, recall (1/2 + 1/3) / 2; orders that the answer is too short for do not count
    precision, recall = 1.0, 5 / 12
    assert chrf("ab", "a b c d") == pytest.approx(5 * precision * recall / (4 * precision + recall))
    assert chrf("", "") == 1 and chrf("", "a") == 0


@pytest.mark.parametrize("measure", [token_f1, rouge_l, chrf])
@given(left=st.text(max_size=60), right=st.text(max_size=60))
def test_they_stay_between_0_and_1_and_a_text_is_like_itself(
    measure: Callable[[str, str], float], left: str, right: str
) -> None:
    assert 0 <= measure(left, right) <= 1 + 1e-12
    assert measure(left, left) == pytest.approx(1)


def slow(left: Sequence[str], right: Sequence[str]) -> int:
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


@given(left=st.lists(st.sampled_from("abcd"), min_size=1), right=st.lists(st.sampled_from("abcd")))
def test_the_fast_common_subsequence_is_the_slow_one(left: list[str], right: list[str]) -> None:
    assert _common_subsequence(left, right) == slow(left, right)
