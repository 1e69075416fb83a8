"""A client's request as it is asked of another target afterwards, and two answers to it as they are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from yuzui.capturing import plain_body
from yuzui.core.chat import ChatRequest, ChatResponse, TextPart, ToolCallPart
from yuzui.core.sensitivity import Sensitivity
from yuzui.evaluation.examples import Example, Json
from yuzui.evaluation.scorers._contract import Answer
from yuzui.exchange import Delivered, Exchange

_NOT_COPIED: Final = frozenset((
    "stream", "stream_options", "store", "metadata", "user", "safety_identifier", "prompt_cache_key", "service_tier",
    "n", "logprobs", "top_logprobs", "background",
))  # fmt: skip
"""How it is delivered, kept and billed is not what is asked."""


def may_be_copied(request: ChatRequest, label: Sensitivity, max_level: int) -> bool:
    """Whether a copy of it may be made at all; who may see it is another question."""
    return (
        request.operation == "chat"
        and request.n == 1
        and label.level <= max_level
        and not label.kinds
        and request.features.isdisjoint(("web_search", "server_tools"))
    )


def was_masked(exchange: Exchange) -> bool:
    return exchange.masked is not None or exchange.shown is not None


def copy_of(request: ChatRequest, model: str) -> dict[str, Any] | None:  # Any: JSON values
    """The request as a chat completion for `model`, whole; None where that cannot be said, or is not text alone."""
    body = plain_body(request)
    if body is None:
        return None
    return {**{name: value for name, value in body.items() if name not in _NOT_COPIED}, "model": model}


def said(delivered: Delivered, target: str) -> Answer | None:
    """What the client was told; None where nobody gathered it or it said nothing."""
    texts = [
        "".join(pieces)
        for (index, kind, _), pieces in (delivered.texts or {}).items()
        if index == 0 and kind in ("text", "refusal")
    ]
    calls = tuple([
        {"name": delivered.called.get((index, position), ""), "arguments": "".join(pieces)}
        for (index, kind, position), pieces in (delivered.texts or {}).items()
        if index == 0 and kind == "call"
    ])  # fmt: skip
    return Answer(model=target, text="".join(texts), tool_calls=calls) if texts or calls else None


def heard(response: ChatResponse, target: str) -> Answer:
    """Raise `ValueError` for an answer that is none, or several."""
    if len(response.choices) != 1:
        raise ValueError("the answer has not one choice")
    (choice,) = response.choices
    text = "".join([part.text for part in choice.parts if isinstance(part, TextPart)]) + choice.refusal
    calls = tuple([
        {"name": part.name, "arguments": part.arguments} for part in choice.parts if isinstance(part, ToolCallPart)
    ])  # fmt: skip
    if not text and not calls:
        raise ValueError("the answer says nothing")
    return Answer(model=target, text=text, tool_calls=calls, finish_reason=choice.finish_reason)


def example_of(body: Mapping[str, Any], reference: Answer, kind: str) -> Example:  # Any: JSON values
    """The request with the reference's answer as the right one, in the form that the scorer `kind` reads."""
    right: Sequence[Any]  # Any: JSON values
    if kind == "pairwise":
        right = ()
    elif kind == "tool_calls":
        right = ([dict(call) for call in reference.tool_calls],)
    else:
        right = (reference.text,)
    return Example(messages=list(body["messages"]), references=list(right))


def spelled(answer: Answer) -> Answer:
    """For a judge, who reads texts: with its tool calls written out."""
    if not answer.tool_calls:
        return answer
    lines = [msgspec.json.encode(dict(call)).decode() for call in answer.tool_calls]
    return Answer(model=answer.model, text="\n".join([*filter(None, [answer.text]), *lines]))


def question(messages: Sequence[Json], model: str, max_tokens: int) -> dict[str, Any]:  # Any: JSON values
    """A question to a judge, as a chat completion."""
    return {"model": model, "messages": list(messages), "temperature": 0, "max_tokens": max_tokens}
