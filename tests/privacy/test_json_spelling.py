"""JSON as it comes, read as a text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.json_spelling import BARE, SIGN, STRING, JsonSpelling, readable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


def read(pieces: list[str]) -> JsonSpelling:
    spelling = JsonSpelling()
    for piece in pieces:
        spelling.feed(piece)
    spelling.close()
    return spelling


@pytest.mark.parametrize(
    ("spelled", "said"),
    [
        (r'{"to":"wang@corp.cn"}', '{"to":"wang@corp.cn"}'),
        (r'"a\nb\"c\\\/"', '"a\nb"c\\/"'),
        (r'"\u6c34 \ud83d\ude00"', '"水 😀"'),
        (r'"\ud83d alone"', '"\N{REPLACEMENT CHARACTER} alone"'),
        (r'"half \u6c', '"half \\u6c'),
        (r'"half \ud83d', '"half \N{REPLACEMENT CHARACTER}'),
        ("no JSON 12", "no JSON 12"),
    ],
)
def test_escapes_are_undone(spelled: str, said: str) -> None:
    assert readable(spelled) == said
    spelling = read(list(spelled))
    assert spelling.text == said
    assert "".join(spelling.pieces) == spelled


def test_each_character_knows_what_it_stands_in() -> None:
    spelling = read(['{"n": -12, "s": "a\\"b"}'])
    places = dict(zip(("string", "bare", "sign"), (STRING, BARE, SIGN), strict=True))
    assert spelling.places[spelling.text.index("-12") :][:3] == places["bare"] * 3
    assert spelling.places[spelling.text.index('a"b') :][:3] == places["string"] * 3
    assert spelling.places[0] == spelling.places[-1] == places["sign"]


@given(JSON, st.booleans(), st.data())
def test_any_cut_says_the_same_and_loses_nothing(value: object, escaped: bool, data: st.DataObject) -> None:
    spelled = json.dumps(value, ensure_ascii=escaped)
    places = sorted(data.draw(st.lists(st.integers(0, len(spelled)), max_size=4)))
    cut = [spelled[first:last] for first, last in zip([0, *places], [*places, len(spelled)], strict=True)]
    spelling = read(cut)
    assert "".join(spelling.pieces) == spelled
    assert spelling.text == readable(spelled)
    assert len(spelling.text) == len(spelling.pieces) == len(spelling.places)


def test_what_is_dropped_is_gone_on_both_sides() -> None:
    spelling = read([r'["\u6c34", 1]'])
    spelling.drop(2)
    assert spelling.text == '水", 1]'
    assert "".join(spelling.pieces) == r'\u6c34", 1]'
