"""Calls as text: the same calls are the same text, however their arguments are spelled."""

from __future__ import annotations

import pytest

from yuzui.core.said_text import Called, said_text


@pytest.mark.parametrize(
    ("text", "calls", "expected"),
    [
        ("words", (), "words"),
        ("", (("f", '{"b": 2, "a": [1, null]}'),), 'f({"a":[1,null],"b":2})'),
        ("words", (("f", ""), ("g", "not json")), "words\nf({})\ng(not json)"),
    ],
)
def test_an_answer_is_one_text(text: str, calls: tuple[tuple[str, str], ...], expected: str) -> None:
    assert said_text(text, [Called(*call) for call in calls]) == expected


def test_two_spellings_of_a_call_are_one_text() -> None:
    assert said_text("", [Called("f", '{"a": 1, "b": "x"}')]) == said_text("", [Called("f", '{ "b":"x","a":1 }')])
