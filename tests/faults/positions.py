"""Every place of every dialect at which a text can stand in a request, as one list."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from faults.dialect_fields import ORIGINS, OTHERS, Put, gemini, halves, messages, responses
from faults.dialect_kit import MEDIA, Asked, gemini_path
from faults.test_sovereignty import fields

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True)
class Position:
    """`put(text, model, stream)`: a request that says the text there."""

    dialect: str
    name: str
    target: str
    """The vendor that is asked by name."""
    put: Callable[[str, str, bool], Asked]
    has_choice: bool = True
    """Whether another model can be named, and a stream be asked for."""

    @property
    def id(self) -> str:
        return f"{self.dialect}: {self.name}"


def positions() -> tuple[Position, ...]:
    return (*_chat(), *_messages(), *_responses(), *_gemini(), *_completions(), *_counts(), *_others())


def _json(path: str, **body: object) -> Asked:
    return Asked(path=path, body=json.dumps(body).encode())


def _among(texts: Callable[[str], list[Json]], wrap: Callable[[list[Json]], Json]) -> dict[str, Put]:
    """First, middle and last of several, and far down a long one."""
    some = ["One.", "Two.", "Three.", "Four."]

    def at(place: int, count: int = 4) -> Put:
        said = some * (count // 4)
        return lambda v: wrap([one for n, text in enumerate(said) for one in texts(v if n == place else text)])

    return {"first of four": at(0), "second of four": at(1), "last of four": at(3), "thirtieth of forty": at(30, 40)}


def _turns(wrap: Callable[[list[Json]], Json], answerer: str = "assistant") -> dict[str, Put]:

    def pair(text: str) -> list[Json]:
        return [{"role": "user", "content": text}, {"role": answerer, "content": "Good."}]

    last = {"role": "user", "content": "Go on."}
    return {f"turn, {name}": put for name, put in _among(pair, lambda said: wrap([*said, last])).items()}


def _parts(kind: str, wrap: Callable[[list[Json]], Json]) -> dict[str, Put]:
    found = _among(lambda text: [{"type": kind, "text": text}], wrap)
    return {f"part, {name}": put for name, put in found.items()} | {
        "parts, cut in two": lambda v: wrap([{"type": kind, "text": half} for half in halves(v)])
    }


def _chat() -> Iterator[Position]:
    hi = {"role": "user", "content": "Hi"}

    def call(arguments: str) -> Json:
        return {"messages": [hi, {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "ok"}]}  # fmt: skip

    more: dict[str, Put] = {
        **_turns(lambda said: {"messages": said}),
        **_parts("text", lambda parts: {"messages": [{"role": "user", "content": parts}]}),
        "arguments that are no JSON": lambda v: call("{" + v),
        "arguments in arguments": lambda v: call(json.dumps({"a": json.dumps({"b": [v]})})),
        "key of arguments": lambda v: call(json.dumps({v: 1})),
        "arguments, deep": lambda v: call(json.dumps({"a": [[[[{"b": [v]}]]]]})),
        "result in parts": lambda v: {"messages": [*call("{}")["messages"][:2], {"role": "tool", "tool_call_id": "c1",
            "content": [{"type": "text", "text": v}]}]},
        "system in parts": lambda v: {"messages": [{"role": "system", "content": [{"type": "text", "text": v}]}, hi]},
        "file name": lambda v: {"messages": [{"role": "user", "content": [
            {"type": "file", "file": {"filename": v, "file_data": "data:text/plain;base64,QUFB"}}]}]},
        "picture's address": lambda v: {"messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": f"https://x.example/?q={v}"}}]}]},
        "example in a schema": lambda v: {"messages": [hi], "tools": [{"type": "function", "function": {
            "name": "f", "parameters": {"type": "object", "properties": {"a": {"description": v, "default": v}}}}}]},
        "web search": lambda v: {"messages": [hi], "web_search_options": {
            "user_location": {"type": "approximate", "approximate": {"city": v}}}},
    }  # fmt: skip  # one field, one entry
    for name, put in {**fields(), **more}.items():
        yield Position("chat", name, "vendor/chat", _at("/v1/chat/completions", put))


def _at(path: str, put: Put, **more: object) -> Callable[[str, str, bool], Asked]:
    return lambda v, model, stream: _json(path, **{"model": model, "stream": stream, **more, **put(v)})


def _messages() -> Iterator[Position]:
    more = {
        **_turns(lambda said: {"messages": said}),
        **_parts("text", lambda parts: {"messages": [{"role": "user", "content": parts}]}),
    }
    for name, put in {**messages(ORIGINS["vendor/claude"]), **more}.items():
        yield Position("messages", name, "vendor/claude", _at("/v1/messages", put, max_tokens=99))


def _responses() -> Iterator[Position]:
    more = {
        **_turns(lambda said: {"input": said}),
        **_parts("input_text", lambda parts: {"input": [{"role": "user", "content": parts}]}),
    }
    for name, put in {**responses(ORIGINS["vendor/responses"]), **more}.items():
        yield Position("responses", name, "vendor/responses", _at("/v1/responses", put))


def _gemini() -> Iterator[Position]:
    def said(put: Put) -> Callable[[str, str, bool], Asked]:
        return lambda v, model, stream: _json(
            gemini_path(model, "streamGenerateContent", "?alt=sse") if stream else gemini_path(model), **put(v)
        )

    def pair(text: str) -> list[Json]:
        return [{"role": "user", "parts": [{"text": text}]}, {"role": "model", "parts": [{"text": "Good."}]}]

    last = {"role": "user", "parts": [{"text": "Go on."}]}
    turns = _among(pair, lambda contents: {"contents": [*contents, last]})
    parts = _among(lambda text: [{"text": text}], lambda found: {"contents": [{"role": "user", "parts": found}]})
    more = {f"turn, {name}": put for name, put in turns.items()} | {f"part, {name}": put for name, put in parts.items()}
    for name, put in {**gemini(ORIGINS["vendor/gemini"]), **more}.items():
        yield Position("gemini", name, "vendor/gemini", said(put))


def _completions() -> Iterator[Position]:
    found: dict[str, Put] = {
        "prompt": lambda v: {"prompt": v},
        "prompts": lambda v: {"prompt": ["x", v, "y"]},
        "suffix": lambda v: {"prompt": "x", "suffix": v},
        "stop": lambda v: {"prompt": "x", "stop": [v]},
        "user": lambda v: {"prompt": "x", "user": v},
        "unknown": lambda v: {"prompt": "x", "x_new": {"deep": [v]}},
    }
    for name, put in found.items():
        yield Position("completions", name, MEDIA, _at("/v1/completions", put), False)


def _counts() -> Iterator[Position]:
    """Counting tokens shows a target the same."""
    for name, put in messages(ORIGINS["vendor/claude"]).items():
        yield Position(
            "count_tokens", name, "vendor/claude",
            lambda v, model, _, put=put: _json("/v1/messages/count_tokens", model=model, **put(v)),  # type: ignore[misc]  # bound per entry
            has_choice=False,
        )  # fmt: skip
    for name, put in gemini(ORIGINS["vendor/gemini"]).items():
        yield Position(
            "countTokens", name, "vendor/gemini",
            lambda v, model, _, put=put: _json(gemini_path(model, "countTokens"), **put(v)),  # type: ignore[misc]  # as above
            has_choice=False,
        )  # fmt: skip


def _others() -> Iterator[Position]:
    for name, put in OTHERS.items():
        path = put("x").path
        dialect = path.rpartition(":")[2] if ":" in path else path.removeprefix("/v1/").removeprefix("messages/")
        yield Position(dialect, name, "", lambda v, model, _, put=put: put(v), has_choice=False)  # type: ignore[misc]  # as above
