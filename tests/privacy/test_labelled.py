"""Values behind labels."""

from __future__ import annotations

import pytest

from yuzui.privacy.labelled import DASHED, DIGITS, count_digits, value_after


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("MRN: 12345", "12345"),
        ("MRN number is 12345.", "12345"),
        ('MRN": "12-34/5"', "12-34/5"),
        ("MRN号为:12345,", "12345"),
        ("MRN of the patient 12345", None),
        ("MRN", None),
        ("MRN? 12345", None),
        ("MRN" + " " * 40 + "12345", None),
    ],
)
def test_marks_and_small_words_may_stand_between(text: str, value: str | None) -> None:
    found = value_after(text, 3, DASHED if "/" in text else DIGITS)
    assert (found and text[found[0] : found[1]]) == value


def test_digits_are_counted() -> None:
    assert count_digits("a1b22") == 3
