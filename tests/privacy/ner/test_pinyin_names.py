"""Pinyin with its tones."""

from __future__ import annotations

import pytest

from yuzui.privacy.ner.pinyin_names import pinyin_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("他叫wáng jiàn huá，电话同上", ["wáng jiàn huá"]),
        ("Lǐ Xiǎomíng kommt", ["Lǐ Xiǎomíng"]),
        ("wang jian hua", []),  # no tones: the models' affair
        ("déjà vu à la carte", []),
        ("nǐ hǎo", []),  # no surname
        ("hé kraš", []),
    ],
)
def test_a_surname_and_syllables_with_tones(text: str, names: list[str]) -> None:
    assert [text[one.start : one.end] for one in pinyin_names(text)] == names


def test_it_is_linear_in_the_text() -> None:
    list(pinyin_names("wáng " * 20_000))
    list(pinyin_names("á" * 60_000))
