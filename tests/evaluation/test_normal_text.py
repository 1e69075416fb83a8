"""What means the same compares as the same; nothing visible is lost by tidying."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.evaluation.normal_text import folded, normalised, script_of, tidy, words


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The  Cat, sat.", "cat sat"),
        ("Ｈｅｌｌｏ", "hello"),
        ("50 %", "50 %"),
        ("a an the", ""),
        ("北京。", "北京"),
        ("$5", "5"),
    ],
)
def test_normalised(text: str, wanted: str) -> None:
    assert normalised(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("It's 3.5 km", ["it", "s", "3", "5", "km"]),
        ("我爱NLP吗", ["我", "爱", "nlp", "吗"]),
        ("", []),
        ("a_b", ["a", "b"]),
    ],
)
def test_words(text: str, wanted: list[str]) -> None:
    assert words(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Guten Tag, 3 Äpfel", "latin"), ("你好 world of", "latin"), ("请问这个订单什么时候发货?OK", "han"), ("これは日本語です", "japanese"),
        ("안녕하세요", "korean"), ("Привет", "cyrillic"), ("123 !?", "none"), ("", "none"),
    ],
)  # fmt: skip
def test_scripts(text: str, wanted: str) -> None:
    assert script_of(text) == wanted


@given(st.text())
def test_tidying_twice_is_tidying_once_and_keeps_every_visible_character(text: str) -> None:
    once = tidy(text)
    assert tidy(once) == once
    assert "".join(once.split()) == "".join(tidy("".join(text.split())).split()) or folded(once) == folded(text)


def test_tidy_keeps_indentation() -> None:
    assert tidy("  def f():\r\n    pass   \n\n\n\nx\n") == "def f():\n    pass\n\nx"


@given(st.text())
def test_normalising_is_stable(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
