"""What a Messages request may say: every field of the API, its type, its bounds, and what becomes of it.

Sources (2026-11-26): `anthropic` 2.14.0, types/message_create_params.py and types/beta/message_create_params.py;
https://platform.claude.com/docs/en/api/messages; https://platform.claude.com/docs/en/api/versioning (temperature, top_p
and top_k belong to API version 2023-06-01 only; both versions are understood here).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from yuzui.core.chat import Feature
from yuzui.core.errors import InvalidRequest, UnsupportedFeature
from yuzui.dialects._explain import check_name, explain, missing
from yuzui.dialects._spelling import Fields

Treatment = Literal["understood", "feature", "knob", "lane", "refused"]

FIELDS: Final[Mapping[str, Treatment]] = {
    # understood: part of what every dialect can say, translated to any of them
    "model": "understood",
    "messages": "understood",
    "max_tokens": "understood",
    "system": "understood",
    "stream": "understood",
    "stop_sequences": "understood",
    "temperature": "understood",
    "top_p": "understood",
    "tools": "understood",
    "tool_choice": "understood",
    "thinking": "understood",
    "output_config": "understood",
    "output_format": "understood",  # the older name of `output_config.format`
    "metadata": "understood",
    "cache_control": "understood",
    # feature: a target without it refuses the request before a byte is sent
    "container": "feature",
    "mcp_servers": "feature",
    # knob: travels on the same-dialect lane; elsewhere a codec maps it or reports it as dropped
    "context_management": "knob",
    "diagnostics": "knob",
    "fallback_credit_token": "knob",
    "fallbacks": "knob",
    "service_tier": "knob",
    "speed": "knob",
    "top_k": "knob",
    # lane: would change what the answer is, who pays for it or where it is made; refused elsewhere
    "billing_policy": "lane",
    "compaction": "lane",
    "inference_geo": "lane",
    # refused: what was said earlier would lie with the vendor, and nobody here could see how sensitive it is
    "thread": "refused",
}
"""Every request field of the API. A field that is not here is unknown to us: it stays in the body, which only the
same-dialect lane sends."""

_BLOCK_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("text",),
    "image": ("source",),
    "document": ("source",),
    "search_result": ("source", "title", "content"),
    "tool_use": ("id", "name", "input"),
    "tool_result": ("tool_use_id",),
    "tool_reference": ("tool_name",),
    "thinking": ("thinking",),
    "redacted_thinking": ("data",),
    "server_tool_use": ("id", "name"),
    "mcp_tool_use": ("id", "name"),
    "mcp_tool_result": ("tool_use_id",),
    "container_upload": ("file_id",),
}
"""Kinds of content block that are read here, and what they cannot be without. Other kinds travel on the lane."""
_SOURCE_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "base64": ("media_type", "data"),
    "url": ("url",),
    "file": ("file_id",),
    "text": ("data",),
    "content": ("content",),
}
_READABLE_SOURCES: Final = frozenset(("text", "content"))  # documents that are nothing but text

_CHOICES: Final = {"role": "user, assistant or system", "type": "auto, any, tool or none"}

Json = dict[str, Any]  # Any: JSON values
Name = Annotated[str, Meta(min_length=1, max_length=256)]
MaxTokens = Annotated[int, Meta(ge=0, le=10_000_000)]


def parse(body: Mapping[str, Any]) -> WireMessages:  # Any: checked JSON
    """`body`, typed; raise `InvalidRequest` with the field's path and what to change."""
    _SPELLED.check(body)
    try:
        wire = msgspec.convert(body, WireMessages)
    except msgspec.ValidationError as error:
        wire = _parse_without_strangers(body, error)
    check_name(wire.model, "model")
    if wire.thread is not None:
        # The vendor's own code for it: its clients (tool runners above all) then send the conversation themselves.
        raise UnsupportedFeature(
            "`thread` leaves the conversation with the vendor; leave it out and send all messages",
            param="thread",
            code="thread_unsupported_request",
        )
    if wire.metadata is not None and wire.metadata.user_id:
        check_name(wire.metadata.user_id, "metadata.user_id")
    if isinstance(wire.system, list):
        _check_blocks(wire.system, "system")
    for index, message in enumerate(wire.messages):
        content = message.content
        if isinstance(content, list):
            _check_blocks(content, f"messages[{index}].content")
        elif content is None and message.role != "system":  # a system message may only change the effort
            raise missing(f"messages[{index}].content")
    for index, tool in enumerate(wire.tools or ()):
        _check_tool(tool, f"tools[{index}]")
    if wire.tool_choice is not None and wire.tool_choice.type == "tool" and not wire.tool_choice.name:
        raise missing("tool_choice.name")
    if wire.thinking is not None and wire.thinking.type == "enabled" and wire.thinking.budget_tokens is None:
        raise missing("thinking.budget_tokens")
    _check_format(wire)
    return wire


def features(wire: WireMessages) -> frozenset[Feature]:
    """What a target must be able to do."""
    found: set[Feature] = set()
    for tool in wire.tools or ():
        found.add("tools" if tool.is_custom else "web_search" if tool.is_web_search else "server_tools")
    if wire.mcp_servers or wire.container:
        found.add("server_tools")
    if output_format(wire) is not None:
        found.add("json_schema")
    for message in wire.messages:
        if isinstance(message.content, list):
            for block in message.content:
                if block.type not in _PLAIN:
                    _add_features(block, found)
    return frozenset(found)


_PLAIN: Final = frozenset(("text", "tool_use", "thinking", "redacted_thinking"))


def _add_features(block: Block, found: set[Feature]) -> None:
    source = block.source
    match block.type:
        case "image":
            found.add("images")
        case "document" if isinstance(source, Source):
            if source.type not in _READABLE_SOURCES:
                found.add("files")
            if isinstance(source.content, list) and any(inner.type == "image" for inner in source.content):
                found.add("images")
        case "container_upload":
            found.add("server_tools")
        case "tool_result" if isinstance(block.content, list):
            for inner in block.content:
                _add_features(inner, found)
        case _:
            pass


def output_format(wire: WireMessages) -> Format | None:
    """Under its present name or its older one."""
    config = wire.output_config
    return (config.format if config is not None else None) or wire.output_format


def _parse_without_strangers(body: Mapping[str, Any], error: msgspec.ValidationError) -> WireMessages:  # Any: JSON
    """Blocks and tools of kinds that we do not know may look like anything: only their kind is read."""
    plain = dict(body)
    if isinstance(messages := body.get("messages"), list):
        plain["messages"] = [_plain_message(message) for message in messages]
    if isinstance(tools := body.get("tools"), list):
        plain["tools"] = [_plain_tool(tool) for tool in tools]
    try:
        return msgspec.convert(plain, WireMessages)
    except msgspec.ValidationError:
        raise explain(str(error), _allowed) from error


def _plain_message(message: Any) -> Any:  # Any: JSON values
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return message
    return {**message, "content": [_plain_block(block) for block in message["content"]]}


def _plain_block(block: Any) -> Any:  # Any: JSON values
    if not isinstance(block, dict):
        return block
    kind = block.get("type")
    if isinstance(kind, str) and kind not in _BLOCK_NEEDS:
        return {"type": kind}
    if kind == "tool_result" and isinstance(block.get("content"), list):
        return {**block, "content": [_plain_block(inner) for inner in block["content"]]}
    return block


def _plain_tool(tool: Any) -> Any:  # Any: JSON values
    kind = tool.get("type") if isinstance(tool, dict) else None
    is_known = not isinstance(kind, str) or kind == "custom" or kind.startswith("web_search")
    return tool if is_known else {"type": kind}


def _allowed(param: str) -> str:
    """The words that a field of the API takes."""
    return _CHOICES.get(param.rpartition(".")[2], "another value")


def _check_blocks(blocks: list[Block], param: str) -> None:
    for index, block in enumerate(blocks):
        kind = block.type
        if kind == "text" and block.text is not None:
            continue  # by far the most common one
        for name in _BLOCK_NEEDS.get(kind, ()):
            if getattr(block, name) is None:
                raise missing(f"{param}[{index}].{name}")
        if kind in ("image", "document"):
            _check_source(block.source, f"{param}[{index}].source")
        elif kind == "tool_use":
            check_name(block.name or "", f"{param}[{index}].name")
            check_name(block.id or "", f"{param}[{index}].id")
        elif kind == "tool_result" and isinstance(block.content, list):
            _check_blocks(block.content, f"{param}[{index}].content")


def _check_source(source: str | Source | None, param: str) -> None:
    if not isinstance(source, Source):
        raise InvalidRequest(f"`{param}` must be an object with a `type`", param=param)
    for name in _SOURCE_NEEDS.get(source.type, ()):
        if getattr(source, name) is None:
            raise missing(f"{param}.{name}")
    if source.type == "url" and not (source.url or "").startswith(("https://", "http://")):
        # file:// and friends are a way into the target's disk
        raise InvalidRequest(f"`{param}.url` must begin with https:// or http://", param=f"{param}.url")
    if isinstance(source.content, list):
        _check_blocks(source.content, f"{param}.content")


def _check_tool(tool: Tool, param: str) -> None:
    if not tool.is_custom:
        return
    if not tool.name:
        raise missing(f"{param}.name")
    if len(tool.name) > 128:
        raise InvalidRequest(f"`{param}.name` is longer than 128 characters; shorten it", param=f"{param}.name")
    check_name(tool.name, f"{param}.name")
    if tool.input_schema is None:
        raise missing(f"{param}.input_schema")


def _check_format(wire: WireMessages) -> None:
    wanted = output_format(wire)
    if wanted is None:
        return
    if wire.output_format is not None and wire.output_config is not None and wire.output_config.format is not None:
        raise InvalidRequest(
            "`output_format` is the old name of `output_config.format`; send only the new one", param="output_format"
        )
    if wanted.type == "json_schema" and wanted.schema is None:
        raise missing("output_config.format.schema" if wire.output_format is None else "output_format.schema")


# ---- wire structs ---------------------------------------------------------------------------------------------------


class CacheControl(Struct):
    type: str = "ephemeral"
    ttl: str | None = None


class Citation(Struct):
    type: str
    cited_text: str | None = None
    url: str | None = None
    source: str | None = None
    title: str | None = None
    document_title: str | None = None
    document_index: int | None = None
    file_id: str | None = None


class CitationsConfig(Struct):
    enabled: bool | None = None


class Source(Struct):
    """Of an image or a document."""

    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: str | list[Block] | None = None


class Block(Struct):
    """A content block of any kind, with the fields of all kinds: which of them it has is checked by `_check_blocks`."""

    type: str
    text: str | None = None
    source: str | Source | None = None
    title: str | None = None
    context: str | None = None
    citations: list[Citation] | CitationsConfig | None = None
    cache_control: CacheControl | None = None
    id: str | None = None
    name: str | None = None
    input: Json | None = None
    tool_use_id: str | None = None
    content: str | list[Block] | Json | None = None
    is_error: bool | None = None
    tool_name: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    file_id: str | None = None
    transformations: Json | None = None


class Format(Struct):
    type: str
    schema: Json | None = None


class OutputConfig(Struct):
    effort: str | None = None
    format: Format | None = None
    task_budget: Json | None = None


class Message(Struct):
    role: Literal["user", "assistant", "system"]
    content: str | list[Block] | None = None
    clear_at: str | None = None
    output_config: OutputConfig | None = None


class Tool(Struct):
    """A tool of any kind: the client's own, the vendor's that the client runs, the vendor's that the vendor runs."""

    name: str | None = None
    type: str | None = None
    description: str | None = None
    input_schema: Json | None = None
    strict: bool | None = None
    cache_control: CacheControl | None = None
    defer_loading: bool | None = None
    input_examples: list[Json] | None = None
    eager_input_streaming: bool | None = None
    allowed_callers: list[str] | None = None
    max_uses: int | None = None
    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None
    user_location: Json | None = None
    response_inclusion: str | None = None

    @property
    def is_custom(self) -> bool:
        return self.type is None or self.type == "custom"

    @property
    def is_web_search(self) -> bool:
        return self.type is not None and self.type.startswith("web_search")


class ToolChoice(Struct):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thinking(Struct):
    type: str
    budget_tokens: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None
    display: str | None = None
    block_binding: Json | None = None


class Metadata(Struct):
    user_id: Annotated[str, Meta(max_length=1024)] | None = None


class WireMessages(Struct, kw_only=True):
    """The whole request. `None` means the same as left out."""

    model: Name
    messages: Annotated[list[Message], Meta(min_length=1, max_length=100_000)]
    max_tokens: MaxTokens | None = None
    system: str | list[Block] | None = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: Format | None = None
    metadata: Metadata | None = None
    cache_control: CacheControl | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    mcp_servers: list[Json] | None = None
    container: str | Json | None = None
    context_management: Json | None = None
    diagnostics: Json | None = None
    fallbacks: str | list[Json] | None = None
    fallback_credit_token: str | Json | None = None
    thread: Json | None = None
    compaction: Json | None = None
    billing_policy: Json | None = None


_SPELLED: Final = Fields.of(WireMessages, {"": FIELDS})
