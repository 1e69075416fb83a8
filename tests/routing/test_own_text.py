from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.routing.own_text import NAMES, Answered, own_text


def of(text: str, question: str = "How many are 3 and 4?", **facts: object) -> dict[str, float]:
    row = own_text(Answered(question=question, text=text, **facts))  # type: ignore[arg-type]  # facts of a table
    return dict(zip(NAMES, row.tolist(), strict=True))


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=300), st.text(max_size=50))
def test_any_answer_has_finite_numbers(text: str, question: str) -> None:
    row = own_text(Answered(question=question, text=text))
    assert row.shape == (len(NAMES),)
    assert np.all(np.isfinite(row))


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("3 + 4 = 8. #### 8", "equations_wrong", 1),
        ("3 + 4 = 7. #### 7", "share_wrong", 0),
        ("3 + 4 = 7. #### 7", "last_result_is_answer", 1),
        ("3 + 4 = 7. #### 9", "last_result_is_answer", 0),
        ("I think it is probably 7", "hedges", 2),
        ("I'm sorry, I cannot", "refuses", 1),
        ("#### 2.5", "answer_is_whole", 0),
        ("#### -2", "answer_is_negative", 1),
        ("The answer is (C)", "answer_is_letter", 1),
        ("3 and 4 make 7", "question_numbers_used", 1),
        ("it is 9", "question_numbers_unused", 2),
        ("so we get 3 +", "is_cut_off", 1),
        ("```\nopen", "is_cut_off", 1),
        ("the same line\nthe same line\nthe same line", "repeats", 2 / 3),
        ("", "empty", 1),
        ("```python\nx = = 1\n```", "code_broken", 1),
        ("```python\nx = 1\n```", "code_broken", 0),
        ("```json\n{]\n```", "code_broken", 1),
    ],
)
def test_what_an_answer_gives_away(text: str, name: str, value: float) -> None:
    assert of(text)[name] == pytest.approx(value, abs=1e-5)


def test_json_that_was_asked_for_and_is_none_is_broken() -> None:
    assert of("{}", wants_json=True)["json_broken"] == 0
    assert of('```json\n{"a": 1}\n```', wants_json=True)["json_broken"] == 0
    assert of("here: {}", wants_json=True)["json_broken"] == 1
    assert of("here: {}")["json_broken"] == 0


def test_log_probabilities_count_where_they_are_known() -> None:
    known = of("7", log_probabilities=(-0.1, -2.9))
    assert known["log_likelihood"] == pytest.approx(-1.5)
    assert known["least_log_likelihood"] == pytest.approx(-2.9)
    assert known["log_likelihood_known"] == 1
    assert of("7")["log_likelihood_known"] == 0


def test_a_program_in_an_answer_is_read_and_not_run(tmp_path: object) -> None:
    assert of("```python\nraise SystemExit(1)\n```")["code_broken"] == 0
