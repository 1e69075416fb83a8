"""A chat request in the words of DashScope: what can be said is said, the rest is reported or refused.

* The text service takes plain strings, the other one lists of `{"text": …}`, `{"image": …}`, `{"audio": …}`.
* What a model thought may stand in `reasoning_content` of its turns; the API ignores it unless `preserve_thinking` is
  set, which is for the client or the operator to say, as it is billed. It goes back in the turns of a tool loop only.
* `tool_choice` knows no `required`: with one tool its name says the same, with several the request is refused.

Sources (2026-11-26): see `dashscope_native`; https://www.alibabacloud.com/help/en/model-studio/deep-thinking,
https://www.alibabacloud.com/help/en/model-studio/web-search.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from yuzui.core.chat import (
    AudioPart,
    ChatRequest,
    DocumentPart,
    Feature,
    ImagePart,
    Meaning,
    Message,
    Part,
    ResponseFormat,
    TextPart,
    WebSearch,
)
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.target import Target
from yuzui.providers.native_request import (
    Block,
    Dropped,
    clamp,
    document_text,
    drop_caches,
    image_url,
    limit_of,
    named_tool,
    refuse_features,
    result_of,
    text_of,
    thoughts_of,
    unfold,
    unsayable,
    write_calls,
    write_knobs,
    write_tools,
)

THINKING_BUDGETS: Final = {"minimal": 512, "low": 2048, "medium": 8192}
"""Tokens of thinking per effort; our choice. More effort has no budget."""

_LACKS: Final[tuple[Feature, ...]] = ("logprobs", "server_tools")
_MULTIMODAL: Final = re.compile(r"(?:^|[-/_.])(?:vl|omni|ocr|qvq|audio)(?:$|[-/_.\d])")
_VERSION: Final = re.compile(r"qwen(\d+)(?:\.(\d+))?")
_FIRST_MULTIMODAL: Final = (3, 5)  # from Qwen 3.5 on the main models see pictures, and are bound to that service
_TAKES_EFFORT: Final = re.compile(r"deepseek-v[4-9]")
"""Models with `reasoning_effort` of their own."""
_KNOBS: Final[Mapping[str, str]] = {
    "seed": "seed",
    "top_k": "top_k",
    "presence_penalty": "presence_penalty",
    "repetition_penalty": "repetition_penalty",
    "logit_bias": "logit_bias",
    "enable_thinking": "enable_thinking",
    "preserve_thinking": "preserve_thinking",
    "thinking_budget": "thinking_budget",
    "enable_search": "enable_search",
    "search_options": "search_options",
    "enable_code_interpreter": "enable_code_interpreter",
    "vl_high_resolution_images": "vl_high_resolution_images",
    "translation_options": "translation_options",
    "tool_stream": "tool_stream",
    "stream_options": "",  # the counts always come
}
"""The client's name of a knob → the vendor's."""


def is_multimodal(request: ChatRequest, target: Target) -> bool:
    """Which of the two services the target's model is bound to."""
    said = target.parameters.get("interface")
    if said:
        return said == "multimodal"
    model = target.model.lower()
    version = _VERSION.search(model)
    if version and (int(version[1]), int(version[2] or 0)) >= _FIRST_MULTIMODAL:
        return True
    return bool(_MULTIMODAL.search(model)) or "images" in request.features


def write_body(
    request: ChatRequest, target: Target, output_cap: int | None, *, multimodal: bool
) -> tuple[Block, tuple[str, ...]]:
    """The JSON body and the names of dropped knobs; raise `UnsupportedFeature` naming the field."""
    refuse_features(request, _LACKS)
    meaning, dropped = request.meaning, Dropped()
    parameters: Block = {"result_format": "message"}
    if request.stream:
        parameters["incremental_output"] = True
    if request.n > 1:
        parameters["n"] = request.n
    _write_tools(parameters, meaning, dropped)
    if meaning.response_format is not None:
        _write_format(parameters, meaning.response_format)
    limit = limit_of(request, output_cap)
    if limit is not None:
        parameters["max_tokens"] = limit
    _write_thinking(parameters, meaning, target.model, dropped)
    if meaning.web_search is not None:
        _write_search(parameters, meaning.web_search, dropped)
    if meaning.temperature is not None:
        parameters["temperature"] = clamp("temperature", meaning.temperature, 0.0, 1.99, dropped)
    if meaning.top_p is not None:
        parameters["top_p"] = clamp("top_p", meaning.top_p, 0.001, 1.0, dropped)
    if meaning.stop:
        parameters["stop"] = list(meaning.stop)
    write_knobs(parameters, meaning, _KNOBS, dropped)
    if meaning.user is not None:
        dropped("user")
    if not multimodal:
        drop_caches(meaning, dropped)  # a string has no place for the mark
    messages = _Turns(target, dropped, multimodal).write(meaning.messages)
    return {"model": target.model, "input": {"messages": messages}, "parameters": parameters}, dropped.names


# ---- turns ----------------------------------------------------------------------------------------------------------


class _Turns:
    """Writes messages for one of the two services."""

    __slots__ = ("_dropped", "_multimodal", "_target")

    def __init__(self, target: Target, dropped: Dropped, multimodal: bool) -> None:
        self._target = target
        self._dropped = dropped
        self._multimodal = multimodal

    def write(self, messages: tuple[Message, ...]) -> list[Block]:
        turns = unfold(messages)
        last_question = max([at for at, message in enumerate(turns) if message.role == "user"], default=-1)
        written: list[Block] = []
        for at, message in enumerate(turns):
            if message.name:
                self._dropped("messages.name")
            if message.role == "assistant":
                written.append(self._assistant(message, is_in_loop=at > last_question))
            elif message.role == "tool":
                written.append(self._result(message))
            else:
                written += self._files(message.parts)
                role = "system" if message.role == "developer" else message.role
                written.append({"role": role, "content": self._content(message.parts)})
        return written

    def _content(self, parts: tuple[Part, ...]) -> str | list[Block]:
        if not self._multimodal:
            return text_of([part for part in parts if not (isinstance(part, DocumentPart) and part.file_id)])
        return [self._piece(part) for part in parts if not (isinstance(part, DocumentPart) and part.file_id)]

    def _piece(self, part: Part) -> Block:
        match part:
            case TextPart(text=text):
                piece: Block = {"text": text}
            case ImagePart():
                piece = {"image": image_url(part)}
                if part.detail and part.detail != "auto":
                    self._dropped("messages.image_url.detail")
            case AudioPart(data=data, media_type=media_type):
                return {"audio": f"data:{media_type};base64,{data}"}
            case DocumentPart():
                piece = {"text": document_text(part)}
            case _:
                raise unsayable(part)
        if part.cache:
            piece["cache_control"] = {"type": "ephemeral"}
            if part.cache != "5m":
                self._dropped("cache_control.ttl")
        return piece

    def _files(self, parts: tuple[Part, ...]) -> list[Block]:
        """Files of the vendor's own store, as its document models want them named: each in a system message."""
        return [
            {"role": "system", "content": f"fileid://{part.file_id}"}
            for part in parts
            if isinstance(part, DocumentPart) and part.file_id
        ]

    def _assistant(self, message: Message, *, is_in_loop: bool) -> Block:
        thoughts = thoughts_of(message, self._target, self._dropped)
        text = text_of(message.parts)
        content: str | list[Block] = text
        if self._multimodal:
            content = [{"text": text}] if text else []
        written: Block = {"role": "assistant", "content": content}
        calls = write_calls(message)
        if calls:
            written["tool_calls"] = calls
        if thoughts and is_in_loop and "reasoning_content" in self._target.quirks.reasoning_fields:
            written["reasoning_content"] = "".join([thought.text for thought in thoughts])
        return written

    def _result(self, message: Message) -> Block:
        result = result_of(message)
        if result.is_error:
            self._dropped("tool_result.is_error")
        text = text_of(result.parts)
        content: str | list[Block] = [{"text": text}] if self._multimodal else text
        return {"role": "tool", "content": content, "tool_call_id": result.call_id}


# ---- tools, format, thinking, search --------------------------------------------------------------------------------


def _write_tools(parameters: Block, meaning: Meaning, dropped: Dropped) -> None:
    if not meaning.tools:
        return
    parameters["tools"] = write_tools(meaning.tools, dropped)
    if meaning.parallel_tool_calls is not None:
        parameters["parallel_tool_calls"] = meaning.parallel_tool_calls
    choice = meaning.tool_choice
    if choice is None:
        return
    if choice.mode in ("auto", "none"):
        parameters["tool_choice"] = choice.mode
        return
    if choice.mode == "required" and len(meaning.tools) > 1:
        raise UnsupportedFeature(
            "this target cannot be made to call just any of several tools; name one in `tool_choice`",
            param="tool_choice",
        )
    tool = named_tool(meaning)[0] if choice.mode == "named" else meaning.tools[0]
    parameters["tool_choice"] = {"type": "function", "function": {"name": tool.name}}


def _write_format(parameters: Block, wanted: ResponseFormat) -> None:
    if wanted.kind != "json_schema":
        parameters["response_format"] = {"type": wanted.kind}
        return
    schema: Block = {"name": wanted.name or "answer", "schema": wanted.whole_schema}
    if wanted.is_strict:
        schema["strict"] = True
    parameters["response_format"] = {"type": "json_schema", "json_schema": schema}


def _write_thinking(parameters: Block, meaning: Meaning, model: str, dropped: Dropped) -> None:
    budget, effort = meaning.thinking_budget, meaning.reasoning_effort
    if budget is None and effort is None:
        return
    if budget == 0 or (budget is None and effort == "none"):
        parameters["enable_thinking"] = False
        return
    parameters["enable_thinking"] = True
    if budget is None and effort is not None and _TAKES_EFFORT.search(model):
        parameters["reasoning_effort"] = effort
        return
    tokens = THINKING_BUDGETS.get(effort or "") if budget is None else budget
    if tokens is not None and tokens > 0:
        parameters["thinking_budget"] = tokens


def _write_search(parameters: Block, wanted: WebSearch, dropped: Dropped) -> None:
    if wanted.blocked_domains:
        raise UnsupportedFeature(
            "this target's search cannot leave sites out; name allowed ones, or choose another model",
            param="web_search_options",
        )
    options: Block = {"enable_source": True}
    if wanted.allowed_domains:
        options["assigned_site_list"] = list(wanted.allowed_domains)
    for name, value in (
        ("search_context_size", wanted.context_size),
        ("user_location", wanted.location),
        ("max_uses", wanted.most_uses),
    ):
        if value:
            dropped(f"web_search_options.{name}")
    parameters["enable_search"] = True
    parameters["search_options"] = options
