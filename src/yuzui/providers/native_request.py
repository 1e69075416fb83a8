"""What codecs of vendors with a wire of their own do alike on the way up: refuse, report, unfold turns, write tools."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from typing_extensions import override

from yuzui.core.answers import RerankRequest
from yuzui.core.chat import (
    AudioPart,
    ChatRequest,
    DocumentPart,
    Feature,
    ImagePart,
    Meaning,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)
from yuzui.core.custom_tools import as_function, loses_grammar, wrap
from yuzui.core.errors import InvalidRequest, UnsupportedFeature
from yuzui.core.reasoning import may_return
from yuzui.core.target import Target
from yuzui.providers import openai_request
from yuzui.providers._contract import WireRequest
from yuzui.providers.openai_rerank import DOCUMENTS_PER_SEARCH, RerankWire

Block = dict[str, Any]  # Any: JSON values, about to be encoded

FIELDS: Final[Mapping[Feature, str]] = {
    "n": "n",
    "logprobs": "logprobs",
    "audio": "audio",
    "web_search": "web_search_options",
    "server_tools": "tools",
    "files": "messages",
    "images": "messages",
    "json_schema": "response_format",
    "tools": "tools",
}
"""The field that asks for a feature, in OpenAI's words."""
INVALID_ARGUMENTS: Final = "invalid_arguments"
"""Where the text of a call's arguments goes that are no JSON object, where they must be one: the model may look."""
_FIELD_NAME: Final = re.compile(r"[A-Za-z0-9_.$-]{1,64}")
_read_object = msgspec.json.Decoder(dict[str, Any]).decode  # Any: JSON values
_NO_PARAMETERS: Final[Mapping[str, Any]] = {"type": "object", "properties": {}}  # Any: a JSON schema


class Dropped(openai_request.Dropped):
    """The names of what was left out, fit for a header: unknown ones are the client's text."""

    __slots__ = ()

    @override
    def __call__(self, name: str) -> None:
        super().__call__(name if _FIELD_NAME.fullmatch(name) else "unknown_field")


def unsupported(what: str, field: str) -> UnsupportedFeature:
    """`what` the target cannot do, and the client's `field` that asks for it."""
    return UnsupportedFeature(f"this target {what}; leave `{field}` out or choose another model", param=field)


def refuse_features(request: ChatRequest, lacks: Iterable[Feature]) -> None:
    """Raise `UnsupportedFeature` for the first of `lacks` that `request` needs."""
    for feature in lacks:
        if feature in request.features or (feature == "n" and request.n > 1):
            raise unsupported(f"has no {feature.replace('_', ' ')}", FIELDS[feature])


def ranking_of(request: ChatRequest) -> RerankRequest:
    """`request`, when it is a reranking; raise `UnsupportedFeature` otherwise."""
    if not isinstance(request, RerankRequest):
        raise UnsupportedFeature("this target's model ranks documents only; send a query and documents", param="model")
    return request


def searches_of(wire: WireRequest | None) -> int:
    """Searches of a reranking as vendors count them: one for each hundred documents begun."""
    return -(-wire.count // DOCUMENTS_PER_SEARCH) if isinstance(wire, RerankWire) else 1


def limit_of(request: ChatRequest, output_cap: int | None) -> int | None:
    """The most tokens that may be written: the client's bound, or the budget's when the client set none."""
    return output_cap if request.max_output_tokens is None else request.max_output_tokens


def drop_caches(meaning: Meaning, dropped: Dropped) -> None:
    """Report marks for a vendor's cache where it has none, or keeps one by itself."""
    parts = [part for message in meaning.messages for part in message.parts]
    parts += [piece for part in parts if isinstance(part, ToolResultPart) for piece in part.parts]
    if any(getattr(marked, "cache", "") for marked in (*meaning.tools, *parts)):
        dropped("cache_control")


# ---- turns ----------------------------------------------------------------------------------------------------------


def unfold(messages: tuple[Message, ...]) -> list[Message]:
    """Messages in which each tool result stands alone, in text; its pictures follow in a turn of the user.

    Most wires hold text only in a tool's turn, and want all results of one turn directly behind the calls.
    """
    out: list[Message] = []
    pictures: list[Part] = []
    for message in messages:
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        if not results:
            _show(pictures, out)
            out.append(message)
            continue
        for result in results:
            kept = tuple([part for part in result.parts if not isinstance(part, ImagePart)])
            shown = [part for part in result.parts if isinstance(part, ImagePart)]
            if shown:
                pictures.append(TextPart(text=f"[from the tool call {result.call_id}]"))
                pictures += shown
            out.append(Message(role="tool", parts=(replace(result, parts=kept) if shown else result,)))
        rest = [part for part in message.parts if not isinstance(part, ToolResultPart)]
        if rest:
            out.append(Message(role="user", parts=(*pictures, *rest), name=message.name))
            pictures.clear()
    _show(pictures, out)
    return out


def _show(pictures: list[Part], out: list[Message]) -> None:
    if pictures:
        out.append(Message(role="user", parts=tuple(pictures)))
        pictures.clear()


def system_first(messages: list[Message]) -> tuple[list[Part], list[Message]]:
    """All instructions, in their order, and the turns without them: for wires that take instructions in front only.

    A rule that loses its authority is worse than one that moves forward.
    """
    system: list[Part] = []
    turns: list[Message] = []
    for message in messages:
        if message.role in ("system", "developer"):
            system += message.parts
        else:
            turns.append(message)
    return system, turns


def result_of(message: Message) -> ToolResultPart:
    """The one result of an unfolded message of the role `tool`."""
    part = message.parts[0]
    assert isinstance(part, ToolResultPart)  # `unfold` makes no other
    return part


def text_of(parts: Iterable[Part]) -> str:
    """The text of parts; thoughts and calls are none. Raise `UnsupportedFeature` for parts that no text can say."""
    return "".join([_text(part) for part in parts])


def _text(part: Part) -> str:
    if isinstance(part, TextPart):
        return part.text
    if isinstance(part, ReasoningPart | ToolCallPart):
        return ""
    if isinstance(part, DocumentPart):
        return document_text(part)
    raise unsayable(part)


def document_text(part: DocumentPart) -> str:
    """A plain-text document as text with its title; raise `UnsupportedFeature` for any other."""
    if not part.text:
        raise unsayable(part)
    head = "\n".join([said for said in (part.title, part.context) if said])
    return f"{head}\n\n{part.text}" if head else part.text


def unsayable(part: Part) -> UnsupportedFeature:
    """The refusal of a part that has no place in a message here."""
    match part:
        case ImagePart():
            what = "an image here"
        case DocumentPart():
            what = "a file of this kind"
        case AudioPart():
            what = "sound"
        case OpaquePart(kind=kind):
            what = f"a content part of type {kind[:40]!r}"
        case _:
            what = f"a {type(part).__name__} here"
    return UnsupportedFeature(f"this target cannot take {what}; remove it or choose another model", param="messages")


def image_url(part: ImagePart) -> str:
    """Its address, or its bytes as a data URL; raise `UnsupportedFeature` for a vendor's file id."""
    if part.data:
        return f"data:{part.media_type};base64,{part.data}"
    if not part.url:
        raise UnsupportedFeature("this target does not know the image's file_id; send its bytes", param="messages")
    return part.url


def thoughts_of(message: Message, target: Target, dropped: Dropped) -> list[ReasoningPart]:
    """What may return to `target` of what was thought in `message`; the rest is reported."""
    kept = []
    for part in message.parts:
        if isinstance(part, ReasoningPart):
            if part.text and not part.redacted and may_return(part, target.provider):
                kept.append(part)
            else:
                dropped("reasoning")
    return kept


# ---- tools ----------------------------------------------------------------------------------------------------------


def write_tools(tools: Sequence[ToolSpec], dropped: Dropped, *, knows_strict: bool = False) -> list[Block]:
    """Functions in the shape that OpenAI gave them and most vendors took over; a schema is always there.

    `knows_strict`: the vendor holds to a schema where it is asked to, by whatever switch.
    """
    if any(loses_grammar(tool) for tool in tools):
        dropped("tools.format")
    if not knows_strict and any(tool.is_strict for tool in tools):
        dropped("tools.strict")
    return [_write_tool(as_function(tool)) for tool in tools]


def _write_tool(tool: ToolSpec) -> Block:
    function: Block = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = _NO_PARAMETERS if tool.parameters is None else tool.parameters
    return {"type": "function", "function": function}


def write_calls(message: Message) -> list[Block]:
    """The calls of an assistant's message in OpenAI's shape: arguments are JSON text, never empty."""
    return [
        {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": arguments_of(part)}}
        for part in message.parts
        if isinstance(part, ToolCallPart)
    ]


def arguments_of(part: ToolCallPart) -> str:
    """JSON text of the call's arguments; an empty text is how some models call without any."""
    return wrap(part.arguments) if part.is_custom else part.arguments or "{}"


def arguments_object(part: ToolCallPart) -> Block:
    """The call's arguments where they must be an object; text that is none stands in one, for the model to see."""
    text = arguments_of(part)
    if not text.strip():
        return {}  # how several vendors spell a call without arguments
    try:
        return _read_object(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return {INVALID_ARGUMENTS: text}


def call_id_in(allowed: re.Pattern[str], call_id: str) -> str:
    """`call_id` where the vendor's pattern allows it; otherwise a stand-in that is the same for call and result."""
    if allowed.fullmatch(call_id):
        return call_id
    return "call_" + hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def named_tool(meaning: Meaning) -> tuple[ToolSpec, ...]:
    """The one tool that the client names in `tool_choice`; raise `InvalidRequest` when it is not among `tools`."""
    choice = meaning.tool_choice
    found = tuple([tool for tool in meaning.tools if choice is not None and tool.name == choice.name])
    if not found:
        raise InvalidRequest("`tool_choice` names a tool that is not in `tools`; add it", param="tool_choice")
    return found


# ---- knobs ----------------------------------------------------------------------------------------------------------


def clamp(name: str, value: float, low: float, high: float, dropped: Dropped) -> float:
    """`value` inside the vendor's scale; reported when that changes it by more than a hair."""
    inside = min(max(value, low), high)
    if abs(inside - value) > 0.011:  # 1.0 on a scale that ends at 0.99 is no news
        dropped(name)
    return inside


def write_knobs(body: Block, meaning: Meaning, known: Mapping[str, str], dropped: Dropped) -> None:
    """The client's knobs under the vendor's names, as `known` tells them; the others are reported."""
    for name, value in meaning.knobs.items():
        if value is None:
            continue
        told = known.get(name)
        if told is None:
            dropped(name)
        elif told:  # "" is for what says nothing (`stream_options`) or is said elsewhere
            body[told] = value


def pass_knobs(body: Block, knobs: Mapping[str, Any], known: Container[str], dropped: Dropped) -> None:  # Any: JSON
    """The client's `knobs` that the vendor knows by the same names; the others are reported."""
    for name, value in knobs.items():
        if name in known:
            body[name] = value
        else:
            dropped(name)
