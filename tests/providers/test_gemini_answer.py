"""Answers of generateContent, whole and streamed."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import Choice, Citation, Delta, ImagePart, ReasoningPart, StreamChunk, TextPart, ToolCallPart
from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.providers._contract import WireRequest
from yuzui.providers._gemini_answer import WireCall, call_id
from yuzui.providers.gemini import CODEC

LANE = WireRequest(path="/", headers={}, body=b"", is_stream=True, is_lane=True)


def candidate(*parts: dict[str, Any], finish: str | None = "STOP", **more: Any) -> dict[str, Any]:  # Any: JSON values
    found = {"content": {"parts": list(parts), "role": "model"}, "index": 0} | more
    return found | {"finishReason": finish} if finish else found


def answer(*candidates: dict[str, Any], **more: Any) -> bytes:  # Any: JSON values
    return json.dumps({"candidates": list(candidates), "responseId": "r1", "modelVersion": "m"} | more).encode()


def choice(*parts: dict[str, Any], **more: Any) -> Choice:  # Any: JSON values
    return CODEC.read_response(answer(candidate(*parts, **more))).choices[0]


def events(*bodies: bytes) -> bytes:
    return b"".join(b"data: %b\r\n\r\n" % body for body in bodies)


def decode(*pieces: bytes, wire: WireRequest | None = None) -> list[StreamChunk]:
    decoder = CODEC.decoder(wire)
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    assert not decoder.is_complete, "more may come: only the end of the bytes is an end"
    decoder.close()
    assert decoder.is_complete
    return chunks


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("MODEL_ARMOR", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "length"),
        ("CONTINUATION", "length"),
        ("WORD_OF_TOMORROW", "length"),
    ],
)
def test_reasons_have_the_hubs_words_and_keep_their_own(word: str, reason: str) -> None:
    found = choice({"text": "a"}, finish=word)
    assert (found.finish_reason, found.native_finish, found.refusal) == (reason, word, "")
    (_, last) = decode(events(answer(candidate({"text": "a"}, finish=word))))
    assert (last.deltas[0].finish_reason, last.deltas[0].native_finish) == (reason, word)


def test_a_stop_after_calls_is_for_their_sake() -> None:
    assert choice({"functionCall": {"name": "f"}}).finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("more", "refusal"),
    [({}, "The model declined to answer (SAFETY)."), ({"finishMessage": "No."}, "No.")],
)
def test_a_filtered_answer_without_text_is_a_refusal(more: dict[str, Any], refusal: str) -> None:
    assert choice(finish="SAFETY", **more).refusal == refusal


def test_parts_of_every_kind() -> None:
    found = choice(
        {"text": "hm", "thought": True},
        {"text": "Hi", "thoughtSignature": "Z29v"},
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"executableCode": {"code": "1"}},
        {"functionCall": {"name": "f", "args": {"a": 1.0}}, "thoughtSignature": "Zg=="},
        {"functionCall": {"id": "x", "name": "g"}},
        {"text": "", "thoughtSignature": "ZW5k"},
    )
    assert found.parts == (
        ReasoningPart(text="hm", is_summary=True),
        ReasoningPart(text="", signature="Z29v"),
        TextPart(text="Hi"),
        ImagePart(data="AAAA", media_type="image/png"),
        ReasoningPart(text="", signature="Zg=="),
        ToolCallPart(id="call_r1_0", name="f", arguments='{"a": 1.0}'),
        ToolCallPart(id="x", name="g", arguments="{}"),
        ReasoningPart(text="", signature="ZW5k"),
    )


def test_made_up_names_of_calls_differ_by_answer_candidate_and_place() -> None:
    def name(answer_id: str, index: int, position: int, args: bytes = b"{}") -> str:
        return call_id(answer_id, index, position, WireCall(name="f", args=msgspec.Raw(args)))

    assert name("r", 0, 0) == name("r", 0, 0) == "call_r_0"
    names = {
        name("r", 0, 0),
        name("r", 0, 1),
        name("r", 1, 0),
        name("s", 0, 0),
        name("", 0, 0),
        name("", 0, 1),
        name("x" * 30, 0, 0),
    }
    assert len(names) == 7
    assert all(len(found) <= 40 for found in names), "OpenAI's clients' servers take no longer ones"


def test_places_of_sources_count_characters_of_their_own_text() -> None:
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://a.test", "title": "A"}}, {"retrievedContext": {"uri": "u", "title": "B", "text": "q"}}, {"maps": {"uri": "m"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 3, "endIndex": 4}, "groundingChunkIndices": [0, 9]},
            {"segment": {"startIndex": 2, "endIndex": 99}, "groundingChunkIndices": [1]},
            {"groundingChunkIndices": None},
        ],
        "webSearchQueries": ["x", "y"],
    }  # fmt: skip
    recited = {"citationSources": [{"startIndex": 0, "endIndex": 2, "uri": "https://r.test"}]}
    body = answer(
        candidate({"text": "é"}, {"text": " a"}, groundingMetadata=grounding, citationMetadata=recited),
        usageMetadata={"promptTokenCount": 1},
    )
    found = CODEC.read_response(body)
    assert found.choices[0].parts == (
        TextPart(text="é", citations=(Citation(url="https://r.test", start=0, end=1),)),
        TextPart(text=" a", citations=(Citation(url="https://a.test", title="A", start=1, end=2), Citation(url="u", title="B", cited_text="q"), Citation(url="m"))),
    )  # fmt: skip
    assert found.usage == Usage(input_tokens=1, server_tools=(("web_search", 2),))
    chunks = decode(events(body))
    (cited,) = [delta.citations for chunk in chunks for delta in chunk.deltas if delta.citations]
    assert cited[0] == Citation(url="https://a.test", title="A", start=2, end=3), "in a stream, of the whole text"
    assert chunks[-1].usage == found.usage


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({}, None),
        ({"promptTokenCount": 5}, Usage(input_tokens=5)),
        ({"promptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 3}, Usage(input_tokens=5, output_tokens=5, reasoning_tokens=3)),
        ({"promptTokenCount": 5, "toolUsePromptTokenCount": 7, "cachedContentTokenCount": 4}, Usage(input_tokens=12, cached_input_tokens=4)),
        ({"promptTokenCount": -1}, None),
        (
            {"promptTokenCount": 9, "candidatesTokenCount": 8, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 6}, {"modality": "TEXT"}], "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 2}], "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 8}]},
            Usage(input_tokens=9, input_audio_tokens=4, output_tokens=8, output_audio_tokens=8),
        ),
    ],
)  # fmt: skip
def test_counts_are_mapped(counts: dict[str, Any], usage: Usage | None) -> None:
    assert CODEC.read_response(answer(candidate(), usageMetadata=counts)).usage == usage


def test_the_tier_is_read_from_the_kind_of_traffic() -> None:
    assert (
        CODEC.read_response(answer(candidate(), usageMetadata={"trafficType": "ON_DEMAND_FLEX"})).service_tier == "flex"
    )


@pytest.mark.parametrize(
    "body",
    [
        answer(),
        answer(candidate(finish=None)),
        answer(candidate(finish="FINISH_REASON_UNSPECIFIED")),
        answer(candidate({"functionCall": {"name": "f", "args": [1]}})),
        b'{"candidates":[{"finishReason":"STOP","content":{"parts":[{"functionCall":{"name":"f","args":{"a":"\xff"}}}]}}]}',
        b'{"candidates":5}',
    ],
)
def test_what_is_no_whole_answer_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body)


def test_an_error_that_came_with_200_is_a_fault() -> None:
    with pytest.raises(UpstreamBusy):
        CODEC.read_response(b'{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}')


# ---- streams --------------------------------------------------------------------------------------------------------


def test_usage_behind_the_end_is_not_lost() -> None:
    chunks = decode(
        events(answer(candidate({"text": "a"})), b'{"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4}}')
    )
    assert chunks[-1].usage == Usage(input_tokens=3, output_tokens=4)


def test_unknown_events_are_skipped_and_on_the_lane_handed_on() -> None:
    data = events(b'{"later": true}', answer(candidate({"text": "a"})))
    assert [delta.text for chunk in decode(data) for delta in chunk.deltas] == ["a", ""]
    assert decode(data, wire=LANE)[0].raw == b'{"later": true}'


def test_the_lane_has_one_chunk_for_each_event_and_says_when_it_holds_more_than_words() -> None:
    picture = answer(candidate({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}, finish=None))
    chunks = decode(events(picture, answer(candidate({"text": "a"}, {"functionCall": {"name": "f"}}))), wire=LANE)
    assert [chunk.raw for chunk in chunks] == [
        picture,
        answer(candidate({"text": "a"}, {"functionCall": {"name": "f"}})),
    ]
    assert [chunk.has_content for chunk in chunks] == [True, False]
    assert [len(chunk.deltas) for chunk in chunks] == [0, 3]


def test_the_lane_hands_on_no_bytes_that_are_not_text() -> None:
    data = events(b'{"candidates":[{"finishReason":"STOP"}],"later":"\xff"}')
    with pytest.raises(UpstreamInvalid, match="event 1"):
        decode(data, wire=LANE)
    assert decode(data), "elsewhere it is skipped like everything that is unknown"


def test_an_event_of_several_lines_is_one_line_for_the_client() -> None:
    chunks = decode(b'data: {"candidates": [\ndata: {"finishReason": "STOP"}]}\n\n', wire=LANE)
    assert chunks[0].raw == b'{"candidates": [ {"finishReason": "STOP"}]}'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        events(answer(candidate({"text": "a"}, finish=None))),
        events(answer(candidate({"text": "a"}, finish="FINISH_REASON_UNSPECIFIED"))),
        events(answer(candidate({"text": "a"}), {"content": {"parts": [{"text": "b"}]}, "index": 1})),
        events(answer(candidate({"text": "a"}))) + b"data: {",
        events(answer(candidate({"text": "a"})))[:-2],
    ],
)
def test_a_stream_without_its_end_is_interrupted(data: bytes) -> None:
    with pytest.raises(UpstreamInterrupted):
        decode(data)


def test_a_fault_behind_good_chunks_waits_for_the_next_call() -> None:
    decoder = CODEC.decoder()
    assert len(decoder.feed(events(answer(candidate({"text": "a"}, finish=None)), b"{nonsense}"))) == 1
    for call in (lambda: decoder.feed(b""), decoder.close):
        with pytest.raises(UpstreamInvalid, match="event 2"):
            call()


PARTS = st.one_of(
    st.builds(lambda text: {"text": text}, st.text(max_size=6)),
    st.builds(lambda text: {"text": text, "thought": True}, st.text(max_size=6)),
    st.builds(lambda text: {"text": text, "thoughtSignature": "Z29v"}, st.text(max_size=3)),
    st.builds(
        lambda args: {"functionCall": {"name": "f", "args": args}},
        st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    ),
)
BODIES = st.builds(
    lambda parts, count: answer(candidate(*parts, finish=None), usageMetadata={"promptTokenCount": count}),
    st.lists(PARTS, max_size=3),
    st.integers(0, 9),
)


@given(bodies=st.lists(BODIES, max_size=4), cuts=st.lists(st.integers(0, 2000), max_size=6), is_lane=st.booleans())
def test_any_cut_gives_the_same_chunks(bodies: list[bytes], cuts: list[int], is_lane: bool) -> None:
    wire = LANE if is_lane else None
    data = events(*bodies, answer(candidate({"text": "é"})))
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert decode(*pieces, wire=wire) == decode(data, wire=wire)


@given(
    data=st.binary(max_size=60)
    | st.lists(
        st.sampled_from([b"data: ", b"\n\n", b"{", b"}", b'"candidates":', b"[", b"]", b'"error":', b"null", b","]),
        max_size=14,
    ).map(b"".join)
)
def test_any_bytes_are_chunks_or_a_fault(data: bytes) -> None:
    decoder = CODEC.decoder()
    try:
        decoder.feed(data)
        decoder.feed(b"\n\n")
        decoder.close()
    except UpstreamFault:
        pass


def test_whole_and_streamed_say_the_same() -> None:
    parts: list[dict[str, Any]] = [
        {"text": "hm", "thought": True},
        {"text": "a"},
        {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "Zg=="},
    ]
    deltas = [delta for chunk in decode(events(answer(candidate(*parts)))) for delta in chunk.deltas]
    assert [(d.reasoning, d.text, d.signature, len(d.tool_calls)) for d in deltas] == [
        ("hm", "", "", 0),
        ("", "a", "", 0),
        ("", "", "Zg==", 0),
        ("", "", "", 1),
        ("", "", "", 0),
    ]
    whole = choice(*parts)
    assert isinstance(whole.parts[-1], ToolCallPart)
    assert deltas[-2].tool_calls[0].id == whole.parts[-1].id
    assert isinstance(deltas[-1], Delta) and deltas[-1].finish_reason == whole.finish_reason
