"""The Responses dialect as a whole: a conversation in turns, and its parts that have no test file of their own."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from openai.types.responses import Response, ResponseStreamEvent

from yuzui.core.chat import AnswerFacts, ChatResponse, Choice, Delta, Part, StreamChunk, TextPart, ToolCallPart
from yuzui.core.errors import YuzuiError
from yuzui.dialects import openai_responses_events as events
from yuzui.dialects.openai_responses import DIALECT
from yuzui.dialects.openai_responses_tools import Declared, declared_tools, hub_name

TOOL = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": True}


LIFECYCLE = {f"response.{state}" for state in ("created", "in_progress", "completed", "incomplete", "failed")}


class Shop:
    """A gateway with nothing in it but what the pipeline does for the sake of state."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def ask(self, answer: Part, **body: Any) -> tuple[list[str], Response]:  # Any: JSON values
        """What the target hears, and what the client gets."""
        request = DIALECT.read_request({"model": "auto", "tools": [TOOL], **body})
        if request.follows:
            request = DIALECT.follow(request, self.kept[request.follows])
        facts = AnswerFacts(request_id=f"req_{len(self.kept):028x}", at_s=1_800_000_000)
        heard = [type(part).__name__ for message in request.meaning.messages for part in message.parts]
        if request.stream:
            writer = DIALECT.stream_writer(request, facts)
            assert isinstance(answer, TextPart)
            writer.write(StreamChunk(model="m", deltas=(Delta(text=answer.text, finish_reason="stop"),)))
            data = writer.kept()
        else:
            choice = Choice(index=0, parts=(answer,), finish_reason="stop")
            whole = ChatResponse(id="v", model="m", created_s=1, choices=(choice,), usage=None)
            data = DIALECT.write_response(whole, request, facts)
        if request.keeps:
            self.kept[DIALECT.kept_id(facts)] = DIALECT.to_keep(request, data)
        return heard, Response.model_validate(json.loads(data))


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_in_turns(stream: bool) -> None:
    shop = Shop()
    heard, first = shop.ask(ToolCallPart(id="a", name="f", arguments="{}"), input="Hi")
    assert heard == ["TextPart"]
    result = {"type": "function_call_output", "call_id": "a", "output": "done"}
    heard, second = shop.ask(TextPart(text="So."), input=[result], previous_response_id=first.id, stream=stream)
    assert heard == ["TextPart", "ToolCallPart", "ToolResultPart"]
    assert (second.previous_response_id, second.output_text) == (first.id, "So.")
    heard, third = shop.ask(TextPart(text="Yes."), input="And?", previous_response_id=second.id, store=False)
    assert heard == ["TextPart", "ToolCallPart", "ToolResultPart", "TextPart", "TextPart"]
    assert third.previous_response_id == second.id
    assert set(shop.kept) == {first.id, second.id}


def test_every_event_that_we_write_is_one_of_the_api() -> None:
    official = {
        kind
        for member in get_args(get_args(ResponseStreamEvent)[0])
        for kind in get_args(member.model_fields["type"].annotation)
    }
    ours = {member.__struct_config__.tag for member in get_args(events.Event)}
    assert ours | LIFECYCLE <= official


def test_an_event_has_its_name_and_its_json_on_a_line_each() -> None:
    assert events.frame(events.ArgumentsDelta(3, "fc_1", 0, "a\n")) == (
        b"event: response.function_call_arguments.delta\n"
        b'data: {"type":"response.function_call_arguments.delta","sequence_number":3,"item_id":"fc_1",'
        b'"output_index":0,"delta":"a\\n"}\n\n'
    )


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limit_exceeded"), (502, "server_error")])
def test_the_error_of_a_response_has_one_of_the_apis_codes(status: int, code: str) -> None:
    assert events.response_error(YuzuiError("no", code="ours", status=status)).code == code


def test_tools_whose_calls_are_not_plain_functions_are_found_wherever_they_are_declared() -> None:
    custom = {"type": "custom", "name": "run"}
    space = {"type": "namespace", "name": "crm", "description": "", "tools": [{**TOOL, "name": "find"}, custom]}
    added = {"type": "additional_tools", "role": "developer", "tools": [{"type": "custom", "name": "sql"}]}
    body = {"tools": [TOOL, custom, space, {"type": "mcp"}], "input": [{"role": "user", "content": "Hi"}, added]}
    assert declared_tools(body) == {
        "run": Declared("run", is_custom=True),
        "crm__find": Declared("find", "crm"),
        "crm__run": Declared("run", "crm", is_custom=True),
        "sql": Declared("sql", is_custom=True),
    }
    assert declared_tools({}) == {}


@pytest.mark.parametrize(("space", "name"), [(None, "f"), ("", "f"), ("crm", "crm__f")])
def test_the_name_of_a_tool_for_targets(space: str | None, name: str) -> None:
    assert hub_name("f", space) == name
