"""What is asked about: sentences, never code; every Chinese character is in a segment."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.ner.segments import HAN, MOST_HAN, is_code_line, segments, squeeze

CODE = """\
import os
from pathlib import Path

class Robert(Brown):
    def greet(self, name: str) -> None:
        print(f"Hello {name}")
        return self.Martin.call(name)
"""


@pytest.mark.parametrize(
    "line",
    ["def run(self):", "import os", "    x = y + 1", "return Path(Name)", "</div>", "} else {", "SELECT Name FROM Users;",
     "2026-11-26T14:00:00 INFO Started Worker", "const Alice = require('bob')", "#include <stdio.h>", "foo(bar, Baz);",
     '"Name": {', "127.0.0.1 - - GET /Index"],
)  # fmt: skip
def test_lines_of_code_are_known(line: str) -> None:
    assert is_code_line(line)


@pytest.mark.parametrize(
    "line",
    ["Dear Mr. Smith,", "My name is Ada Lovelace.", "请联系王小明。", "Name: Ada Lovelace", "I met her (Ada) in Paris; it was late.",
     "For whom the bell tolls", "Class of 1999: Ada and Bob", "From London to Paris", "If Ada comes, tell me:"],
)  # fmt: skip
def test_sentences_are_not_code(line: str) -> None:
    assert not is_code_line(line)


def test_code_and_fenced_blocks_are_left_out_and_words_around_them_are_not() -> None:
    assert segments(CODE) == []
    text = "Ask Ada Lovelace about this:\n```python\nAda = 1\nMy name is Bob.\n```\nThanks, Bob Brown"
    assert [text[one.start : one.end] for one in segments(text)] == [
        "Ask Ada Lovelace about this:",
        "Thanks, Bob Brown",
    ]


def test_a_fence_that_never_closes_hides_nothing() -> None:
    text = "```\nMy name is Ada Lovelace and I am here.\nDear Bob Brown, hello."
    assert "Ada" in "".join(text[one.start : one.end] for one in segments(text))


def test_chinese_in_comments_of_code_is_read() -> None:
    text = CODE + "    x = 1  # 作者王小明写的\n"
    assert any("王小明" in text[one.start : one.end] for one in segments(text))


def test_long_lines_cost_no_more_than_their_length() -> None:
    for line in ("a(" * 50_000, "A" * 200_000, "if " * 60_000, "[" * 100_000, "w " * 100_000):
        is_code_line(line)
    assert segments("王" * 100_000)


@given(st.text(alphabet="王小明，。；、 \nab1`~{}", max_size=700))
def test_every_chinese_character_outside_of_fences_is_in_a_segment(text: str) -> None:
    text = text.replace("`", "").replace("~", "")
    covered: set[int] = set()
    for one in segments(text):
        assert 0 <= one.start < one.end <= len(text)
        assert one.script == "latin" or one.end - one.start <= MOST_HAN
        covered.update(range(one.start, one.end))
    for number, line in enumerate(text.split("\n")):
        start = sum(len(other) + 1 for other in text.split("\n")[:number])
        if "王小" in line or "小明" in line:  # two in a row: one alone is no name
            assert all(start + at in covered for at, char in enumerate(line) if HAN.match(char))


def test_pieces_of_a_sentence_without_a_comma_overlap() -> None:
    text = "王小明" * 100
    pieces = segments(text)
    assert all(first.end - second.start >= 20 for first, second in pairwise(pieces))


@pytest.mark.parametrize(
    ("line", "is_code"),
    [
        ("for the Government Mr I. Xyzzy, Foreign Office, Agent, Mr R. Plugh, Counsel, Advisers;", False),
        ("the second applicant (her son) lived with her in the same house until then;", False),
        ("return one two three four five six seven eight;", True),
        ("SELECT name FROM people WHERE age AND height ORDER BY name DESC;", True),
        ("total = price of the thing and of the other thing here;", True),
        ("call(a) then b then c then d then e then f;", True),
    ],
)
def test_a_list_of_people_that_ends_in_a_semicolon_is_prose(line: str, is_code: bool) -> None:
    assert is_code_line(line) is is_code


@given(st.text(alphabet="王的a1@.-/ ，", max_size=80))
def test_what_is_squeezed_out_is_the_middle_of_long_runs_and_every_character_has_a_place(text: str) -> None:
    short, places = squeeze(text)
    if places is None:
        assert short == text
        return
    assert len(places) == len(text) > len(short)
    assert places == sorted(places) and set(places) == set(range(len(short)))
    for at, place in enumerate(places):
        assert short[place] == text[at] or text[at].isascii()


def test_names_around_a_long_run_keep_their_characters() -> None:
    text = "王明的邮箱wang.ming.1990@example.com给李雷"
    short, places = squeeze(text)
    assert short == "王明的邮箱wang.com给李雷" and places is not None
    assert [short[places[at]] for at in (0, 1, len(text) - 2, len(text) - 1)] == ["王", "明", "李", "雷"]
    assert squeeze("王明 abc 123") == ("王明 abc 123", None)
