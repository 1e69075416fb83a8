"""The parts that the dialects of single operations share."""

from __future__ import annotations

import json

import pytest
from msgspec import Struct

from yuzui.core.chat import Delta, StreamChunk
from yuzui.core.errors import InvalidRequest, UnsupportedFeature, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.dialects._explain import check_name
from yuzui.dialects._lane import BytesWriter, EventWriter, lane_only, others, read_fields

TRAILER = {"request_id": "req-1"}


class _Wire(Struct, kw_only=True):
    model: str
    n: int | None = None
    top_n: int | None = None


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({}, "model", "`model` is missing; add it"),
        ({"model": 1}, "model", "`model`: expected a string, got an integer"),
        ({"model": "m", "n": "x"}, "n", "expected an integer"),
        ({"model": "m", "Model": "x"}, "Model", "only looks like one; send `model`"),
        ({"model": "m", "topN": 1}, "topN", "only looks like one; send `top_n`"),
    ],
)
def test_a_wrong_field_is_named(body: dict[str, object], param: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words.replace("`", ".")) as caught:
        read_fields(body, _Wire)
    assert caught.value.param == param


def test_what_nobody_understands_is_kept_apart() -> None:
    assert read_fields({"model": "m", "x": 1}, _Wire).model == "m"
    assert others({"model": "m", "x": 1, "y": None}, frozenset({"model"})) == {"x": 1}


def test_the_texts_of_a_form_spell_numbers() -> None:
    assert read_fields({"model": "m", "n": "3"}, _Wire, strict=False).n == 3


def test_control_characters_are_refused_in_names() -> None:
    assert check_name("grün", "model") == "grün"
    with pytest.raises(InvalidRequest):
        check_name("a\nb", "model")


def test_a_lane_has_no_meaning() -> None:
    with pytest.raises(UnsupportedFeature, match="no way to say pictures"):
        lane_only("pictures")({})


def end(raw: bytes, index: int = 0) -> StreamChunk:
    return StreamChunk(raw=raw, event="done", deltas=(Delta(index=index, finish_reason="stop"),))


def test_the_end_waits_and_carries_the_trailer() -> None:
    writer = EventWriter()
    assert writer.write(StreamChunk(raw=b'{"a":1}', event="e")) == b'event: e\ndata: {"a":1}\n\n'
    assert writer.write(end(b'{"z":[1, 2],"yuzui":"old"}')) == b""
    assert (
        writer.finish(TRAILER) == b'event: done\ndata: {"z":[1, 2],"yuzui":{"request_id":"req-1"}}\n\ndata: [DONE]\n\n'
    )


def test_an_end_that_is_no_utf8_goes_on_as_it_is() -> None:
    writer = EventWriter(done=b"")
    writer.write(end(b'{"\xff":1}'))
    assert writer.finish(TRAILER) == b'event: done\ndata: {"\xff":1}\n\n'


def test_an_answer_goes_on_while_another_has_ended() -> None:
    writer = EventWriter(done=b"")
    writer.write(StreamChunk(raw=b"{}", deltas=(Delta(index=1, text="x"),)))
    assert writer.write(end(b'{"i":0}')) == b""
    assert writer.write(StreamChunk(raw=b'{"i":1}', deltas=(Delta(index=1, text="y"),))) == b'data: {"i":1}\n\n'
    assert writer.write(end(b'{"j":1}', 1)) == b""
    assert writer.finish({}) == b'event: done\ndata: {"i":0}\n\nevent: done\ndata: {"j":1,"yuzui":{}}\n\n'


def test_counts_that_only_we_asked_for_stay_here() -> None:
    chunk = StreamChunk(raw=b'{"usage":{}}', usage=Usage(input_tokens=1))
    assert EventWriter(wants_usage=False).write(chunk) == b""
    assert EventWriter().write(chunk)


def test_a_failure_is_told_and_nothing_held_is_sent() -> None:
    writer = EventWriter()
    writer.write(end(b"{}"))
    told = writer.fail(UpstreamInterrupted("gone"), "req-1")
    assert json.loads(told.removeprefix(b"data: "))["error"]["code"] == "upstream_stream_interrupted"
    assert b"done" not in told
    assert writer.heartbeat().startswith(b":")


def test_a_flood_behind_the_end_is_refused() -> None:
    writer = EventWriter()
    writer.write(end(b"{}"))
    with pytest.raises(UpstreamInvalid):
        for _ in range(40):
            writer.write(StreamChunk(raw=b" " * 65536))


def test_sound_is_one_piece_late_and_cannot_tell_of_failures() -> None:
    writer = BytesWriter()
    assert writer.write(StreamChunk(raw=b"ab")) == b""
    assert writer.write(StreamChunk(usage=Usage(characters=3))) == b""
    assert writer.write(StreamChunk(raw=b"cd")) == b"ab"
    assert writer.heartbeat() == b""
    assert writer.finish(TRAILER) == b"cd"
    assert writer.fail(UpstreamInterrupted("gone"), "req-1") == b""
