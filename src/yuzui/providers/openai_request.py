"""Writes a request that arrived in another dialect as a chat-completions body, from its meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from yuzui.core.chat import (
    ChatRequest,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)
from yuzui.core.errors import UnsupportedFeature

KNOBS: Final = frozenset(
    (
        "frequency_penalty",
        "logit_bias",
        "presence_penalty",
        "seed",
        "top_logprobs",
        "logprobs",
        "service_tier",
        "verbosity",
    )
)
"""Knobs of other dialects that mean the same here; any other is reported as dropped."""

Json = dict[str, Any]  # Any: JSON values


def body_of_meaning(request: ChatRequest, dropped: list[str]) -> Json:
    """The body without `model`; what it cannot say is added to `dropped`, or raises `UnsupportedFeature`."""
    meaning = request.meaning
    body: Json = {"messages": [said for message in meaning.messages for said in _messages(message, dropped)]}
    if request.stream:
        body["stream"] = True
    if request.n > 1:
        body["n"] = request.n
    if request.max_output_tokens is not None:
        body["max_tokens"] = request.max_output_tokens
    if meaning.tools:
        body["tools"] = [_tool(tool) for tool in meaning.tools]
    if meaning.tool_choice is not None:
        body["tool_choice"] = _tool_choice(meaning.tool_choice)
    if meaning.response_format is not None:
        body["response_format"] = _response_format(meaning.response_format)
    if meaning.stop:
        body["stop"] = list(meaning.stop)
    for name in ("temperature", "top_p", "parallel_tool_calls", "reasoning_effort", "user"):
        value = getattr(meaning, name)
        if value is not None:
            body[name] = value
    for name, value in sorted(meaning.knobs.items()):
        if name in KNOBS:
            body[name] = value
        else:
            dropped.append(name)
    return body


def _messages(message: Message, dropped: list[str]) -> Iterator[Json]:
    """One hub message may hold several tool results, which are messages of their own here."""
    results = [part for part in message.parts if isinstance(part, ToolResultPart)]
    for result in results:
        yield {"role": "tool", "tool_call_id": result.call_id, "content": _result_text(result)}
    rest = [part for part in message.parts if not isinstance(part, ToolResultPart)]
    if rest or not results:
        yield _message(message, rest, dropped)


def _message(message: Message, parts: Sequence[Part], dropped: list[str]) -> Json:
    said: Json = {"role": message.role}
    if message.name:
        said["name"] = message.name
    if message.role == "assistant":
        calls = [_call(part) for part in parts if isinstance(part, ToolCallPart)]
        text = "".join(part.text for part in parts if isinstance(part, TextPart))
        said["content"] = text or (None if calls else "")
        if calls:
            said["tool_calls"] = calls
        # What another vendor's model thought is signed for that vendor, and unknown here.
        if any(isinstance(part, ReasoningPart) for part in parts) and "reasoning" not in dropped:
            dropped.append("reasoning")
        _refuse_opaque(parts)
        return said
    content = [_content(part) for part in parts]
    is_plain = len(content) == 1 and content[0]["type"] == "text"
    said["content"] = content[0]["text"] if is_plain else content
    return said


def _content(part: Part) -> Json:
    match part:
        case TextPart(text=text):
            return {"type": "text", "text": text}
        case ImagePart():
            image: Json = {"url": part.url or f"data:{part.media_type};base64,{part.data}"}
            if part.detail:
                image["detail"] = part.detail
            return {"type": "image_url", "image_url": image}
        case _:
            kind = part.kind if isinstance(part, OpaquePart) else type(part).__name__
            raise UnsupportedFeature(
                f"this target cannot read a part of kind {kind!r} here; remove it", param="messages"
            )


def _refuse_opaque(parts: Sequence[Part]) -> None:
    for part in parts:
        if isinstance(part, OpaquePart | ImagePart):
            kind = part.kind if isinstance(part, OpaquePart) else "image"
            raise UnsupportedFeature(f"this target cannot read an assistant's {kind}; remove it", param="messages")


def _result_text(result: ToolResultPart) -> str:
    for part in result.parts:
        if isinstance(part, ImagePart):
            raise UnsupportedFeature(
                "this target takes only text as a tool's result; remove the image", param="messages"
            )
    return "".join(part.text for part in result.parts if isinstance(part, TextPart))


def _call(part: ToolCallPart) -> Json:
    # An empty argument text is how some models call without arguments; here it must be JSON.
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": part.arguments or "{}"}}


def _tool(tool: ToolSpec) -> Json:
    function: Json = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = tool.parameters
    if tool.is_strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _tool_choice(choice: ToolChoice) -> str | Json:
    return {"type": "function", "function": {"name": choice.name}} if choice.mode == "named" else choice.mode


def _response_format(wanted: ResponseFormat) -> Json:
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    schema: Json = {"name": wanted.name or "answer", "schema": wanted.schema or {}}
    if wanted.is_strict:
        schema["strict"] = True
    return {"type": "json_schema", "json_schema": schema}
