"""Passport numbers need a word that says passport."""

from __future__ import annotations

import pytest

from privacy.kit import scanner, values


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("护照号码：E12345678", "E12345678"),
        ("护照 EA1234567", "EA1234567"),
        ("Passport number is 512345678", "512345678"),
        ("my passport: A12345678.", "A12345678"),
        ("Reisepass C01X00T47", "C01X00T47"),
        ("паспорт № 512345678", "512345678"),
    ],
)
def test_a_number_after_the_cue_is_found(text: str, number: str) -> None:
    assert values(text, "passport") == [number]


@pytest.mark.parametrize(
    "text",
    ["E12345678", "passport photo for visitors", "passport issued 20201231", "passport" + " " * 60 + "E12345678"],
)
def test_no_cue_or_no_number_is_no_finding(text: str) -> None:
    assert values(text, "passport") == []


def test_the_cue_does_not_reach_into_another_leaf() -> None:
    body = {"messages": [{"role": "user", "content": "passport"}, {"role": "user", "content": "E12345678"}]}
    assert scanner().scan(body).findings == ()
