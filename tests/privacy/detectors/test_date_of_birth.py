"""Dates of birth."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("DOB: 04/17/1985", "04/17/1985"),
        ("born on March 7, 1990 in", "March 7, 1990"),
        ("date of birth is 7 March 1990.", "7 March 1990"),
        ("出生日期：1990年3月7日", "1990年3月7日"),
        ("生日 1990-03-07，", "1990-03-07"),
        ("原告，1995年8月18日出生", "1995年8月18日"),
        ("D.O.B. 19900307", "19900307"),
        ('{"date_of_birth": "1990-03-07"}', "1990-03-07"),
        ("dateOfBirth=07.03.1990;", "07.03.1990"),
        ("my date of birth. It's 8/12/1991", "8/12/1991"),
    ],
)
def test_a_date_is_found_beside_its_word(text: str, date: str) -> None:
    assert values(text, "date_of_birth") == [date]


@pytest.mark.parametrize(
    "text",
    [
        "on March 7, 1990 we met",
        "born to run",
        "reborn 2001-01-01",
        "王先生于2000年8月开始",
        "birthday party at 10",
        "出生率下降",
    ],
)
def test_other_dates_are_left_alone(text: str) -> None:
    assert values(text, "date_of_birth") == []
