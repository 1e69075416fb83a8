"""What a generateContent request may say: every field, its two spellings, its bounds, and what becomes of it.

Google reads proto JSON: each field by its camelCase name or by its snake_case one, numbers also as strings, and a list
of one as the thing itself. All of that is read here; what the vendor itself reads twice is refused.

Sources (2026-11-26): `google-genai` 3.6.1, types.py; https://ai.google.dev/api/generate-content;
https://docs.cloud.google.com/gemini-enterprise-agent-platform/reference/models/inference (Vertex AI);
https://protobuf.dev/programming-guides/json.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from yuzui.core.chat import Feature, RequestLine
from yuzui.core.errors import InvalidRequest, NotFound
from yuzui.dialects._explain import CONTROL, explain
from yuzui.dialects._spelling import Fields, fields_of

Json = dict[str, Any]  # Any: JSON values
Treatment = Literal["understood", "feature", "knob", "lane"]

FIELDS: Final[Mapping[str, Treatment]] = {
    # understood: part of what every dialect can say, translated to any of them
    "contents": "understood",
    "systemInstruction": "understood",
    "tools": "understood",
    "toolConfig": "understood",
    "generationConfig": "understood",
    "model": "understood",  # the one of the path counts
    # lane: only Google's own services can do it; refused elsewhere
    "cachedContent": "lane",
    "continuationToken": "lane",
    # knob: travels on the same-dialect lane; elsewhere a codec maps it or reports it as dropped
    "labels": "knob",
    "modelArmorConfig": "knob",
    "safetySettings": "knob",
    "serviceTier": "knob",
    "store": "knob",
}
"""Every field of a request. One that is not here is unknown to us: it stays in the body, and is reported elsewhere."""

GENERATION: Final[Mapping[str, Treatment]] = {
    "candidateCount": "understood",
    "maxOutputTokens": "understood",
    "responseFormat": "understood",
    "responseJsonSchema": "understood",
    "responseMimeType": "understood",
    "responseSchema": "understood",
    "stopSequences": "understood",
    "temperature": "understood",
    "thinkingConfig": "understood",
    "topP": "understood",
    "responseLogprobs": "feature",
    "responseModalities": "feature",
    "audioTranscriptionConfig": "lane",
    "imageConfig": "lane",
    "speechConfig": "lane",
    "translationConfig": "lane",
    "audioTimestamp": "knob",
    "enableAffectiveDialog": "knob",
    "enableEnhancedCivicAnswers": "knob",
    "frequencyPenalty": "knob",
    "logprobs": "knob",
    "mediaResolution": "knob",
    "modelConfig": "knob",
    "presencePenalty": "knob",
    "routingConfig": "knob",
    "seed": "knob",
    "topK": "knob",
}
"""The same for the fields of `generationConfig`."""

WEB_SEARCH: Final = frozenset({"googleSearch", "googleSearchRetrieval", "enterpriseWebSearch"})
"""Tools that search the web. Every other one but functions is a server tool, which only the lane can carry."""

_PATH: Final = re.compile(
    r"/v1(?:beta|beta1|alpha)?/"
    r"(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/(?P<publisher>[^/]+)/)?"
    r"(?P<kind>models|tunedModels|endpoints)/(?P<model>.+):(?P<method>[A-Za-z]+)"
)
_FREE: Final = frozenset(
    {
        "args", "response", "labels", "parameters", "schema",
        "partMetadata", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "jsonSchema",
        "part_metadata", "parameters_json_schema", "response_schema", "response_json_schema", "json_schema",
    }
)  # fmt: skip
"""Fields whose keys are the client's own words."""
_SNAKE: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")  # as Google writes them; it reads no other mixture
_NESTED: Final = frozenset({dict, list})
_MOST_MODEL_CHARS: Final = 256
_T = TypeVar("_T")
_Wire = TypeVar("_Wire", bound=Struct)


def read_path(line: RequestLine, methods: frozenset[str]) -> tuple[str, str]:
    """Model and method of a path; raise `NotFound` for one that none of `methods` answers."""
    found = _PATH.fullmatch(line.path)
    if found is None or found["method"] not in methods:
        known = ", ".join(f":{name}" for name in sorted(methods))
        raise NotFound(
            f"this path names no method that is known here; POST to /v1beta/models/NAME with one of {known}",
            code="not_found",
        )
    model, publisher = found["model"], found["publisher"]
    if len(model) > _MOST_MODEL_CHARS or CONTROL.search(model):
        raise InvalidRequest("the model's name in the path is too long or holds a control character", param="model")
    if publisher not in (None, "google"):
        model = f"{publisher}/{model}"  # how Google's clients write `publisher/model` for Vertex AI
    elif found["kind"] != "models":
        model = f"{found['kind']}/{model}"
    return model, found["method"]


def is_sse(line: RequestLine) -> bool:
    """Whether a stream is to come as server-sent events; without `alt=sse` Google sends one JSON array in pieces."""
    return "sse" in [
        value for name, _, value in (pair.partition("=") for pair in line.query.split("&")) if name == "alt"
    ]


def parse(body: Mapping[str, Any]) -> Generate:  # Any: checked JSON in camelCase
    """`body`, typed; raise `InvalidRequest` with the field's path and what to change."""
    wire = convert(body, Generate)
    for index, content in enumerate(listed(wire.contents)):
        for position, part in enumerate(listed(content.parts)):
            check_part(part, f"contents[{index}].parts[{position}]")
    if not wire.contents:
        raise InvalidRequest("`contents` is missing or empty; add at least one content", param="contents")
    return wire


def convert(body: Mapping[str, Any], kind: type[_Wire]) -> _Wire:  # Any: checked JSON in camelCase
    """`body`, typed; raise `InvalidRequest` as well for what only looks like a field of `kind`."""
    (_SPELLED if kind is Generate else fields_of(kind)).check(body)
    try:
        return msgspec.convert(body, kind, strict=False)
    except msgspec.ValidationError as error:
        raise explain(str(error)) from error
    except RecursionError as error:
        raise _too_deep() from error
    except UnicodeEncodeError as error:
        raise InvalidRequest("the body holds half a character (a lone surrogate); remove it") from error


def in_camel_case(body: Mapping[str, Any]) -> Mapping[str, Any]:  # Any: checked JSON
    """`body` itself, or a copy whose snake_case fields have their other name."""
    try:
        return _camel(body, "") if _has_snake(body) else body
    except RecursionError as error:
        raise _too_deep() from error


def _too_deep() -> InvalidRequest:
    return InvalidRequest("the body is nested too deeply; flatten it", code="nesting_too_deep")


def listed(value: list[_T] | _T | None) -> list[_T]:
    """Proto JSON takes a thing where a list of it belongs."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def check_part(part: Part, param: str) -> None:
    said = (  # spelled out: it runs for every part of every request
        (part.text is not None)
        + (part.function_call is not None)
        + (part.function_response is not None)
        + (part.inline_data is not None)
        + (part.file_data is not None)
        + (part.executable_code is not None)
        + (part.code_execution_result is not None)
        + (part.tool_call is not None)
        + (part.tool_response is not None)
    )
    if said > 1:
        raise InvalidRequest(f"`{param}` holds several kinds of data; make each a part of its own", param=param)
    named = part.function_call or part.function_response
    if named is not None:
        kind = "functionCall" if part.function_call is not None else "functionResponse"
        if not named.name:
            raise InvalidRequest(f"`{param}.{kind}.name` is missing; add it", param=f"{param}.{kind}.name")
        if not named.name.isprintable():
            raise InvalidRequest(f"`{param}.{kind}.name` holds a control character; remove it", param=f"{param}.{kind}")


def features(wire: Generate, tools: frozenset[str]) -> frozenset[Feature]:
    """What a target must be able to do; `tools` are the names of all tools but functions."""
    found: set[Feature] = set()
    config = wire.generation_config or GenerationConfig()
    if any(listed(tool.function_declarations) for tool in listed(wire.tools)):
        found.add("tools")
    if tools & WEB_SEARCH:
        found.add("web_search")
    if tools - WEB_SEARCH:
        found.add("server_tools")
    if config.response_logprobs:
        found.add("logprobs")
    if config.candidate_count is not None and config.candidate_count > 1:
        found.add("n")
    if "AUDIO" in modalities(config):
        found.add("audio")
    if wants_json(config):
        found.add("json_schema")
    for content in listed(wire.contents):
        for part in listed(content.parts):
            data = part.inline_data or part.file_data
            if data is not None:
                found.add(_feature_of(data.mime_type or ""))
            elif part.function_response is not None:
                for piece in listed(part.function_response.parts):
                    media = piece.inline_data or piece.file_data
                    if media is not None:
                        found.add(_feature_of(media.mime_type or ""))
    return frozenset(found)


def modalities(config: GenerationConfig) -> list[str]:
    return [word.upper() for word in listed(config.response_modalities)]


def wants_json(config: GenerationConfig) -> bool:
    if config.response_schema is not None or config.response_json_schema is not None:
        return True
    if config.response_mime_type not in (None, "", "text/plain"):
        return True
    return any(wanted.text is not None and not wanted.text.is_plain for wanted in listed(config.response_format))


def other_tools(body: Mapping[str, Any]) -> frozenset[str]:  # Any: checked JSON in camelCase
    """Names of the tools of `body` that are no functions, also of those that are unknown to us."""
    tools = body.get("tools")
    found = [tool for tool in (tools if isinstance(tools, list) else [tools]) if isinstance(tool, dict)]
    return frozenset(
        name
        for tool in found
        for name, value in tool.items()
        if name != "functionDeclarations" and value is not None and value is not False
    )


def _feature_of(media_type: str) -> Feature:
    kind = media_type.partition("/")[0]
    return "images" if kind == "image" else "audio" if kind == "audio" else "files"


def _has_snake(body: Mapping[str, Any]) -> bool:  # Any: checked JSON
    waiting: list[Any] = [body]  # Any: see above; a list of its own, because it runs for every request
    while waiting:
        value = waiting.pop()
        if type(value) is list:
            waiting += [item for item in value if type(item) in _NESTED]
            continue
        for key, item in value.items():
            if "_" in key:
                return True
            if type(item) in _NESTED and key not in _FREE:
                waiting.append(item)
    return False


def _camel(value: Any, path: str) -> Any:  # Any: checked JSON
    if isinstance(value, list):
        return [_camel(item, path) for item in value]
    if not isinstance(value, Mapping):
        return value
    out: Json = {}
    for key, item in value.items():
        name = key
        if "_" in key and _SNAKE.fullmatch(key):
            head, *rest = key.split("_")
            name = head + "".join(word[:1].upper() + word[1:] for word in rest)
        if name in out:
            raise InvalidRequest(
                f"`{path}{name[:64]}` is said in two spellings; send only one", code="duplicate_key", param=name[:64]
            )
        out[name] = item if key in _FREE else _camel(item, f"{path}{name}.")
    return out


# ---- wire structs ---------------------------------------------------------------------------------------------------


class Blob(Struct, rename="camel"):
    mime_type: str | None = None
    data: str = ""
    display_name: str | None = None


class FileData(Struct, rename="camel"):
    mime_type: str | None = None
    file_uri: str = ""
    display_name: str | None = None


class FunctionCall(Struct, rename="camel"):
    name: str | None = None
    id: str | None = None
    args: Json | None = None


class ResponsePart(Struct, rename="camel"):
    """A picture or file in the result of a function."""

    inline_data: Blob | None = None
    file_data: FileData | None = None


class FunctionResponse(Struct, rename="camel"):
    name: str | None = None
    id: str | None = None
    response: Json | None = None
    parts: list[ResponsePart] | ResponsePart | None = None


class Part(Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    media_resolution: Any = None  # Any: only its level, and only where it is a mapping
    executable_code: Json | None = None
    code_execution_result: Json | None = None
    tool_call: Json | None = None
    tool_response: Json | None = None


class Content(Struct, rename="camel"):
    role: str | None = None
    parts: list[Part] | Part | None = None


class FunctionDeclaration(Struct, rename="camel"):
    name: Annotated[str, Meta(min_length=1, max_length=128)]
    description: str | None = None
    parameters: Json | None = None
    parameters_json_schema: Any = None  # Any: a JSON schema
    response: Json | None = None
    response_json_schema: Any = None  # Any: a JSON schema
    behavior: str | None = None


class Tool(Struct, rename="camel"):
    """Of the other tools only the search is looked into; `other_tools` finds their names."""

    function_declarations: list[FunctionDeclaration] | FunctionDeclaration | None = None
    google_search: Json | None = None


class CallingConfig(Struct, rename="camel"):
    mode: str | None = None
    allowed_function_names: list[str] | str | None = None
    stream_function_call_arguments: bool | None = None


class ToolConfig(Struct, rename="camel"):
    function_calling_config: CallingConfig | None = None


class ThinkingConfig(Struct, rename="camel"):
    include_thoughts: bool | None = None
    thinking_budget: Annotated[int, Meta(ge=-1, le=10_000_000)] | None = None
    thinking_level: str | None = None


class TextFormat(Struct, rename="camel"):
    mime_type: str | None = None
    schema: Any = None  # Any: a JSON schema
    json_schema: Any = None  # Any: a JSON schema; the client library's name for the same

    @property
    def is_plain(self) -> bool:
        return self.schema is None and self.json_schema is None and self.mime_type in (None, "text/plain", "TEXT_PLAIN")


class OutputFormat(Struct, rename="camel"):
    text: TextFormat | None = None
    audio: Json | None = None
    image: Json | None = None
    video: Json | None = None


class GenerationConfig(Struct, rename="camel"):
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    max_output_tokens: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    candidate_count: Annotated[int, Meta(ge=1, le=128)] | None = None
    stop_sequences: list[str] | str | None = None
    seed: int | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    response_mime_type: str | None = None
    response_schema: Json | None = None
    response_json_schema: Any = None  # Any: a JSON schema
    response_format: list[OutputFormat] | OutputFormat | None = None
    response_logprobs: bool | None = None
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    response_modalities: list[str] | str | None = None
    thinking_config: ThinkingConfig | None = None
    media_resolution: str | None = None


class Generate(Struct, rename="camel"):
    """The whole request. `null` means the same as left out."""

    contents: list[Content] | Content | None = None
    system_instruction: Content | None = None
    tools: list[Tool] | Tool | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    cached_content: str | None = None
    service_tier: str | None = None


_SPELLED: Final = Fields.of(Generate, {"": FIELDS, "generationConfig": GENERATION, "tools": WEB_SEARCH})
