"""Streams in Google's spelling: nothing is lost, and nothing looks finished before it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import Citation, Delta, StreamChunk, ToolCallDelta
from yuzui.core.errors import UpstreamInterrupted, UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.dialects._held import MOST_HELD_BYTES
from yuzui.dialects.gemini_meaning import read_meaning
from yuzui.dialects.gemini_stream import HubWriter, LaneWriter

END = StreamChunk(deltas=(Delta(finish_reason="stop"),))


def hub(*, is_sse: bool = True) -> HubWriter:
    return HubWriter(request_id="req-1", is_sse=is_sse, origin="deepseek")


def values(sent: bytes, *, is_sse: bool = True) -> list[dict[str, Any]]:  # Any: JSON values
    if not is_sse:
        found: list[dict[str, Any]] = json.loads(sent)  # Any: JSON values
        return found
    return [json.loads(event.removeprefix(b"data: ")) for event in sent.strip().split(b"\n\n") if event.strip()]


def run(*deltas: Delta) -> list[dict[str, Any]]:  # Any: JSON values
    """The parts that a client has seen, in order."""
    writer = hub()
    sent = b"".join(writer.write(StreamChunk(deltas=(delta,))) for delta in deltas) + writer.finish({})
    return [part for value in values(sent) for part in value["candidates"][0]["content"]["parts"]]


def call(position: int, arguments: str = "", id: str = "", name: str = "") -> Delta:
    return Delta(tool_calls=(ToolCallDelta(position=position, arguments=arguments, id=id, name=name),))


def test_calls_are_said_when_something_follows_them() -> None:
    parts = run(
        call(0, id="a", name="f"),
        call(0, '{"x":'),
        call(0, "1}"),
        Delta(text="done"),
        call(1, id="b", name="g"),
        END.deltas[0],
    )
    assert [next(iter(part)) for part in parts] == ["functionCall", "text", "functionCall"]
    assert parts[0]["functionCall"] == {"id": "a", "name": "f", "args": {"x": 1}}


def test_a_call_that_is_not_whole_waits_for_its_rest() -> None:
    parts = run(call(0, '{"x":', id="a", name="f"), Delta(text="meanwhile"), call(0, "1}"), END.deltas[0])
    assert [next(iter(part)) for part in parts] == ["text", "functionCall"]


def test_thoughts_of_every_kind_are_sealed_at_their_end() -> None:
    deltas = (
        Delta(reasoning_id="rs_1", reasoning="a", is_summary=True),
        Delta(reasoning="b", is_summary=True),
        Delta(redacted="crypt"),
        Delta(redacted="alone"),
        Delta(reasoning="plain"),
        Delta(text="answer"),
        Delta(reasoning="signed", signature="sig"),
    )
    content = {"role": "model", "parts": run(*deltas, END.deltas[0])}
    parts = read_meaning({"contents": [{"parts": [{"text": "hi"}]}, content]}).messages[1].parts
    told = [
        (
            type(p).__name__,
            getattr(p, "text", ""),
            getattr(p, "signature", ""),
            getattr(p, "redacted", ""),
            getattr(p, "id", ""),
        )
        for p in parts
    ]
    assert told == [
        ("ReasoningPart", "ab", "", "crypt", "rs_1"),
        ("ReasoningPart", "", "", "alone", ""),
        ("ReasoningPart", "plain", "", "", ""),
        ("TextPart", "answer", "", "", ""),
        ("ReasoningPart", "signed", "sig", "", ""),
    ]
    assert {getattr(p, "origin", "deepseek") for p in parts} == {"deepseek"}


def test_a_thought_without_words_stands_on_the_next_part() -> None:
    parts = run(
        Delta(redacted="a"),
        Delta(redacted="b"),
        Delta(text="t"),
        Delta(signature="c"),
        call(0, "{}", id="i", name="f"),
        Delta(redacted="d"),
        END.deltas[0],
    )
    assert [(part.get("text"), "functionCall" in part, "thoughtSignature" in part) for part in parts] == [
        ("", False, True),
        ("t", False, True),
        (None, True, True),
        ("", False, True),
    ]
    assert not any("thought" in part for part in parts), "clients leave out empty thoughts"


def test_citations_come_with_the_end_and_count_bytes() -> None:
    writer = hub()
    writer.write(StreamChunk(deltas=(Delta(text="é a"),)))
    assert (
        writer.write(
            StreamChunk(deltas=(Delta(citations=(Citation(url="https://a.test", title="A", start=2, end=3),)),))
        )
        == b""
    )
    assert writer.write(END) == b""
    (last,) = values(writer.finish({}))
    assert last["candidates"][0]["groundingMetadata"]["groundingSupports"] == [
        {"segment": {"startIndex": 3, "endIndex": 4, "text": "a"}, "groundingChunkIndices": [0]}
    ]


def test_a_refusal_is_told_in_words_and_by_its_reason() -> None:
    writer = hub()
    sent = writer.write(StreamChunk(deltas=(Delta(refusal="no"),))) + writer.write(END) + writer.finish({})
    first, last = values(sent)
    assert first["candidates"][0]["content"]["parts"] == [{"text": "no"}]
    assert last["candidates"][0]["finishReason"] == "SAFETY"


def test_a_heartbeat_is_nothing_to_both_kinds_of_reader() -> None:
    writer = hub(is_sse=False)
    beat = writer.heartbeat()
    sent = (
        beat
        + writer.write(StreamChunk(deltas=(Delta(text="a"),)))
        + beat
        + writer.write(END)
        + beat
        + writer.finish({})
    )
    assert len(json.loads(sent)) == 2
    assert beat.strip() == b"" and b":" not in beat


@pytest.mark.parametrize("is_sse", [True, False])
def test_a_failure_is_the_last_value_and_begins_with_error(is_sse: bool) -> None:
    writer = hub(is_sse=is_sse)
    sent = writer.write(StreamChunk(deltas=(Delta(text="a"),))) + writer.write(END)
    sent += writer.fail(UpstreamInterrupted("cut"), "req-1")
    first, last = values(sent, is_sse=is_sse)
    assert "finishReason" not in first["candidates"][0]
    assert next(iter(last)) == "error" and last["error"]["code"] == 502


def test_a_failure_before_everything_is_an_array_too() -> None:
    assert values(hub(is_sse=False).fail(UpstreamInterrupted("cut"), "r"), is_sse=False)[0]["error"]["message"] == "cut"


def lane(is_sse: bool = True) -> LaneWriter:
    return LaneWriter(request_id="req-1", is_sse=is_sse)


def test_the_lane_hands_chunks_on_byte_for_byte_until_one_ends_the_answer() -> None:
    writer = lane()
    raw = b'{"candidates": [{"x" : 1.0}]}'
    assert writer.write(StreamChunk(deltas=(Delta(text="a"),), raw=raw)) == b"data: %b\n\n" % raw
    assert writer.write(StreamChunk(deltas=(Delta(finish_reason="stop"),), raw=b'{"end" : 1}')) == b""
    assert writer.write(StreamChunk(usage=Usage(), raw=b'{"usage" : 2}')) == b""
    assert writer.finish({"a": 1}) == b'data: {"end" : 1}\n\ndata: {"usage":2,"yuzui":{"a":1}}\n\n'


def test_the_lane_lets_other_candidates_go_on() -> None:
    writer = lane()
    assert writer.write(StreamChunk(deltas=(Delta(index=0, finish_reason="stop"),), raw=b'{"e":0}')) == b""
    assert writer.write(StreamChunk(deltas=(Delta(index=1, text="b"),), raw=b'{"b":1}')) == b'data: {"b":1}\n\n'
    assert writer.write(StreamChunk(deltas=(Delta(index=0, text="late"),), raw=b'{"l":0}')) == b""


def test_the_lane_holds_no_flood() -> None:
    writer = lane()
    writer.write(StreamChunk(deltas=(Delta(finish_reason="stop"),), raw=b"{}"))
    with pytest.raises(UpstreamInvalid, match="after the end"):
        writer.write(StreamChunk(raw=b"{" + b" " * MOST_HELD_BYTES + b"}"))


def test_an_answer_may_end_with_all_of_it() -> None:
    picture = b'{"data":"' + b"x" * MOST_HELD_BYTES + b'"}'
    writer = lane()
    assert writer.write(StreamChunk(deltas=(Delta(finish_reason="stop"),), raw=picture)) == b""
    assert picture[:-1] in writer.finish({})


def test_a_lane_without_anything_still_tells_its_trailer() -> None:
    assert values(lane().finish({"request_id": "r"})) == [
        {"candidates": [], "modelVersion": "", "responseId": "req-1", "yuzui": {"request_id": "r"}}
    ]


TEXTS = st.text(max_size=5)
DELTAS = st.one_of(
    st.builds(Delta, index=st.integers(0, 1), text=TEXTS),
    st.builds(Delta, index=st.integers(0, 1), reasoning=TEXTS, signature=TEXTS),
    st.builds(
        Delta,
        index=st.integers(0, 1),
        tool_calls=st.tuples(
            st.builds(ToolCallDelta, position=st.integers(0, 2), id=TEXTS, name=TEXTS, arguments=TEXTS)
        ),
    ),
    st.builds(Delta, index=st.integers(0, 1), finish_reason=st.sampled_from(["stop", "length"])),
)


@given(deltas=st.lists(DELTAS, max_size=12), is_sse=st.booleans())
def test_nothing_is_lost_and_no_end_is_seen_before_the_end(deltas: list[Delta], is_sse: bool) -> None:
    writer = hub(is_sse=is_sse)
    before = b"".join(writer.write(StreamChunk(deltas=(delta,))) for delta in deltas)
    assert b"finishReason" not in before
    found = values(before + writer.finish({"request_id": "r"}), is_sse=is_sse)
    assert found[-1]["yuzui"] == {"request_id": "r"}
    for index in {delta.index for delta in deltas}:
        parts = [
            part
            for value in found
            for c in value["candidates"]
            if c["index"] == index
            for part in c["content"]["parts"]
        ]
        mine = [delta for delta in deltas if delta.index == index]
        assert "".join(p["text"] for p in parts if "text" in p and "thought" not in p) == "".join(d.text for d in mine)
        assert "".join(p["text"] for p in parts if "thought" in p) == "".join(d.reasoning for d in mine)
        positions = {call.position for delta in mine for call in delta.tool_calls}
        assert sum("functionCall" in part for part in parts) >= len(positions)
