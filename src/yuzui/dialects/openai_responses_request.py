"""What a Responses request may say: every field of the API, its type, its bounds, and what becomes of it.

Source: openai 3.54.0 (`openai/types/responses/response_create_params.py`, `response_input_item_param.py`,
`tool_param.py`) and https://developers.openai.com/api/reference/resources/responses, read 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from yuzui.core import strict_json
from yuzui.core.chat import Feature
from yuzui.core.errors import InvalidRequest, UnsupportedFeature
from yuzui.dialects import openai_responses_wire as wire
from yuzui.dialects._explain import check_name, explain
from yuzui.dialects._spelling import Fields
from yuzui.dialects.openai_responses_wire import WireResponses

Treatment = Literal["understood", "ours", "feature", "knob", "lane"]

FIELDS: Final[Mapping[str, Treatment]] = {
    # understood: part of what every dialect can say, translated to any of them
    "model": "understood",
    "input": "understood",
    "instructions": "understood",
    "include": "understood",  # what it asks for is always there, or a feature, or reported
    "max_output_tokens": "understood",
    "max_tool_calls": "understood",  # bounds a web search; other server tools travel on the lane only
    "parallel_tool_calls": "understood",
    "reasoning": "understood",
    "stream": "understood",
    "stream_options": "understood",  # only ever asks for padding, which we do not add
    "temperature": "understood",
    "text": "understood",
    "tool_choice": "understood",
    "tools": "understood",
    "top_p": "understood",
    "user": "understood",
    # ours: state that the gateway keeps, or refuses to keep, itself
    "background": "ours",
    "conversation": "ours",
    "metadata": "ours",  # shown in the answer, and kept with it
    "previous_response_id": "ours",
    "store": "ours",
    # feature: a target without it refuses the request before a byte is sent
    "top_logprobs": "feature",
    # knob: travels on the same-dialect lane; elsewhere a codec maps it or reports it as dropped
    "access_programs": "knob",
    "background_options": "knob",
    "context_management": "knob",
    "image": "knob",
    "moderation": "knob",
    "prompt_cache_key": "knob",
    "prompt_cache_options": "knob",
    "prompt_cache_retention": "knob",
    "safety_identifier": "knob",
    "service_tier": "knob",
    "truncation": "knob",
    # lane: stands in the vendor's storage, so only the vendor can read it
    "prompt": "lane",
}
"""Every request field of the API. A field that is not here is the vendor's own: it stays in the body, which only the
same-dialect lane sends."""

REFUSED: Final[Mapping[str, str]] = {
    "messages": "it belongs to chat completions; send `input`",
    "max_tokens": "send `max_output_tokens`",
    "max_completion_tokens": "send `max_output_tokens`",
    "response_format": "send `text.format`",
    "reasoning_effort": "send `reasoning.effort`",
    "functions": "send `tools`",
    "function_call": "send `tool_choice`",
}
"""Names of the neighbouring API that would be ignored without a word."""

LOGPROBS: Final = "message.output_text.logprobs"
WEB_SEARCH: Final = frozenset(
    ("web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11")
)
_ITEMS: Final = frozenset(
    (
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "item_reference",
        "additional_tools",
        "configuration_update",
    )
)
_PLAIN_ITEMS: Final = _ITEMS - {"additional_tools"}
_TOOLS: Final = frozenset(("function", "custom", "namespace", "web_search"))

_SPELLED: Final = Fields.of(WireResponses, {"": (*FIELDS, *REFUSED)})
_CHOICES: Final = {
    "role": "user, assistant, system or developer",
    "effort": "none, minimal, low, medium, high, xhigh or max",
    "summary": "auto, concise or detailed",
    "generate_summary": "auto, concise or detailed",
    "verbosity": "low, medium or high",
    "truncation": "auto or disabled",
    "tool_choice": "none, auto, required or an object that names a tool",
    "detail": "auto, low, high or original",
    "phase": "commentary or final_answer",
    "mode": "auto or required",
    "search_context_size": "low, medium or high",
}
_KINDS: Final = (
    ("text.format", "text, json_object or json_schema"),
    (".content", "input_text, input_image, input_file, input_audio, output_text or refusal"),
    (".output", "input_text, input_image or input_file"),
    (".tools[", "function or custom"),
)

_PART_FEATURES: Final[Mapping[type, Feature]] = {
    wire.ImagePart: "images",
    wire.AudioPart: "audio",
    wire.FilePart: "files",
}
_CALLS: Final = (wire.FunctionCall, wire.CustomCall)  # tuples: a union would be made anew for each item
_OUTPUTS: Final = (wire.FunctionOutput, wire.CustomOutput)
_JSON_FORMATS: Final = (wire.JsonObjectFormat, wire.JsonSchemaFormat)


def parse(body: Mapping[str, Any]) -> tuple[WireResponses, frozenset[Feature]]:  # Any: checked JSON
    """`body`, typed, and what a target must be able to do; raise `InvalidRequest` with the field and what to change."""
    _SPELLED.check(body)
    asked = read(body)
    _check_names(asked)
    if not body.keys() <= FIELDS.keys():
        _check_unknown(body)
    _check_state(asked)
    # What the answer repeats, and what is kept, must be writable before anything was paid for.
    strict_json.write(body if asked.store is not False else [body.get(name) for name in _REPEATED])
    found: set[Feature] = set()
    if asked.tools:
        _look_at_tools(asked.tools, "tools", found)
    if asked.top_logprobs or (asked.include is not None and LOGPROBS in asked.include):
        found.add("logprobs")
    if asked.text is not None and type(asked.text.format) in _JSON_FORMATS:
        found.add("json_schema")
    if isinstance(asked.input, list):
        for index, item in enumerate(asked.input):
            _look_at_item(item, index, found)
    return asked, frozenset(found)


def read(body: Mapping[str, Any]) -> WireResponses:  # Any: checked JSON
    """The types alone, for a body that `parse` has seen before."""
    try:
        return msgspec.convert(_sorted_out(body), WireResponses)
    except msgspec.ValidationError as error:
        raise explain(str(error), _allowed) from error
    except UnicodeEncodeError as error:  # msgspec looks at half a character where an object belongs
        raise InvalidRequest(
            "a string in the body has no UTF-8 (a lone surrogate); send whole characters", code="invalid_json"
        ) from error


# ---- before msgspec: what its unions cannot say --------------------------------------------------------------------


def _sorted_out(body: Mapping[str, Any]) -> Mapping[str, Any]:  # Any: checked JSON
    """`body` with a `type` on every item and tool that is understood; what only the lane can carry becomes opaque."""
    items, tools = body.get("input"), body.get("tools")
    changes: dict[str, Any] = {}  # Any: checked JSON
    if type(items) is list and not _have_kinds(items, _PLAIN_ITEMS):
        changes["input"] = [_sorted_item(item) for item in items]
    if type(tools) is list and not _have_kinds(tools, _TOOLS):
        changes["tools"] = [_sorted_tool(tool) for tool in tools]
    return {**body, **changes} if changes else body


def _have_kinds(values: list[Any], kinds: frozenset[str]) -> bool:  # Any: checked JSON
    try:
        for value in values:
            if value["type"] not in kinds:
                return False
    except (KeyError, TypeError):  # no type, no object, or a type that is no string
        return False
    return True


def _sorted_item(item: Any) -> Any:  # Any: checked JSON
    if not isinstance(item, dict):
        return item
    kind = _kind_of(item)
    if kind is None:  # the API lets messages and references go without
        kind = "message" if "role" in item or "content" in item or "id" not in item else "item_reference"
        return {**item, "type": kind}
    if kind == "additional_tools" and isinstance(item.get("tools"), list):
        return {**item, "tools": [_sorted_tool(tool) for tool in item["tools"]]}
    if kind in _ITEMS or not kind:
        return item
    return {"type": "?", "kind": _speakable(kind)}


def _sorted_tool(tool: Any) -> Any:  # Any: checked JSON
    if not isinstance(tool, dict):
        return tool
    kind = _kind_of(tool)
    if kind in _TOOLS or not kind:
        return tool
    if kind in WEB_SEARCH:
        return {**tool, "type": "web_search"}
    return {"type": "?", "kind": _speakable(kind)}


def _kind_of(value: dict[str, Any]) -> str | None:  # Any: checked JSON
    """Its `type`; "" for one that is no string, which msgspec will refuse."""
    kind = value.get("type")
    return kind if kind is None or type(kind) is str else ""


def _speakable(kind: str) -> str:
    return kind if kind.isidentifier() and len(kind) <= 64 else "unknown"  # it is named in messages of ours


# ---- in our words ---------------------------------------------------------------------------------------------------


def _allowed(param: str) -> str:
    """The words that a field of the API takes."""
    allowed = _CHOICES.get(param.rpartition(".")[2])
    return next((words for place, words in _KINDS if place in param), "another type") if allowed is None else allowed


def _check_names(asked: WireResponses) -> None:
    """No control characters in what may end up in a header, a log or a ledger."""
    for name in _NAMES:
        value = getattr(asked, name)
        if value is not None:
            check_name(value, name)
    if asked.metadata is not None:
        check_name(asked.metadata.get("conversation_id", ""), "metadata.conversation_id")


_NAMES: Final = (
    "model",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "service_tier",
    "previous_response_id",
)


_REPEATED: Final = (
    "metadata",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "text",
    "tool_choice",
    "tools",
    "user",
)


def _check_unknown(body: Mapping[str, Any]) -> None:  # Any: checked JSON
    for name in body.keys() - FIELDS.keys():
        if name in REFUSED and body[name] is not None:
            raise InvalidRequest(f"`{name}` is no field of this API: {REFUSED[name]}", param=name)


def _check_state(asked: WireResponses) -> None:
    if asked.background:
        raise UnsupportedFeature(
            "`background` answers are polled from the vendor's storage, which is never used here; leave it out and "
            "wait for the answer, or stream it",
            param="background",
        )
    if asked.conversation and asked.previous_response_id:
        raise InvalidRequest(
            "`previous_response_id` and `conversation` both say what came before; send one of them",
            param="previous_response_id",
        )
    if not asked.input and asked.prompt is None and not (asked.previous_response_id or asked.conversation):
        raise InvalidRequest("`input` is missing; send a string or an array of items", param="input")


def _look_at_tools(tools: list[wire.Tool], place: str, found: set[Feature]) -> None:
    for index, tool in enumerate(tools):
        if isinstance(tool, wire.WebSearchTool):
            found.add("web_search")
        elif isinstance(tool, wire.OpaqueTool):
            found.add("server_tools")
        else:
            found.add("tools")
            _check_name(tool.name, place, index, "name")


def _look_at_item(item: wire.Item, index: int, found: set[Feature]) -> None:
    if isinstance(item, wire.Message):
        if type(item.content) is list:
            _look_at_parts(item.content, index, "content", found)
    elif isinstance(item, _CALLS):
        _check_name(item.name, "input", index, "name")
    elif isinstance(item, _OUTPUTS):
        if type(item.output) is list:
            _look_at_parts(item.output, index, "output", found)
    elif isinstance(item, wire.ItemReference):
        _check_name(item.id, "input", index, "id")
    elif isinstance(item, wire.AdditionalTools):
        _look_at_tools(item.tools, f"input[{index}].tools", found)
    elif isinstance(item, wire.OpaqueItem) and item.kind != "web_search_call":
        found.add("server_tools")


def _check_name(value: str, place: str, index: int, field: str) -> None:
    if not (value.isascii() and value.isprintable()):
        check_name(value, f"{place}[{index}].{field}")


def _look_at_parts(parts: list[wire.ContentPart], item: int, field: str, found: set[Feature]) -> None:
    for index, part in enumerate(parts):
        feature = _PART_FEATURES.get(type(part))
        if feature is None:
            continue
        found.add(feature)
        param = f"input[{item}].{field}[{index}]"
        match part:
            case wire.ImagePart(image_url=str() as url):
                _check_url(url, f"{param}.image_url", "data:image/")
            case wire.ImagePart(file_id=None):
                raise InvalidRequest(
                    f"`{param}.image_url` is missing; send it or `file_id`", param=f"{param}.image_url"
                )
            case wire.FilePart(file_url=str() as url):
                _check_url(url, f"{param}.file_url", "data:")
            case wire.FilePart(file_data=None, file_id=None):
                raise InvalidRequest(
                    f"`{param}.file_data` is missing; send it, `file_url` or `file_id`", param=f"{param}.file_data"
                )
            case _:
                pass


def _check_url(url: str, param: str, inline: str) -> None:
    if not url.startswith(("https://", "http://", inline)):  # file:// and friends are a way into the target's disk
        raise InvalidRequest(f"`{param}` must begin with https://, http:// or {inline}", param=param)
