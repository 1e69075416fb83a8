"""What a chat-completions request may say: every field of the API, its type, its bounds, and what becomes of it.

Source: https://developers.openai.com/api/reference/resources/chat (openai-python 3.54, 2026-11). `reasoning_content` is
DeepSeek's extension (https://api-docs.deepseek.com/guides/thinking_mode), `reasoning_details` OpenRouter's
(https://openrouter.ai/docs/use-cases/reasoning-tokens), the `thinking` part Mistral's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from yuzui.core.chat import Feature
from yuzui.core.errors import InvalidRequest
from yuzui.dialects._explain import check_name, explain
from yuzui.dialects._spelling import Fields

Treatment = Literal["understood", "feature", "knob"]

FIELDS: Final[Mapping[str, Treatment]] = {
    # understood: part of what every dialect can say, translated to any of them
    "model": "understood",
    "messages": "understood",
    "stream": "understood",
    "stream_options": "understood",
    "n": "understood",
    "max_tokens": "understood",
    "max_completion_tokens": "understood",
    "temperature": "understood",
    "top_p": "understood",
    "stop": "understood",
    "tools": "understood",
    "tool_choice": "understood",
    "parallel_tool_calls": "understood",
    "functions": "understood",  # deprecated; means `tools`
    "function_call": "understood",  # deprecated; means `tool_choice`
    "response_format": "understood",
    "reasoning_effort": "understood",
    "user": "understood",
    # feature: a target without it refuses the request before a byte is sent
    "logprobs": "feature",
    "web_search_options": "feature",
    "audio": "feature",
    "modalities": "feature",
    # knob: travels on the same-dialect lane; elsewhere a codec maps it or reports it as dropped
    "frequency_penalty": "knob",
    "logit_bias": "knob",
    "metadata": "knob",
    "moderation": "knob",
    "prediction": "knob",
    "presence_penalty": "knob",
    "prompt_cache_key": "knob",
    "prompt_cache_options": "knob",
    "prompt_cache_retention": "knob",
    "safety_identifier": "knob",
    "seed": "knob",
    "service_tier": "knob",
    "store": "knob",
    "top_logprobs": "knob",
    "verbosity": "knob",
}
"""Every request field of the API. A field that is not here is the vendor's own: it stays in the body, which only the
same-dialect lane sends."""

REFUSED: Final[Mapping[str, str]] = {
    "best_of": "chat completions has no `best_of`; ask for `n` answers",  # some servers bill it without showing it
}

_CHOICES: Final = {
    "role": "system, developer, user, assistant, tool or function",
    "reasoning_effort": "none, minimal, low, medium, high, xhigh, max or default",
    "verbosity": "low, medium or high",
    "tool_choice": "none, auto, required or an object that names a tool",
    "function_call": "none, auto or an object that names a function",
    "mode": "auto or required",
    "detail": "auto, low, high or original",
}

Name = Annotated[str, Meta(min_length=1, max_length=256)]
MaxTokens = Annotated[int, Meta(ge=1, le=10_000_000)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]


def parse(body: Mapping[str, Any]) -> WireChat:  # Any: checked JSON
    """`body`, typed; raise `InvalidRequest` with the field's path and what to change."""
    _SPELLED.check(body)
    try:
        wire = msgspec.convert(body, WireChat)
    except msgspec.ValidationError as error:
        raise explain(str(error), _allowed) from error
    _check_names(wire)
    if not body.keys() <= FIELDS.keys():
        _check_unknown(body)
    _check_together(wire)
    for index, message in enumerate(wire.messages):
        _check_message(message, f"messages[{index}]")
    return wire


def features(wire: WireChat) -> frozenset[Feature]:
    """What a target must be able to do."""
    found: set[Feature] = set()
    if wire.tools or wire.functions:
        found.add("tools")
    if wire.logprobs:
        found.add("logprobs")
    if wire.n is not None and wire.n > 1:
        found.add("n")
    if wire.web_search_options is not None:
        found.add("web_search")
    if wire.audio is not None or (wire.modalities is not None and "audio" in wire.modalities):
        found.add("audio")
    if isinstance(wire.response_format, JsonObjectFormat | JsonSchemaFormat):
        found.add("json_schema")
    for message in wire.messages:
        if isinstance(message.content, list):
            for part in message.content:
                feature = _PART_FEATURES.get(type(part))
                if feature is not None:
                    found.add(feature)
    return frozenset(found)


def _allowed(param: str) -> str:
    """The words that a field of the API takes."""
    field = param.rpartition(".")[2]
    allowed = _CHOICES.get(field, "text, image_url, input_audio, file or refusal" if "content" in param else "")
    if field == "type" and not allowed:
        allowed = _TYPE_CHOICES.get(param.partition("[")[0].partition(".")[0], "another type")
    return allowed


def _check_names(wire: WireChat) -> None:
    """No control characters in what may end up in a header, a log or a ledger."""
    for name, value in (
        ("model", wire.model),
        ("user", wire.user),
        ("safety_identifier", wire.safety_identifier),
        ("prompt_cache_key", wire.prompt_cache_key),
        ("service_tier", wire.service_tier),
    ):
        if value is not None:
            check_name(value, name)
    if wire.metadata is not None:
        check_name(wire.metadata.get("conversation_id", ""), "metadata.conversation_id")


def _check_unknown(body: Mapping[str, Any]) -> None:  # Any: checked JSON
    for name in body.keys() - FIELDS.keys():
        if name in REFUSED and body[name] is not None:
            raise InvalidRequest(f"`{name}` is not accepted: {REFUSED[name]}", param=name)


def _check_together(wire: WireChat) -> None:
    both = (wire.max_tokens, wire.max_completion_tokens)
    if None not in both and both[0] != both[1]:
        raise InvalidRequest(
            "`max_tokens` and `max_completion_tokens` differ; send only `max_completion_tokens`", param="max_tokens"
        )
    if wire.stream_options is not None and not wire.stream:
        raise InvalidRequest(
            "`stream_options` needs `stream: true`; add it or remove the options", param="stream_options"
        )
    if wire.top_logprobs and not wire.logprobs:
        raise InvalidRequest("`top_logprobs` needs `logprobs: true`; add it", param="top_logprobs")
    if wire.tools and wire.functions:
        raise InvalidRequest("`functions` is the old name of `tools`; send only `tools`", param="functions")
    for index, tool in enumerate(wire.tools or ()):
        named = tool.function if isinstance(tool, FunctionTool) else tool.custom
        check_name(named.name, f"tools[{index}].{'function' if isinstance(tool, FunctionTool) else 'custom'}.name")


def _check_message(message: WireMessage, param: str) -> None:
    if message.name is not None:
        check_name(message.name, f"{param}.name")
    content = message.content
    match message:
        case AssistantMessage():
            said = (content, message.tool_calls, message.function_call, message.refusal, message.audio)
            if not any(said) and content != "" and message.reasoning_content is None:
                raise InvalidRequest(
                    f"`{param}.content` is missing; send a string or `tool_calls`", param=f"{param}.content"
                )
            for index, call in enumerate(message.tool_calls or ()):
                if (call.function if call.type == "function" else call.custom) is None:
                    path = f"{param}.tool_calls[{index}].{call.type}"
                    raise InvalidRequest(f"`{path}` is missing; add it", param=path)
        case FunctionMessage():
            check_name(message.name or "", f"{param}.name")
        case _ if content is None:
            raise InvalidRequest(
                f"`{param}.content` is missing; send a string or an array of parts", param=f"{param}.content"
            )
        case _:
            pass
    if isinstance(content, list):
        for index, part in enumerate(content):
            if isinstance(part, ImagePart):
                _check_image(part.image_url.url, f"{param}.content[{index}].image_url.url")


def _check_image(url: str, param: str) -> None:
    if not url.startswith(
        ("https://", "http://", "data:image/")
    ):  # file:// and friends are a way into the target's disk
        raise InvalidRequest(f"`{param}` must begin with https://, http:// or data:image/", param=param)


# ---- wire structs ---------------------------------------------------------------------------------------------------


class CacheBreakpoint(Struct):
    ttl: str | None = None


class TextPart(Struct, tag_field="type", tag="text"):
    text: str
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class _ImageUrl(Struct):
    url: str
    detail: Literal["auto", "low", "high", "original"] | None = None


class ImagePart(Struct, tag_field="type", tag="image_url"):
    image_url: _ImageUrl
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class _Audio(Struct):
    data: str
    format: str


class AudioPart(Struct, tag_field="type", tag="input_audio"):
    input_audio: _Audio


class File(Struct):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(Struct, tag_field="type", tag="file"):
    file: File
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class RefusalPart(Struct, tag_field="type", tag="refusal"):
    refusal: str


class _Thought(Struct):
    text: str = ""


class ThinkingPart(Struct, tag_field="type", tag="thinking"):
    thinking: str | list[_Thought]


ContentPart = TextPart | ImagePart | AudioPart | FilePart | RefusalPart | ThinkingPart
Content = str | list[ContentPart] | None
_PART_FEATURES: Final[Mapping[type, Feature]] = {ImagePart: "images", AudioPart: "audio", FilePart: "files"}


class CalledFunction(Struct):
    name: Name
    arguments: str


class CalledCustom(Struct):
    name: Name
    input: str


class ToolCall(Struct):
    id: str
    type: Literal["function", "custom"] = "function"
    function: CalledFunction | None = None
    custom: CalledCustom | None = None


class ReasoningDetail(Struct):
    """OpenRouter's carrier for what must return to the vendor unchanged; in `format` we say which vendor that is."""

    type: str
    id: str | None = None
    format: str | None = None
    text: str | None = None
    summary: str | None = None
    signature: str | None = None
    data: str | None = None


class SystemMessage(Struct, tag_field="role", tag="system"):
    content: Content = None
    name: str | None = None


class DeveloperMessage(Struct, tag_field="role", tag="developer"):
    content: Content = None
    name: str | None = None


class UserMessage(Struct, tag_field="role", tag="user"):
    content: Content = None
    name: str | None = None


class AssistantMessage(Struct, tag_field="role", tag="assistant"):
    content: Content = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: CalledFunction | None = None
    audio: dict[str, Any] | None = None  # Any: only ever forwarded
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[ReasoningDetail] | None = None


class ToolMessage(Struct, tag_field="role", tag="tool"):
    tool_call_id: str
    content: Content = None
    name: str | None = None


class FunctionMessage(Struct, tag_field="role", tag="function"):
    name: Name
    content: Content = None


WireMessage = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage


class Function(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    description: str | None = None
    parameters: dict[str, Any] | None = None  # Any: a JSON schema
    strict: bool | None = None


class FunctionTool(Struct, tag_field="type", tag="function"):
    function: Function


class _Custom(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    description: str | None = None
    format: dict[str, Any] | None = None  # Any: only ever forwarded


class CustomTool(Struct, tag_field="type", tag="custom"):
    custom: _Custom


class Named(Struct):
    name: Name


class FunctionChoice(Struct, tag_field="type", tag="function"):
    function: Named


class CustomChoice(Struct, tag_field="type", tag="custom"):
    custom: Named


class _AllowedTool(Struct):
    type: str
    function: Named | None = None
    custom: Named | None = None


class _AllowedTools(Struct):
    mode: Literal["auto", "required"]
    tools: list[_AllowedTool]


class AllowedChoice(Struct, tag_field="type", tag="allowed_tools"):
    allowed_tools: _AllowedTools


class TextFormat(Struct, tag_field="type", tag="text"):
    pass


class JsonObjectFormat(Struct, tag_field="type", tag="json_object"):
    pass


class _JsonSchema(Struct):
    name: Name
    schema: dict[str, Any] | None = None  # Any: a JSON schema
    description: str | None = None
    strict: bool | None = None


class JsonSchemaFormat(Struct, tag_field="type", tag="json_schema"):
    json_schema: _JsonSchema


class _StreamOptions(Struct):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class WireChat(Struct, kw_only=True):
    """The whole request. `None` means the same as left out, as it does at OpenAI."""

    model: Name
    messages: Annotated[list[WireMessage], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    max_tokens: MaxTokens | None = None
    max_completion_tokens: MaxTokens | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    tools: Annotated[list[FunctionTool | CustomTool], Meta(max_length=1024)] | None = None
    tool_choice: Literal["none", "auto", "required"] | FunctionChoice | CustomChoice | AllowedChoice | None = None
    parallel_tool_calls: bool | None = None
    functions: list[Function] | None = None
    function_call: Literal["none", "auto"] | Named | None = None
    response_format: TextFormat | JsonObjectFormat | JsonSchemaFormat | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max", "default"] | None = None
    user: Annotated[str, Meta(max_length=1024)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    web_search_options: dict[str, Any] | None = None  # Any: only ever forwarded
    audio: dict[str, Any] | None = None  # Any: only ever forwarded
    modalities: list[str] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    logit_bias: dict[str, Annotated[float, Meta(ge=-100, le=100)]] | None = None
    metadata: dict[str, str] | None = None
    moderation: dict[str, Any] | None = None  # Any: only ever forwarded
    prediction: dict[str, Any] | None = None  # Any: only ever forwarded
    prompt_cache_key: Annotated[str, Meta(max_length=1024)] | None = None
    prompt_cache_options: dict[str, Any] | None = None  # Any: only ever forwarded
    prompt_cache_retention: str | None = None
    safety_identifier: Annotated[str, Meta(max_length=1024)] | None = None
    seed: int | None = None
    service_tier: str | None = None
    store: bool | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


_TYPE_CHOICES: Final = {
    "tools": "function or custom",
    "tool_choice": "function, custom or allowed_tools",
    "response_format": "text, json_object or json_schema",
    "messages": "function or custom",
}


_SPELLED: Final = Fields.of(WireChat, {"": (*FIELDS, *REFUSED)})
