"""The Responses wire: what the wire cases do not show, and that no cut of a stream changes what is read."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import (
    AudioPart,
    ChatRequest,
    Citation,
    DocumentPart,
    ImagePart,
    Meaning,
    Message,
    OpaquePart,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
    WebSearch,
)
from yuzui.core.errors import UnsupportedFeature, UpstreamBusy, UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.reasoning import seal
from yuzui.core.target import Quirks, Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import WireRequest
from yuzui.providers._openai_responses_models import nearest_effort, traits_of
from yuzui.providers.catalogue import load_rows
from yuzui.providers.openai_responses import CODEC

WIRE = Path(__file__).parent.parent / "wire" / "openai_responses"
TARGET = Target(
    name="t", provider="openai_responses", codec="openai_responses", model="gpt-6-luna", base_url="https://x.test/v1",
    premises="vendor", clearance=0, jurisdiction="US", api_key="the-key",
)  # fmt: skip
HI = Message(role="user", parts=(TextPart(text="hi"),))


def ask(meaning: Meaning, **changes: Any) -> ChatRequest:  # Any: fields of a ChatRequest
    return ChatRequest(dialect="nobody's", model="auto", body={}, read_meaning=lambda body: meaning, **changes)


def lane(body: dict[str, Any], **changes: Any) -> ChatRequest:  # Any: JSON; fields of a ChatRequest
    return ChatRequest(
        dialect="openai_responses", model="auto", body=body, read_meaning=lambda body: Meaning(messages=()), **changes
    )


def sent(request: ChatRequest, target: Target = TARGET, cap: int | None = None) -> tuple[dict[str, Any], WireRequest]:
    wire = CODEC.write_request(request, target, output_cap=cap)
    return json.loads(wire.body), wire


def items(*messages: Message, target: Target = TARGET) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    body, wire = sent(ask(Meaning(messages=messages)), target)
    return body["input"], wire.dropped


# ---- the prompt cache -----------------------------------------------------------------------------------------------

BREAKPOINT = {"prompt_cache_breakpoint": {"mode": "explicit"}}


def test_marks_for_the_cache_are_breakpoints_of_which_the_last_four_stay() -> None:
    said = (
        Message(role="system", parts=(TextPart(text="rules", cache="1h"),)),
        Message(role="user", parts=(TextPart(text="a", cache="5m"), ImagePart(url="https://x.test/i", cache="5m"))),
        Message(role="assistant", parts=(ToolCallPart(id="c", name="f", arguments="{}"),)),
        Message(role="tool", parts=(ToolResultPart(call_id="c", parts=(TextPart(text="r"),), cache="5m"),)),
        Message(role="user", parts=(DocumentPart(file_id="f", cache="5m"),)),
    )
    found, dropped = items(*said)
    assert found[0] == {"role": "system", "content": [{"type": "input_text", "text": "rules"}]}
    assert found[1]["content"] == [
        {"type": "input_text", "text": "a", **BREAKPOINT},
        {"type": "input_image", "detail": "auto", "image_url": "https://x.test/i", **BREAKPOINT},
    ]
    assert found[3]["output"] == [{"type": "input_text", "text": "r", **BREAKPOINT}]
    assert found[4]["content"] == [{"type": "input_file", "file_id": "f", **BREAKPOINT}]
    assert dropped == ("cache_control",)


def test_marks_that_nothing_can_be_made_of_are_reported() -> None:
    marked = Message(role="user", parts=(TextPart(text="a", cache="1h"),))
    found, dropped = items(marked, target=replace(TARGET, model="gpt-4.1"))
    assert found == [{"role": "user", "content": [{"type": "input_text", "text": "a"}]}]
    assert dropped == ("cache_control",)
    said = Message(role="assistant", parts=(TextPart(text="a", cache="5m"),))
    assert items(HI, said)[1] == ("cache_control",)
    empty = Message(role="tool", parts=(ToolResultPart(call_id="c", parts=(), cache="5m"),))
    assert items(HI, empty)[1] == ("cache_control",)
    assert sent(ask(Meaning(messages=(HI,), tools=(ToolSpec(name="f", cache="5m"),))))[1].dropped == ("cache_control",)


# ---- models ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "parameters", "reasons"),
    [
        ("gpt-6-luna", {}, True),
        ("gpt-5", {}, True),
        ("openai/gpt-5.6-sol", {}, True),
        ("o3-mini", {}, True),
        ("codex-mini-latest", {}, True),
        ("gpt-oss-120b", {}, True),
        ("gpt-4.1-mini", {}, False),
        ("gpt-4o", {}, False),
        ("chatgpt-4o-latest", {}, False),
        ("gpt-5-chat-latest", {}, False),
        ("gpt-5.3-chat", {}, None),
        ("my-deployment", {}, None),
        ("my-deployment", {"reasoning": "yes"}, True),
        ("my-deployment", {"reasoning": "no"}, False),
        ("gpt-6-luna", {"reasoning": "no"}, False),
        ("foo3", {}, None),
    ],
)
def test_names_tell_which_models_reason_and_the_operator_knows_better(
    model: str, parameters: dict[str, str], reasons: bool | None
) -> None:
    assert traits_of(model, parameters).reasons is reasons


@pytest.mark.parametrize(
    ("model", "asked", "said"),
    [
        ("o3", "minimal", "low"), ("o3", "none", "low"), ("o3", "max", "high"),
        ("gpt-5", "none", "minimal"), ("gpt-5", "minimal", "minimal"), ("gpt-5", "xhigh", "high"),
        ("gpt-5.1", "none", "none"), ("gpt-5.1", "minimal", "low"), ("gpt-5.2", "max", "xhigh"),
        ("gpt-6", "max", "max"), ("gpt-6", "medium", "medium"), ("my-deployment", "minimal", "minimal"),
    ],
)  # fmt: skip
def test_an_effort_becomes_the_nearest_that_the_model_knows(model: str, asked: str, said: str) -> None:
    assert nearest_effort(asked, traits_of(model, {})) == said


@pytest.mark.parametrize(
    ("meaning", "is_asked"),
    [
        (Meaning(messages=(HI,)), False),
        (Meaning(messages=(HI,), reasoning_effort="low"), True),
        (Meaning(messages=(HI,), reasoning_effort="none"), False),
        (Meaning(messages=(HI,), wants_thoughts=True), True),
        (Meaning(messages=(HI, Message(role="assistant", parts=(ReasoningPart(text="", redacted="x"),)))), True),
    ],
)
def test_a_model_that_nobody_knows_is_asked_for_thoughts_when_the_request_speaks_of_them(
    meaning: Meaning, is_asked: bool
) -> None:
    body, _ = sent(ask(meaning), replace(TARGET, model="my-deployment"))
    assert ("include" in body) is is_asked


# ---- requests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meaning", "field", "value", "dropped"),
    [
        (Meaning(messages=(HI,), thinking_budget=0), "reasoning", {"effort": "none"}, ()),
        (Meaning(messages=(HI,), thinking_budget=2000), "reasoning", {"effort": "low"}, ()),
        (Meaning(messages=(HI,), thinking_budget=5000), "reasoning", {"effort": "medium"}, ()),
        (Meaning(messages=(HI,), thinking_budget=50_000), "reasoning", {"effort": "high"}, ()),
        (Meaning(messages=(HI,), thinking_budget=-1), "reasoning", None, ()),
        (Meaning(messages=(HI,), thinking_budget=5000, reasoning_effort="high"), "reasoning", {"effort": "high"}, ()),
        (Meaning(messages=(HI,), reasoning_effort="enormous"), "reasoning", None, ("reasoning_effort",)),
        (
            Meaning(messages=(HI,), reasoning_effort="high", wants_thoughts=True),
            "reasoning", {"effort": "high", "summary": "auto"}, (),
        ),
        (Meaning(messages=(HI,), temperature=0.5), "temperature", None, ("temperature",)),
        (Meaning(messages=(HI,), temperature=0.5, reasoning_effort="none"), "temperature", 0.5, ()),
        (Meaning(messages=(HI,), knobs={"top_k": 4}), "top_k", None, ("top_k",)),
        (Meaning(messages=(HI,), knobs={"n": 1, "modalities": ["text"], "store": True}), "store", False, ()),
        (Meaning(messages=(HI,), knobs={"bad name\r\nx: y": 1}), "x", None, ("unknown_field",)),
        (Meaning(messages=(HI,), web_search=WebSearch(allowed_domains=("a.test",), most_uses=2)), "max_tool_calls", 2, ()),
        (
            Meaning(messages=(HI,), web_search=WebSearch(allowed_domains=("a.test",))),
            "tools", [{"type": "web_search", "filters": {"allowed_domains": ["a.test"]}}], (),
        ),
        (Meaning(messages=(HI,), parallel_tool_calls=False), "parallel_tool_calls", False, ()),
    ],
)  # fmt: skip
def test_what_is_said_and_what_is_reported(
    meaning: Meaning, field: str, value: object, dropped: tuple[str, ...]
) -> None:
    body, wire = sent(ask(meaning))
    assert body.get(field) == value
    assert wire.dropped == dropped


@pytest.mark.parametrize(
    ("request_", "param"),
    [
        (ask(Meaning(messages=(HI,)), n=2), "n"),
        (ask(Meaning(messages=(HI,)), features=frozenset({"logprobs"})), "logprobs"),
        (ask(Meaning(messages=(HI,), server_tools=("bash_20250124",))), "tools"),
        (ask(Meaning(messages=(HI,), web_search=WebSearch(blocked_domains=("a.test",)))), "tools.blocked_domains"),
        (ask(Meaning(messages=(Message(role="user", parts=(AudioPart(data="", media_type="audio/wav"),)),))), "messages"),
        (ask(Meaning(messages=(Message(role="user", parts=(OpaquePart(kind="hologram"),)),))), "messages"),
        (ask(Meaning(messages=(Message(role="assistant", parts=(ImagePart(url="x"),)),))), "messages"),
        (lane({"input": "hi", "background": True}), "background"),
        (lane({"input": [{"id": "msg_1"}]}), "input[0]"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_by_name(request_: ChatRequest, param: str) -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        CODEC.write_request(request_, TARGET, output_cap=None)
    assert caught.value.param == param


def test_documents_go_as_files_and_plain_text_as_text() -> None:
    parts = (
        DocumentPart(text="Be brief.", title="Rules", context="v1", wants_citations=True),
        DocumentPart(url="https://x.test/a.pdf"),
        DocumentPart(data="QQ==", media_type="text/csv"),
        DocumentPart(file_id="file-1", context="c"),
    )
    (message,), dropped = items(Message(role="user", parts=parts))
    assert message["content"] == [
        {"type": "input_text", "text": "Rules\n\nv1\n\nBe brief."},
        {"type": "input_file", "file_url": "https://x.test/a.pdf"},
        {"type": "input_file", "filename": "document.csv", "file_data": "data:text/csv;base64,QQ=="},
        {"type": "input_file", "file_id": "file-1"},
    ]
    assert dropped == ("document.citations", "document.context")


def test_an_assistants_turn_keeps_its_order_and_empty_texts_vanish() -> None:
    turn = Message(
        role="assistant",
        parts=(TextPart(text="a"), TextPart(text="b"), ToolCallPart(id="c", name="f", arguments=""), TextPart(text="")),
    )
    said, _ = items(HI, turn, Message(role="tool", parts=(ToolResultPart(call_id="c", parts=()),)))
    assert said[1:] == [
        {"role": "assistant", "content": [{"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": ""},
    ]


@pytest.mark.parametrize(
    ("part", "target", "item"),
    [
        (ReasoningPart(text="s", redacted="E", id="rs_1", is_summary=True), TARGET,
         {"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": "E"}),
        (ReasoningPart(text="", redacted="E", origin="openai"), TARGET, {"type": "reasoning", "summary": [], "encrypted_content": "E"}),
        (ReasoningPart(text="", redacted="E", origin="azure_openai"), TARGET, None),
        (ReasoningPart(text="t", origin="openai_responses"), TARGET, None),
        (ReasoningPart(text="t", origin="openai_responses"), replace(TARGET, quirks=Quirks(reasoning_fields=("reasoning_text",))),
         {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "t"}]}),
        (ReasoningPart(text="t"), replace(TARGET, quirks=Quirks(reasoning_fields=("reasoning_text",))), None),
        (ReasoningPart(text="t", signature="S", origin="anthropic"), TARGET, None),
    ],
    ids=["own", "a relative's", "another vendor's", "unsigned", "unsigned and wanted back", "nobody's", "signed by another"],
)  # fmt: skip
def test_thoughts_return_only_where_they_came_from(part: ReasoningPart, target: Target, item: object) -> None:
    said, dropped = items(HI, Message(role="assistant", parts=(part, TextPart(text="x"))), target=target)
    assert said[1:-1] == ([item] if item else [])
    assert dropped == (() if item else ("reasoning",))
    assert "t" not in [entry.get("content") for entry in said]


def test_the_developers_role_and_the_path_follow_the_quirks() -> None:
    quirks = Quirks(
        developer_role=False,
        paths={"openai_responses": "/deployments/{model}/responses"},
        query={"api-version": "2025-04-01-preview"},
        auth="api-key",
    )
    target = replace(TARGET, model="a/b", quirks=quirks)
    body, wire = sent(ask(Meaning(messages=(Message(role="developer", parts=(TextPart(text="x"),)),))), target)
    assert body["input"][0]["role"] == "system"
    assert wire.path == "/deployments/a%2Fb/responses?api-version=2025-04-01-preview"
    assert wire.headers["api-key"] == "the-key"


def test_the_lane_changes_no_object_of_the_client() -> None:
    body = {
        "input": [{"id": "m", "type": "message", "role": "user", "content": "x"}],
        "previous_response_id": "r",
        "include": ["a"],
    }
    kept = json.loads(json.dumps(body))
    got, wire = sent(lane(body, stream=True), cap=9)
    assert body == kept
    assert wire.is_lane
    assert got["include"] == ["a", "reasoning.encrypted_content"]
    assert "previous_response_id" not in got
    assert got["stream"] is True
    assert got["max_output_tokens"] == 9


def test_the_lane_leaves_the_clients_own_limit_alone() -> None:
    body, _ = sent(lane({"input": "x", "max_output_tokens": 5}, max_output_tokens=5), cap=9)
    assert body["max_output_tokens"] == 5


def test_the_lane_drops_and_renames_what_a_server_wants_otherwise() -> None:
    target = replace(TARGET, quirks=Quirks(drops=frozenset({"user", "metadata"}), renames={"top_p": "p"}))
    body, wire = sent(lane({"input": "x", "user": "u", "metadata": None, "top_p": 0.5}), target)
    assert "user" not in body
    assert body["p"] == 0.5
    assert wire.dropped == ("user",)


def test_a_sealed_thought_that_was_only_text_stays_at_home_unless_it_is_wanted() -> None:
    sealed = seal(ReasoningPart(text="", origin="openai_responses"))
    item = {
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm."}],
        "encrypted_content": sealed,
    }
    body, wire = sent(lane({"input": [item]}))
    assert (body["input"], wire.dropped) == ([], ("reasoning",))
    body, wire = sent(lane({"input": [item]}), replace(TARGET, quirks=Quirks(reasoning_fields=("reasoning_text",))))
    assert body["input"] == [
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}
    ]
    assert wire.dropped == ()


def test_a_damaged_seal_is_dropped() -> None:
    body, wire = sent(lane({"input": [{"type": "reasoning", "summary": [], "encrypted_content": "yz1.%%"}]}))
    assert (body["input"], wire.dropped) == ([], ("reasoning",))


def test_a_custom_tool_without_a_grammar_takes_any_text() -> None:
    tool = ToolSpec(name="run", is_custom=True)
    body, _ = sent(ask(Meaning(messages=(HI,), tools=(tool,))))
    assert body["tools"] == [{"type": "custom", "name": "run"}]


# ---- answers --------------------------------------------------------------------------------------------------------


def whole(**changes: object) -> bytes:
    return json.dumps(
        {"id": "resp_1", "object": "response", "created_at": 7.5, "status": "completed", "model": "m", "output": []}
        | changes
    ).encode()


@pytest.mark.parametrize(
    ("usage", "more", "want"),
    [
        ({"input_tokens": 9, "output_tokens": 4}, {}, Usage(input_tokens=9, output_tokens=4)),
        (
            {"input_tokens": 90, "output_tokens": 40, "input_tokens_details": {"cached_tokens": 50, "cache_write_tokens": 30,
             "cache_write_tokens_details": {"ttl_30m_tokens": 20, "ttl_12h_tokens": 10}}, "output_tokens_details": {"reasoning_tokens": 7}},
            {},
            Usage(input_tokens=90, cached_input_tokens=50, cache_write_tokens=30, cache_write_1h_tokens=10, output_tokens=40, reasoning_tokens=7),
        ),
        ({"input_tokens": "9", "output_tokens": None, "input_tokens_details": None}, {}, Usage(input_tokens=9)),
        ({"input_tokens": -1, "output_tokens": 4}, {}, None),
        ({"input_tokens": 10**30, "output_tokens": 4}, {}, None),
        ({"input_tokens": "many"}, {}, None),
        ({}, {}, None),
        (None, {}, None),
        (
            {"input_tokens": 1, "output_tokens": 1},
            {"output": [{"type": "web_search_call", "action": {"type": "search"}}, {"type": "web_search_call", "action": {"type": "open_page"}},
                        {"type": "image_generation_call"}, {"type": "code_interpreter_call"}]},
            Usage(input_tokens=1, output_tokens=1, images=1, server_tools=(("code_interpreter", 1), ("image_generation", 1), ("web_search", 1))),
        ),
        (
            {"input_tokens": 1, "output_tokens": 1},
            {"output": [{"type": "web_search_call"}], "tool_usage": {"web_search": {"num_requests": 0}}},
            Usage(input_tokens=1, output_tokens=1),
        ),
    ],
    ids=["plain", "all", "texts and nulls", "negative",
        "huge", "nonsense", "empty", "absent", "tools", "searches as billed"],
)  # fmt: skip
def test_counts_in_the_canonical_shape(usage: object, more: dict[str, object], want: Usage | None) -> None:
    assert CODEC.read_response(whole(usage=usage, **more)).usage == want


@pytest.mark.parametrize(
    ("status", "reason", "finish", "native"),
    [
        ("completed", None, "stop", ""),
        (None, None, "stop", ""),
        ("incomplete", "max_output_tokens", "length", ""),
        ("incomplete", "content_filter", "content_filter", ""),
        ("incomplete", "steered", "length", "steered"),
        ("incomplete", None, "length", ""),
    ],
)
def test_why_an_answer_ended(status: str | None, reason: str | None, finish: str, native: str) -> None:
    choice = CODEC.read_response(whole(status=status, incomplete_details={"reason": reason})).choices[0]
    assert (choice.finish_reason, choice.native_finish) == (finish, native)


def test_an_answers_parts() -> None:
    output = [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}], "encrypted_content": "E"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "content": [{"type": "reasoning_text", "text": "own"}]},
        {"type": "reasoning", "id": "rs_3", "summary": []},
        {"type": "message", "content": [
            {"type": "output_text", "text": "hi", "annotations": [
                {"type": "file_citation", "file_id": "f", "filename": "a.txt", "index": 3},
                {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 2},
                {"type": "hologram"}]},
            {"type": "output_text", "text": ""}, {"type": "refusal", "refusal": "no"}]},
        {"type": "function_call", "id": "fc_1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c", "name": "g", "input": "text"},
        {"type": "mcp_call", "id": "x", "arguments": "{}"},
    ]  # fmt: skip
    response = CODEC.read_response(whole(output=output, service_tier="flex"))
    choice = response.choices[0]
    assert choice.parts == (
        ReasoningPart(text="a\n\nb", redacted="E", id="rs_1", is_summary=True),
        ReasoningPart(text="own", id="rs_2"),
        TextPart(
            text="hi", citations=(Citation(file_id="f", title="a.txt"), Citation(url="u", title="t", start=0, end=2))
        ),
        ToolCallPart(id="fc_1", name="f", arguments="{}"),
        ToolCallPart(id="c", name="g", arguments="text", is_custom=True),
    )
    assert (choice.finish_reason, choice.refusal) == ("tool_calls", "no")
    assert (response.created_s, response.service_tier) == (7, "flex")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (whole(status="in_progress"), UpstreamInvalid),
        (whole(status="queued"), UpstreamInvalid),
        (whole(status="cancelled"), UpstreamInterrupted),
        (whole(status="failed", error={"code": "rate_limit_exceeded", "message": "slow"}), UpstreamBusy),
        (whole(output=None), UpstreamInvalid),
        (whole(output=[{"type": "function_call", "name": "f"}]), UpstreamInvalid),
        (whole(output="x"), UpstreamInvalid),
        (b'{"error": {"type": "rate_limit_error", "message": "slow"}, "output": "x"}', UpstreamBusy),
    ],
)
def test_what_is_no_answer_is_a_fault(body: bytes, fault: type[UpstreamFault]) -> None:
    with pytest.raises(fault):
        CODEC.read_response(body)


# ---- streams --------------------------------------------------------------------------------------------------------


def recordings() -> list[bytes]:
    """The upstream's half of every streamed wire case."""
    found = []
    for path in sorted(WIRE.glob("*.wire")):
        text = path.read_text("utf-8")
        if "content-type: text/event-stream" in text and "<< upstream\n200\n" in text:
            found.append(text.split("<< upstream\n")[1].split("\n\n", 1)[1].split("<< client\n")[0].encode())
    return found


RECORDINGS = recordings()


def read(pieces: list[bytes], *, is_lane: bool = False) -> tuple[list[StreamChunk], str]:
    """Chunks, and the class of the fault that ended them."""
    wire = WireRequest(path="/", headers={}, body=b"", is_stream=True, is_lane=is_lane)
    decoder = CODEC.decoder(wire)
    chunks: list[StreamChunk] = []
    try:
        for piece in pieces:
            chunks += decoder.feed(piece)
        decoder.close()
    except UpstreamFault as fault:
        return chunks, f"{type(fault).__name__}: {fault.message}"
    assert decoder.is_complete
    return chunks, ""


@given(data=st.data())
def test_any_cut_of_a_recording_gives_the_same_chunks(data: st.DataObject) -> None:
    stream = data.draw(st.sampled_from(RECORDINGS))
    edges = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=6)) | {0, len(stream)})
    is_lane = data.draw(st.booleans())
    pieces = [stream[a:b] for a, b in itertools.pairwise(edges)]
    assert read(pieces, is_lane=is_lane) == read([stream], is_lane=is_lane)


@given(data=st.data())
def test_a_bent_recording_is_read_or_is_a_declared_fault(data: st.DataObject) -> None:
    stream = bytearray(data.draw(st.sampled_from(RECORDINGS)))
    at = data.draw(st.integers(0, len(stream)))
    stream[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=5))
    read([bytes(stream)], is_lane=data.draw(st.booleans()))


def events(*found: Mapping[str, object]) -> bytes:
    return b"".join(b"event: %b\ndata: %b\n\n" % (str(e["type"]).encode(), json.dumps(e).encode()) for e in found)


DONE = {"type": "response.completed", "response": {"id": "r", "status": "completed", "output": []}}


def test_on_the_lane_every_event_goes_on_as_it_came() -> None:
    stream = next(recording for recording in RECORDINGS if b"response.hologram.delta" in recording)
    chunks, fault = read([stream], is_lane=True)
    assert not fault
    passed = b"".join(b"event: %b\ndata: %b\n\n" % (chunk.event.encode(), chunk.raw) for chunk in chunks)
    assert passed == stream.split(b"data: [DONE]")[0]


def test_a_picture_on_its_way_is_content() -> None:
    partial: dict[str, object] = {"type": "response.image_generation_call.partial_image", "partial_image_b64": "QQ=="}
    chunks, _ = read([events(partial, DONE)], is_lane=True)
    assert [chunk.has_content for chunk in chunks] == [True, False]


def test_an_event_of_several_data_lines_is_one_line_for_the_client() -> None:
    chunks, _ = read([b'data: {"type":\ndata: "response.hologram"}\n\n' + events(DONE)], is_lane=True)
    assert (chunks[0].raw, chunks[0].event) == (b'{"type": "response.hologram"}', "response.hologram")


def test_a_call_that_was_never_announced_is_told_at_its_end() -> None:
    item = {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a":1}'}
    stream = events(
        {"type": "response.function_call_arguments.delta", "output_index": 3, "delta": '{"a"'},
        {"type": "response.output_item.done", "output_index": 3, "item": item},
        {"type": "response.output_item.done", "output_index": 3, "item": item},
        {"type": "response.completed", "response": {"status": "completed", "output": []}},
    )
    chunks, _ = read([stream])
    calls = [call for chunk in chunks for delta in chunk.deltas for call in delta.tool_calls]
    assert [(call.position, call.id, call.name, call.arguments) for call in calls] == [
        (0, "c", "f", ""), (0, "", "", '{"a":1}'),
    ]  # fmt: skip
    assert chunks[-1].deltas[0].finish_reason == "tool_calls"


def test_a_thought_told_by_its_text_keeps_its_name_and_is_no_summary() -> None:
    stream = events(
        {"type": "response.reasoning_text.delta", "item_id": "rs_1", "output_index": 0, "delta": "Hm"},
        {"type": "response.content_part.done", "output_index": 0, "part": {"type": "reasoning_text", "text": "Hm"}},
        {"type": "response.output_item.done", "output_index": 0, "item": {"type": "reasoning", "id": "rs_1", "content": [{"type": "reasoning_text", "text": "Hm"}], "encrypted_content": "E"}},
        DONE,
    )  # fmt: skip
    first, second, _ = (chunk.deltas[0] for chunk in read([stream])[0])
    assert (first.reasoning, first.reasoning_id, first.is_summary) == ("Hm", "rs_1", False)
    assert (second.reasoning, second.redacted, second.reasoning_id, second.is_summary) == ("", "E", "", False)


def test_citations_that_come_with_the_finished_text_only_are_told_once() -> None:
    note = {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 2}
    part = {"type": "output_text", "text": "hi", "annotations": [note, {"type": "hologram"}]}
    stream = events(
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "hi"},
        {"type": "response.content_part.done", "output_index": 0, "content_index": 0, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": {"type": "message", "content": [part]}},
        DONE,
    )
    citations = [citation for chunk in read([stream])[0] for delta in chunk.deltas for citation in delta.citations]
    assert citations == [Citation(url="u", title="t", start=0, end=2)]


@pytest.mark.parametrize(
    "stream",
    [
        events({"type": "response.completed"}),
        events({"type": "response.output_item.added"}),
        events({"type": "response.output_item.added", "item": {"type": "function_call"}}),
        events({"type": "response.output_text.delta", "delta": None}),
        b"data: not json\n\n",
        b"event: response.output_text.delta\ndata: [1]\n\n",
    ],
)
def test_a_broken_known_event_is_a_fault(stream: bytes) -> None:
    chunks, fault = read([stream + events(DONE)])
    assert chunks == []
    assert fault.startswith("UpstreamInvalid")


def test_what_an_event_says_of_itself_counts_whatever_it_is_called() -> None:
    """An end under another name would go on at once, before it is settled; clients go by what stands in the event."""
    stream = b"event: response.output_text.delta\ndata: %b\n\n" % json.dumps(DONE).encode()
    chunks, fault = read([stream], is_lane=True)
    assert not fault and chunks[-1].event == "response.completed"


def test_a_broken_unknown_event_is_none() -> None:
    assert read([b"event: response.hologram\ndata: [1]\n\n" + events(DONE)])[1] == ""


@pytest.mark.parametrize("kind", ["response.failed", "error"])
def test_a_failure_without_reasons_is_one_all_the_same(kind: str) -> None:
    assert read([events({"type": kind})])[1].startswith("UpstreamInterrupted")


def test_an_end_that_carries_an_error_is_no_end() -> None:
    end: dict[str, object] = {
        "type": "response.completed",
        "response": {"status": "failed", "error": {"code": "server_error", "message": "x"}},
    }
    assert read([events(end)])[1].startswith("UpstreamInterrupted")


def test_the_row_offers_what_the_lane_carries() -> None:
    row = load_rows()["openai_responses"]
    assert "server_tools" in row.features
    assert not {"audio", "n"} & row.features
