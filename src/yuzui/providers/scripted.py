"""A simulated vendor: it speaks the OpenAI wire from inside this process, and never looks like a real model.

For the demo and for tests. Whatever is asked, the text begins with `[simulated vendor]` (inside JSON, every free string
does). Answers are a function of the request alone. The target's `model` may carry a direction:

    scripted                  a short text; a tool call or a JSON value where the request asks for one
    scripted-echo             repeats the last user message
    scripted-words-N          N words, for load and length tests
    scripted-reason           thinks first (`reasoning_content`)
    scripted-fail-STATUS      answers with that HTTP status
    scripted-cut-after-N      the stream ends after N pieces without its end (not streamed: half a body)
    scripted-error-after-N    an error event after N pieces
    scripted-garbage-after-N  a broken event after N pieces
    scripted-no-usage         never says what it consumed
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Target
from yuzui.providers._contract import WireRequest
from yuzui.providers.catalogue import ProviderRow
from yuzui.providers.openai import OpenAICodec
from yuzui.providers.schema_sample import sample

MARK: Final = "[simulated vendor]"
DEFAULT_TEXT: Final = f"{MARK} No real model was asked: this text comes from a script inside the gateway."
BYTES_PER_TOKEN: Final = 4
"""The simulated tokenizer: one token per four bytes of UTF-8, rounded up."""

_DIRECTION: Final = re.compile(r"scripted-([a-z]+(?:-[a-z]+)*)(?:-(\d+))?")

Json = dict[str, Any]  # Any: JSON values

ROW = ProviderRow(
    title="Simulated vendor (no real model)",
    codec="scripted",
    base_url="",
    premises="vendor",
    lacks=frozenset({"audio", "files", "logprobs", "web_search"}),
    source="this file",
    checked="2026-11-22",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the simulated server sends: `pieces` of a body, in order. A cut answer simply ends too early."""

    status: int
    pieces: tuple[bytes, ...]


class ScriptedCodec(OpenAICodec):
    """The OpenAI wire, answered by `play`."""

    file = "scripted"


CODEC: Final = ScriptedCodec()


async def play(target: Target, wire: WireRequest) -> AsyncGenerator[bytes, None]:
    """The bytes of the answer to `wire`; raise the fault that a real server's error status would become."""
    found = answer(wire.body)
    if found.status != 200:
        raise _fault(found, target)
    for piece in found.pieces:
        yield piece


def answer(body: bytes) -> Answer:
    """The answer to a chat-completions body. Pure: the same body gets the same bytes."""
    asked: Json = msgspec.json.decode(body)
    kind, number = _direction(str(asked.get("model", "")))
    if kind == "fail":
        message = f"{MARK} told to fail with HTTP {number}"
        return Answer(
            status=number, pieces=(_json({"error": {"message": message, "type": "simulated", "code": None}}),)
        )
    said = _say(asked, kind, number)
    head = {"id": "simulated-" + hashlib.sha256(body).hexdigest()[:16], "created": 0, "model": asked.get("model", "")}
    choices = range(int(asked.get("n") or 1))
    usage = None if kind == "no-usage" else _usage(asked, said, len(choices))
    if asked.get("stream"):
        events = list(_events(head, said, choices, usage, asked))
        return Answer(status=200, pieces=_break(events, kind, number))
    whole = {
        **head,
        "object": "chat.completion",
        "choices": [
            {"index": index, "message": said.message(), "logprobs": None, "finish_reason": said.finish_reason}
            for index in choices
        ],
    }
    data = _json(whole if usage is None else {**whole, "usage": usage})
    if kind in ("cut-after", "error-after", "garbage-after"):
        data = data[: len(data) // 2]
    return Answer(status=200, pieces=(data,))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """The one answer that all choices give."""

    text: str
    reasoning: str
    calls: tuple[Json, ...]
    finish_reason: str

    def message(self) -> Json:
        message: Json = {"role": "assistant", "content": self.text or None, "refusal": None}
        if self.reasoning:
            message["reasoning_content"] = self.reasoning
        if self.calls:
            message["tool_calls"] = list(self.calls)
        return message

    def deltas(self) -> Iterator[Json]:
        yield {"role": "assistant", "content": ""}
        for word in _words(self.reasoning):
            yield {"reasoning_content": word}
        for word in _words(self.text):
            yield {"content": word}
        for index, call in enumerate(self.calls):
            function = call["function"]
            yield {"tool_calls": [{"index": index, **call, "function": {"name": function["name"], "arguments": ""}}]}
            yield {"tool_calls": [{"index": index, "function": {"arguments": function["arguments"]}}]}


def _direction(model: str) -> tuple[str, int]:
    found = _DIRECTION.fullmatch(model)
    return (found[1], int(found[2] or 0)) if found else ("", 0)


def _say(asked: Json, kind: str, number: int) -> _Said:
    calls = _calls(asked)
    if calls:
        return _Said(text="", reasoning="", calls=calls, finish_reason="tool_calls")
    text = _text(asked, kind, number)
    limit = int(asked.get("max_completion_tokens") or asked.get("max_tokens") or 0)
    is_cut = 0 < limit < _tokens(text)
    if is_cut:
        text = text.encode()[: limit * BYTES_PER_TOKEN].decode("utf-8", "ignore")
    reasoning = f"{MARK} A script does not think." if kind == "reason" else ""
    return _Said(text=text, reasoning=reasoning, calls=(), finish_reason="length" if is_cut else "stop")


def _text(asked: Json, kind: str, number: int) -> str:
    wanted = asked.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return _json(sample(wanted["json_schema"].get("schema") or {"type": "object"}, MARK)).decode()
    if wanted.get("type") == "json_object":
        return _json({"note": DEFAULT_TEXT}).decode()
    if kind == "echo":
        return f"{MARK} {_last_user_text(asked)}"
    if kind == "words":
        return " ".join([MARK, *(f"word{index}" for index in range(number))])
    return DEFAULT_TEXT


def _calls(asked: Json) -> tuple[Json, ...]:
    """One call of the named or the first tool, unless the last turn already brought its result."""
    tools = [tool["function"] for tool in asked.get("tools") or () if tool.get("type") == "function"]
    choice = asked.get("tool_choice") or "auto"
    if not tools or choice == "none" or (choice == "auto" and asked["messages"][-1].get("role") == "tool"):
        return ()
    named = choice.get("function", {}).get("name") if isinstance(choice, Mapping) else None
    function = next((tool for tool in tools if tool["name"] == named), tools[0])
    arguments = sample(function.get("parameters") or {"type": "object"}, MARK)
    return (
        {
            "id": f"call_simulated_{function['name']}"[:40],
            "type": "function",
            "function": {"name": function["name"], "arguments": _json(arguments).decode()},
        },
    )


def _last_user_text(asked: Json) -> str:
    for message in reversed(asked["messages"]):
        if message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, str):
                return content
            return "".join(part.get("text", "") for part in content or ())
    return ""


def _usage(asked: Json, said: _Said, answers: int) -> Json:
    prompt = _tokens(_json(asked["messages"]).decode())
    reasoning = _tokens(said.reasoning)
    completion = (_tokens(said.text) + reasoning + sum(_tokens(_json(call).decode()) for call in said.calls)) * answers
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "completion_tokens_details": {"reasoning_tokens": reasoning * answers},
    }


def _events(head: Json, said: _Said, choices: range, usage: Json | None, asked: Json) -> Iterator[bytes]:
    def event(choices: list[Json], **more: object) -> bytes:
        return b"data: " + _json({**head, "object": "chat.completion.chunk", "choices": choices, **more}) + b"\n\n"

    for delta in said.deltas():
        for index in choices:
            yield event([{"index": index, "delta": delta, "finish_reason": None}])
    for index in choices:
        yield event([{"index": index, "delta": {}, "finish_reason": said.finish_reason}])
    if usage is not None and (asked.get("stream_options") or {}).get("include_usage"):
        yield event([], usage=usage)
    yield b"data: [DONE]\n\n"


def _break(events: list[bytes], kind: str, number: int) -> tuple[bytes, ...]:
    match kind:
        case "cut-after":
            return tuple(events[:number])
        case "error-after":
            error = {"error": {"message": f"{MARK} told to fail", "type": "server_error", "code": "simulated"}}
            return (*events[:number], b"data: " + _json(error) + b"\n\n")
        case "garbage-after":
            return (*events[:number], b'data: {"choices": [{"delta"\n\n')
        case _:
            return tuple(events)


def _fault(found: Answer, target: Target) -> UpstreamFault:
    return CODEC.read_error(found.status, {}, b"".join(found.pieces), target)


def _words(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+", text)


def _tokens(text: str) -> int:
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)
