"""A chat request in the words of Cohere's API: what can be said is said, the rest is reported or refused.

* Instructions stand in front only ("system turn must be the first in the list"), so all of them go there.
* Documents are no messages but a list beside them, numbered so that citations can name them.
* A tool is forced by offering no other one: `tool_choice` knows no names.
* `response_format` cannot stand beside tools or documents, so such a request is refused before it is sent.

Sources (2026-11-26): https://docs.cohere.com/v2/reference/chat, https://docs.cohere.com/errors-reference, `cohere`
7.3.1 (`v2/raw_client.py` and `types/`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from yuzui.core.chat import (
    ChatRequest,
    DocumentPart,
    Feature,
    ImagePart,
    Meaning,
    Message,
    Part,
    ResponseFormat,
    TextPart,
)
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.target import Target
from yuzui.providers.native_request import (
    Block,
    Dropped,
    clamp,
    drop_caches,
    image_url,
    limit_of,
    named_tool,
    refuse_features,
    result_of,
    system_first,
    text_of,
    thoughts_of,
    unfold,
    unsayable,
    write_calls,
    write_knobs,
    write_tools,
)

PLAN: Final = "tool_plan"
"""The id of thoughts that came as a plan in front of tool calls, and must return as one."""
MOST_STOPS: Final = 5
THINKING_BUDGETS: Final = {"minimal": 512, "low": 1024, "medium": 8192}
"""Tokens of thinking per effort; our choice. More effort has no budget, as the vendor advises."""

_THINKS_NEVER: Final = re.compile(r"command-(?:r|light|nightly|a-03|a-vision|a-translate)|aya")
"""Models that would refuse `thinking`; unknown names count as newer ones, which all take it."""
_LACKS: Final[tuple[Feature, ...]] = ("n", "logprobs", "audio", "web_search", "server_tools")
_KNOBS: Final[Mapping[str, str]] = {
    "seed": "seed",
    "top_k": "k",
    "k": "k",
    "safety_mode": "safety_mode",
    "citation_options": "citation_options",
    "priority": "priority",
    "frequency_penalty": "",  # on a scale of its own, see `_write_sampling`
    "presence_penalty": "",
    "stream_options": "",  # the counts always come
}
"""The client's name of a knob → the vendor's."""


def write_body(request: ChatRequest, target: Target, output_cap: int | None) -> tuple[Block, tuple[str, ...]]:
    """The JSON body and the names of dropped knobs; raise `UnsupportedFeature` naming the field."""
    refuse_features(request, _LACKS)
    meaning, dropped = request.meaning, Dropped()
    documents: list[Block] = []
    body: Block = {"model": target.model, "messages": _write_messages(meaning, target, documents, dropped)}
    if request.stream:
        body["stream"] = True
    if documents:
        body["documents"] = documents
    _write_tools(body, meaning, dropped)
    if meaning.response_format is not None:
        _write_format(body, meaning.response_format)
    limit = limit_of(request, output_cap)
    if limit is not None:
        body["max_tokens"] = limit
    _write_thinking(body, meaning, target.model, dropped)
    _write_sampling(body, meaning, dropped)
    write_knobs(body, meaning, _KNOBS, dropped)
    if meaning.user is not None:
        dropped("user")
    drop_caches(meaning, dropped)
    return body, dropped.names


# ---- turns ----------------------------------------------------------------------------------------------------------


def _write_messages(meaning: Meaning, target: Target, documents: list[Block], dropped: Dropped) -> list[Block]:
    system, turns = system_first(unfold(meaning.messages))
    said = "\n\n".join([text for part in system if (text := text_of((part,)))])
    written: list[Block] = [{"role": "system", "content": said}] if said else []
    for message in turns:
        if message.name:
            dropped("messages.name")
        if message.role == "assistant":
            written.append(_write_assistant(message, target, dropped))
        elif message.role == "tool":
            written.append(_write_result(message, dropped))
        else:
            written.append({"role": "user", "content": _write_content(message.parts, documents)})
    return written


def _write_content(parts: tuple[Part, ...], documents: list[Block]) -> str | list[Block]:
    content: list[Block] = []
    for part in parts:
        match part:
            case TextPart(text=text):
                content.append({"type": "text", "text": text})
            case ImagePart():
                image: Block = {"url": image_url(part)}
                if part.detail:
                    image["detail"] = part.detail
                content.append({"type": "image_url", "image_url": image})
            case DocumentPart():
                documents.append(_write_document(part, len(documents)))
            case _:
                raise unsayable(part)
    if all(piece["type"] == "text" for piece in content) and len(content) < 2:
        return content[0]["text"] if content else ""
    return content


def _write_document(part: DocumentPart, number: int) -> Block:
    if not part.text:
        raise unsayable(part)  # files must be read by the client: the API takes text only
    data = {"text": part.text}
    if part.title:
        data["title"] = part.title
    if part.context:
        data["context"] = part.context
    return {"id": f"doc_{number}", "data": data}


def _write_assistant(message: Message, target: Target, dropped: Dropped) -> Block:
    thoughts = thoughts_of(message, target, dropped)
    written: Block = {"role": "assistant"}
    text = text_of(message.parts)
    thinking = [thought for thought in thoughts if thought.id != PLAN]
    if thinking:
        content = [{"type": "thinking", "thinking": thought.text} for thought in thinking]
        written["content"] = [*content, {"type": "text", "text": text}] if text else content
    elif text:
        written["content"] = text
    calls = write_calls(message)
    if calls:
        written["tool_calls"] = calls
        plan = "".join([thought.text for thought in thoughts if thought.id == PLAN])
        if plan:
            written["tool_plan"] = plan
    elif not text and not thinking:
        written["content"] = ""
    return written


def _write_result(message: Message, dropped: Dropped) -> Block:
    result = result_of(message)
    if result.is_error:
        dropped("tool_result.is_error")
    content: list[Block] = []
    for number, part in enumerate(result.parts):
        if isinstance(part, DocumentPart):
            document = _write_document(part, number)
            document["id"] = f"{result.call_id}_{number}"
            content.append({"type": "document", "document": document})
        else:
            content.append({"type": "text", "text": text_of((part,))})
    return {"role": "tool", "tool_call_id": result.call_id, "content": content or ""}


# ---- tools and format -----------------------------------------------------------------------------------------------


def _write_tools(body: Block, meaning: Meaning, dropped: Dropped) -> None:
    choice, tools = meaning.tool_choice, meaning.tools
    if meaning.parallel_tool_calls is False and tools:
        dropped("parallel_tool_calls")
    if not tools:
        return
    if choice is not None and choice.mode == "named":
        tools = named_tool(meaning)
    body["tools"] = write_tools(tools, dropped, knows_strict=True)
    if choice is not None and choice.mode != "auto":
        body["tool_choice"] = "NONE" if choice.mode == "none" else "REQUIRED"
    if any(tool.is_strict for tool in tools):
        body["strict_tools"] = True  # for all of them: the API knows no switch per tool


def _write_format(body: Block, wanted: ResponseFormat) -> None:
    if wanted.kind == "text":
        return
    for beside in ("tools", "documents"):
        if beside in body:
            raise UnsupportedFeature(
                f"this target cannot hold to `response_format` beside {beside}; remove one of them",
                param="response_format",
            )
    form: Block = {"type": "json_object"}
    if wanted.kind == "json_schema":
        form["json_schema"] = wanted.whole_schema
    body["response_format"] = form


# ---- knobs ----------------------------------------------------------------------------------------------------------


def _write_thinking(body: Block, meaning: Meaning, model: str, dropped: Dropped) -> None:
    budget, effort = meaning.thinking_budget, meaning.reasoning_effort
    if budget is None and effort is None:
        return
    is_off = budget == 0 or (budget is None and effort == "none")
    if _THINKS_NEVER.search(model):
        if not is_off:
            dropped("reasoning_effort" if budget is None else "thinking")
        return
    if is_off:
        body["thinking"] = {"type": "disabled"}
        return
    thinking: Block = {"type": "enabled"}
    tokens = THINKING_BUDGETS.get(effort or "") if budget is None else budget
    if tokens is not None and tokens > 0:
        thinking["token_budget"] = tokens
    body["thinking"] = thinking


def _write_sampling(body: Block, meaning: Meaning, dropped: Dropped) -> None:
    if meaning.stop:
        body["stop_sequences"] = list(meaning.stop[:MOST_STOPS])
        if len(meaning.stop) > MOST_STOPS:
            dropped("stop")
    if meaning.temperature is not None:
        body["temperature"] = meaning.temperature
    if meaning.top_p is not None:
        body["p"] = clamp("top_p", meaning.top_p, 0.01, 0.99, dropped)
    for name in ("frequency_penalty", "presence_penalty"):
        value = meaning.knobs.get(name)
        if isinstance(value, int | float) and value:
            body[name] = clamp(name, value, 0.0, 1.0, dropped)  # OpenAI's scale goes from -2 to 2
