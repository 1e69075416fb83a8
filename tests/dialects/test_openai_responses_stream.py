"""Streams, read back by the official client: every event parses, and together they are the whole answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import ResponseStreamEvent

from yuzui.core.chat import (
    AnswerFacts,
    ChatResponse,
    Choice,
    Citation,
    Delta,
    FinishReason,
    Part,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
)
from yuzui.core.custom_tools import wrap
from yuzui.core.errors import UpstreamBusy, UpstreamInterrupted
from yuzui.core.sse import SseReader
from yuzui.core.usage import Usage
from yuzui.dialects._contract import StreamWriter
from yuzui.dialects.openai_responses import DIALECT

Client = Callable[[int, bytes, str], openai.OpenAI]
FACTS = AnswerFacts(request_id="req_0123456789abcdef", origin="anthropic", at_s=1_800_000_000)
TOOLS = [
    {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": True},
    {"type": "custom", "name": "run"},
]
REQUEST = DIALECT.read_request({"model": "auto", "input": "Hi", "tools": TOOLS, "stream": True})
EVENT: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(ResponseStreamEvent)  # Any: a union of 60 classes
USAGE = Usage(input_tokens=9, output_tokens=2)


def writer() -> StreamWriter:
    return DIALECT.stream_writer(REQUEST, FACTS)


def chunk(usage: Usage | None = None, *, index: int = 0, **said: Any) -> StreamChunk:  # Any: fields of a delta
    deltas = (Delta(index=index, **said),) if said else ()
    return StreamChunk(id="vendors", model="m-1", deltas=deltas, usage=usage)


def call(position: int, arguments: str = "", **first: Any) -> StreamChunk:  # Any: fields of a piece
    return chunk(tool_calls=(ToolCallDelta(position=position, arguments=arguments, **first),))


def run(*chunks: StreamChunk) -> bytes:
    stream = writer()
    sent = b"".join([stream.write(said) for said in chunks])
    kept = stream.kept()
    last = stream.finish({"request_id": "r"})
    assert json.loads(kept) == events_of(last)[-1]["response"]
    return sent + last


def events_of(sent: bytes) -> list[dict[str, Any]]:  # Any: JSON values
    """Each event, checked against the client's types."""
    reader = SseReader()
    found = []
    for name, data in reader.feed(sent):
        event = json.loads(data)
        assert event["type"] == name
        EVENT.validate_python(event)
        found.append(event)
    assert reader.close()
    return found


def names_of(sent: bytes) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events_of(sent)]


def test_a_text_in_the_order_of_the_api() -> None:
    sent = run(chunk(role="assistant"), chunk(text="Hi "), chunk(text="you"), chunk(finish_reason="stop"), chunk(USAGE))
    assert names_of(sent) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    events = events_of(sent)
    assert [event["sequence_number"] for event in events] == list(range(10))
    assert events[-1]["yuzui"] == {"request_id": "r"}
    assert events[-1]["response"]["usage"]["total_tokens"] == 11


def test_what_ends_the_answer_waits() -> None:
    stream = writer()
    stream.write(chunk(text="Hi"))
    assert stream.write(chunk(finish_reason="stop")) == b""
    assert stream.write(chunk(USAGE)) == b""
    assert names_of(stream.finish({})) == ["output_text.done", "content_part.done", "output_item.done", "completed"]


def test_kinds_that_alternate_are_closed_and_opened() -> None:
    sent = run(
        chunk(reasoning="Hm."),
        chunk(text="a"),
        chunk(reasoning="So."),
        chunk(text="b"),
        chunk(finish_reason="stop"),
    )
    events = events_of(sent)
    assert [item["type"] for item in events[-1]["response"]["output"]] == ["reasoning", "message"] * 2
    opened = [event["output_index"] for event in events if event["type"].endswith("item.added")]
    closed = [event["output_index"] for event in events if event["type"].endswith("item.done")]
    assert opened == closed == [0, 1, 2, 3]


def test_a_summary_has_events_of_its_own() -> None:
    sent = run(
        chunk(reasoning="In ", is_summary=True, reasoning_id="t1"),
        chunk(reasoning="short.", is_summary=True),
        chunk(redacted="xyz"),
        chunk(reasoning="More.", is_summary=True, reasoning_id="t2"),
        chunk(text="a"),
        chunk(finish_reason="stop"),
    )
    assert names_of(sent)[2:9] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    output = events_of(sent)[-1]["response"]["output"]
    assert [[said["text"] for said in item["summary"]] for item in output[:2]] == [["In short."], ["More."]]


def test_a_signature_alone_is_an_item_in_front_of_the_call_that_it_signs() -> None:
    sent = run(chunk(signature="sig"), call(0, "{}", id="a", name="f"), chunk(finish_reason="tool_calls"))
    output = events_of(sent)[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "function_call"]
    assert output[0]["summary"] == [] and "content" not in output[0]


def test_pieces_of_parallel_calls_find_their_item() -> None:
    sent = run(
        call(0, id="a", name="f"),
        call(0, '{"x":'),
        call(1, "", id="b", name="f"),
        call(0, "1}"),
        call(2, '{"inp', id="c", name="run"),
        call(2, 'ut":"\\u00'),
        call(2, 'e9"}'),
        call(3, "raw", id="d", name="run", is_custom=True),
        chunk(finish_reason="tool_calls"),
    )
    events = events_of(sent)
    output = events[-1]["response"]["output"]
    assert [item.get("arguments", item.get("input")) for item in output] == ['{"x":1}', "{}", "é", "raw"]
    assert [item["call_id"] for item in output] == ["a", "b", "c", "d"]
    deltas = [(event["output_index"], event["delta"]) for event in events if event["type"].endswith(".delta")]
    assert deltas == [(0, '{"x":'), (0, "1}"), (2, "é"), (3, "raw")]


def test_a_call_without_an_id_gets_one() -> None:
    sent = run(call(0, "{}", name="f"), chunk(finish_reason="tool_calls"))
    assert events_of(sent)[-1]["response"]["output"][0]["call_id"] == "call_0123456789abcdef_0"


def test_arguments_that_are_no_wrapped_input_are_the_input() -> None:
    sent = run(call(0, "print(1)", id="a", name="run"), chunk(finish_reason="tool_calls"))
    assert names_of(sent)[3:5] == ["custom_tool_call_input.delta", "custom_tool_call_input.done"]
    assert events_of(sent)[-1]["response"]["output"][0]["input"] == "print(1)"


def test_sources_follow_their_text() -> None:
    here, there = Citation(url="https://x.test", title="X"), Citation(document=1, title="D")
    sent = run(
        chunk(text="See "),
        chunk(text="here"),
        chunk(citations=(here,)),
        chunk(citations=(there,)),
        chunk(text=", and there"),
        chunk(citations=(here,)),
        chunk(finish_reason="stop"),
    )
    events = events_of(sent)
    notes = [event for event in events if event["type"].endswith("annotation.added")]
    assert [note["annotation_index"] for note in notes] == [0, 1, 2]
    assert [note["annotation"].get("start_index") for note in notes] == [0, None, 8]
    assert notes[2]["annotation"]["end_index"] == len("See here, and there")
    message = events[-1]["response"]["output"][0]
    assert message["content"][0]["annotations"] == [note["annotation"] for note in notes]


def test_a_source_of_nothing_is_nothing() -> None:
    assert names_of(run(chunk(citations=(Citation(url="x"),)), chunk(finish_reason="stop")))[2:] == ["completed"]


def test_a_refusal_behind_a_text_is_a_second_part() -> None:
    sent = run(chunk(text="I "), chunk(refusal="No."), chunk(finish_reason="content_filter"))
    events = events_of(sent)
    assert events[-1]["type"] == "response.incomplete"
    assert [part["type"] for part in events[-1]["response"]["output"][0]["content"]] == ["output_text", "refusal"]
    assert [event["content_index"] for event in events if event["type"].endswith("part.added")] == [0, 1]


def test_other_choices_are_none_of_this_api() -> None:
    assert writer().write(chunk(text="b", index=1)).count(b"\n\n") == 2  # the two that begin a stream


def test_a_stream_without_anything_is_a_whole_answer() -> None:
    assert names_of(run()) == ["created", "in_progress", "completed"]


def test_the_official_helper_makes_the_whole_answer_of_it(client_that_gets: Client) -> None:
    class City(pydantic.BaseModel):
        name: str

    sent = run(
        chunk(reasoning="Hm."),
        chunk(text='{"name":'),
        chunk(text='"Oslo"}'),
        call(0, "{}", id="a", name="f"),
        chunk(finish_reason="tool_calls"),
        chunk(USAGE),
    )
    with client_that_gets(200, sent, "text/event-stream") as client:
        with client.responses.stream(model="auto", input="Hi", text_format=City, tools=TOOLS) as stream:  # type: ignore[call-overload,arg-type,unused-ignore]  # tools of a table
            texts = [event.delta for event in stream if event.type == "response.output_text.delta"]
            final = stream.get_final_response()
    assert texts == ['{"name":', '"Oslo"}']
    assert final.output_parsed == City(name="Oslo")
    whole = events_of(sent)[-1]["response"]
    assert final.output_text == '{"name":"Oslo"}'
    assert [item["id"] for item in final.to_dict()["output"]] == [item["id"] for item in whole["output"]]  # type: ignore[attr-defined]  # to_dict tells no types


@pytest.mark.parametrize(
    ("error", "code"),
    [(UpstreamInterrupted("it broke"), "server_error"), (UpstreamBusy("too much"), "rate_limit_exceeded")],
)
def test_the_official_client_raises_where_the_stream_failed(
    client_that_gets: Client, error: UpstreamInterrupted, code: str
) -> None:
    stream = writer()
    sent = stream.write(chunk(text="Hi")) + stream.write(chunk(finish_reason="stop"))
    stream.kept()
    sent += stream.fail(error, "req_0123456789abcdef")
    events = events_of(sent)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    assert events[-1]["response"]["error"] == {"code": code, "message": error.message}
    assert b"response.output_item.done" not in sent
    with client_that_gets(200, sent, "text/event-stream") as client:
        with client.responses.create(model="auto", input="Hi", stream=True) as got:
            with pytest.raises(openai.APIError, match=error.message) as raised:
                list(got)
    assert raised.value.code == error.code


def test_a_heartbeat_is_no_event(client_that_gets: Client) -> None:
    stream = writer()
    sent = stream.heartbeat() + stream.write(chunk(text="Hi")) + stream.heartbeat() + stream.finish({})
    with client_that_gets(200, sent, "text/event-stream") as client:
        with client.responses.create(model="auto", input="Hi", stream=True) as got:
            assert next(iter(got)).type == "response.created"


# ---- streamed and whole, it is the same answer ----------------------------------------------------------------------

words = st.text(max_size=12).filter(lambda text: text.isprintable())


@st.composite
def answers(draw: st.DrawFn) -> tuple[list[Part], list[Delta]]:
    """Parts of an answer, and deltas that tell them."""
    parts: list[Part] = []
    deltas: list[Delta] = []
    calls = 0
    for number in range(draw(st.integers(0, 6))):
        pieces = draw(st.lists(words, min_size=1, max_size=3))
        said = "".join(pieces)
        match draw(st.sampled_from(("text", "raw", "summary", "sealed", "f", "run", "native"))):
            case "text":
                if said:
                    parts.append(TextPart(text=said))
                deltas += [Delta(text=piece) for piece in pieces]
            case "sealed":
                parts.append(ReasoningPart(text="", redacted="xyz"))
                deltas.append(Delta(redacted="xyz"))
            case "raw" | "summary" as kind:
                is_summary = kind == "summary"
                parts.append(ReasoningPart(text=f"t{said}", id=f"t{number}", signature="s", is_summary=is_summary))
                deltas.append(Delta(reasoning="t", reasoning_id=f"t{number}", is_summary=is_summary))
                deltas += [Delta(reasoning=piece, is_summary=is_summary) for piece in pieces]
                deltas.append(Delta(signature="s"))
            case kind:
                name = "f" if kind == "f" else "run"
                is_native = kind == "native"
                whole = wrap(said) if kind == "run" else said
                cut = draw(st.integers(0, len(whole)))
                parts.append(ToolCallPart(id=f"c{calls}", name=name, arguments=whole, is_custom=is_native))
                first = ToolCallDelta(
                    position=calls, id=f"c{calls}", name=name, arguments=whole[:cut], is_custom=is_native
                )
                second = ToolCallDelta(position=calls, arguments=whole[cut:], is_custom=is_native)
                deltas += [Delta(tool_calls=(first,)), Delta(tool_calls=(second,))]
                calls += 1
    return parts, deltas


@given(answers(), st.sampled_from(("stop", "length", "content_filter", "tool_calls")), words)
def test_an_answer_is_the_same_streamed_and_whole(
    answer: tuple[list[Part], list[Delta]], finish: FinishReason, refusal: str
) -> None:
    parts, deltas = answer
    if refusal:
        deltas.append(Delta(refusal=refusal))
    deltas.append(Delta(finish_reason=finish))
    sent = run(*[StreamChunk(model="m-1", deltas=(delta,)) for delta in deltas], chunk(USAGE))
    choice = Choice(index=0, parts=tuple(parts), finish_reason=finish, refusal=refusal)
    response = ChatResponse(id="", model="m-1", created_s=0, choices=(choice,), usage=USAGE)
    events = events_of(sent)
    assert events[-1]["response"] == json.loads(DIALECT.write_response(response, REQUEST, FACTS))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    done = {event["output_index"]: event["item"] for event in events if event["type"].endswith("item.done")}
    assert [done[index] for index in sorted(done)] == events[-1]["response"]["output"]
    assert sum(event["type"].endswith("item.added") for event in events) == len(done)
    said: dict[int, str] = {}
    for event in events:
        if event["type"].endswith(".delta"):
            said[event["output_index"]] = said.get(event["output_index"], "") + event["delta"]
    for index, item in done.items():
        match item["type"]:
            case "message":
                told = "".join(part.get("text", part.get("refusal")) for part in item["content"])
            case "reasoning":
                told = "".join(piece["text"] for piece in item["summary"] + item.get("content", []))
            case "function_call":
                told = item["arguments"] if said.get(index) else ""
            case _:
                told = item["input"]
        assert said.get(index, "") == told
