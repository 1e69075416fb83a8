from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.routing.answers import agree, final_answer, normalise, vote_share


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("3 + 4 = 7\n#### 18", "18"),
        ("The answer is (D).\n", "D"),
        ("So the answer is **b**", "B"),
        ('{"reasoning": "12 of them", "answer": "1,200"}', "1200"),
        ('```json\n{"reasoning": "x", "answer": 3.50}\n```', "7/2"),
        (r"thus \boxed{\frac{3}{4}}.", "3/4"),
        (r"first \boxed{1}, no: \boxed{2}", "2"),
        ("Final answer: $2.50 per day", "5/2"),
        ("Answer: Paris.", "paris"),
        ("答案是 12", "12"),
        ("She has 3 apples and buys 4. That makes 7 apples.", "7"),
        ("I do not know", "i do not know"),
        ("0.5 of it: 50", "50"),
        ("", ""),
        ("  \n ", ""),
    ],
)
def test_the_final_answer_is_found_and_normalised(text: str, answer: str) -> None:
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("1/2", "0.5", True),
        ("2/3", "0.66667", True),
        ("2/3", "0.67", False),
        ("18", "18.0", True),
        ("1,000", "1000", True),
        ("A", "B", False),
        ("", "", False),
        ("paris", "paris", True),
        ("paris", "7", False),
        ("1/0", "1", False),
    ],
)
def test_two_answers_agree(left: str, right: str, same: bool) -> None:
    assert agree(normalise(left), normalise(right)) is same
    assert agree(normalise(right), normalise(left)) is same


def test_the_share_of_votes_counts_the_first_answer_itself() -> None:
    assert vote_share(["7", "7", "8", "7/1"]) == 0.75
    assert vote_share([]) == vote_share(["", ""]) == 0.0


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=400))
def test_any_text_has_an_answer_and_normalising_it_again_changes_nothing_that_counts(text: str) -> None:
    answer = final_answer(text)
    assert len(answer) <= 200
    assert agree(answer, answer) is bool(answer)


def test_numbers_that_would_take_a_second_to_write_down_are_words() -> None:
    assert len(normalise("9" * 100_000)) <= 200
