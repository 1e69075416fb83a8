"""The parts of the single operations' codecs: counts in three spellings, streams of events, patched bodies."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from yuzui.core.chat import StreamChunk
from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.target import Quirks, Target
from yuzui.core.usage import Usage
from yuzui.providers._openai_lane import (
    EventDecoder,
    NoStream,
    Patched,
    apply_quirks,
    headers_of,
    path_of,
    read_usage,
    seconds_heard,
)


def target_with(quirks: Quirks) -> Target:
    return Target(
        name="t", provider="p", codec="openai", model="m/1", base_url="https://x.test", premises="vendor", clearance=0,
        jurisdiction="", api_key="the-key", quirks=quirks,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        ('{"prompt_tokens": 8, "total_tokens": 8}', Usage(input_tokens=8)),
        ('{"total_tokens": 8}', Usage(input_tokens=8)),
        ('{"prompt_tokens": 6, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 5}}',
         Usage(input_tokens=6, cached_input_tokens=5, output_tokens=3)),
        ('{"type": "tokens", "input_tokens": 14, "input_token_details": {"text_tokens": 0, "audio_tokens": 14}, '
         '"output_tokens": 45, "total_tokens": 59}', Usage(input_tokens=14, input_audio_tokens=14, output_tokens=45)),
        ('{"input_tokens": 50, "output_tokens": 50, "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}}',
         Usage(input_tokens=50, output_tokens=50)),
        ('{"type": "duration", "seconds": 3}', Usage(audio_ms=3000)),
        ('{"type": "duration", "seconds": 0.1004}', Usage(audio_ms=101)),
        ('{"prompt_tokens": "8"}', Usage(input_tokens=8)),
        ("null", None),
        ("{}", None),
        ("[]", None),
        ('{"prompt_tokens": -1}', None),
        ('{"seconds": -1}', None),
        ('{"seconds": 1e300}', None),
        ('{"prompt_tokens": 10000000000000}', None),
        ('{"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": -4}}', Usage(input_tokens=9)),
    ],
)  # fmt: skip
def test_counts_are_read_in_each_spelling(text: str, usage: Usage | None) -> None:
    assert read_usage(msgspec.Raw(text.encode())) == usage


def test_no_counts_at_all_are_unknown_and_not_zero() -> None:
    assert read_usage(msgspec.Raw()) is None


@given(st.floats(min_value=0, max_value=10**6))
def test_a_started_millisecond_counts(seconds: float) -> None:
    heard = seconds_heard(seconds)
    assert heard is not None
    assert -0.001 <= heard.audio_ms - seconds * 1000 < 1.001


class _Words(EventDecoder):
    @override
    def read_event(self, event: str, raw: bytes) -> StreamChunk | None:
        if raw == b'"end"':
            self.end()
        elif raw == b'"bad"':
            raise UpstreamInvalid("bad")
        elif raw == b'"dull"':
            return None
        return StreamChunk(raw=raw, event=event)


def test_events_come_in_order_until_the_end() -> None:
    decoder = _Words()
    chunks = decoder.feed(b'data: "a"\n\nevent: x\ndata: "b"\n\ndata: "dull"\n\ndata: "end"\n\ndata: "bad"\n\n')
    assert [(chunk.event, chunk.raw) for chunk in chunks] == [("", b'"a"'), ("x", b'"b"'), ("", b'"end"')]
    assert decoder.is_complete
    assert decoder.feed(b'data: "bad"\n\n') == []
    decoder.close()


def test_a_fault_behind_good_events_waits_for_the_next_call() -> None:
    decoder = _Words()
    assert len(decoder.feed(b'data: "a"\n\ndata: "bad"\n\n')) == 1
    with pytest.raises(UpstreamInvalid):
        decoder.feed(b"")
    with pytest.raises(UpstreamInvalid):
        decoder.close()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"data: [DONE]\n\n", UpstreamInterrupted),
        (b'event: error\ndata: {"error": {"code": "rate_limit_exceeded"}}\n\n', UpstreamBusy),
        (b"event: error\ndata: what\n\n", UpstreamInterrupted),
    ],
)
def test_an_error_event_and_a_lone_terminator_are_faults(data: bytes, fault: type[UpstreamFault]) -> None:
    with pytest.raises(fault):
        _Words().feed(data)


def test_an_event_of_several_lines_becomes_one() -> None:
    assert _Words().feed(b"data: [1,\ndata: 2]\n\n")[0].raw == b"[1, 2]"


def test_a_stream_without_its_end_is_interrupted() -> None:
    decoder = _Words()
    decoder.feed(b'data: "a"\n\n')
    with pytest.raises(UpstreamInterrupted, match="after event 1"):
        decoder.close()


def test_who_answers_whole_has_no_stream() -> None:
    decoder = NoStream()
    assert decoder.feed(b"") == []
    with pytest.raises(UpstreamInvalid):
        decoder.feed(b"{}")


def test_quirks_drop_and_rename_and_report() -> None:
    patched = Patched(body={"user": "u", "seed": None, "dimensions": 2})
    apply_quirks(patched, target_with(Quirks(drops=frozenset({"user", "seed"}), renames={"dimensions": "dims"})))
    assert (patched.body, patched.dropped) == ({"dims": 2}, ["user"])


def test_paths_and_headers_are_data() -> None:
    quirks = Quirks(
        paths={"openai_embeddings": "/deployments/{model}/embeddings"}, query={"api-version": "1 2"}, auth="api-key",
        headers={"x-own": "1"},
    )  # fmt: skip
    target = target_with(quirks)
    assert path_of(target, "openai_embeddings", "/embeddings") == "/deployments/m/1/embeddings?api-version=1+2"
    assert path_of(target, "openai_rerank", "/rerank") == "/rerank?api-version=1+2"
    headers = headers_of(target, accept="audio/mpeg", content_type="x/y")
    assert (headers["accept"], headers["content-type"], headers["api-key"]) == ("audio/mpeg", "x/y", "the-key")
    assert headers["x-own"] == "1"
