"""What a generateContent body means, in the words of `core.chat`; built only to be said in another dialect.

Two things are said apart there that Google says in one. A thought's signature stands on the part that follows it: it
becomes a thought without text in front of that part. And a function's result may name its call only by the function:
then it answers the oldest call of that name that has no answer yet.
"""

from __future__ import annotations

from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

from yuzui.core.chat import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Meaning,
    Message,
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
from yuzui.core.errors import InvalidRequest, UnsupportedFeature
from yuzui.core.reasoning import PREFIX, unseal
from yuzui.core.strict_json import write
from yuzui.dialects import gemini_request as wire
from yuzui.dialects.gemini_schema import enforceable, json_schema

HOME: Final = "gemini"
"""Where thoughts and signatures come from that carry no seal of ours: Google's models, which are met on the lane only,
so that nobody who reads this meaning can take them."""

_SEALED: Final = "eXoxL"  # how every seal begins in base64
_STAND_INS: Final = frozenset(
    word
    for text in (b"skip_thought_signature_validator", b"context_engineering_is_the_way_to_go")
    for word in (text.decode(), b64encode(text).decode(), urlsafe_b64encode(text).decode())
)
"""What clients write where Google wants a signature and they have none."""
_LEVELS: Final = frozenset({"minimal", "low", "medium", "high", "xhigh"})
_KNOBS: Final[Mapping[str, str]] = {
    "frequencyPenalty": "frequency_penalty",
    "logprobs": "top_logprobs",
    "presencePenalty": "presence_penalty",
    "seed": "seed",
    "serviceTier": "service_tier",
    "store": "store",
    "topK": "top_k",
}
"""Names of knobs that OpenAI has as well; any other keeps the name that its client knows."""
_TOOL_CONFIG: Final = frozenset({"functionCallingConfig"})
_THINKING: Final = frozenset(wire.ThinkingConfig.__struct_encode_fields__)
_SEARCH: Final = frozenset({"excludeDomains"})
_OTHER_SEARCHES: Final = tuple(sorted(wire.WEB_SEARCH - {"googleSearch"}))
_NOTHING: Final = frozenset[str]()
_PART: Final = frozenset(wire.Part.__struct_encode_fields__)
_PLAIN_PART: Final = _PART - {"functionResponse", "mediaResolution"}
_PLAIN_TOOL: Final = frozenset({"functionDeclarations"})
_RESULT: Final = frozenset(wire.FunctionResponse.__struct_encode_fields__)
_RESULT_PART: Final = frozenset(wire.ResponsePart.__struct_encode_fields__)
_TIERS: Final = {"standard": "default", "flex": "flex", "priority": "priority"}
_DETAILS: Final = {"MEDIA_RESOLUTION_LOW": "low", "MEDIA_RESOLUTION_HIGH": "high"}
_USUAL_DETAILS: Final = frozenset({None, "MEDIA_RESOLUTION_UNSPECIFIED", *_DETAILS})
_FILM_HOSTS: Final = ("youtube.com/", "youtu.be/")  # Google reads films there, whatever their type is said to be
_OWN_FILES: Final = ("gs://", "files/", "https://generativelanguage.googleapis.com/")
_NO_BODY: Final[Mapping[str, Any]] = {}  # Any: checked JSON


def read_meaning(body: Mapping[str, Any]) -> Meaning:  # Any: checked JSON
    """The meaning of a body that `parse` accepts; raise `UnsupportedFeature` for what only the lane can carry."""
    plain = wire.in_camel_case(body)
    return meaning_of(plain, wire.parse(plain))


def meaning_of(body: Mapping[str, Any], request: wire.Generate) -> Meaning:  # Any: checked JSON
    """The same for a body in camelCase that was parsed already."""
    config = request.generation_config or wire.GenerationConfig()
    thinking = config.thinking_config or wire.ThinkingConfig()
    raw_config = body.get("generationConfig")
    if not isinstance(raw_config, Mapping):
        raw_config = _NO_BODY
    _refuse_lane_only(body, wire.FIELDS, "")
    _refuse_lane_only(raw_config, wire.GENERATION, "generationConfig.")
    if any(word in ("AUDIO", "IMAGE", "VIDEO") for word in wire.modalities(config)):
        raise _lane_only("generationConfig.responseModalities")
    knobs = _knobs(body, raw_config, config)
    choice, tools = _tools(request, knobs)
    others = wire.other_tools(body)
    return Meaning(
        messages=_Conversation(_DETAILS.get(config.media_resolution or "", "")).read(request),
        tools=tools,
        tool_choice=choice,
        response_format=_format(config),
        temperature=config.temperature,
        top_p=config.top_p,
        stop=tuple(wire.listed(config.stop_sequences)),
        reasoning_effort=_effort(thinking),
        thinking_budget=thinking.thinking_budget,
        wants_thoughts=thinking.include_thoughts,
        web_search=_web_search(request) if others & wire.WEB_SEARCH else None,
        server_tools=tuple(sorted(others - wire.WEB_SEARCH)),
        knobs=knobs,
    )


def _refuse_lane_only(said: Mapping[str, Any], fields: Mapping[str, wire.Treatment], where: str) -> None:  # Any: JSON
    for name, value in said.items():
        if value is not None and fields.get(name) == "lane":
            raise _lane_only(where + name)


def _lane_only(param: str) -> UnsupportedFeature:
    return UnsupportedFeature(
        f"`{param}` is something that only Google's own services do; leave it out or choose one of their models",
        param=param,
    )


def _knobs(
    body: Mapping[str, Any],
    config: Mapping[str, Any],
    typed: wire.GenerationConfig,  # Any: checked JSON
) -> dict[str, object]:
    """What is not understood, by OpenAI's name or the client's: a vendor's own field must be reported too."""
    found: dict[str, object] = {}
    thinking = typed.thinking_config or wire.ThinkingConfig()
    for fields, said in ((wire.FIELDS, body), (wire.GENERATION, config)):
        for name, value in said.items():
            if value is not None and fields.get(name, "knob") == "knob":
                found[_KNOBS.get(name, name)] = value
    if config.get("responseLogprobs"):
        found["logprobs"] = True
    for name, number in (
        ("top_k", None if typed.top_k is None else int(typed.top_k)),
        ("top_logprobs", typed.logprobs),
        ("seed", typed.seed),
        ("presence_penalty", typed.presence_penalty),
        ("frequency_penalty", typed.frequency_penalty),
    ):
        if number is not None:  # the raw one may be a string
            found[name] = number
    if typed.media_resolution in _DETAILS:
        del found["mediaResolution"]  # said of each picture
    level = thinking.thinking_level
    if level and _effort(thinking) is None and level != "THINKING_LEVEL_UNSPECIFIED":
        found["thinkingConfig.thinkingLevel"] = level
    _add_unsaid(body, config, found)
    if "service_tier" in found:
        tier = found["service_tier"]
        found["service_tier"] = _TIERS.get(tier.lower(), tier) if isinstance(tier, str) else tier
    return found


def _add_unsaid(body: Mapping[str, Any], config: Mapping[str, Any], found: dict[str, object]) -> None:  # Any: as above
    """Fields further inside that no other dialect can say: they change how, not what, so they are only reported."""
    said: list[tuple[str, Any, frozenset[str]]] = [  # Any: as above
        ("toolConfig", body.get("toolConfig"), _TOOL_CONFIG),
        ("thinkingConfig", config.get("thinkingConfig"), _THINKING),
    ]
    for tool in _mappings(body.get("tools")):
        if _PLAIN_TOOL.issuperset(tool):
            continue  # nearly all
        said.append(("googleSearch", tool.get("googleSearch"), _SEARCH))
        said += [(name, tool.get(name), _NOTHING) for name in _OTHER_SEARCHES]
    for content in _mappings(body.get("contents")):
        for part in _mappings(content.get("parts")):
            if _PLAIN_PART.issuperset(part):
                continue  # nearly all
            if not _PART.issuperset(part):
                said.append(("parts", part, _PART))
            resolution = part.get("mediaResolution")
            if isinstance(resolution, dict) and resolution.get("level") not in _USUAL_DETAILS:
                found["parts.mediaResolution"] = True
            result = part.get("functionResponse")
            if result is not None:
                said.append(("functionResponse", result, _RESULT))
                said += [("functionResponse.parts", one, _RESULT_PART) for one in _mappings(result.get("parts"))]
    for where, value, known in said:
        if isinstance(value, dict):
            for name in value.keys() - known:
                if value[name] is not None:
                    found[f"{where}.{name}"] = True


def _mappings(value: object) -> list[Mapping[str, Any]]:  # Any: as above
    """The parsed body has nothing but mappings where these are asked for."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) else []


def _effort(thinking: wire.ThinkingConfig) -> str | None:
    level = (thinking.thinking_level or "").lower()
    return level if level in _LEVELS else None


# ---- tools ----------------------------------------------------------------------------------------------------------


def _tools(request: wire.Generate, knobs: dict[str, object]) -> tuple[ToolChoice | None, tuple[ToolSpec, ...]]:
    """The choice, and the functions that it leaves to choose from."""
    declared = [function for tool in wire.listed(request.tools) for function in wire.listed(tool.function_declarations)]
    for function in declared:
        if function.response is not None or function.response_json_schema is not None:
            knobs["functionDeclarations.response"] = True
        if function.behavior is not None:
            knobs["functionDeclarations.behavior"] = function.behavior
    config = request.tool_config or wire.ToolConfig()
    calling = config.function_calling_config or wire.CallingConfig()
    if calling.stream_function_call_arguments:
        knobs["toolConfig.functionCallingConfig.streamFunctionCallArguments"] = True
    mode = (calling.mode or "").upper()
    if mode == "VALIDATED":
        knobs["toolConfig.functionCallingConfig.mode"] = mode
    names = wire.listed(calling.allowed_function_names)
    if names:
        declared = [function for function in declared if function.name in names]
    return _choice(mode, names), tuple(_tool(function) for function in declared)


def _choice(mode: str, names: list[str]) -> ToolChoice | None:
    if mode == "ANY":
        return ToolChoice(mode="named", name=names[0]) if len(names) == 1 else ToolChoice(mode="required")
    if mode == "NONE":
        return ToolChoice(mode="none")
    return ToolChoice(mode="auto") if mode in ("AUTO", "VALIDATED") else None


def _tool(function: wire.FunctionDeclaration) -> ToolSpec:
    parameters = function.parameters_json_schema
    if not isinstance(parameters, dict):
        parameters = None if function.parameters is None else json_schema(function.parameters)
    return ToolSpec(name=function.name, description=function.description or "", parameters=parameters)


def _web_search(request: wire.Generate) -> WebSearch:
    """Google takes domains to leave out; none to keep to."""
    blocked: list[str] = []
    for tool in wire.listed(request.tools):
        excluded = (tool.google_search or {}).get("excludeDomains")
        blocked += [domain for domain in excluded or () if isinstance(domain, str)]
    return WebSearch(blocked_domains=tuple(blocked))


# ---- output ---------------------------------------------------------------------------------------------------------


def _format(config: wire.GenerationConfig) -> ResponseFormat | None:
    mime, schema, where = config.response_mime_type or "", config.response_json_schema, "responseMimeType"
    if not isinstance(schema, dict):
        schema = None if config.response_schema is None else json_schema(config.response_schema)
    for wanted in wire.listed(config.response_format):
        if wanted.audio or wanted.image or wanted.video:
            raise _lane_only("generationConfig.responseFormat")
        if wanted.text is not None:
            mime, where = (wanted.text.mime_type or "").lower().replace("_", "/"), "responseFormat"
            schema = wanted.text.schema if wanted.text.schema is not None else wanted.text.json_schema
            schema = json_schema(schema) if isinstance(schema, dict) else None
    if mime not in ("", "text/plain", "application/json"):
        raise _lane_only(f"generationConfig.{where}")  # text/x.enum: an answer without quotes, held to a list
    if schema is None:
        return ResponseFormat(kind="json_object") if mime == "application/json" else None
    closed = enforceable(schema)
    return ResponseFormat(kind="json_schema", schema=schema if closed is None else closed, is_strict=closed is not None)


# ---- conversation ---------------------------------------------------------------------------------------------------


class _Conversation:
    """Reads the contents in their order; remembers which calls still wait for their results."""

    def __init__(self, detail: str) -> None:
        self._detail = detail
        self._calls = 0
        self._open: list[tuple[str, str]] = []  # id and name of calls without a result
        self._messages: list[Message] = []
        self._thought = ""  # of thoughts whose end has not come: clients may keep a stream's pieces as they were

    def read(self, request: wire.Generate) -> tuple[Message, ...]:
        if request.system_instruction is not None:
            self._read_system(wire.listed(request.system_instruction.parts))
        said: list[Part] = []
        contents = wire.listed(request.contents)
        for index, content in enumerate(contents):
            parts = wire.listed(content.parts)
            if (content.role or "user").lower() != "model":
                self._read_user(parts, f"contents[{index}]")
                continue
            for position, part in enumerate(parts):
                self._read_model(part, said, f"contents[{index}].parts[{position}]")
            following = contents[index + 1] if index + 1 < len(contents) else None
            if following is None or (following.role or "user").lower() != "model":
                self._end_thought(said)  # several contents of the model in a row are one turn of it
                if said:
                    self._messages.append(Message(role="assistant", parts=tuple(said)))
                said = []
        return tuple(self._messages)

    def _read_system(self, parts: list[wire.Part]) -> None:
        if any(part.text is None for part in parts):
            raise _lane_only("systemInstruction.parts")  # pictures and the like
        text = tuple([TextPart(text=part.text) for part in parts if part.text])
        if text:
            self._messages.append(Message(role="system", parts=text))

    def _read_user(self, parts: list[wire.Part], param: str) -> None:
        read: list[Part] = []
        for position, part in enumerate(parts):
            where = f"{param}.parts[{position}]"
            if part.function_response is not None:
                read.append(self._result(part.function_response, where))
            elif part.text:
                read.append(TextPart(text=part.text))
            else:
                found = self._media(part, where)
                if found is not None:
                    read.append(found)
        if read:
            is_result = all(isinstance(part, ToolResultPart) for part in read)
            self._messages.append(Message(role="tool" if is_result else "user", parts=tuple(read)))

    def _read_model(self, part: wire.Part, said: list[Part], where: str) -> None:
        signature = part.thought_signature
        if part.thought:
            self._thought += part.text or ""
        # A seal ends the thought before it, also where a client moved it to the next part, as Google has signatures.
        sealed = _unsealed(signature, self._thought)
        if sealed is not None:
            said.append(sealed)
            self._thought = ""
        if part.thought:
            if signature and sealed is None:
                said.append(ReasoningPart(text=self._thought, signature=signature, is_summary=True, origin=HOME))
                self._thought = ""
            return
        self._end_thought(said)
        if signature and sealed is None and signature not in _STAND_INS:
            said.append(ReasoningPart(text="", signature=signature, origin=HOME))
        if part.text:
            last = said[-1] if said else None
            if isinstance(last, TextPart):
                said[-1] = TextPart(text=last.text + part.text)  # pieces of a stream
            else:
                said.append(TextPart(text=part.text))
        elif part.function_call is not None:
            said.append(self._call(part.function_call))
        elif part.function_response is not None:
            raise InvalidRequest(f"`{where}.functionResponse` belongs into a content of role user", param=where)
        elif part.text is None:
            found = self._media(part, where)
            if found is not None:
                said.append(found)

    def _end_thought(self, said: list[Part]) -> None:
        if self._thought:
            said.append(ReasoningPart(text=self._thought, is_summary=True, origin=HOME))
            self._thought = ""

    def _call(self, call: wire.FunctionCall) -> ToolCallPart:
        self._calls += 1
        name = call.name or ""
        call_id = call.id or f"call_{self._calls}"
        self._open.append((call_id, name))
        return ToolCallPart(id=call_id, name=name, arguments=write(call.args or {}).decode())

    def _result(self, result: wire.FunctionResponse, where: str) -> ToolResultPart:
        name = result.name or ""
        found = next((call for call in self._open if call[0] == result.id), None) if result.id else None
        if found is None:
            found = next((call for call in self._open if call[1] == name), None)
        if found is not None:
            self._open.remove(found)
        elif not result.id:
            raise InvalidRequest(
                f"`{where}.functionResponse` answers no call of that name; send the model's call before it", param=where
            )
        text, is_error = _result_text(result.response or {})
        parts: list[TextPart | ImagePart | DocumentPart] = [TextPart(text=text)] if text else []
        for position, piece in enumerate(wire.listed(result.parts)):
            media = self._media(
                wire.Part(inline_data=piece.inline_data, file_data=piece.file_data),
                f"{where}.functionResponse.parts[{position}]",
            )
            if isinstance(media, ImagePart | DocumentPart):
                parts.append(media)
            elif media is not None:
                raise _lane_only(f"{where}.functionResponse.parts[{position}]")
        return ToolResultPart(
            call_id=found[0] if found is not None else result.id or "", parts=tuple(parts), name=name, is_error=is_error
        )

    def _media(self, part: wire.Part, where: str) -> ImagePart | DocumentPart | AudioPart | None:
        if part.inline_data is not None:
            return self._inline(part.inline_data, part, f"{where}.inlineData")
        if part.file_data is not None:
            return self._file(part.file_data, part, f"{where}.fileData")
        for kind, value in (
            ("executableCode", part.executable_code),
            ("codeExecutionResult", part.code_execution_result),
            ("toolCall", part.tool_call),
            ("toolResponse", part.tool_response),
        ):
            if value is not None:
                raise _lane_only(f"{where}.{kind}")
        return None

    def _inline(self, blob: wire.Blob, part: wire.Part, where: str) -> ImagePart | DocumentPart | AudioPart:
        media_type, data = (blob.mime_type or "").lower(), standard_base64(blob.data)
        match media_type.partition("/")[0]:
            case "image":
                return ImagePart(data=data, media_type=media_type, detail=self._detail_of(part))
            case "audio":
                return AudioPart(data=data, media_type=media_type)
            case "video":
                raise _lane_only(where)
            case "text":
                try:
                    text = b64decode(data, validate=True).decode()
                except ValueError as error:
                    raise InvalidRequest(
                        f"`{where}.data` must be UTF-8 text in base64", param=f"{where}.data"
                    ) from error
                return DocumentPart(text=text, media_type=media_type, title=blob.display_name or "")
            case _:
                return DocumentPart(data=data, media_type=media_type, title=blob.display_name or "")

    def _file(self, file: wire.FileData, part: wire.Part, where: str) -> ImagePart | DocumentPart:
        media_type, uri = (file.mime_type or "").lower(), file.file_uri
        url, file_id = ("", uri) if uri.startswith(_OWN_FILES) else (uri, "")
        kind = media_type.partition("/")[0]
        if kind == "image":
            return ImagePart(url=url, file_id=file_id, media_type=media_type, detail=self._detail_of(part))
        if kind in ("audio", "video") or any(host in uri for host in _FILM_HOSTS):
            raise _lane_only(where)
        return DocumentPart(url=url, file_id=file_id, media_type=media_type, title=file.display_name or "")

    def _detail_of(self, part: wire.Part) -> str:
        resolution = part.media_resolution
        level = resolution.get("level") if isinstance(resolution, Mapping) else None
        return _DETAILS.get(level, self._detail) if isinstance(level, str) else self._detail


def standard_base64(data: str) -> str:
    """Google's clients write the alphabet for addresses; others know only the usual one."""
    if "-" in data or "_" in data:
        data = data.replace("-", "+").replace("_", "/")
    return data + "=" * (-len(data) % 4)


def _unsealed(signature: str | None, text: str) -> ReasoningPart | None:
    """The thought of another vendor that `signature` holds; None for Google's own."""
    if not signature or not signature.startswith(_SEALED):
        return None
    try:
        sealed = b64decode(standard_base64(signature)).decode("ascii")
    except ValueError:
        return None
    return unseal(sealed, text) if sealed.startswith(PREFIX) else None


def _result_text(response: Mapping[str, Any]) -> tuple[str, bool]:  # Any: the client's JSON
    """The result as text, and whether it is an error; a lone `output` (the client library's `result`) is the text."""
    if len(response) == 1:
        ((key, value),) = response.items()
        if key in ("output", "result", "error"):
            return value if isinstance(value, str) else write(value).decode(), key == "error"
    return write(response).decode(), "error" in response and "output" not in response
