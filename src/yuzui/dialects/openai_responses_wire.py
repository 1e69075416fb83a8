"""The shapes of a Responses request, typed; what only the same-dialect lane can carry is `Opaque`.

Source: openai 3.54.0 (`openai/types/responses/response_create_params.py`, `response_input_item_param.py`,
`tool_param.py`), read 2026-11-26.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Name = Annotated[str, Meta(min_length=1, max_length=256)]
ToolName = Annotated[str, Meta(min_length=1, max_length=128)]

# ---- wire structs: content ------------------------------------------------------------------------------------------


class CacheBreakpoint(Struct):
    ttl: str | None = None


class TextPart(Struct, tag_field="type", tag="input_text"):
    text: str
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class ImagePart(Struct, tag_field="type", tag="input_image"):
    image_url: str | None = None
    file_id: str | None = None
    detail: Literal["auto", "low", "high", "original"] | None = None
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class FilePart(Struct, tag_field="type", tag="input_file"):
    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    filename: str | None = None
    detail: Literal["auto", "low", "high"] | None = None
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class Audio(Struct):
    data: str
    format: str


class AudioPart(Struct, tag_field="type", tag="input_audio"):
    input_audio: Audio


class Annotation(Struct):
    """`url_citation` and `file_citation`; the other kinds name files that a vendor made."""

    type: str = ""
    url: str | None = None
    title: str | None = None
    file_id: str | None = None
    filename: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class OutputText(Struct, tag_field="type", tag="output_text"):
    text: str
    annotations: list[Annotation] | None = None


class Refusal(Struct, tag_field="type", tag="refusal"):
    refusal: str


ContentPart = TextPart | ImagePart | FilePart | AudioPart | OutputText | Refusal
Content = str | list[ContentPart]

# ---- wire structs: items --------------------------------------------------------------------------------------------


class Message(Struct, tag_field="type", tag="message"):
    role: Literal["user", "assistant", "system", "developer"]
    content: Content
    phase: Literal["commentary", "final_answer"] | None = None


class Said(Struct):
    """A piece of a thought or of its summary."""

    text: str = ""


class Reasoning(Struct, tag_field="type", tag="reasoning"):
    id: str | None = None
    summary: list[Said] | None = None
    content: list[Said] | None = None
    encrypted_content: str | None = None


class FunctionCall(Struct, tag_field="type", tag="function_call"):
    call_id: str
    name: Name
    arguments: str
    namespace: str | None = None


class FunctionOutput(Struct, tag_field="type", tag="function_call_output"):
    output: Content
    call_id: str | None = None
    name: str | None = None


class CustomCall(Struct, tag_field="type", tag="custom_tool_call"):
    call_id: str
    name: Name
    input: str
    namespace: str | None = None


class CustomOutput(Struct, tag_field="type", tag="custom_tool_call_output"):
    call_id: str
    output: Content


class ItemReference(Struct, tag_field="type", tag="item_reference"):
    id: Name


class AdditionalTools(Struct, tag_field="type", tag="additional_tools"):
    tools: list[Tool]


class _EffortUpdate(Struct):
    effort: Effort | None = None


class _FormatUpdate(Struct):
    format: Format | None = None


class ConfigurationUpdate(Struct, tag_field="type", tag="configuration_update"):
    reasoning: _EffortUpdate | None = None
    text: _FormatUpdate | None = None


class OpaqueItem(Struct, tag_field="type", tag="?"):
    """A call of a server tool, a compaction, or a kind to come: `kind` is its wire name."""

    kind: str


Item = (
    Message
    | Reasoning
    | FunctionCall
    | FunctionOutput
    | CustomCall
    | CustomOutput
    | ItemReference
    | AdditionalTools
    | ConfigurationUpdate
    | OpaqueItem
)

# ---- wire structs: tools --------------------------------------------------------------------------------------------


class FunctionTool(Struct, tag_field="type", tag="function", rename={"is_async": "async"}):
    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] | None = None  # Any: a JSON schema
    strict: bool | None = None
    allowed_callers: list[str] | None = None
    defer_loading: bool | None = None
    output_schema: dict[str, Any] | None = None  # Any: only whether it is there
    is_async: bool | None = None


class CustomTool(Struct, tag_field="type", tag="custom", rename={"is_async": "async"}):
    name: ToolName
    description: str | None = None
    format: dict[str, Any] | None = None  # Any: only ever forwarded
    allowed_callers: list[str] | None = None
    defer_loading: bool | None = None
    is_async: bool | None = None


class NamespaceTool(Struct, tag_field="type", tag="namespace"):
    name: ToolName
    tools: list[FunctionTool | CustomTool]
    description: str | None = None


class _Filters(Struct):
    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None


class _Location(Struct):
    city: str | None = None
    region: str | None = None
    country: str | None = None
    timezone: str | None = None


class WebSearchTool(Struct, tag_field="type", tag="web_search"):
    filters: _Filters | None = None
    search_context_size: Literal["low", "medium", "high"] | None = None
    user_location: _Location | None = None
    external_web_access: bool | None = None
    search_content_types: list[str] | None = None


class OpaqueTool(Struct, tag_field="type", tag="?"):
    """A tool that the vendor runs itself, or a kind to come: `kind` is its wire name."""

    kind: str


Tool = FunctionTool | CustomTool | NamespaceTool | WebSearchTool | OpaqueTool


class Choice(Struct):
    """`function` and `custom` have a name, `allowed_tools` a mode and tools; any other type is a server tool."""

    type: Name
    name: Name | None = None
    mode: Literal["auto", "required"] | None = None
    tools: list[Choice] | None = None


# ---- wire structs: the rest ----------------------------------------------------------------------------------------

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
_Detail = Literal["auto", "concise", "detailed"]


class ReasoningOptions(Struct):
    effort: Effort | None = None
    summary: _Detail | None = None
    generate_summary: _Detail | None = None
    context: str | None = None
    mode: str | None = None


class TextFormat(Struct, tag_field="type", tag="text"):
    pass


class JsonObjectFormat(Struct, tag_field="type", tag="json_object"):
    pass


class JsonSchemaFormat(Struct, tag_field="type", tag="json_schema"):
    name: Name
    schema: dict[str, Any]  # Any: a JSON schema
    description: str | None = None
    strict: bool | None = None


Format = TextFormat | JsonObjectFormat | JsonSchemaFormat


class TextOptions(Struct):
    format: Format | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class WireResponses(Struct, kw_only=True):
    """The whole request. `None` means the same as left out, as it does at OpenAI."""

    model: Name
    input: str | list[Item] | None = None
    instructions: str | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None  # Any: only ever forwarded
    store: bool | None = None
    previous_response_id: Name | None = None
    conversation: str | dict[str, Any] | None = None  # Any: `{"id": …}`
    background: bool | None = None
    include: list[str] | None = None
    max_output_tokens: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    max_tool_calls: Annotated[int, Meta(ge=1)] | None = None
    metadata: dict[str, str] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: ReasoningOptions | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    text: TextOptions | None = None
    tools: Annotated[list[Tool], Meta(max_length=1024)] | None = None
    tool_choice: Literal["none", "auto", "required"] | Choice | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: Annotated[str, Meta(max_length=1024)] | None = None
    access_programs: dict[str, Any] | None = None  # Any: only ever forwarded
    background_options: dict[str, Any] | None = None  # Any: only ever forwarded
    context_management: list[dict[str, Any]] | None = None  # Any: only ever forwarded
    image: dict[str, Any] | None = None  # Any: only ever forwarded
    moderation: dict[str, Any] | None = None  # Any: only ever forwarded
    prompt: dict[str, Any] | None = None  # Any: only ever forwarded
    prompt_cache_key: Annotated[str, Meta(max_length=1024)] | None = None
    prompt_cache_options: dict[str, Any] | None = None  # Any: only ever forwarded
    prompt_cache_retention: str | None = None
    safety_identifier: Annotated[str, Meta(max_length=1024)] | None = None
    service_tier: str | None = None
