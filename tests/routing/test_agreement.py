from __future__ import annotations

import pytest

from yuzui.routing.agreement import agreement, names


def of(text: str, checks: list[str], samples: list[str] | None = None) -> dict[str, float]:
    return dict(zip(names(len(checks)), agreement(text, checks, samples or []).tolist(), strict=True))


def test_second_opinions_agree_each_by_itself_and_together() -> None:
    row = of("#### 7", ["The answer is 7", "#### 8", '{"answer": "8"}'])
    assert [row[f"agrees_{place}"] for place in range(3)] == [1, 0, 0]
    assert row["agree_share"] == pytest.approx(1 / 3)
    assert (row["agree_any"], row["agree_all"], row["rival_votes"], row["margin"]) == (1, 0, 2, -1)
    assert row["distinct_rivals"] == 1
    assert row["pair_share"] == pytest.approx(1 / 3)


def test_a_check_that_says_nothing_is_silent_and_no_rival() -> None:
    row = of("#### 7", ["", "7"])
    assert (row["silent_checks"], row["rival_votes"], row["agree_share"]) == (1, 0, 0.5)


def test_answers_without_a_short_form_are_compared_by_their_words() -> None:
    near = of("the cat sat on the mat today", ["the cat sat on the mat yesterday"])["closest_text"]
    far = of("the cat sat on the mat today", ["quarterly revenue grew in Europe"])["closest_text"]
    assert near > 0.5 > far


def test_further_answers_of_the_same_model_vote() -> None:
    row = of("#### 7", [], ["#### 7", "#### 9", "7"])
    assert row["vote_share"] == 0.75
    assert row["vote_known"] == 1
    assert of("#### 7", [])["vote_known"] == 0


def test_without_checks_nothing_fails() -> None:
    assert set(of("x", []).values()) == {0.0}
