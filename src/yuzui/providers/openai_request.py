"""Writes a request that arrived in another dialect as a chat-completions body, from its meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, assert_never

from yuzui.core.chat import (
    AudioPart,
    ChatRequest,
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
from yuzui.core.custom_tools import as_function, loses_grammar, wrap
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.reasoning import may_return
from yuzui.core.target import Quirks, Target

KNOBS: Final = frozenset(
    (
        "frequency_penalty",
        "logit_bias",
        "metadata",
        "presence_penalty",
        "prompt_cache_key",
        "safety_identifier",
        "seed",
        "top_logprobs",
        "logprobs",
        "service_tier",
        "verbosity",
    )
)
"""Knobs of other dialects that mean the same here; any other is reported as dropped."""
BUDGETS: Final = ((1024, "low"), (8192, "medium"))
"""Most tokens of thought → the effort that comes near; above them it is high. Our choice, as vendors give no table."""

Json = dict[str, Any]  # Any: JSON values


class Dropped:
    """Names of what was left out, each once, in the order in which it was met."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def __call__(self, name: str) -> None:
        self._names[name] = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._names)


def body_of_meaning(request: ChatRequest, target: Target, drop: Dropped) -> Json:
    """The body without `model`; what it cannot say goes to `drop`, or raises `UnsupportedFeature`."""
    meaning = request.meaning
    body: Json = {"messages": _Conversation(target, drop).write(meaning.messages)}
    if request.stream:
        body["stream"] = True
    if request.n > 1:
        body["n"] = request.n
    if request.max_output_tokens is not None:
        body["max_tokens"] = request.max_output_tokens
    _write_tools(body, meaning, drop)
    if meaning.response_format is not None:
        body["response_format"] = _response_format(meaning.response_format)
    if meaning.stop:
        body["stop"] = list(meaning.stop)
    for name in ("temperature", "top_p", "user"):
        value = getattr(meaning, name)
        if value is not None:
            body[name] = value
    effort = _effort(meaning, target.quirks, drop)
    if effort:
        body["reasoning_effort"] = effort
    for name, value in sorted(meaning.knobs.items()):
        if name in KNOBS or name in target.quirks.takes:
            body[name] = value
        else:
            drop(name)
    return body


def _write_tools(body: Json, meaning: Meaning, drop: Dropped) -> None:
    if meaning.server_tools:
        raise UnsupportedFeature(
            f"this target cannot run the tool {meaning.server_tools[0]!r} itself; leave it out of `tools` or choose a "
            "model whose vendor runs it",
            param="tools",
        )
    if meaning.web_search is not None:
        body["web_search_options"] = _web_search(meaning.web_search, drop)
    if meaning.tools:
        body["tools"] = [_tool(as_function(tool)) for tool in meaning.tools]
        if any(tool.cache for tool in meaning.tools):
            drop("cache_control")
        if any(loses_grammar(tool) for tool in meaning.tools):
            drop("tools.format")
        if meaning.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = meaning.parallel_tool_calls
    choice = meaning.tool_choice
    if choice is not None and (meaning.tools or choice.mode in ("required", "named")):
        body["tool_choice"] = _tool_choice(choice)  # a must without tools is the vendor's to refuse


def _web_search(wanted: WebSearch, drop: Dropped) -> Json:
    options: Json = {}
    if wanted.context_size:
        options["search_context_size"] = wanted.context_size
    if wanted.location:
        options["user_location"] = {"type": "approximate", "approximate": dict(wanted.location)}
    if wanted.allowed_domains or wanted.blocked_domains or wanted.most_uses is not None:
        drop("tools.web_search")
    return options


def _effort(meaning: Meaning, quirks: Quirks, drop: Dropped) -> str:
    effort = meaning.reasoning_effort
    if effort is None and meaning.thinking_budget is not None and meaning.thinking_budget >= 0:
        budget = meaning.thinking_budget
        effort = next((name for most, name in BUDGETS if budget <= most), "high") if budget else "none"
    if effort == "none" and meaning.reasoning_effort is None and "effort_none" not in quirks.takes:
        drop("thinking")
        return ""
    return effort or ""


class _Conversation:
    """Messages in the order that this format wants: results right behind their calls, pictures behind results."""

    def __init__(self, target: Target, drop: Dropped) -> None:
        self._target = target
        self._drop = drop
        self._pictures: list[Json] = []

    def write(self, messages: Sequence[Message]) -> list[Json]:
        said: list[Json] = []
        for message in messages:
            results = [part for part in message.parts if isinstance(part, ToolResultPart)]
            rest = [part for part in message.parts if not isinstance(part, ToolResultPart)]
            if rest or not results:
                # Other results may follow in messages of their own, and must not be torn from their calls.
                said += self._results(results)
                said += self._flush()
                said.append(self._message(message, rest))
            else:
                said += self._results(results)
        return said + self._flush()

    def _results(self, results: Sequence[ToolResultPart]) -> Iterator[Json]:
        """One hub message may hold several tool results, which are messages of their own here."""
        for result in results:
            if any(isinstance(part, DocumentPart) and part.wants_citations for part in result.parts):
                self._drop("document.citations")
            text = "".join([_text_of(part) for part in result.parts])
            pictures = [part for part in result.parts if isinstance(part, ImagePart)]
            if pictures:
                # A result is text here. Its pictures follow in a message that says whose they are.
                self._pictures.append({"type": "text", "text": f"[images of the tool result {result.call_id}]"})
                self._pictures += [self._content(part) for part in pictures]
                text = text or "[the result is in the images that follow]"
            if result.is_error:
                self._drop("tool_result.is_error")
            if result.cache or any(part.cache for part in result.parts):
                self._drop("cache_control")
            yield {"role": "tool", "tool_call_id": result.call_id, "content": text}

    def _flush(self) -> list[Json]:
        pictures, self._pictures = self._pictures, []
        return [{"role": "user", "content": pictures}] if pictures else []

    def _message(self, message: Message, parts: Sequence[Part]) -> Json:
        said: Json = {"role": message.role}
        if message.name:
            said["name"] = message.name
        if message.role == "assistant":
            self._write_assistant(said, parts)
            return said
        content = [self._content(part) for part in parts]
        if len(content) == 1 and content[0]["type"] == "text":
            said["content"] = content[0]["text"]
        elif message.role in ("system", "developer") and all(part["type"] == "text" for part in content):
            said["content"] = "\n\n".join([part["text"] for part in content])  # many templates take only text here
        else:
            said["content"] = content
        return said

    def _write_assistant(self, said: Json, parts: Sequence[Part]) -> None:
        calls = [_call(part) for part in parts if isinstance(part, ToolCallPart)]
        text = "".join([part.text for part in parts if isinstance(part, TextPart)])
        said["content"] = text or (None if calls else "")
        if calls:
            said["tool_calls"] = calls
        for part in parts:
            if isinstance(part, TextPart) and part.cache:
                self._drop("cache_control")
            elif isinstance(part, OpaquePart | ImagePart | DocumentPart | AudioPart):
                raise UnsupportedFeature(
                    f"this target cannot read {_kind(part)} that the assistant sent; remove it", param="messages"
                )
        self._write_thoughts(said, [part for part in parts if isinstance(part, ReasoningPart)])

    def _write_thoughts(self, said: Json, thoughts: Sequence[ReasoningPart]) -> None:
        """Back to where they came from, in that vendor's own field; never anywhere else, and never as text."""
        fields = self._target.quirks.reasoning_fields
        kept = [thought for thought in thoughts if fields and may_return(thought, self._target.provider)]
        if len(kept) < len(thoughts):
            self._drop("reasoning")
        text = "".join([thought.text for thought in kept])
        for name in fields:
            if name == "reasoning_details":
                if kept:
                    said[name] = [detail for thought in kept for detail in _details(thought)]
            elif text:
                said[name] = text
        if "reasoning_details" not in fields and any(thought.signature or thought.redacted for thought in kept):
            self._drop("reasoning")

    def _content(self, part: Part) -> Json:
        if isinstance(part, TextPart | ImagePart | DocumentPart) and part.cache:
            self._drop("cache_control")
        match part:
            case TextPart(text=text):
                return {"type": "text", "text": text}
            case ImagePart(file_id=file_id) if not file_id:
                image: Json = {"url": part.url or f"data:{part.media_type};base64,{part.data}"}
                if part.detail:
                    image["detail"] = part.detail
                return {"type": "image_url", "image_url": image}
            case DocumentPart():
                return self._document(part)
            case AudioPart(data=data, media_type=media_type):
                kind = media_type.rpartition("/")[2].removeprefix("x-")
                return {"type": "input_audio", "input_audio": {"data": data, "format": _AUDIO.get(kind, kind)}}
            case _:
                raise UnsupportedFeature(f"this target cannot read {_kind(part)} here; remove it", param="messages")

    def _document(self, part: DocumentPart) -> Json:
        if part.wants_citations:
            self._drop("document.citations")
        if part.text:
            return {"type": "text", "text": _in_words(part)}
        if part.context:
            self._drop("document.context")
        if part.file_id or part.url or not part.data:
            raise UnsupportedFeature(
                "this target reads documents only when they are sent along in base64; send the file itself",
                param="messages",
            )
        data = f"data:{part.media_type or 'application/pdf'};base64,{part.data}"
        return {"type": "file", "file": {"filename": part.title or "document", "file_data": data}}


_AUDIO: Final = {"mpeg": "mp3", "wave": "wav", "l16": "pcm16"}
_KINDS: Final = {ImagePart: "an image", DocumentPart: "a document", AudioPart: "sound", ReasoningPart: "reasoning"}


def _kind(part: Part) -> str:
    return (
        f"a part of kind {part.kind[:40]!r}"
        if isinstance(part, OpaquePart)
        else _KINDS.get(type(part), "a tool's part")
    )


def _text_of(part: TextPart | ImagePart | DocumentPart) -> str:
    match part:
        case TextPart(text=text):
            return text
        case DocumentPart(text=text) if text:
            return _in_words(part)
        case DocumentPart():
            raise UnsupportedFeature(
                "this target takes only text and images as a tool's result; remove the document", param="messages"
            )
        case ImagePart():
            return ""
        case _:
            assert_never(part)


def _in_words(part: DocumentPart) -> str:
    """A document that is nothing but text, with what it is called and where it comes from."""
    return "\n\n".join(filter(None, (part.title, part.context, part.text)))


def _details(thought: ReasoningPart) -> Iterator[Json]:
    """OpenRouter's carrier. Source: https://openrouter.ai/docs/use-cases/reasoning-tokens (2026-11)."""
    named = {"id": thought.id} if thought.id else {}
    if thought.redacted:
        yield {"type": "reasoning.encrypted", "data": thought.redacted, **named}
    if thought.text and thought.is_summary:
        yield {"type": "reasoning.summary", "summary": thought.text, **named}
    elif thought.text or thought.signature:
        signed = {"signature": thought.signature} if thought.signature else {}
        yield {"type": "reasoning.text", "text": thought.text, **signed, **named}


def _call(part: ToolCallPart) -> Json:
    # An empty argument text is how some models call without arguments; here it must be JSON.
    arguments = wrap(part.arguments) if part.is_custom else part.arguments or "{}"
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": arguments}}


def _tool(tool: ToolSpec) -> Json:
    function: Json = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = tool.parameters
    if tool.is_strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _tool_choice(choice: ToolChoice) -> str | Json:
    return {"type": "function", "function": {"name": choice.name}} if choice.mode == "named" else choice.mode


def _response_format(wanted: ResponseFormat) -> Json:
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    schema: Json = {"name": wanted.name or "answer", "schema": wanted.schema or {}}
    if wanted.description:
        schema["description"] = wanted.description
    if wanted.is_strict:
        schema["strict"] = True
    return {"type": "json_schema", "json_schema": schema}
