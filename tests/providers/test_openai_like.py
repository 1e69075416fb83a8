"""Servers that nearly speak chat completions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from native_kit import MARKS, TEXTS, Json, cuts_change_nothing, decode, text_of
from yuzui.core.chat import FinishReason
from yuzui.core.errors import UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.providers.openai_like import LikeDecoder, change, mend
from yuzui.providers.openai_reply import read_response

ENDS: dict[str, FinishReason | None] = {"eos": "stop", "too_long": "length", "gone": None}
COUNTS = {"prompt_tokens": 3, "completion_tokens": 2}


def event(delta: Json | None = None, finish: str | None = None, name: str = "", **more: Any) -> bytes:  # Any: JSON
    body = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}], **more}
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + json.dumps(body).encode() + b"\n\n"


LAST = b"data: " + json.dumps({"id": "c", "choices": [], "usage": COUNTS}).encode() + b"\n\n"
DONE = b"data: [DONE]\n\n"


def translate(event: str, data: bytes) -> bytes | None:
    if event == "fail":
        raise UpstreamFault("the server said so")
    return None if event == "ping" else data.replace(b'"words"', b'"content"')


def make(*, sends_done: bool = True) -> LikeDecoder:
    return LikeDecoder(translate, is_lane=False, ends=ENDS, sends_done=sends_done)


def whole(finish: str) -> bytes:
    return json.dumps({"id": "c", "choices": [{"message": {"content": "hi"}, "finish_reason": finish}]}).encode()


@pytest.mark.parametrize(
    ("word", "finish"),
    [("eos", "stop"), ("too_long", "length"), ("stop", "stop"), ("tool_calls", "tool_calls"), ("tired", "length")],
)
def test_an_end_is_told_in_the_hubs_words_whole_and_streamed(word: str, finish: str) -> None:
    (choice,) = mend(read_response(whole(word), is_lane=False), ENDS).choices
    assert choice.finish_reason == finish
    chunks = decode(make(), event({"content": "hi"}), event({}, word), DONE)
    assert chunks[-1].deltas[0].finish_reason == finish


def test_an_end_that_says_the_answer_was_cut_is_a_fault() -> None:
    with pytest.raises(UpstreamInterrupted, match="gone"):
        mend(read_response(whole("gone"), is_lane=False), ENDS)
    with pytest.raises(UpstreamInterrupted, match="gone"):
        make().feed(event({}, "gone"))


def test_events_are_put_into_openais_words_or_skipped() -> None:
    chunks = decode(make(), event({"words": "hi"}), event({"words": "no"}, name="ping"), event({}, "eos"), DONE)
    assert text_of(chunks) == "hi"


def test_a_server_without_a_word_for_the_end_ends_with_its_counts() -> None:
    decoder = make(sends_done=False)
    chunks = decode(decoder, event({"content": "hi"}), event({}, "eos"), LAST)
    assert chunks[-1].usage == Usage(input_tokens=3, output_tokens=2)
    assert decoder.feed(event({"content": "more"})) == []  # nothing counts behind the end


def test_without_counts_the_end_of_the_bytes_is_the_end_when_each_choice_has_one() -> None:
    decode(make(sends_done=False), event({"content": "hi"}), event({}, "eos"))
    open_still = make(sends_done=False)
    open_still.feed(event({"content": "hi"}))
    with pytest.raises(UpstreamInterrupted, match="after event 1"):
        open_still.close()
    with pytest.raises(UpstreamInterrupted):
        make(sends_done=False).close()


def test_counts_in_the_middle_are_no_end() -> None:
    decoder = make(sends_done=False)
    decoder.feed(event({"content": "hi"}, usage=COUNTS))
    assert not decoder.is_complete


def test_a_fault_behind_good_chunks_waits_for_the_next_call() -> None:
    decoder = make()
    assert text_of(decoder.feed(event({"content": "hi"}) + event(name="fail"))) == "hi"
    with pytest.raises(UpstreamFault, match="said so"):
        decoder.feed(b"")
    with pytest.raises(UpstreamFault, match="said so"):
        decoder.close()


def test_a_done_before_the_end_is_a_fault() -> None:
    decoder = make()
    decoder.feed(event({"content": "hi"}) + DONE)
    with pytest.raises(UpstreamInterrupted):
        decoder.close()


def test_a_broken_event_is_a_fault() -> None:
    with pytest.raises(UpstreamInvalid, match="event 1"):
        make().feed(b"data: {\n\n")


def test_a_body_is_changed_only_when_it_is_an_object() -> None:
    assert json.loads(change(b'{"a":1}', lambda body: body.update(b=2))) == {"a": 1, "b": 2}
    assert change(b"[1]", lambda body: body.clear()) == b"[1]"
    assert change(b"{", lambda body: body.clear()) == b"{"


@given(TEXTS, MARKS)
def test_no_cut_changes_the_chunks(texts: list[str], marks: list[int]) -> None:
    data = b"".join(event({"words": text}) for text in texts) + event({}, "too_long") + LAST
    cuts_change_nothing(lambda: make(sends_done=False), data, marks)
    assert text_of(decode(make(sends_done=False), data)) == "".join(texts)
