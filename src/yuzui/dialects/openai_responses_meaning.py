"""What a Responses body means, in the words of `core.chat`; built only to be said in another dialect.

* Items of the model that follow each other (thoughts, texts, calls) are one turn of the assistant.
* `instructions` are a system message in front of everything.
* Tools in a namespace are called `namespace__name` elsewhere, see `openai_responses_tools`.
* A `web_search_call` in the input is a record of a search whose findings stand in the text behind it: it is left out
  and reported. What other server tools did can only be said on the same-dialect lane.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, assert_never

from yuzui.core.chat import (
    AudioPart,
    CacheLifetime,
    Citation,
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
from yuzui.core.reasoning import unseal
from yuzui.dialects import openai_responses_wire as wire
from yuzui.dialects.openai_responses_request import FIELDS, LOGPROBS, WEB_SEARCH, read
from yuzui.dialects.openai_responses_tools import JOINT, hub_name

HOME: Final = "openai"
"""Where encrypted thoughts come from that carry no seal of ours: its models, which are met on the lane only, so that
nobody who reads this meaning can take them."""
_ALWAYS_THERE: Final = frozenset(
    ("reasoning.encrypted_content", "message.input_image.image_url", "computer_call_output.output.image_url")
)
"""What `include` may ask for without missing anything: thoughts always come back, and the rest repeats the input."""
_MEDIA_TYPES: Final = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "json": "application/json",
    "html": "text/html",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""By the ending of a file's name, for files that do not say it themselves."""


class MeaningReader:
    """The meaning of a body that `parse` accepts; raise `UnsupportedFeature` for what only the lane can carry.

    A body that nobody replaced since is not read a second time.
    """

    __slots__ = ("_asked", "_body")

    def __init__(self, body: Mapping[str, Any], asked: wire.WireResponses) -> None:  # Any: checked JSON
        self._body = body
        self._asked = asked

    def __call__(self, body: Mapping[str, Any]) -> Meaning:  # Any: checked JSON
        return _meaning(body, self._asked if body is self._body else read(body))


def _meaning(body: Mapping[str, Any], asked: wire.WireResponses) -> Meaning:  # Any: checked JSON
    _refuse_lane_only(asked)
    lost: set[str] = set()
    if asked.include is not None and not _ALWAYS_THERE.issuperset(asked.include):
        lost.add("include")
    tools, search = _tools(asked, lost)
    choice = _tool_choice(asked.tool_choice, tools)
    if isinstance(asked.tool_choice, wire.Choice) and asked.tool_choice.type == "allowed_tools":
        tools, search = _allowed(asked.tool_choice, tools, search)
    turns = _Turns(lost)
    if asked.instructions:
        turns.messages.append(Message(role="system", parts=(TextPart(text=asked.instructions),)))
    if isinstance(asked.input, str):
        turns.messages.append(Message(role="user", parts=(TextPart(text=asked.input),)))
    elif asked.input:
        turns.read(asked.input)
    options = asked.reasoning or wire.ReasoningOptions()
    return Meaning(
        messages=tuple(turns.messages),
        tools=tools,
        tool_choice=choice,
        response_format=_response_format(turns.format or (asked.text.format if asked.text else None)),
        temperature=asked.temperature,
        top_p=asked.top_p,
        parallel_tool_calls=asked.parallel_tool_calls,
        reasoning_effort=turns.effort or options.effort,
        wants_thoughts=True if options.summary or options.generate_summary else None,
        web_search=search,
        user=asked.user,
        knobs=_knobs(body, asked, lost),
    )


def _refuse_lane_only(asked: wire.WireResponses) -> None:
    if asked.prompt is not None:
        raise UnsupportedFeature(
            "`prompt` names a template in its vendor's storage, which this target cannot read; send its text as "
            "`instructions` and `input`",
            param="prompt",
        )
    if asked.top_logprobs or LOGPROBS in (asked.include or ()):
        param = "top_logprobs" if asked.top_logprobs else "include"
        raise UnsupportedFeature(
            f"`{param}`: this target's probabilities of tokens cannot be told in this API; leave it out", param=param
        )


def _knobs(body: Mapping[str, Any], asked: wire.WireResponses, lost: set[str]) -> dict[str, object]:  # Any: JSON
    knobs: dict[str, object] = {
        name: value
        for name, value in body.items()
        if value is not None and FIELDS.get(name, "knob") == "knob"  # a vendor's own field must be reported too
    }
    if asked.truncation == "disabled":
        del knobs["truncation"]  # which is what everybody else does
    if asked.text is not None and asked.text.verbosity is not None:
        knobs["verbosity"] = asked.text.verbosity
    if asked.reasoning is not None:
        if asked.reasoning.mode not in (None, "standard"):
            knobs["reasoning.mode"] = asked.reasoning.mode
        if asked.reasoning.context not in (None, "auto"):
            knobs["reasoning.context"] = asked.reasoning.context
    for name in sorted(lost):
        knobs[name] = True
    return knobs


# ---- the conversation ----------------------------------------------------------------------------------------------


class _Turns:
    """Collects what the model said until somebody else speaks."""

    def __init__(self, lost: set[str]) -> None:
        self.messages: list[Message] = []
        self.effort: str | None = None
        self.format: wire.Format | None = None
        self._lost = lost
        self._said: list[Part] = []
        self._thoughts: list[Part] = []  # they belong to what comes behind them
        self._has_text = False
        self._has_calls = False

    def read(self, items: list[wire.Item]) -> None:
        for index, item in enumerate(items):
            match item:
                case wire.Message():
                    self._say(item)
                case wire.FunctionCall():
                    self._call(item.call_id, hub_name(item.name, item.namespace), item.arguments, is_custom=False)
                case wire.FunctionOutput() | wire.CustomOutput():
                    self._end_turn()
                    self.messages.append(self._result(item, index))
                case wire.Reasoning():
                    self._think(item)
                case wire.CustomCall():
                    self._call(item.call_id, hub_name(item.name, item.namespace), item.input, is_custom=True)
                case wire.ConfigurationUpdate():
                    self._configure(item)
                case wire.AdditionalTools():
                    pass  # told with the other tools
                case wire.ItemReference():
                    raise InvalidRequest(
                        f"`input[{index}].id` names an item that is not kept here; send the item itself",
                        param=f"input[{index}].id",
                    )
                case wire.OpaqueItem(kind="web_search_call"):
                    self._lost.add("web_search_call")
                case wire.OpaqueItem():
                    raise UnsupportedFeature(
                        f"`input[{index}]`: this target cannot read an item of type {item.kind}; remove it",
                        param=f"input[{index}]",
                    )
                case _:
                    assert_never(item)
        self._end_turn()

    def _say(self, item: wire.Message) -> None:
        if item.role != "assistant":
            self._end_turn()
            self.messages.append(Message(role=item.role, parts=self._parts(item.content)))
            return
        if self._has_text and not self._has_calls:  # two messages in a row stay two
            said, self._said = self._said, []
            self.messages.append(Message(role="assistant", parts=tuple(said)))
        if item.phase is not None:
            self._lost.add("phase")
        self._said += self._thoughts
        self._said += self._parts(item.content)
        self._thoughts = []
        self._has_text = True

    def _think(self, item: wire.Reasoning) -> None:
        thought = _thought(item)
        if thought.text or thought.signature or thought.redacted:
            self._thoughts.append(thought)
        else:  # some clients send back the shell of a raw thought only
            self._lost.add("reasoning.content")

    def _call(self, call_id: str, name: str, arguments: str, *, is_custom: bool) -> None:
        self._said += self._thoughts
        self._thoughts = []
        self._said.append(ToolCallPart(id=call_id, name=name, arguments=arguments, is_custom=is_custom))
        self._has_calls = True

    def _end_turn(self) -> None:
        if self._said or self._thoughts:
            self.messages.append(Message(role="assistant", parts=(*self._said, *self._thoughts)))
            self._said, self._thoughts = [], []
            self._has_text = self._has_calls = False

    def _configure(self, item: wire.ConfigurationUpdate) -> None:
        if item.reasoning is not None and item.reasoning.effort is not None:
            self.effort = item.reasoning.effort
        if item.text is not None and item.text.format is not None:
            self.format = item.text.format

    def _result(self, item: wire.FunctionOutput | wire.CustomOutput, index: int) -> Message:
        if item.call_id is None:
            raise UnsupportedFeature(
                f"`input[{index}].call_id` is missing; this target needs to know which call is answered",
                param=f"input[{index}].call_id",
            )
        kept = []
        for part in self._parts(item.output):
            if not isinstance(part, TextPart | ImagePart | DocumentPart):
                raise UnsupportedFeature(
                    f"`input[{index}].output`: a tool's result can hold text, images and files",
                    param=f"input[{index}].output",
                )
            kept.append(part)
        name = item.name if isinstance(item, wire.FunctionOutput) else None
        return Message(role="tool", parts=(ToolResultPart(call_id=item.call_id, parts=tuple(kept), name=name or ""),))

    def _parts(self, content: wire.Content) -> tuple[Part, ...]:
        if isinstance(content, str):
            return (TextPart(text=content),) if content else ()
        return tuple([self._part(part) for part in content])

    def _part(self, part: wire.ContentPart) -> Part:
        match part:
            case wire.TextPart():
                return TextPart(text=part.text, cache=_lifetime(part.prompt_cache_breakpoint))
            case wire.OutputText():
                return TextPart(text=part.text, citations=_citations(part.annotations))
            case wire.Refusal():
                return TextPart(text=part.refusal)
            case wire.ImagePart():
                return _image(part)
            case wire.FilePart():
                if part.detail not in (None, "auto"):
                    self._lost.add("input_file.detail")
                return _document(part)
            case wire.AudioPart(input_audio=audio):
                return AudioPart(data=audio.data, media_type=f"audio/{audio.format}")
            case _:
                assert_never(part)


def _thought(item: wire.Reasoning) -> ReasoningPart:
    """A thought of ours is sealed; of another one only its vendor knows what it says."""
    content = "".join([said.text for said in item.content or ()])
    sealed = item.encrypted_content or ""
    if sealed:
        found = unseal(sealed, content or "".join([said.text for said in item.summary or ()]))
        if found is not None:
            return found
    summary = "\n\n".join([said.text for said in item.summary or ()])
    return ReasoningPart(
        text=content or summary,
        redacted=sealed,
        id=item.id or "",
        is_summary=not content,
        origin=HOME if sealed else "",
    )


def _image(part: wire.ImagePart) -> ImagePart:
    cache, detail, url = _lifetime(part.prompt_cache_breakpoint), part.detail or "", part.image_url
    if url is None:
        return ImagePart(file_id=part.file_id or "", detail=detail, cache=cache)
    head, comma, data = url.partition(";base64,")
    if comma and head.startswith("data:"):
        return ImagePart(data=data, media_type=head.removeprefix("data:"), detail=detail, cache=cache)
    return ImagePart(url=url, detail=detail, cache=cache)


def _document(part: wire.FilePart) -> DocumentPart:
    """`file_data` is a data URL, or base64 whose type only the file's name tells."""
    cache, title = _lifetime(part.prompt_cache_breakpoint), part.filename or ""
    given = part.file_data if part.file_data is not None else part.file_url
    if given is None:
        return DocumentPart(file_id=part.file_id or "", title=title, cache=cache)
    if given.startswith("data:"):
        head, _, data = given.partition(";base64,")
        return DocumentPart(data=data, media_type=head.removeprefix("data:"), title=title, cache=cache)
    media_type = _MEDIA_TYPES.get(title.rpartition(".")[2].lower(), "")
    if part.file_data is None:
        return DocumentPart(url=given, media_type=media_type, title=title, cache=cache)
    return DocumentPart(data=given, media_type=media_type, title=title, cache=cache)


def _lifetime(breakpoint: wire.CacheBreakpoint | None) -> CacheLifetime:
    """A breakpoint keeps the prompt for 30 minutes at least: an hour is the shortest lifetime elsewhere that does."""
    return "" if breakpoint is None else "1h"


def _citations(annotations: list[wire.Annotation] | None) -> tuple[Citation, ...]:
    if not annotations:
        return ()
    return tuple(
        Citation(
            url=said.url or "",
            title=said.title or said.filename or "",
            file_id=said.file_id or "",
            start=said.start_index,
            end=said.end_index,
        )
        for said in annotations
        if said.url or said.file_id
    )


# ---- tools ---------------------------------------------------------------------------------------------------------


def _tools(asked: wire.WireResponses, lost: set[str]) -> tuple[tuple[ToolSpec, ...], WebSearch | None]:
    found: list[ToolSpec] = []
    search: WebSearch | None = None
    for param, tool in _all_tools(asked):
        match tool:
            case wire.FunctionTool() | wire.CustomTool():
                found.append(_tool(tool, None, lost))
            case wire.NamespaceTool():
                found += [_tool(one, tool, lost) for one in tool.tools]
            case wire.WebSearchTool():
                search = _web_search(tool, asked.max_tool_calls, param, lost)
            case wire.OpaqueTool(kind=kind):
                raise UnsupportedFeature(
                    f"`{param}`: {kind} is a tool that the vendor runs itself, and this target does not; remove it, or "
                    "offer a function",
                    param=param,
                )
            case _:
                assert_never(tool)
    names = {tool.name for tool in found}
    if len(names) < len(found):
        raise InvalidRequest("`tools`: two tools have the same name; rename one", param="tools")
    return tuple(found), search


def _all_tools(asked: wire.WireResponses) -> list[tuple[str, wire.Tool]]:
    """Each tool, and where it stands."""
    found = [(f"tools[{index}]", tool) for index, tool in enumerate(asked.tools or ())]
    if isinstance(asked.input, list):
        for at, item in enumerate(asked.input):
            if isinstance(item, wire.AdditionalTools):
                found += [(f"input[{at}].tools[{index}]", tool) for index, tool in enumerate(item.tools)]
    return found


def _tool(tool: wire.FunctionTool | wire.CustomTool, space: wire.NamespaceTool | None, lost: set[str]) -> ToolSpec:
    if tool.is_async:
        lost.add("tools.async")
    if tool.defer_loading:
        lost.add("tools.defer_loading")
    if tool.allowed_callers is not None and tool.allowed_callers != ["direct"]:
        lost.add("tools.allowed_callers")
    name, description = tool.name, tool.description or ""
    if space is not None:
        name = hub_name(name, space.name)
        description = "\n\n".join(filter(None, (space.description, description)))
    if isinstance(tool, wire.CustomTool):
        grammar = tool.format if tool.format is not None and tool.format.get("type") == "grammar" else None
        return ToolSpec(name=name, description=description, is_custom=True, grammar=grammar)
    if tool.output_schema is not None:
        lost.add("tools.output_schema")
    return ToolSpec(name=name, description=description, parameters=tool.parameters, is_strict=bool(tool.strict))


def _web_search(tool: wire.WebSearchTool, most: int | None, param: str, lost: set[str]) -> WebSearch:
    if tool.external_web_access is False:
        raise UnsupportedFeature(
            f"`{param}.external_web_access`: this target can only search the live web; remove it",
            param=f"{param}.external_web_access",
        )
    if tool.search_content_types is not None and tool.search_content_types != ["text"]:
        lost.add("tools.search_content_types")
    filters, place = tool.filters, tool.user_location
    where = {} if place is None else {name: getattr(place, name) for name in place.__struct_fields__}
    return WebSearch(
        allowed_domains=tuple(filters.allowed_domains or ()) if filters else (),
        blocked_domains=tuple(filters.blocked_domains or ()) if filters else (),
        most_uses=most,
        context_size=tool.search_context_size or "",
        location={name: value for name, value in where.items() if value},
    )


def _tool_choice(choice: str | wire.Choice | None, tools: tuple[ToolSpec, ...]) -> ToolChoice | None:
    match choice:
        case None:
            return None
        case "auto" | "none" | "required":
            return ToolChoice(mode=choice)
        case wire.Choice(type="allowed_tools"):
            return ToolChoice(mode=choice.mode or "auto")
        case wire.Choice(type="function" | "custom", name=str() as name):
            return ToolChoice(mode="named", name=_known_name(name, tools))
        case _:
            raise UnsupportedFeature(
                "`tool_choice` names a tool that the vendor runs itself; name a function, or send auto",
                param="tool_choice",
            )


def _known_name(name: str, tools: tuple[ToolSpec, ...]) -> str:
    """The name that targets know: a tool of a namespace is chosen by its own name."""
    names = [tool.name for tool in tools]
    if name in names:
        return name
    inside = [known for known in names if known.endswith(JOINT + name)]
    return inside[0] if len(inside) == 1 else name


def _allowed(
    choice: wire.Choice, tools: tuple[ToolSpec, ...], search: WebSearch | None
) -> tuple[tuple[ToolSpec, ...], WebSearch | None]:
    allowed = choice.tools or []
    names = {_known_name(one.name, tools) for one in allowed if one.name is not None and one.type != "namespace"}
    spaces = tuple(f"{one.name}{JOINT}" for one in allowed if one.type == "namespace")
    kept = tuple(tool for tool in tools if tool.name in names or tool.name.startswith(spaces))
    return kept, search if any(one.type in WEB_SEARCH for one in allowed) else None


# ---- output --------------------------------------------------------------------------------------------------------


def _response_format(wanted: wire.Format | None) -> ResponseFormat | None:
    match wanted:
        case None:
            return None
        case wire.TextFormat():
            return ResponseFormat(kind="text")
        case wire.JsonObjectFormat():
            return ResponseFormat(kind="json_object")
        case wire.JsonSchemaFormat():
            return ResponseFormat(
                kind="json_schema",
                name=wanted.name,
                description=wanted.description or "",
                schema=wanted.schema,
                is_strict=bool(wanted.strict),
            )
        case _:
            assert_never(wanted)
