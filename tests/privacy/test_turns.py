"""The same conversation in four dialects says the same things: a label follows it across them."""

from __future__ import annotations

from typing import Any

import pytest

from yuzui.core.chat import ReasoningPart
from yuzui.core.reasoning import seal
from yuzui.core.sensitivity import Finding
from yuzui.privacy.conversation import ConversationMemory
from yuzui.privacy.turns import bytes_of, joined_answers, read_texts, read_turns

ASKED = "What is the address of the customer in row seven?"
THOUGHT = "The customer in row seven lives in the harbour."
SAID = "The customer in row seven lives at Hafenstrasse 12."
ARGUMENTS = '{"table": "customers", "row": 7, "column": "address"}'
RESULT = "Hafenstrasse 12, second floor, ring twice"

CHAT: dict[str, Any] = {  # Any: JSON values
    "messages": [
        {"role": "user", "content": ASKED},
        {"role": "assistant", "content": SAID, "reasoning_content": THOUGHT,
         "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": ARGUMENTS}}]},
        {"role": "tool", "tool_call_id": "c", "content": RESULT},
    ]
}  # fmt: skip
RESPONSES: dict[str, Any] = {  # Any: JSON values
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": ASKED}]},
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": THOUGHT}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": SAID}]},
        {"type": "function_call", "call_id": "c", "name": "look", "arguments": ARGUMENTS.replace(" ", "")},
        {"type": "function_call_output", "call_id": "c", "output": RESULT},
    ]
}
MESSAGES: dict[str, Any] = {  # Any: JSON values
    "messages": [
        {"role": "user", "content": ASKED},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": THOUGHT, "signature": "s"},
            {"type": "text", "text": SAID},
            {"type": "tool_use", "id": "c", "name": "look", "input": {"column": "address", "row": 7, "table": "customers"}},
        ]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": RESULT}]},
    ]
}  # fmt: skip
GEMINI: dict[str, Any] = {  # Any: JSON values
    "contents": [
        {"role": "user", "parts": [{"text": ASKED}]},
        {"role": "model", "parts": [
            {"text": THOUGHT, "thought": True},
            {"text": SAID},
            {"functionCall": {"name": "look", "args": {"row": 7, "table": "customers", "column": "address"}}},
        ]},
        {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"output": RESULT}}}]},
    ]
}  # fmt: skip
DIALECTS = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES, "gemini": GEMINI}


def said_in(body: dict[str, Any]) -> set[bytes]:  # Any: JSON values
    return {one for turn in read_turns(body) for one in (turn.text, *turn.beside) if one}


@pytest.mark.parametrize("name", DIALECTS)
def test_everything_that_is_said_is_found_in_each_dialect(name: str) -> None:
    assert {bytes_of(text) for text in (ASKED, THOUGHT, SAID, ARGUMENTS, RESULT)} <= said_in(DIALECTS[name])


@pytest.mark.parametrize("back", DIALECTS)
@pytest.mark.parametrize("there", DIALECTS)
@pytest.mark.parametrize("answer", [SAID, THOUGHT, ARGUMENTS])
def test_an_answer_given_in_one_dialect_is_recognised_in_another(there: str, back: str, answer: str) -> None:
    memory = ConversationMemory(b"secret", capacity=1000)
    question = {key: value[:1] for key, value in DIALECTS[there].items()}
    memory.learn("scope", question, "", 3, [answer])
    assert memory.recall("scope", DIALECTS[back], "") == 3
    assert (
        memory.recall("scope", {"messages": [{"role": "user", "content": "Something else, quite harmless."}]}, "")
        is None
    )


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"system": "Confidential rules of the house", "messages": [{"role": "user", "content": "hi"}]}, "$.system"),
        ({"instructions": "Confidential rules of the house", "input": "hi"}, "$.instructions"),
        ({"input": "Confidential rules of the house"}, "$.input"),
        ({"input": [{"role": "user", "content": "hi"}, {"role": "user", "content": "Confidential rules of the house"}]},
         "$.input[1].content"),
        ({"contents": [{"role": "user", "parts": [{"text": "Confidential rules of the house"}]}]},
         "$.contents[0].parts[0].text"),
        ({"systemInstruction": {"parts": [{"text": "Confidential rules of the house"}]}, "contents": []},
         "$.systemInstruction.parts[0].text"),
    ],
)  # fmt: skip
def test_a_turn_with_a_finding_is_remembered_wherever_it_stands(body: dict[str, Any], path: str) -> None:  # Any: JSON
    memory = ConversationMemory(b"secret", capacity=1000)
    found = Finding(kind="k", detector="d", start=0, end=3, path=path, confidence=1.0)
    memory.learn("scope", body, "", 3, [], [found])
    again = {"messages": [{"role": "user", "content": "Confidential rules of the house"}]}
    assert memory.recall("scope", again, "") == 3


@pytest.mark.parametrize(
    "part", [{"inlineData": {"mimeType": "image/png", "data": "AA"}}, {"file_data": {"file_uri": "x"}}]
)
def test_what_cannot_be_read_marks_its_conversation(part: dict[str, Any]) -> None:  # Any: JSON values
    assert read_turns({"contents": [{"role": "user", "parts": [part]}]})[0].is_unreadable
    assert not read_turns(GEMINI)[1].is_unreadable


@pytest.mark.parametrize(
    "body", [{}, {"messages": 3}, {"messages": [3, None, []]}, {"input": [["a"]]}, {"contents": [{}]}]
)
def test_any_json_has_turns(body: dict[str, Any]) -> None:  # Any: JSON values
    read_turns(body)


def test_every_long_text_is_read_wherever_it_stands() -> None:
    sealed = seal(ReasoningPart(text=THOUGHT, origin="o"), with_text=True)
    body = {
        "documents": ["short", {"text": SAID}],
        "generateContentRequest": {"contents": {"parts": {"text": ASKED}}},
        "thinking": {"signature": sealed, "type": "thinking"},
        "data": "A" * 2_000_000,
        "model": b"no text",
    }
    assert set(read_texts(body, 24)) == {SAID, ASKED, THOUGHT, sealed}


def test_an_answer_in_several_items_is_put_together() -> None:
    item = {"type": "message", "role": "assistant"}
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c", "output": "r"}
    user = {"role": "user", "content": "u"}
    said = [{**item, "content": text} for text in ("a", "b", "c", "d", "e")]
    turns = read_turns({"input": [user, said[0], call, said[1], result, said[2], user, said[3], said[4]]})
    assert list(joined_answers(turns)) == [b"ab", b"de"]
