"""What is kept of responses, how they are continued, and what is shown of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import ResponseItem, ResponseItemList
from pydantic import TypeAdapter

from yuzui.core.chat import AnswerFacts, ChatRequest, ChatResponse, Choice, ReasoningPart, TextPart, ToolCallPart
from yuzui.core.errors import InvalidRequest, UpstreamInvalid
from yuzui.dialects.openai_responses import DIALECT
from yuzui.dialects.openai_responses_state import deletion, item_names, list_input_items, show

Client = Callable[[int, bytes, str], openai.OpenAI]
ITEM: TypeAdapter[Any] = TypeAdapter(ResponseItem)  # Any: a union of 30 classes


def ask(**body: Any) -> ChatRequest:  # Any: JSON values
    return DIALECT.read_request({"model": "auto", **body})


def answer(request: ChatRequest, number: int) -> bytes:
    """What is kept of `request` and an answer to it that thinks, calls and says."""
    facts = AnswerFacts(request_id=f"req_{number:028x}", origin="anthropic", at_s=1_800_000_000)
    parts = (
        ReasoningPart(text="Hm.", signature="sig"),
        TextPart(text=f"Answer {number}."),
        ToolCallPart(id=f"call_{number}", name="f", arguments="{}"),
    )
    choice = Choice(index=0, parts=parts, finish_reason="tool_calls")
    response = ChatResponse(id="v", model="m", created_s=1, choices=(choice,), usage=None)
    return DIALECT.to_keep(request, DIALECT.write_response(response, request, facts))


def name(kind: str, number: int, place: int) -> str:
    return f"{kind}_{number:028x}_{place}"


def result(number: int) -> dict[str, Any]:  # Any: JSON values
    return {"type": "function_call_output", "call_id": f"call_{number}", "output": "done"}


def said_in(request: ChatRequest) -> list[str]:
    return [part.text for message in request.meaning.messages for part in message.parts if isinstance(part, TextPart)]


FIRST = ask(input="One?", instructions="Be brief.")
KEPT = answer(FIRST, 1)


def test_the_name_of_an_answer_is_made_of_the_requests() -> None:
    assert DIALECT.kept_id(AnswerFacts(request_id="req_0123")) == "resp_0123"


def test_what_is_kept_is_the_input_and_the_response() -> None:
    kept = json.loads(KEPT)
    assert kept["input"] == [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "One?"}]}]
    assert kept["response"]["id"] == f"resp_{1:028x}"
    assert show(KEPT) == json.dumps(kept["response"], separators=(",", ":"), ensure_ascii=False).encode()


def test_a_request_that_continues_has_everything_in_front_but_the_instructions() -> None:
    request = ask(input=[result(1), {"role": "user", "content": "Two?"}], previous_response_id=f"resp_{1:028x}")
    assert request.follows == f"resp_{1:028x}"
    followed = DIALECT.follow(request, KEPT)
    assert "previous_response_id" not in followed.body
    assert request.body["previous_response_id"] == f"resp_{1:028x}", "the body is never changed in place"
    assert followed.follows == request.follows
    assert [item["type"] for item in followed.body["input"][:4]] == ["message", "reasoning", "message", "function_call"]
    assert said_in(followed) == ["One?", "Answer 1.", "Two?"]
    assert [message.role for message in followed.meaning.messages] == ["user", "assistant", "tool", "user"]
    thought = followed.meaning.messages[1].parts[0]
    assert thought == ReasoningPart(text="Hm.", signature="sig", origin="anthropic")


def test_the_answer_says_which_one_it_continues() -> None:
    followed = DIALECT.follow(ask(input="Two?", previous_response_id="resp_x"), KEPT)
    assert json.loads(answer(followed, 2))["response"]["previous_response_id"] == "resp_x"


def test_a_chain_grows() -> None:
    kept = KEPT
    for number in (2, 3):
        request = ask(input=f"Question {number}?", previous_response_id=f"resp_{number - 1:028x}")
        kept = answer(DIALECT.follow(request, kept), number)
    last = DIALECT.follow(ask(input="End?", previous_response_id="resp_3"), kept)
    assert said_in(last) == ["One?", "Answer 1.", "Question 2?", "Answer 2.", "Question 3?", "Answer 3.", "End?"]


def test_what_the_earlier_turn_needs_of_a_target_counts_again() -> None:
    picture = {"role": "user", "content": [{"type": "input_image", "image_url": "https://x.test/a.png"}]}
    kept = answer(ask(input=[picture]), 1)
    request = ask(input="And?", previous_response_id="resp_1")
    assert request.features == frozenset()
    assert DIALECT.follow(request, kept).features == {"images"}


def test_references_are_replaced_by_the_items_that_they_name() -> None:
    items = [
        {"role": "user", "content": "One?"},
        {"type": "item_reference", "id": name("rs", 1, 0)},
        {"id": name("fc", 1, 2)},
        result(1),
    ]
    request = ask(input=items)
    assert request.follows == f"resp_{1:028x}"
    followed = DIALECT.follow(request, KEPT)
    assert [item.get("type") for item in followed.body["input"]] == [
        None,
        "reasoning",
        "function_call",
        "function_call_output",
    ]
    assert followed.follows == "", "it continues nothing: the client sent the conversation itself"
    assert json.loads(answer(followed, 2))["response"]["previous_response_id"] is None


def test_references_into_several_answers_are_found_in_the_last() -> None:
    first = [{"role": "user", "content": "One?"}, {"type": "item_reference", "id": name("msg", 1, 1)}]
    second = DIALECT.follow(ask(input=[*first, {"role": "user", "content": "Two?"}]), KEPT)
    kept = answer(second, 2)
    items = [
        *first,
        {"role": "user", "content": "Two?"},
        {"type": "item_reference", "id": name("msg", 2, 1)},
        {"role": "user", "content": "Three?"},
    ]
    request = ask(input=items)
    assert request.follows == f"resp_{2:028x}"
    assert said_in(DIALECT.follow(request, kept)) == ["One?", "Answer 1.", "Two?", "Answer 2.", "Three?"]


def test_a_reference_into_the_answer_that_is_continued_stands_in_front_already() -> None:
    items = [{"type": "item_reference", "id": name("fc", 1, 2)}, result(1)]
    followed = DIALECT.follow(ask(input=items, previous_response_id="resp_1"), KEPT)
    assert [item["type"] for item in followed.body["input"]] == [
        "message",
        "reasoning",
        "message",
        "function_call",
        "function_call_output",
    ]


def test_a_reference_to_nothing_is_named() -> None:
    request = ask(input=[{"role": "user", "content": "Hi"}, {"type": "item_reference", "id": name("fc", 1, 9)}])
    with pytest.raises(InvalidRequest) as raised:
        DIALECT.follow(request, KEPT)
    assert raised.value.param == "input[1].id"


def test_each_item_is_referred_to_once() -> None:
    first = ask(input="one")
    kept = answer(first, 1)
    twice = [{"type": "item_reference", "id": name("msg", 1, 1)}] * 2
    for more in ({}, {"previous_response_id": f"resp_{1:028x}"}):
        with pytest.raises(InvalidRequest, match="refer to each item once") as caught:
            DIALECT.follow(ask(input=twice, **more), kept)
        assert caught.value.param == "input[1].id"


@pytest.mark.parametrize("bent", [b'"\xff"', b"1e999", b'"\\ud800"', b"[" * 100_000 + b"]" * 100_000])
def test_an_answer_that_nobody_could_read_again_is_the_targets_fault(bent: bytes) -> None:
    answered = b'{"id": "resp_1", "output": [{"type": "message", "id": "msg_v", "x": %b}]}' % bent
    with pytest.raises(UpstreamInvalid, match="cannot be kept"):
        DIALECT.kept_names(DIALECT.to_keep(ask(input="one"), answered))


def test_items_with_names_of_a_vendor_are_found_by_them() -> None:
    response = {"id": "resp_1", "output": [{"type": "message", "id": "msg_0a", "role": "assistant", "content": "Hi"}]}
    kept = DIALECT.to_keep(FIRST, json.dumps(response).encode())
    assert item_names(kept) == ("msg_0a",)
    assert item_names(KEPT) == ()
    request = ask(input=[{"type": "item_reference", "id": "msg_0a"}, {"role": "user", "content": "More."}])
    assert request.follows == "msg_0a"
    assert said_in(DIALECT.follow(request, kept)) == ["Hi", "More."]


# ---- listing --------------------------------------------------------------------------------------------------------

LONG = ask(
    input=[
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "Yes."},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "call_id": "call_0", "name": "f", "arguments": "{}"},
        result(0),
        {"type": "custom_tool_call", "call_id": "call_9", "name": "run", "input": "x"},
        {"type": "custom_tool_call_output", "call_id": "call_9", "output": [{"type": "input_text", "text": "y"}]},
    ]
)


def test_input_items_have_names_that_stay_and_shapes_that_the_official_client_knows(client_that_gets: Client) -> None:
    kept = answer(LONG, 1)
    data = list_input_items(kept, "order=asc")
    listed = json.loads(data)
    for item in listed["data"]:
        ITEM.validate_python(item)
    assert [item["id"].partition("_")[0] for item in listed["data"]] == ["msg", "msg", "rs", "fc", "fco", "ctc", "ctco"]
    assert (listed["first_id"], listed["last_id"]) == (listed["data"][0]["id"], listed["data"][-1]["id"])
    assert listed["has_more"] is False
    later = answer(DIALECT.follow(ask(input="More?", previous_response_id="resp_1"), kept), 2)
    assert json.loads(list_input_items(later, "order=asc"))["data"][: len(listed["data"])] == listed["data"]
    with client_that_gets(200, data, "application/json") as client:
        assert [item.id for item in client.responses.input_items.list("resp_1")] == [
            item["id"] for item in listed["data"]
        ]
    ResponseItemList.model_validate(listed)


@given(st.integers(1, 8), st.booleans())
def test_pages_together_are_the_whole_list(limit: int, is_ascending: bool) -> None:
    kept, order = answer(LONG, 1), "asc" if is_ascending else "desc"
    whole = json.loads(list_input_items(kept, f"order={order}&limit=100"))["data"]
    found: list[Any] = []  # Any: JSON values
    after = ""
    while True:
        page = json.loads(list_input_items(kept, f"order={order}&limit={limit}&after={after}"))
        found += page["data"]
        after = page["last_id"]
        if not page["has_more"]:
            break
        assert len(page["data"]) == limit
    assert found == whole
    assert [item["id"] for item in whole] == [item["id"] for item in json.loads(list_input_items(kept, ""))["data"]][
        :: -1 if is_ascending else 1
    ]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=²", "limit"),
        ("limit=9999999999999999999999", "limit"),
        ("order=up", "order"),
        ("after=msg_none", "after"),
    ],
)
def test_a_wrong_query_is_named(query: str, param: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        list_input_items(KEPT, query)
    assert raised.value.param == param


def test_a_page_behind_the_last_item_is_empty() -> None:
    last = json.loads(list_input_items(KEPT, "order=asc"))["last_id"]
    assert json.loads(list_input_items(KEPT, f"order=asc&after={last}")) == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_the_official_client_shows_and_deletes(client_that_gets: Client) -> None:
    with client_that_gets(200, show(KEPT), "application/json") as client:
        assert client.responses.retrieve("resp_1").output_text == "Answer 1."
    with client_that_gets(200, deletion("resp_1"), "application/json") as client:
        client.responses.delete("resp_1")
    assert json.loads(deletion("resp_1")) == {"id": "resp_1", "object": "response", "deleted": True}
