"""Server-sent events are the same however the bytes are cut and however the lines end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core import sse
from yuzui.core.errors import UpstreamInvalid
from yuzui.core.sse import SseReader, write_event

Events = list[tuple[str, bytes]]


def read(*pieces: bytes) -> tuple[Events, bool]:
    reader = SseReader()
    events: Events = []
    for piece in pieces:
        events += reader.feed(piece)
    return events, reader.close()


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (b"data: a\n\n", [("", b"a")]),
        (b"data:a\n\n", [("", b"a")]),
        (b"data:  a\n\n", [("", b" a")]),  # one space belongs to the format, the next to the data
        (b"data: a\r\n\r\n", [("", b"a")]),
        (b"data: a\r\r", [("", b"a")]),
        (b"data: a\r\rdata: b\r\r\n", [("", b"a"), ("", b"b")]),
        (b"data: a\n\r\ndata: b\r\n\n", [("", b"a"), ("", b"b")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),  # only one BOM is legal: the second makes another field's name
        (b": ping\n\ndata: a\n\n", [("", b"a")]),
        (b": ping\ndata: a\n\n", [("", b"a")]),
        (b"data: a\ndata: b\n\n", [("", b"a\nb")]),
        (b"data\n\n", [("", b"")]),
        (b"event: error\ndata: {}\n\n", [("error", b"{}")]),
        (b"event: a\nevent: b\ndata: x\n\n", [("b", b"x")]),
        (b"id: 7\nretry: 10\nunknown: x\ndata: a\n\n", [("", b"a")]),
        (b"event: lonely\n\n", []),
        (b"\n\n\n\ndata: a\n\n\n\n", [("", b"a")]),
        (b"data: a:b\n\n", [("", b"a:b")]),
        ("data: 鱼嘴\n\n".encode(), [("", "鱼嘴".encode())]),
    ],
)
def test_events_are_read_as_the_standard_says(text: bytes, events: Events) -> None:
    assert read(text)[0] == events


@pytest.mark.parametrize(
    ("text", "is_whole"),
    [(b"", True), (b"data: a\n\n", True), (b"data: a\n\n\n", True), (b"data: a\n", False), (b": c", False)],
)
def test_an_unfinished_event_is_told_and_never_given_out(text: bytes, is_whole: bool) -> None:
    events, ended_between = read(text)
    assert ended_between is is_whole
    assert len(events) == text.count(b"\n\n")


LINES = st.sampled_from(
    [b"data: one", b"data:", b'data: {"a":1}', b": c", b"event: e", b"", b"data: \xe9\xb1\xbc", b"x"]
)
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])


@given(st.lists(LINES, max_size=12), ENDS, st.booleans(), st.data())
def test_any_cut_gives_the_same_events(lines: list[bytes], end: bytes, has_bom: bool, data: st.DataObject) -> None:
    text = (b"\xef\xbb\xbf" if has_bom else b"") + b"".join(line + end for line in lines) + b"data: last\n\n"
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert read(*pieces) == read(text)
    assert read(*[text[i : i + 1] for i in range(len(text))]) == read(text)


@given(st.lists(LINES, max_size=8))
def test_every_line_end_means_the_same(lines: list[bytes]) -> None:
    by_end = [
        read(b"".join(line + end for line in lines) + b"data: last" + end + end + b"data: more")
        for end in (b"\n", b"\r\n")
    ]
    assert by_end[0] == by_end[1]


@given(
    st.binary(max_size=200).filter(lambda raw: b"\n" not in raw and b"\r" not in raw),
    st.sampled_from(["", "ping", "事件"]),
)
def test_what_is_written_is_read_back(raw: bytes, name: str) -> None:
    assert read(write_event(raw, name)) == ([(name, raw)], True)


def test_an_event_that_never_ends_is_refused_before_it_eats_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    reader = SseReader()
    assert reader.feed(b"data: " + b"x" * 90) == []
    with pytest.raises(UpstreamInvalid):
        reader.feed(b"x" * 20)


@pytest.mark.parametrize("piece", [b"x" * 50, b"data: " + b"x" * 43 + b"\n"])
def test_a_long_event_in_small_pieces_is_not_copied_for_every_piece(piece: bytes) -> None:
    # 5 MB in 100,000 pieces: copying what came before for each of them would move 250 GB, which takes minutes.
    reader = SseReader()
    reader.feed(b"data: ")
    for _ in range(100_000):
        assert reader.feed(piece) == []
    (event,) = reader.feed(b"\n\n")
    assert len(event[1]) >= 4_000_000


def test_the_last_event_of_a_stream_with_bare_carriage_returns_is_not_held_back() -> None:
    reader = SseReader()
    assert reader.feed(b"data: [DONE]\r\r") == [("", b"[DONE]")]
    assert reader.feed(b"\n") == []
    assert reader.close()
