"""What a choice tells of its tokens' probabilities, and what is no number."""

from __future__ import annotations

import pytest

from yuzui.core.log_probabilities import log_probabilities_of


def test_one_per_token() -> None:
    choice = {"logprobs": {"content": [{"token": "a", "logprob": -0.25}, {"token": "b", "logprob": 0}]}}
    assert list(log_probabilities_of(choice)) == [-0.25, 0.0]


@pytest.mark.parametrize("value", [None, "x", True, float("nan"), 10**400, [], {}])
def test_what_is_no_number_is_left_out(value: object) -> None:
    choice = {"logprobs": {"content": [{"logprob": value}, {"logprob": -1.5}, "token", None]}}
    assert list(log_probabilities_of(choice)) == [-1.5]


@pytest.mark.parametrize("choice", [None, [], {}, {"logprobs": None}, {"logprobs": []}, {"logprobs": {"content": 7}}])
def test_a_choice_without_any(choice: object) -> None:
    assert list(log_probabilities_of(choice)) == []
