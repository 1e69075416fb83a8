"""Lines of JSON, however the bytes are cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core import ndjson
from yuzui.core.errors import UpstreamInvalid
from yuzui.core.ndjson import NdjsonReader


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\r\n\r\n\n', [b'{"a":1}\r']),  # JSON does not mind the CR
        (b': alive\n\n  {"a":1}\n', [b'  {"a":1}']),
        (b'{"a":1}', []),
        (b"", []),
        (b"[1]\nnull\n", []),
    ],
)
def test_a_line_that_holds_an_object_is_told_when_it_has_ended(data: bytes, lines: list[bytes]) -> None:
    assert NdjsonReader().feed(data) == lines


@pytest.mark.parametrize(
    ("data", "is_between"), [(b"", True), (b'{"a":1}\n', True), (b'{"a":1}\n \r', True), (b'{"a":1}\n{"b"', False)]
)
def test_the_end_of_the_bytes_is_between_lines_or_inside_one(data: bytes, is_between: bool) -> None:
    reader = NdjsonReader()
    reader.feed(data)
    assert reader.close() is is_between


def test_a_line_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "MAX_LINE_BYTES", 10)
    reader = NdjsonReader()
    assert reader.feed(b'{"a":1}\n{"b":2}\n{"c"') == [b'{"a":1}', b'{"b":2}']
    with pytest.raises(UpstreamInvalid, match="larger than 10 bytes"):
        reader.feed(b":12345678")


def test_a_long_rest_behind_whole_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "MAX_LINE_BYTES", 10)
    with pytest.raises(UpstreamInvalid):
        NdjsonReader().feed(b'{"a":1}\n{"b":123456789')


@given(
    st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), max_size=5),
    st.lists(st.integers(0, 10**6), max_size=8),
)
def test_no_cut_changes_the_lines(objects: list[dict[str, str]], marks: list[int]) -> None:
    lines = [json.dumps(one, ensure_ascii=False).encode() for one in objects]
    data = b"".join(line + b"\n" for line in lines)
    places = sorted({mark % (len(data) + 1) for mark in marks})
    reader = NdjsonReader()
    told = [
        line
        for a, b in zip([0, *places], [*places, len(data)], strict=True)
        for line in reader.feed(data[a:b])
    ]  # fmt: skip
    assert told == lines
    assert reader.close()
