"""Messages streams: blocks that follow each other whatever comes mixed, ends that wait, and nothing lost on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import (
    AnswerFacts,
    ChatRequest,
    ChatResponse,
    Choice,
    Citation,
    Delta,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCallDelta,
)
from yuzui.core.errors import UpstreamBusy, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.reasoning import unseal
from yuzui.core.usage import Usage
from yuzui.dialects import anthropic_messages_stream as streams
from yuzui.dialects.anthropic_messages import DIALECT

Json = dict[str, Any]  # Any: JSON values
REQUEST = DIALECT.read_request({"model": "auto", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
FACTS = AnswerFacts(request_id="req_1", origin="deepseek")
TRAILER = {"request_id": "req_1"}


def events_of(data: bytes) -> list[Json]:
    """The events of a stream; each comes under the name of its type."""
    found = []
    for block in data.decode().split("\n\n")[:-1]:
        name, payload = block.split("\n")
        event = json.loads(payload.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


def written(*deltas: Delta, usage: Usage | None = None, request: ChatRequest = REQUEST) -> list[Json]:
    writer = DIALECT.stream_writer(request, FACTS)
    sent = b"".join(writer.write(StreamChunk(id="c1", model="m", deltas=(delta,))) for delta in deltas)
    if usage is not None:
        sent += writer.write(StreamChunk(usage=usage))
    return events_of(sent + writer.finish(TRAILER))


def blocks_of(events: list[Json]) -> list[Json]:
    """Content as a client puts it together; asserts that the blocks follow each other."""
    assert events[0]["type"] == "message_start"
    assert [event["type"] for event in events[-2:]] == ["message_delta", "message_stop"]
    blocks: list[Json] = []
    is_open = False
    for event in events[1:-2]:
        match event["type"]:
            case "content_block_start":
                assert not is_open and event["index"] == len(blocks)
                is_open = True
                blocks.append(dict(event["content_block"]))
            case "content_block_delta":
                assert is_open and event["index"] == len(blocks) - 1
                _add(blocks[-1], event["delta"])
            case "content_block_stop":
                assert is_open and event["index"] == len(blocks) - 1
                is_open = False
                if "json" in blocks[-1]:
                    blocks[-1]["input"] = json.loads(blocks[-1].pop("json"))
            case kind:
                pytest.fail(f"unexpected {kind}")
    assert not is_open
    return blocks


def _add(block: Json, delta: Json) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            assert not block["signature"]
            block["signature"] = delta["signature"]
        case "input_json_delta":
            block["json"] = block.get("json", "") + delta["partial_json"]
        case "citations_delta":
            block.setdefault("citations", []).append(delta["citation"])


def call(position: int, arguments: str = "", *, id: str = "", name: str = "") -> Delta:
    return Delta(tool_calls=(ToolCallDelta(position=position, id=id, name=name, arguments=arguments),))


def thought_in(block: Json) -> ReasoningPart:
    sealed = block["data"] if block["type"] == "redacted_thinking" else block["signature"]
    part = unseal(sealed, block.get("thinking", ""))
    assert part is not None
    return part


# ---- blocks ---------------------------------------------------------------------------------------------------------


def test_kinds_that_take_turns_are_blocks_of_their_own() -> None:
    events = written(
        Delta(role="assistant"),
        Delta(reasoning="a"),
        Delta(reasoning="b"),
        Delta(text="c"),
        Delta(text="d"),
        Delta(reasoning="e"),
        call(0, "{}", id="x", name="f"),
        Delta(text="f"),
        Delta(finish_reason="stop"),
    )
    assert [block["type"] for block in blocks_of(events)] == ["thinking", "text", "thinking", "tool_use", "text"]
    assert blocks_of(events)[1]["text"] == "cd"


def test_thoughts_that_nobody_wants_to_read_travel_in_their_seal() -> None:
    asked = {**REQUEST.body, "max_tokens": 2000, "thinking": {"type": "adaptive", "display": "omitted"}}
    request = DIALECT.read_request(asked)
    deltas = (Delta(reasoning="Hm"), Delta(reasoning="m.", signature="sig"), Delta(text="Hi", finish_reason="stop"))
    thought, text = blocks_of(written(*deltas, request=request))
    assert (thought["thinking"], text["text"]) == ("", "Hi")
    whole = ReasoningPart(text="Hmm.", signature="sig", origin="deepseek")
    assert unseal(thought["signature"]) == whole
    answer = ChatResponse(
        id="", model="m", created_s=0, usage=None,
        choices=(Choice(index=0, parts=(whole, TextPart(text="Hi")), finish_reason="stop"),),
    )  # fmt: skip
    told = json.loads(DIALECT.write_response(answer, request, FACTS))["content"][0]
    assert told["thinking"] == "" and unseal(told["signature"]) == whole


@pytest.mark.parametrize(
    ("deltas", "want"),
    [
        (
            [Delta(reasoning="a"), Delta(reasoning="b", signature="s"), Delta(reasoning="c")],
            [
                ReasoningPart(text="ab", signature="s", origin="deepseek"),
                ReasoningPart(text="c", origin="deepseek"),
            ],
        ),
        (
            [Delta(reasoning_id="r1"), Delta(reasoning="a", is_summary=True), Delta(redacted="x")],
            [ReasoningPart(text="a", id="r1", is_summary=True, redacted="x", origin="deepseek")],
        ),
        (
            [Delta(reasoning="a", reasoning_id="r1"), Delta(reasoning="b", reasoning_id="r2")],
            [
                ReasoningPart(text="a", id="r1", origin="deepseek"),
                ReasoningPart(text="b", id="r2", origin="deepseek"),
            ],
        ),
        ([Delta(redacted="x"), Delta(redacted="y")], [
            ReasoningPart(text="", redacted="x", origin="deepseek"),
            ReasoningPart(text="", redacted="y", origin="deepseek"),
        ]),
        (
            [Delta(signature="s"), call(0, "{}", id="x", name="f")],
            [ReasoningPart(text="", signature="s", origin="deepseek")],
        ),
    ],
)  # fmt: skip
def test_thoughts_come_back_whole_from_their_seals(deltas: list[Delta], want: list[ReasoningPart]) -> None:
    blocks = blocks_of(written(*deltas, Delta(finish_reason="stop")))
    assert [thought_in(block) for block in blocks if "thinking" in block["type"]] == want


def test_white_space_alone_is_no_block_but_stays_in_front_of_a_text() -> None:
    events = written(
        Delta(text="\n\n"),
        call(0, "{}", id="x", name="f"),
        Delta(text=" \n"),
        Delta(text=" y"),
        Delta(text=" "),
        call(1, "{}", id="z", name="f"),
        Delta(text="\n"),
        Delta(finish_reason="tool_calls"),
    )
    blocks = blocks_of(events)
    assert [block["type"] for block in blocks] == ["tool_use", "text", "tool_use"]
    assert blocks[1]["text"] == " \n y "


@pytest.mark.parametrize(
    ("pieces", "want"),
    [
        ([], {}),
        ([""], {}),
        (["  "], {}),
        (["null"], {}),
        (['{"a":', "1}"], {"a": 1}),
        ([" ", "\n{", "}"], {}),
        (['{"a": {"b": 1}', "}"], {"a": {"b": 1}}),
        (['{"a": 1}}'], {"invalid_arguments": '{"a": 1}}'}),
        (["[1]"], {"invalid_arguments": "[1]"}),
        (["it ", "is"], {"invalid_arguments": "it is"}),
        (['{"a": "\\ud83c', '\\udf0a"}'], {"a": "🌊"}),
        (['{"a": "' + "x" * 100_000 + '"}'], {"a": "x" * 100_000}),
    ],
)
def test_arguments_are_an_object_however_they_came(pieces: list[str], want: object) -> None:
    deltas = [call(0, id="x", name="f"), *[call(0, piece) for piece in pieces], Delta(finish_reason="tool_calls")]
    (block,) = blocks_of(written(*deltas))
    assert block["input"] == want


def test_arguments_stream_while_they_come() -> None:
    writer = DIALECT.stream_writer(REQUEST, FACTS)
    writer.write(StreamChunk(deltas=(call(0, '{"a": "', id="x", name="f"),)))
    (event,) = events_of(writer.write(StreamChunk(deltas=(call(0, "b"),))))
    assert event["delta"] == {"type": "input_json_delta", "partial_json": "b"}


@pytest.mark.parametrize(
    ("given_id", "want"), [("x", "x"), ("", "toolu_req_1_0"), ("f:1", "toolu_yz1_ZjoxQ".rstrip("Q"))]
)
def test_a_call_has_a_name_that_the_api_allows(given_id: str, want: str) -> None:
    (block,) = blocks_of(written(call(0, "{}", id=given_id, name="f"), Delta(finish_reason="stop")))
    assert block["id"] == want


def test_a_call_begins_when_its_name_is_known_and_a_call_without_one_is_a_fault() -> None:
    (block,) = blocks_of(written(call(0, "{", id="x"), call(0, "}", name="f"), Delta(finish_reason="stop")))
    assert (block["name"], block["input"]) == ("f", {})
    with pytest.raises(UpstreamInvalid):
        written(call(0, "{}", id="x"), Delta(finish_reason="stop"))


def test_another_id_at_the_same_position_is_another_call() -> None:
    events = written(
        call(0, '{"a":1}', id="x", name="f"), call(0, '{"a":2}', id="y", name="f"), Delta(finish_reason="stop")
    )
    assert [(block["id"], block["input"]["a"]) for block in blocks_of(events)] == [("x", 1), ("y", 2)]


def test_more_of_a_call_that_was_complete_and_left_is_a_fault_not_a_loss() -> None:
    begun = [call(0, "{}", id="x", name="f"), call(1, "{}", id="y", name="f")]
    assert blocks_of(written(*begun, call(0, " "), Delta(finish_reason="stop")))
    with pytest.raises(UpstreamInvalid):
        written(*begun, call(0, '"more"'))


def test_what_waits_for_an_earlier_block_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_WAITING_BYTES", 1000)
    with pytest.raises(UpstreamInvalid):
        written(call(0, "{", id="x", name="f"), *[Delta(text="y" * 100)] * 20)


PIECES = st.one_of(
    st.text(alphabet="ab \n", min_size=1, max_size=4).map(lambda text: Delta(text=text)),
    st.text(min_size=1, max_size=4).map(lambda text: Delta(reasoning=text)),
    st.just(Delta(signature="s")),
    st.just(Delta(role="assistant")),
)


@given(
    st.lists(PIECES, max_size=8),
    st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.integers(), max_size=2), max_size=4),
    st.data(),
)
def test_whatever_is_mixed_comes_out_in_blocks_with_nothing_lost(
    others: list[Delta], inputs: list[Json], data: st.DataObject
) -> None:
    """Each call's pieces stay in their order; everything else is drawn between them."""
    queues: list[list[Delta]] = [others]
    for position, value in enumerate(inputs):
        text = json.dumps(value)
        at = data.draw(st.integers(0, len(text)))
        queues.append(
            [call(position, id=f"c{position}", name="f"), call(position, text[:at]), call(position, text[at:])]
        )
    deltas: list[Delta] = []
    while any(queues):
        queue = data.draw(st.sampled_from([queue for queue in queues if queue]))
        deltas.append(queue.pop(0))
    try:
        blocks = blocks_of(written(*deltas, Delta(finish_reason="stop")))
    except UpstreamInvalid:
        pytest.fail("well-formed calls are never a fault")
    said = {"text": "", "reasoning": ""}
    for delta in deltas:
        said["text"] += delta.text
        said["reasoning"] += delta.reasoning
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    assert "".join(text.split()) == "".join(said["text"].split())
    assert "".join(block["thinking"] for block in blocks if block["type"] == "thinking") == said["reasoning"]
    found = {block["id"]: block["input"] for block in blocks if block["type"] == "tool_use"}
    assert found == {f"c{position}": value for position, value in enumerate(inputs)}


# ---- the end --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deltas", "want"),
    [
        ([Delta(finish_reason="stop")], {"stop_reason": "end_turn", "stop_sequence": None}),
        (
            [Delta(finish_reason="stop", stop_sequence="END")],
            {"stop_reason": "stop_sequence", "stop_sequence": "END"},
        ),
        ([Delta(finish_reason="length")], {"stop_reason": "max_tokens", "stop_sequence": None}),
        (
            [Delta(finish_reason="length", native_finish="pause_turn")],
            {"stop_reason": "pause_turn", "stop_sequence": None},
        ),
        ([Delta(finish_reason="tool_calls")], {"stop_reason": "end_turn", "stop_sequence": None}),
        (
            [call(0, "{}", id="x", name="f"), Delta(finish_reason="stop")],
            {"stop_reason": "tool_use", "stop_sequence": None},
        ),
        (
            [Delta(finish_reason="content_filter", refusal="No.")],
            {
                "stop_reason": "refusal",
                "stop_sequence": None,
                "stop_details": {"type": "refusal", "category": None, "explanation": "No."},
            },
        ),
    ],
)
def test_the_end_says_why(deltas: list[Delta], want: object) -> None:
    events = written(*deltas, usage=Usage(input_tokens=5, output_tokens=2))
    assert events[-2]["delta"] == want
    assert events[-1] == {"type": "message_stop", "yuzui": TRAILER}


def test_counts_are_told_apart_at_the_end() -> None:
    usage = Usage(
        input_tokens=1000,
        cached_input_tokens=600,
        cache_write_tokens=300,
        cache_write_1h_tokens=100,
        output_tokens=50,
        reasoning_tokens=20,
        server_tools=(("web_search", 2),),
    )
    assert written(Delta(finish_reason="stop"), usage=usage)[-2]["usage"] == {
        "input_tokens": 100,
        "cache_creation_input_tokens": 300,
        "cache_read_input_tokens": 600,
        "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 20},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
    }


def test_citations_stand_in_the_block_that_they_belong_to() -> None:
    page, nowhere = Citation(url="https://a.test", title="A", cited_text="x"), Citation(file_id="f")
    events = written(Delta(text="a"), Delta(citations=(page, nowhere)), Delta(finish_reason="stop"))
    (block,) = blocks_of(events)
    assert block["citations"] == [
        {
            "type": "web_search_result_location",
            "cited_text": "x",
            "encrypted_index": "",
            "title": "A",
            "url": "https://a.test",
        }
    ]


def test_an_answer_of_nothing_is_still_a_message() -> None:
    writer = DIALECT.stream_writer(REQUEST, FACTS)
    events = events_of(writer.finish(TRAILER))
    assert blocks_of(events) == []
    assert events[0]["message"]["id"] == "msg_req_1"


def test_answers_beyond_the_first_are_nobody_s() -> None:
    assert blocks_of(written(Delta(index=1, text="x"), Delta(text="y"), Delta(index=1, text="z")))[0]["text"] == "y"


def test_nothing_that_ends_an_answer_is_sent_before_finish() -> None:
    writer = DIALECT.stream_writer(REQUEST, FACTS)
    sent = writer.write(StreamChunk(deltas=(Delta(text="x"),)))
    sent += writer.write(StreamChunk(deltas=(Delta(finish_reason="stop"),), usage=Usage(output_tokens=1)))
    assert b"message_delta" not in sent and b"message_stop" not in sent


@pytest.mark.parametrize("is_lane", [False, True])
def test_a_failure_is_an_event_of_its_own_and_a_heartbeat_a_ping(is_lane: bool) -> None:
    writer = DIALECT.stream_writer(REQUEST, AnswerFacts(request_id="r", is_lane=is_lane))
    (event,) = events_of(writer.fail(UpstreamBusy("later", status=503, code="upstream_overloaded"), "r"))
    assert event == {
        "type": "error",
        "error": {
            "type": "overloaded_error",
            "message": "later",
            "details": {"error_code": "upstream_overloaded"},
        },
        "request_id": "r",
    }
    assert events_of(writer.heartbeat()) == [{"type": "ping"}]


# ---- the lane -------------------------------------------------------------------------------------------------------


def lane(event: str, *deltas: Delta, **fields: object) -> StreamChunk:
    raw = json.dumps({"type": event, **fields}, separators=(", ", ": ")).encode()
    return StreamChunk(raw=raw, event=event, deltas=deltas)


def test_the_lane_holds_back_the_end_and_all_that_follows() -> None:
    writer = DIALECT.stream_writer(REQUEST, AnswerFacts(request_id="r", is_lane=True))
    start, half = lane("message_start"), lane("message_delta", usage={})
    end, ping, stop = lane("message_delta", Delta(finish_reason="stop"), a=1), lane("ping"), lane("message_stop", b=2)
    sent = writer.write(start) + writer.write(half)
    assert sent == b"".join(b"event: %b\ndata: %b\n\n" % (c.event.encode(), c.raw) for c in (start, half))
    assert writer.write(end) + writer.write(ping) + writer.write(stop) == b""
    assert events_of(writer.finish(TRAILER)) == [
        {"type": "message_delta", "a": 1},
        {"type": "ping"},
        {"type": "message_stop", "b": 2, "yuzui": TRAILER},
    ]


def test_the_lane_s_held_end_is_no_place_for_a_flood() -> None:
    writer = DIALECT.stream_writer(REQUEST, AnswerFacts(request_id="r", is_lane=True))
    writer.write(lane("message_stop"))
    with pytest.raises(UpstreamInvalid):
        for _ in range(3):
            writer.write(lane("ping", x="y" * 500_000))


def test_an_error_on_the_lane_sends_nothing_held() -> None:
    writer = DIALECT.stream_writer(REQUEST, AnswerFacts(request_id="r", is_lane=True))
    writer.write(lane("message_delta", Delta(finish_reason="stop")))
    (event,) = events_of(writer.fail(UpstreamInterrupted("cut"), "r"))
    assert event["error"]["type"] == "api_error"
