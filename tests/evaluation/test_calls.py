"""The same request has the same key, in any run, and what goes on is the same run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from yuzui.evaluation.calls import Settings, answer_call, joined, judge_call, read_answer
from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Ask

EXAMPLE = Example(prompt="q", id="1", tools=[{"type": "function"}], response_format={"type": "json_object"})


def test_keys_depend_on_what_is_sent_to_whom_and_how() -> None:
    call = answer_call(EXAMPLE, "a", {"temperature": 0})
    assert call.body == {
        "model": "a", "messages": [{"role": "user", "content": "q"}], "temperature": 0, "tools": EXAMPLE.tools,
        "response_format": EXAMPLE.response_format,
    }  # fmt: skip
    again = Example(prompt="q", tools=EXAMPLE.tools, response_format=EXAMPLE.response_format, tags=["other"])
    assert answer_call(again, "a", {"temperature": 0}).key == call.key
    others = [answer_call(EXAMPLE, "b", {"temperature": 0}), answer_call(EXAMPLE, "a", {}),
              answer_call(Example(prompt="q"), "a", {"temperature": 0})]  # fmt: skip
    assert len({call.key, *[other.key for other in others]}) == 4
    ask = Ask(messages=({"role": "user", "content": "q"},), max_tokens=5)
    assert judge_call(ask, "j").purpose == "judge" and judge_call(ask, "j").key != judge_call(ask, "k").key


def test_answers_are_read() -> None:
    body = {
        "choices": [{"message": {"content": None, "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    }  # fmt: skip
    assert read_answer(body) == ("", ({"name": "f", "arguments": "{}"},), "tool_calls", 3, 4)


@pytest.mark.parametrize(
    "body",
    [{}, [], None, {"choices": []}, {"choices": [{"message": None}]}, {"choices": [{"message": {"tool_calls": [{}]}}]}],
)
def test_what_is_no_answer_is_said(body: Any) -> None:
    with pytest.raises(ValueError, match="no chat completion"):
        read_answer(body)


def test_a_run_may_grow_and_may_not_become_another() -> None:
    before = Settings(models=("a",), scorers=("exact",), reference_model="r", judge="j", examples_sha256="x")
    grown = joined(before, Settings(models=("b", "a"), scorers=("chrf",), examples_sha256="x"))
    assert (grown.models, grown.scorers, grown.reference_model, grown.judge) == (
        ("a", "b"),
        ("exact", "chrf"),
        "r",
        "j",
    )
    assert grown.asked == ("a", "b", "r")
    for change, said in (
        ({"examples_sha256": "y"}, "examples"), ({"parameters": {"t": 1}}, "parameters"),
        ({"judge": "k"}, "judge"), ({"reference_model": "s"}, "reference model"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"^{said}$"):
            joined(before, replace(before, **change))
