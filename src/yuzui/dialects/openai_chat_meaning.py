"""What a chat-completions body means, in the words of `core.chat`; built only to be said in another dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, assert_never

from yuzui.core.chat import (
    AudioPart,
    CacheLifetime,
    DocumentPart,
    ImagePart,
    Meaning,
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
    WebSearch,
)
from yuzui.core.errors import UnsupportedFeature
from yuzui.dialects import openai_chat_request as wire


def read_meaning(body: Mapping[str, Any]) -> Meaning:  # Any: checked JSON
    """The meaning of a body that `parse` accepts; raise `UnsupportedFeature` for what only the lane can carry."""
    return meaning_of(wire.parse(body), body)


def meaning_of(chat: wire.WireChat, body: Mapping[str, Any]) -> Meaning:  # Any: checked JSON
    """The meaning of a body that was parsed already."""
    if chat.audio is not None or "audio" in (chat.modalities or ()):
        param = "modalities" if chat.modalities is not None else "audio"
        raise UnsupportedFeature(
            f"`{param}`: this target speaks to clients of its own dialect only; leave it out or choose another model",
            param=param,
        )
    choice, tools = _tool_choice(chat), _tools(chat)
    if isinstance(chat.tool_choice, wire.AllowedChoice):
        named = [tool.function or tool.custom for tool in chat.tool_choice.allowed_tools.tools]
        allowed = {tool.name for tool in named if tool is not None}
        tools = tuple(tool for tool in tools if tool.name in allowed)
    return Meaning(
        messages=_messages(chat.messages),
        tools=tools,
        tool_choice=choice,
        response_format=_response_format(chat),
        temperature=chat.temperature,
        top_p=chat.top_p,
        stop=(chat.stop,) if isinstance(chat.stop, str) else tuple(chat.stop or ()),
        parallel_tool_calls=chat.parallel_tool_calls,
        reasoning_effort=None if chat.reasoning_effort == "default" else chat.reasoning_effort,
        web_search=_web_search(chat),
        user=chat.user,
        knobs={
            name: value
            for name, value in body.items()
            if value is not None
            and wire.FIELDS.get(name, "knob") == "knob"  # a vendor's own field must be reported too
        },
    )


def _tools(chat: wire.WireChat) -> tuple[ToolSpec, ...]:
    found = [_function(function) for function in chat.functions or ()]
    for tool in chat.tools or ():
        if isinstance(tool, wire.CustomTool):
            custom = tool.custom
            found.append(
                ToolSpec(
                    name=custom.name,
                    description=custom.description or "",
                    is_custom=True,
                    grammar=_grammar(custom.format),
                )
            )
        else:
            found.append(_function(tool.function))
    return tuple(found)


def _function(function: wire.Function) -> ToolSpec:
    return ToolSpec(
        name=function.name,
        description=function.description or "",
        parameters=function.parameters,
        is_strict=bool(function.strict),
    )


def _grammar(format_: Mapping[str, Any] | None) -> Mapping[str, Any] | None:  # Any: checked JSON
    """Chat completions wraps what other dialects say flat: `{"type": "grammar", "grammar": {...}}`."""
    inner = format_.get("grammar") if format_ is not None else None
    return {"type": "grammar", **inner} if isinstance(inner, dict) else format_


def _web_search(chat: wire.WireChat) -> WebSearch | None:
    options = chat.web_search_options
    if options is None:
        return None
    place = options.get("user_location")
    approximate = place.get("approximate") if isinstance(place, dict) else None
    size = options.get("search_context_size")
    return WebSearch(
        context_size=size if isinstance(size, str) else "",
        location={name: value for name, value in approximate.items() if isinstance(value, str)}
        if isinstance(approximate, dict)
        else {},
    )


def _tool_choice(chat: wire.WireChat) -> ToolChoice | None:
    match chat.tool_choice:
        case None:
            pass
        case wire.FunctionChoice(function=named) | wire.CustomChoice(custom=named):
            return ToolChoice(mode="named", name=named.name)
        case wire.AllowedChoice(allowed_tools=allowed):
            return ToolChoice(mode=allowed.mode)
        case mode:
            return ToolChoice(mode=mode)
    match chat.function_call:
        case None:
            return None
        case wire.Named(name=name):
            return ToolChoice(mode="named", name=name)
        case mode:
            return ToolChoice(mode=mode)


def _response_format(chat: wire.WireChat) -> ResponseFormat | None:
    match chat.response_format:
        case None:
            return None
        case wire.TextFormat():
            return ResponseFormat(kind="text")
        case wire.JsonObjectFormat():
            return ResponseFormat(kind="json_object")
        case wire.JsonSchemaFormat(json_schema=schema):
            return ResponseFormat(
                kind="json_schema",
                name=schema.name,
                description=schema.description or "",
                schema=schema.schema,
                is_strict=bool(schema.strict),
            )
        case other:
            assert_never(other)


def _messages(messages: list[wire.WireMessage]) -> tuple[Message, ...]:
    built: list[Message] = []
    called: dict[str, str] = {}  # the old function calls have no ids: the n-th one gets `call_n`
    for message in messages:
        match message:
            case wire.SystemMessage():
                built.append(Message(role="system", parts=_parts(message.content), name=message.name or ""))
            case wire.DeveloperMessage():
                built.append(Message(role="developer", parts=_parts(message.content), name=message.name or ""))
            case wire.UserMessage():
                built.append(Message(role="user", parts=_parts(message.content), name=message.name or ""))
            case wire.AssistantMessage():
                built.append(
                    Message(role="assistant", parts=_assistant_parts(message, called), name=message.name or "")
                )
            case wire.ToolMessage():
                built.append(Message(role="tool", parts=(_result(message.tool_call_id, message.content),)))
            case wire.FunctionMessage():
                built.append(Message(role="tool", parts=(_result(called.get(message.name, ""), message.content),)))
            case _:
                assert_never(message)
    return tuple(built)


def _assistant_parts(message: wire.AssistantMessage, called: dict[str, str]) -> tuple[Part, ...]:
    parts: list[Part] = list(_reasoning(message))
    parts += _parts(message.content)
    if message.refusal:
        parts.append(TextPart(text=message.refusal))
    if message.audio is not None:
        parts.append(OpaquePart(kind="audio"))
    if message.function_call is not None:
        call_id = f"call_{len(called)}"
        called[message.function_call.name] = call_id
        parts.append(
            ToolCallPart(id=call_id, name=message.function_call.name, arguments=message.function_call.arguments)
        )
    for call in message.tool_calls or ():
        if call.function is not None:
            parts.append(ToolCallPart(id=call.id, name=call.function.name, arguments=call.function.arguments))
        elif call.custom is not None:
            parts.append(ToolCallPart(id=call.id, name=call.custom.name, arguments=call.custom.input, is_custom=True))
    return tuple(parts)


def _reasoning(message: wire.AssistantMessage) -> list[ReasoningPart]:
    plain = message.reasoning_content or message.reasoning or ""
    details = message.reasoning_details or ()
    if any(detail.text or detail.summary for detail in details):
        plain = ""  # the details say all of it, each in its place
    parts: list[ReasoningPart] = []
    for detail in details:
        text = detail.text or detail.summary or ""
        if not text and plain and (detail.signature or detail.type == "reasoning.text"):
            text, plain = plain, ""  # the signature, or the origin, of the text that stands before it
        parts.append(
            ReasoningPart(
                text=text,
                signature=detail.signature or "",
                redacted=detail.data or "",
                id=detail.id or "",
                is_summary=detail.summary is not None,
                origin=FORMATS.get(detail.format or "", detail.format or ""),
            )
        )
    return [ReasoningPart(text=plain), *parts] if plain else parts


FORMATS: Final = {
    "unknown": "",
    "anthropic-claude-v1": "anthropic",
    "openai-responses-v1": "openai",
    "google-gemini-v1": "gemini",
}
"""OpenRouter's names of who signed. Source: https://openrouter.ai/docs/use-cases/reasoning-tokens (2026-11)."""


def _parts(content: wire.Content) -> tuple[Part, ...]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (TextPart(text=content),) if content else ()
    return tuple(_part(part) for part in content)


def _part(part: wire.ContentPart) -> Part:
    match part:
        case wire.TextPart(text=text):
            return TextPart(text=text, cache=_lifetime(part.prompt_cache_breakpoint))
        case wire.RefusalPart(refusal=text):
            return TextPart(text=text)
        case wire.ImagePart():
            return _image(part)
        case wire.ThinkingPart(thinking=thinking):
            said = thinking if isinstance(thinking, str) else "".join(thought.text for thought in thinking)
            return ReasoningPart(text=said)
        case wire.AudioPart(input_audio=audio):
            return AudioPart(data=audio.data, media_type=f"audio/{audio.format}")
        case wire.FilePart():
            return _file(part)
        case _:
            assert_never(part)


def _file(part: wire.FilePart) -> DocumentPart:
    file = part.file
    head, comma, data = (file.file_data or "").partition(";base64,")
    if not comma:
        head, data = "", file.file_data or ""  # bare base64
    return DocumentPart(
        data=data,
        media_type=head.removeprefix("data:"),
        file_id=file.file_id or "",
        title=file.filename or "",
        cache=_lifetime(part.prompt_cache_breakpoint),
    )


def _image(part: wire.ImagePart) -> ImagePart:
    url, detail, cache = part.image_url.url, part.image_url.detail or "", _lifetime(part.prompt_cache_breakpoint)
    head, comma, data = url.partition(";base64,")
    if comma and head.startswith("data:"):
        return ImagePart(data=data, media_type=head.removeprefix("data:"), detail=detail, cache=cache)
    return ImagePart(url=url, detail=detail, cache=cache)


def _lifetime(breakpoint: wire.CacheBreakpoint | None) -> CacheLifetime:
    """A breakpoint keeps the prompt for 30 minutes at least: an hour is the shortest lifetime elsewhere that does."""
    return "" if breakpoint is None else "1h"


def _result(call_id: str, content: wire.Content) -> ToolResultPart:
    """Raise `UnsupportedFeature` for what is no result anywhere else."""
    kept: list[TextPart | ImagePart | DocumentPart] = []
    for part in _parts(content):
        if not isinstance(part, TextPart | ImagePart | DocumentPart):
            raise UnsupportedFeature(
                "a tool's result can hold text, images and files for this target; remove the rest", param="messages"
            )
        kept.append(part)
    return ToolResultPart(call_id=call_id, parts=tuple(kept))
