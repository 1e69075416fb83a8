"""Every wrong field is told by its path, in words that say what to send."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from yuzui.core.errors import InvalidRequest
from yuzui.dialects._explain import check_name, explain


class Part(msgspec.Struct):
    text: str
    kind: Literal["a", "b"] | None = None


class Wire(msgspec.Struct):
    parts: list[Part] | str
    n: int | None = None


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ({}, "`parts` is missing; add it", "parts"),
        ({"parts": [{}]}, "`parts[0].text` is missing; add it", "parts[0].text"),
        ({"parts": 3}, "`parts`: expected a string or an array, got an integer", "parts"),
        ({"parts": "x", "n": "y"}, "`n`: expected an integer, got a string", "n"),
        (
            {"parts": [{"text": "t", "kind": "secret"}]},
            "`parts[0].kind` has an unknown value; use a or b",
            "parts[0].kind",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(body: dict[str, object], message: str, param: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(body, Wire)
    told = explain(str(caught.value), lambda _: "a or b")
    assert (told.message, told.param) == (message, param)
    assert "secret" not in told.message


def test_a_body_that_is_no_object_has_no_place() -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert([], Wire)
    assert explain(str(caught.value)).param is None


@pytest.mark.parametrize("value", ["a", "鱼嘴", "a b", ""])
def test_names_are_handed_on(value: str) -> None:
    assert check_name(value, "model") == value


@pytest.mark.parametrize("value", ["a\nb", "a\x00", "\x7f", "a\u2028b", "\x85"])
def test_names_that_break_lines_are_refused(value: str) -> None:
    with pytest.raises(InvalidRequest, match="`model` holds a control character"):
        check_name(value, "model")
