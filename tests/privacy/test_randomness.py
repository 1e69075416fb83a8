"""Random-looking values and placeholders."""

from __future__ import annotations

import pytest

from yuzui.privacy.randomness import is_generated, is_placeholder, is_unpronounceable, looks_random


@pytest.mark.parametrize(
    "value", ["your-api-key", "xxxxxxxx", "${TOKEN}", "AKIAEXAMPLE", "<key>", "aaaaabbbb", "changeme"]
)
def test_a_placeholder_is_told(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "value",
    ["OMxXXDLy4yQW9yEbwTM6WXVgwLhFROEaRyPw78", "q7RkFake9Zt4Lm8Vb3Nc6Yd1Hs5Jf0Gp", "h8N4TWICzGGG13MXpT5wYourzMXVa"],
)
def test_a_short_word_by_chance_makes_no_placeholder_of_a_key(value: str) -> None:
    assert not is_placeholder(value) and is_placeholder(f"{value}EXAMPLE")


@pytest.mark.parametrize(
    "value", ["sk-" + "x" * 16 + "abcd1234", "sk-" + "ant-api03-your-key-here", "my_secret_token_1"]
)
def test_a_short_word_beside_nothing_random_is_one(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    ("value", "is_random"),
    [
        ("q7Rk2Xw9Zt4L", True),
        ("learn-pipeline-with-very", False),
        ("hub_download_file", False),
        ("aQbWcEdRfTgYhUjI", True),
    ],
)
def test_mixed_pieces_look_random(value: str, is_random: bool) -> None:
    assert looks_random(value) is is_random and not is_placeholder(value)


@pytest.mark.parametrize(
    ("value", "is_made"),
    [
        ("9djsw25b28hnm9u2", True),
        ("version2024final", False),
        ("getElementById2", False),
        ("short1", False),
        ("b7fd5s1831q7m548c7", True),
    ],
)
def test_a_generated_value_changes_between_letters_and_digits(value: str, is_made: bool) -> None:
    assert is_generated(value) is is_made


@pytest.mark.parametrize(
    ("value", "is_noise"),
    [("pxcdmbwb", True), ("password", False), ("strengths", True), ("abc1", False), ("hello", False)],
)
def test_letters_without_vowels_are_no_word(value: str, is_noise: bool) -> None:
    assert is_unpronounceable(value) is is_noise
