"""Whole answers, read back by the official client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pydantic
import pytest
from openai.types.responses import Response

from yuzui.core.chat import (
    AnswerFacts,
    ChatResponse,
    Choice,
    Citation,
    FinishReason,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from yuzui.core.errors import NotAllowed
from yuzui.core.reasoning import unseal
from yuzui.core.usage import Usage
from yuzui.dialects.openai_responses import DIALECT
from yuzui.dialects.openai_responses_answer import whose_item

Client = Callable[[int, bytes, str], openai.OpenAI]
FACTS = AnswerFacts(request_id="req_0123456789abcdef", origin="deepseek", at_s=1_800_000_000)
TOOLS = [
    {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": True},
    {"type": "custom", "name": "run"},
    {"type": "namespace", "name": "crm", "description": "C", "tools": [{"type": "custom", "name": "ask"}]},
]


def write(
    *parts: Part, finish: FinishReason = "stop", refusal: str = "", usage: Usage | None = None, **body: Any
) -> bytes:  # Any: JSON values
    request = DIALECT.read_request({"model": "auto", "input": "Hi", "tools": TOOLS, **body})
    choice = Choice(index=0, parts=parts, finish_reason=finish, refusal=refusal)
    answer = ChatResponse(id="vendors", model="m-1", created_s=5, choices=(choice,), usage=usage)
    return DIALECT.write_response(answer, request, FACTS)


def read(data: bytes) -> Response:
    return Response.model_validate(json.loads(data))


def test_the_official_client_reads_every_kind_of_item(client_that_gets: Client) -> None:
    data = write(
        ReasoningPart(text="Hm.", signature="sig"),
        TextPart(text="Wait"),
        TextPart(text="."),
        ToolCallPart(id="a", name="f", arguments=""),
        ToolCallPart(id="b", name="run", arguments='{"input": "1+1"}'),
        ToolCallPart(id="c", name="crm__ask", arguments="who?", is_custom=True),
        usage=Usage(input_tokens=10, cached_input_tokens=4, cache_write_tokens=2, output_tokens=7, reasoning_tokens=3),
    )
    with client_that_gets(200, data, "application/json") as client:
        got = client.responses.create(model="auto", input="Hi")
    assert read(data).to_dict() == got.to_dict()
    assert got.id == "resp_0123456789abcdef"
    assert (got.status, got.output_text, got.created_at) == ("completed", "Wait.", 1_800_000_000)
    thought, message, call, custom, spaced = got.output
    assert thought.type == "reasoning" and thought.content is not None and thought.content[0].text == "Hm."
    assert thought.summary == []
    assert unseal(thought.encrypted_content or "", "Hm.") == ReasoningPart(
        text="Hm.", signature="sig", origin="deepseek"
    )
    assert message.type == "message" and len(message.content) == 1
    assert call.type == "function_call" and (call.call_id, call.name, call.arguments) == ("a", "f", "{}")
    assert custom.type == "custom_tool_call" and (custom.call_id, custom.name, custom.input) == ("b", "run", "1+1")
    assert spaced.type == "custom_tool_call" and (spaced.namespace, spaced.name, spaced.input) == ("crm", "ask", "who?")
    assert [item.id for item in got.output] == [
        f"{kind}_0123456789abcdef_{place}" for place, kind in enumerate(("rs", "msg", "fc", "ctc", "ctc"))
    ]
    assert got.usage is not None
    assert got.usage.to_dict() == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 17,
    }


def test_what_the_client_asked_for_comes_back() -> None:
    asked: dict[str, Any] = {  # Any: JSON values
        "instructions": "Be brief.", "max_output_tokens": 9, "max_tool_calls": 2, "metadata": {"a": "b"},
        "parallel_tool_calls": False, "prompt_cache_key": "k", "reasoning": {"effort": "low", "summary": "auto"},
        "safety_identifier": "s", "store": False, "temperature": 0.5, "text": {"format": {"type": "json_object"}},
        "tool_choice": "required", "tools": TOOLS, "top_p": 0.5, "truncation": "auto", "user": "u",
    }  # fmt: skip
    got = json.loads(write(TextPart(text="x"), **asked))
    assert {name: got[name] for name in asked if name != "text"} == {n: v for n, v in asked.items() if n != "text"}
    assert got["text"]["format"] == {"type": "json_object"}
    read(write(TextPart(text="x"), **asked))


def test_a_summary_is_shown_as_one() -> None:
    thought = read(write(ReasoningPart(text="In short.", is_summary=True, redacted="xyz", id="rs_vendor"))).output[0]
    assert thought.type == "reasoning"
    assert [said.text for said in thought.summary] == ["In short."]
    assert thought.content is None
    assert unseal(thought.encrypted_content or "", "In short.") == ReasoningPart(
        text="In short.", is_summary=True, redacted="xyz", id="rs_vendor", origin="deepseek"
    )


def test_who_asks_for_summaries_finds_every_thought_there_and_gives_it_back_as_it_was() -> None:
    data = write(ReasoningPart(text="All of it.", signature="sig"), reasoning={"summary": "auto"})
    thought = read(data).output[0]
    assert thought.type == "reasoning"
    assert [said.text for said in thought.summary] == ["All of it."]
    assert thought.content is None
    again = DIALECT.read_request({"model": "auto", "input": json.loads(data)["output"]})
    assert again.meaning.messages[0].parts == (ReasoningPart(text="All of it.", signature="sig", origin="deepseek"),)


@pytest.mark.parametrize(
    ("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter"), ("stop", None)]
)
def test_an_answer_that_was_cut_is_incomplete(finish: FinishReason, reason: str | None) -> None:
    got = read(write(TextPart(text="Once"), finish=finish))
    assert got.status == ("incomplete" if reason else "completed")
    assert (got.incomplete_details.reason if got.incomplete_details else None) == reason
    assert got.output[0].type == "message" and got.output[0].status == got.status


def test_only_the_last_item_of_a_cut_answer_is_incomplete() -> None:
    got = json.loads(write(TextPart(text="a"), ToolCallPart(id="a", name="f", arguments='{"'), finish="length"))
    assert [item["status"] for item in got["output"]] == ["completed", "incomplete"]
    assert "status" not in json.loads(write(ReasoningPart(text="a"), finish="length"))["output"][0]


def test_a_refusal_is_a_part_of_its_own() -> None:
    got = read(write(refusal="No."))
    assert got.output[0].type == "message"
    assert [part.to_dict() for part in got.output[0].content] == [{"type": "refusal", "refusal": "No."}]


def test_sources_are_annotations_of_the_joined_text() -> None:
    page = Citation(url="https://x.test", title="X", cited_text="fact")
    got = read(
        write(
            TextPart(text="See "),
            TextPart(text="here", citations=(page, Citation(document=2, title="D"), Citation(file_id="f", end=2))),
        )
    )
    assert got.output[0].type == "message" and got.output[0].content[0].type == "output_text"
    assert [note.to_dict() for note in got.output[0].content[0].annotations] == [
        {
            "type": "url_citation",
            "url": "https://x.test",
            "title": "X",
            "start_index": 4,
            "end_index": 8,
            "cited_text": "fact",
        },
        {"type": "file_citation", "file_id": "document_2", "filename": "D", "index": 8},
        {"type": "file_citation", "file_id": "f", "filename": "", "index": 6},
    ]


def test_structured_output_is_parsed(client_that_gets: Client) -> None:
    class City(pydantic.BaseModel):
        name: str

    with client_that_gets(200, write(TextPart(text='{"name":"Oslo"}')), "application/json") as client:
        assert client.responses.parse(model="auto", input="Hi", text_format=City).output_parsed == City(name="Oslo")


def test_an_answer_without_anything_is_one() -> None:
    got = read(write())
    assert (got.output, got.status, got.usage) == ([], "completed", None)


def test_the_official_client_raises_what_the_error_says(client_that_gets: Client) -> None:
    error = NotAllowed("this key may not use it", param="model")
    with client_that_gets(403, DIALECT.write_error(error, "req_1"), "application/json") as client:
        with pytest.raises(openai.PermissionDeniedError, match="this key may not use it") as raised:
            client.responses.create(model="auto", input="Hi")
    assert (raised.value.code, raised.value.param) == ("model_not_allowed", "model")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("msg_0123_0", "resp_0123"),
        ("rs_req-1_12", "resp_req-1"),
        ("msg_0265b28bea036ff6", "msg_0265b28bea036ff6"),
        ("x_0123_0", "x_0123_0"),
        ("", ""),
    ],
)
def test_the_name_of_an_item_says_whose_it_is(name: str, answer: str) -> None:
    assert whose_item(name) == answer
