"""A finding in a JSON value is a span of the JSON text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.config import read
from yuzui.core.sensitivity import Finding, Place
from yuzui.privacy.json_places import ROOT, JsonPlaces
from yuzui.privacy.scan import Scanner

MAIL = "bob@example.com"


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(read("", {}, source=None).sensitivity)


CASES = [
    ({"messages": [{"role": "user", "content": f"hi {MAIL}"}]}, [MAIL]),
    ({"messages": [{"content": f'a "quoted" \n {MAIL} \\ 世界'}]}, [MAIL]),
    ({MAIL: 1}, [MAIL]),
    ({"n": 13800138000}, ["13800138000"]),
    ({"arguments": json.dumps({"to": MAIL, "q": 'say "x"'})}, [MAIL]),
    ({"arguments": json.dumps({"inner": json.dumps({"to": MAIL, "q": '"'})})}, [MAIL]),
]


@pytest.mark.parametrize(("body", "values"), CASES)
@pytest.mark.parametrize("indent", [None, 2])
def test_the_span_is_the_value(
    scanner: Scanner, body: dict[str, object], values: list[str], indent: int | None
) -> None:
    text = json.dumps(body, indent=indent)
    places = JsonPlaces(text)
    spans = [places.span_of(finding) for finding in scanner.scan(body).findings]
    assert [text[start:end] for start, end in spans] == values


def test_a_value_cut_into_parts_spans_from_its_first_piece_to_its_last(scanner: Scanner) -> None:
    body = {
        "messages": [{"content": [{"type": "text", "text": "mail bo"}, {"type": "text", "text": "b@example.com."}]}]
    }
    text = json.dumps(body)
    spans = [JsonPlaces(text).span_of(finding) for finding in scanner.scan(body).findings]
    assert any(text[start:end].startswith('bo"') and text[start:end].endswith("b@example.com") for start, end in spans)


def test_what_has_no_characters_of_its_own_is_all_that_it_was_read_from() -> None:
    text = '{"a": [1, 22, 3], "b": "x"}'
    path = (ROOT, ".#0")
    whole = Finding(kind="k", detector="d", start=0, end=1, place=Place(path, "whole"))
    start, end = JsonPlaces(text).span_of(whole)
    assert text[start:end] == "1, 22, 3"
    nowhere = Finding(kind="k", detector="d", start=0, end=1, place=Place((ROOT, ".#7"), "text", 0, 1))
    assert JsonPlaces(text).span_of(nowhere) == (0, len(text))
    assert JsonPlaces(text).span_of(Finding(kind="k", detector="d", start=0, end=1)) == (0, len(text))


@given(st.text(st.characters(codec="utf-8"), max_size=30), st.data())
def test_every_span_of_a_string_says_what_the_string_says(value: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, len(value)))
    for spelled in (json.dumps([value]), json.dumps([value], ensure_ascii=False)):
        place = Place((ROOT, 0), "text", start, end)
        first, last = JsonPlaces(spelled).span_of(Finding(kind="k", detector="d", start=0, end=0, place=place))
        assert json.loads(f'"{spelled[first:last]}"') == value[start:end]


def test_a_character_is_known_by_the_string_around_it() -> None:
    text = '{"messages": ["ab", 12]}'
    places = JsonPlaces(text)
    assert places.path_at(text.index("ab")) == ((ROOT, ".messages"), 0)
    assert places.path_at(text.index("12")) == ((ROOT, ".messages"), 1)
    assert places.path_at(0) is None
