"""What a Messages body means, in the words of `core.chat`; built only to be said in another dialect.

* A user's turn with tool results is several messages: one of role `tool` for each result, then one with the rest.
* Thinking whose signature is a seal of ours is the thought of whoever had it. A signature without a seal came along the
  lane, which only servers of this dialect are on: it counts as Anthropic's, and never reaches another vendor.
* Claude Code's first system block holds a line for the vendor's billing, with a checksum that changes with every
  request. It is no part of the prompt, and would spoil every prefix cache behind us: it is left out.
  Source: https://github.com/vllm-project/vllm/pull/36829, https://github.com/ggml-org/llama.cpp/pull/21793
  (2026-11-26).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from yuzui.core.call_ids import to_upstream
from yuzui.core.chat import (
    CacheLifetime,
    Citation,
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
from yuzui.core.reasoning import unseal
from yuzui.dialects import anthropic_messages_request as wire

VENDOR: Final = "anthropic"
"""The provider whose own dialect this is."""
_BILLING: Final = re.compile(r"\Ax-anthropic-billing-header:(?:[ \t]*[a-z_]+=[^;\s]*;?)*[ \t]*\n*")
_SEARCHES: Final = frozenset(("server_tool_use", "web_search_tool_result"))
"""Records of a search that a vendor ran in an earlier turn, encrypted for itself: the text that cites them stays."""
_TIERS: Final = {"standard_only": "default"}  # OpenAI's word
_NEXT_USER: Final = "next_user_message"
_encode = msgspec.json.Encoder().encode


def reader_of(body: Mapping[str, Any], chat: wire.WireMessages) -> Callable[[Mapping[str, Any]], Meaning]:  # Any: JSON
    """What reads the meaning of `body`, which was parsed already, or of its masked copy."""

    def read(asked: Mapping[str, Any]) -> Meaning:  # Any: checked JSON
        return _read(asked, chat if asked is body else wire.parse(asked))

    return read


def _read(body: Mapping[str, Any], chat: wire.WireMessages) -> Meaning:  # Any: checked JSON
    """Raise `UnsupportedFeature` for what only the lane can carry."""
    _refuse_lane_fields(chat)
    knobs = _knobs(chat, body)
    reader = _Reader(knobs)
    messages = reader.read(chat)
    if chat.cache_control is not None:
        messages = _mark_last(messages, _lifetime(chat.cache_control))
    tools = tuple([_tool(tool, knobs) for tool in chat.tools or () if tool.is_custom])
    thinking = chat.thinking
    if thinking is not None and thinking.block_binding:
        knobs["thinking.block_binding"] = True
    effort = reader.effort or (chat.output_config.effort if chat.output_config is not None else None)
    if thinking is not None and thinking.type == "disabled" and effort is not None:
        knobs["output_config.effort"] = effort  # how much to think is settled: not at all
        effort = None
    return Meaning(
        messages=messages,
        tools=tools,
        tool_choice=_tool_choice(chat.tool_choice, tools, knobs),
        response_format=_response_format(chat),
        temperature=chat.temperature,
        top_p=chat.top_p,
        stop=tuple(chat.stop_sequences or ()),
        parallel_tool_calls=_is_parallel(chat.tool_choice) if tools else None,
        reasoning_effort=effort,
        thinking_budget=_budget(thinking),
        wants_thoughts=_wants_thoughts(thinking),
        web_search=_web_search(chat.tools, knobs),
        server_tools=_server_tools(chat),
        user=chat.metadata.user_id if chat.metadata is not None else None,
        knobs=knobs,
    )


# ---- messages -------------------------------------------------------------------------------------------------------


class _Reader:
    """Reads the conversation; remembers which tool each call was for, because results do not repeat it."""

    def __init__(self, knobs: dict[str, object]) -> None:
        self.effort: str | None = None
        self._knobs = knobs
        self._names: dict[str, str] = {}

    def read(self, chat: wire.WireMessages) -> tuple[Message, ...]:
        built: list[Message] = []
        if chat.system:
            parts = _system(chat.system)
            if parts:
                built.append(Message(role="system", parts=parts))
        last_user = max((i for i, message in enumerate(chat.messages) if message.role == "user"), default=-1)
        for index, message in enumerate(chat.messages):
            content = message.content
            if message.role == "system":
                self._system_message(message, index, last_user, built)
            elif isinstance(content, str):
                built.append(Message(role=message.role, parts=(TextPart(text=content),) if content else ()))
            elif message.role == "user":
                self._user(content or [], f"messages[{index}].content", built)
            else:
                built.append(Message(role="assistant", parts=tuple(self._parts(content or []))))
        return tuple(built)

    def _system_message(self, message: wire.Message, index: int, last_user: int, built: list[Message]) -> None:
        if message.output_config is not None and message.output_config.effort is not None:
            self.effort = message.output_config.effort  # the last one counts: it is for the turn to come
        if message.clear_at == _NEXT_USER and last_user > index:
            return  # the vendor would not show it any more either
        parts = _system(message.content or "")
        if parts:
            built.append(Message(role="system", parts=parts))

    def _user(self, blocks: list[wire.Block], param: str, built: list[Message]) -> None:
        """Results come first, as the API demands: elsewhere nothing may stand between them and the calls."""
        rest = blocks
        if any(block.type == "tool_result" for block in blocks):
            rest = [block for block in blocks if block.type != "tool_result"]
            for index, block in enumerate(blocks):
                if block.type == "tool_result":
                    built.append(Message(role="tool", parts=(self._result(block, f"{param}[{index}]"),)))
        if rest:
            built.append(Message(role="user", parts=tuple(self._parts(rest))))

    def _parts(self, blocks: list[wire.Block]) -> Iterable[Part]:
        for block in blocks:
            match block.type:
                case "text":
                    yield _text(block)
                case "tool_use":
                    call_id, name = to_upstream(block.id or ""), block.name or ""
                    self._names[call_id] = name
                    if block.cache_control is not None:
                        self._knobs["cache_control"] = True  # no other API marks calls
                    yield ToolCallPart(id=call_id, name=name, arguments=_encode(block.input or {}).decode())
                case "thinking":
                    yield _thought(block)
                case "redacted_thinking":
                    data = block.data or ""
                    yield unseal(data) or ReasoningPart(text="", redacted=data, origin=VENDOR)
                case "image" | "document" | "search_result":
                    self._note_unsaid(block)
                    yield from _media(block)
                case "server_tool_use" if block.name != "web_search":
                    yield OpaquePart(kind="server_tool_use")
                case kind if kind in _SEARCHES:
                    self._knobs["messages.web_search_tool_result"] = True
                case "fallback":
                    pass  # a mark between two models' words; the vendor does not show it to the model either
                case kind:
                    yield OpaquePart(kind=kind)

    def _result(self, block: wire.Block, param: str) -> ToolResultPart:
        call_id = to_upstream(block.tool_use_id or "")
        content = block.content
        parts: list[TextPart | ImagePart | DocumentPart] = []
        if isinstance(content, str):
            parts = [TextPart(text=content)] if content else []
        elif isinstance(content, list):
            for index, inner in enumerate(content):
                self._note_unsaid(inner)
                parts += _result_parts(inner, f"{param}.content[{index}]")
        return ToolResultPart(
            call_id=call_id,
            parts=tuple(parts),
            name=self._names.get(call_id, ""),
            is_error=bool(block.is_error),
            cache=_lifetime(block.cache_control),
        )

    def _note_unsaid(self, block: wire.Block) -> None:
        if block.transformations:
            self._knobs["messages.image.transformations"] = True


def _system(content: str | list[wire.Block]) -> tuple[Part, ...]:
    if isinstance(content, str):
        text = _BILLING.sub("", content)
        return (TextPart(text=text),) if text else ()
    parts: list[Part] = []
    for block in content:
        if block.type != "text":
            parts.append(OpaquePart(kind=block.type))
            continue
        part = _text(block)
        if part.text.startswith("x-anthropic-"):
            part = replace(part, text=_BILLING.sub("", part.text))
        if part.text:
            parts.append(part)
    return tuple(parts)


def _text(block: wire.Block) -> TextPart:
    if block.citations or block.cache_control is not None:
        citations = block.citations if isinstance(block.citations, list) else ()
        return TextPart(
            text=block.text or "",
            citations=tuple([_citation(citation) for citation in citations]),
            cache=_lifetime(block.cache_control),
        )
    return TextPart(text=block.text or "")


def _citation(found: wire.Citation) -> Citation:
    return Citation(
        url=found.url or found.source or "",
        title=found.title or found.document_title or "",
        cited_text=found.cited_text or "",
        file_id=found.file_id or "",
        document=found.document_index,
    )


def _thought(block: wire.Block) -> ReasoningPart:
    text, signature = block.thinking or "", block.signature or ""
    return unseal(signature, text) or ReasoningPart(text=text, signature=signature, origin=VENDOR if signature else "")


def _media(block: wire.Block) -> list[TextPart | ImagePart | DocumentPart]:
    cache = _lifetime(block.cache_control)
    if block.type == "search_result":
        cache = cache or _mark_inside(block.content)
        text = _joined(block.content)
        origin = block.source if isinstance(block.source, str) else ""
        context = f"Source: {origin}" if origin else ""
        return [
            DocumentPart(
                text=text, media_type="text/plain", title=block.title or "", context=context,
                wants_citations=_wants_citations(block), cache=cache,
            )
        ]  # fmt: skip
    source = block.source
    assert isinstance(source, wire.Source)  # checked by `parse`
    cache = cache or _mark_inside(source.content)
    if block.type == "image":
        return [
            ImagePart(
                url=source.url or "",
                data=source.data or "",
                media_type=source.media_type or "",
                file_id=source.file_id or "",
                cache=cache,
            )
        ]
    is_text = source.type in ("text", "content")
    text = _joined(source.content) if source.type == "content" else (source.data or "") if is_text else ""
    document = DocumentPart(
        url=source.url or "",
        data="" if is_text else source.data or "",
        text=text,
        file_id=source.file_id or "",
        media_type="text/plain" if is_text else source.media_type or ("application/pdf" if source.url else ""),
        title=block.title or "",
        context=block.context or "",
        wants_citations=_wants_citations(block),
        cache=cache,
    )
    inner = source.content if isinstance(source.content, list) else []
    pictures = [part for found in inner if found.type == "image" for part in _media(found)]
    return [document, *pictures] if text or not pictures else pictures


def _joined(content: object) -> str:
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n\n".join(block.text for block in blocks if isinstance(block, wire.Block) and block.text)


def _mark_inside(content: object) -> CacheLifetime:
    """Of the last marked block: what was several blocks is one part elsewhere, and the mark stands behind it."""
    blocks = content if isinstance(content, list) else []
    marks = [block.cache_control for block in blocks if isinstance(block, wire.Block) and block.cache_control]
    return _lifetime(marks[-1]) if marks else ""


def _wants_citations(block: wire.Block) -> bool:
    return isinstance(block.citations, wire.CitationsConfig) and bool(block.citations.enabled)


def _result_parts(block: wire.Block, param: str) -> list[TextPart | ImagePart | DocumentPart]:
    match block.type:
        case "text":
            return [_text(block)]
        case "image" | "document" | "search_result":
            return _media(block)
        case "tool_reference":
            # Deferred tools are declared from the start on this way: the model only needs to hear which was meant.
            return [TextPart(text=f"Tool found: {block.tool_name}")]
        case _:
            raise UnsupportedFeature(
                f"`{param}`: this target cannot take a {block.type[:40]!r} block as a tool's result; send text, images "
                "or documents, or choose a Claude model",
                param=param,
            )


def _mark_last(messages: tuple[Message, ...], cache: CacheLifetime) -> tuple[Message, ...]:
    """Top-level `cache_control` marks the last part that can be marked."""
    for at in range(len(messages) - 1, -1, -1):
        parts = messages[at].parts
        for index in range(len(parts) - 1, -1, -1):
            part = parts[index]
            if isinstance(part, TextPart | ImagePart | DocumentPart | ToolResultPart):
                marked = (*parts[:index], replace(part, cache=cache), *parts[index + 1 :])
                return (*messages[:at], replace(messages[at], parts=marked), *messages[at + 1 :])
    return messages


def _lifetime(mark: wire.CacheControl | None) -> CacheLifetime:
    return "" if mark is None else "1h" if mark.ttl == "1h" else "5m"


# ---- tools and format -----------------------------------------------------------------------------------------------


def _tool(tool: wire.Tool, knobs: dict[str, object]) -> ToolSpec:
    description, schema = tool.description or "", tool.input_schema or {}
    if tool.input_examples:
        examples = "\n".join(_encode(example).decode() for example in tool.input_examples)
        description = f"{description}\n\nExamples of its input:\n{examples}".lstrip("\n")
    is_strict = bool(tool.strict)
    if is_strict and not is_closed(schema):
        is_strict = False
        knobs["tools.strict"] = True
    for name in ("defer_loading", "eager_input_streaming"):
        if getattr(tool, name):
            knobs[f"tools.{name}"] = True
    _note_callers(tool, knobs)
    return ToolSpec(
        name=tool.name or "",
        description=description,
        parameters=schema,
        is_strict=is_strict,
        cache=_lifetime(tool.cache_control),
    )


def _note_callers(tool: wire.Tool, knobs: dict[str, object]) -> None:
    """Nobody else lets code call a tool; the model itself can, everywhere."""
    if tool.allowed_callers and "direct" not in tool.allowed_callers:
        knobs["tools.allowed_callers"] = True


def is_closed(schema: object) -> bool:
    """Whether `schema` fits OpenAI's strict mode: every object closed, every property required.

    Source: https://developers.openai.com/api/docs/guides/structured-outputs (2026-11-26).
    """
    if isinstance(schema, list):
        return all(is_closed(part) for part in schema)
    if not isinstance(schema, Mapping):
        return True
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, Mapping):
        names = set(properties) if isinstance(properties, Mapping) else set()
        if schema.get("additionalProperties") is not False or set(schema.get("required") or ()) != names:
            return False
    inner = [*(properties.values() if isinstance(properties, Mapping) else ())]
    for name in ("$defs", "definitions"):
        if isinstance(found := schema.get(name), Mapping):
            inner += found.values()
    inner += [schema.get(name) for name in ("items", "anyOf", "allOf", "oneOf")]
    return all(is_closed(part) for part in inner)


def _tool_choice(
    choice: wire.ToolChoice | None, tools: tuple[ToolSpec, ...], knobs: dict[str, object]
) -> ToolChoice | None:
    if choice is None or not tools:
        return None
    if choice.type == "tool":
        if any(tool.name == choice.name for tool in tools):
            return ToolChoice(mode="named", name=choice.name or "")
        knobs["tool_choice"] = True  # names a tool that the vendor would run
        return None
    match choice.type:
        case "any":
            return ToolChoice(mode="required")
        case mode:
            return ToolChoice(mode=mode)


def _is_parallel(choice: wire.ToolChoice | None) -> bool | None:
    if choice is None or choice.disable_parallel_tool_use is None:
        return None
    return not choice.disable_parallel_tool_use


def _web_search(tools: list[wire.Tool] | None, knobs: dict[str, object]) -> WebSearch | None:
    tool = next((tool for tool in tools or () if tool.is_web_search), None)
    if tool is None:
        return None
    for name in ("defer_loading", "strict", "response_inclusion"):
        if getattr(tool, name):
            knobs[f"tools.{name}"] = True
    _note_callers(tool, knobs)
    if tool.cache_control is not None:
        knobs["cache_control"] = True
    location = tool.user_location or {}
    return WebSearch(
        allowed_domains=tuple(tool.allowed_domains or ()),
        blocked_domains=tuple(tool.blocked_domains or ()),
        most_uses=tool.max_uses,
        location={name: value for name, value in location.items() if name != "type" and isinstance(value, str)},
    )


def _server_tools(chat: wire.WireMessages) -> tuple[str, ...]:
    return tuple([tool.type or "" for tool in chat.tools or () if not (tool.is_custom or tool.is_web_search)])


def _response_format(chat: wire.WireMessages) -> ResponseFormat | None:
    wanted = wire.output_format(chat)
    if wanted is None:
        return None
    if wanted.type != "json_schema":
        raise UnsupportedFeature(
            "this target knows only `json_schema` as `output_config.format.type`; send that",
            param="output_config.format.type",
        )
    schema = wanted.schema or {}
    return ResponseFormat(kind="json_schema", schema=schema, is_strict=is_closed(schema))


def _wants_thoughts(thinking: wire.Thinking | None) -> bool | None:
    """A budget of thought is asked for by who wants to see it, unless they say otherwise."""
    if thinking is None:
        return None
    if thinking.display is not None:
        return thinking.display != "omitted"
    return True if thinking.type == "enabled" else None


def _budget(thinking: wire.Thinking | None) -> int | None:
    if thinking is None:
        return None
    match thinking.type:
        case "disabled":
            return 0
        case "enabled":
            return thinking.budget_tokens
        case "adaptive" | "between_tools":
            return -1
        case _:
            raise UnsupportedFeature(
                "this target does not know that `thinking.type`; send enabled, adaptive or disabled",
                param="thinking.type",
            )


# ---- knobs ----------------------------------------------------------------------------------------------------------


def _refuse_lane_fields(chat: wire.WireMessages) -> None:
    """What would silently change the answer, who pays for it, or where it is made."""
    if chat.max_tokens == 0:
        raise UnsupportedFeature(
            "`max_tokens` of 0 only fills a prompt cache, which this target cannot; send at least 1", param="max_tokens"
        )
    asked = {
        "compaction": chat.compaction,
        "billing_policy": chat.billing_policy if (chat.billing_policy or {}).get("bill_to", "self") != "self" else None,
        "inference_geo": chat.inference_geo if chat.inference_geo != "global" else None,
        "mcp_servers": chat.mcp_servers or None,
        "container": chat.container or None,
    }
    for name, value in asked.items():
        if value is not None:
            raise UnsupportedFeature(
                f"this target cannot do what `{name}` asks; leave it out or choose a Claude model", param=name
            )


def _knobs(chat: wire.WireMessages, body: Mapping[str, Any]) -> dict[str, object]:  # Any: checked JSON
    knobs: dict[str, object] = {
        name: value
        for name, value in body.items()
        if value is not None and wire.FIELDS.get(name, "knob") == "knob"  # a field that nobody knows is reported too
    }
    if chat.service_tier is not None:
        knobs["service_tier"] = _TIERS.get(chat.service_tier, chat.service_tier)
    if chat.speed == "standard":
        del knobs["speed"]  # what everybody does
    if chat.output_config is not None and chat.output_config.task_budget is not None:
        knobs["output_config.task_budget"] = chat.output_config.task_budget
    return knobs
