"""A chat request in the words of Ollama: what can be said is said, the rest is reported or refused.

* A message holds one text and its pictures beside it, in base64 only.
* Arguments of a tool call are an object; a result names its tool, and its call for servers that know ids.
* `tool_choice` does not exist: `none` is said by offering no tool, a forced tool is refused.
* What a model thought returns in `thinking`; templates that want it use it.

Sources (2026-11-26): see `ollama_native`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yuzui.core.chat import (
    ChatRequest,
    Feature,
    ImagePart,
    Meaning,
    Message,
    Part,
    ResponseFormat,
    ToolCallPart,
)
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.target import Target
from yuzui.providers.native_request import (
    Block,
    Dropped,
    arguments_object,
    drop_caches,
    limit_of,
    refuse_features,
    result_of,
    text_of,
    thoughts_of,
    unfold,
    write_knobs,
    write_tools,
)

THINK: Final[Mapping[str, bool | str]] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",  # the server knows it for no model
    "max": "max",
}
_LACKS: Final[tuple[Feature, ...]] = ("n", "logprobs", "audio", "web_search", "server_tools")
_OPTIONS: Final[Mapping[str, str]] = {
    name: name
    for name in (
        "seed",
        "top_k",
        "min_p",
        "typical_p",
        "presence_penalty",
        "frequency_penalty",
        "repeat_penalty",
        "repeat_last_n",
        "num_ctx",
        "num_keep",
        "num_gpu",
        "num_thread",
        "num_batch",
        "mirostat",
        "mirostat_tau",
        "mirostat_eta",
    )
} | {"repetition_penalty": "repeat_penalty", "stream_options": "", "keep_alive": "", "think": "", "options": ""}
"""The client's name of a knob → the server's option; the last ones stand beside the options, see `write_body`."""


def write_body(request: ChatRequest, target: Target, output_cap: int | None) -> tuple[Block, tuple[str, ...]]:
    """The JSON body and the names of dropped knobs; raise `UnsupportedFeature` naming the field."""
    refuse_features(request, _LACKS)
    meaning, dropped = request.meaning, Dropped()
    body: Block = {
        "model": target.model,
        "messages": _write_messages(meaning, target, dropped),
        "stream": request.stream,  # true when nothing is said
    }
    _write_tools(body, meaning, dropped)
    if meaning.response_format is not None:
        _write_format(body, meaning.response_format)
    _write_thinking(body, meaning, dropped)
    options = _write_options(meaning, dropped)
    limit = limit_of(request, output_cap)
    if limit is not None:
        options["num_predict"] = limit
    if options:
        body["options"] = options
    keep_alive = meaning.knobs.get("keep_alive", target.parameters.get("keep_alive"))
    if keep_alive is not None:
        body["keep_alive"] = keep_alive
    if meaning.user is not None:
        dropped("user")
    drop_caches(meaning, dropped)
    return body, dropped.names


# ---- turns ----------------------------------------------------------------------------------------------------------


def _write_messages(meaning: Meaning, target: Target, dropped: Dropped) -> list[Block]:
    written: list[Block] = []
    called: dict[str, str] = {}  # id of a call → its tool
    for message in unfold(meaning.messages):
        if message.name:
            dropped("messages.name")
        if message.role == "assistant":
            written.append(_write_assistant(message, target, called, dropped))
        elif message.role == "tool":
            written.append(_write_result(message, called, dropped))
        else:
            role = "system" if message.role == "developer" else message.role
            written.append({"role": role, **_write_content(message.parts, dropped)})
    return written


def _write_content(parts: tuple[Part, ...], dropped: Dropped) -> Block:
    images = []
    for part in parts:
        if isinstance(part, ImagePart):
            if not part.data:
                raise UnsupportedFeature(
                    "this target takes images in base64 only; send the image itself as a data: URL", param="messages"
                )
            if part.detail and part.detail != "auto":
                dropped("messages.image_url.detail")
            images.append(part.data)
    text = text_of([part for part in parts if not isinstance(part, ImagePart)])
    return {"content": text, "images": images} if images else {"content": text}


def _write_assistant(message: Message, target: Target, called: dict[str, str], dropped: Dropped) -> Block:
    written: Block = {"role": "assistant", "content": text_of(message.parts)}
    thoughts = thoughts_of(message, target, dropped)
    if thoughts:
        written["thinking"] = "".join([thought.text for thought in thoughts])
    calls = [part for part in message.parts if isinstance(part, ToolCallPart)]
    if calls:
        called.update({call.id: call.name for call in calls})
        written["tool_calls"] = [
            {"id": call.id, "function": {"name": call.name, "arguments": arguments_object(call)}} for call in calls
        ]
    return written


def _write_result(message: Message, called: Mapping[str, str], dropped: Dropped) -> Block:
    result = result_of(message)
    if result.is_error:
        dropped("tool_result.is_error")
    written: Block = {"role": "tool", "content": text_of(result.parts), "tool_call_id": result.call_id}
    name = called.get(result.call_id) or result.name
    if name:
        written["tool_name"] = name
    return written


# ---- tools, format, thinking, options -------------------------------------------------------------------------------


def _write_tools(body: Block, meaning: Meaning, dropped: Dropped) -> None:
    choice = meaning.tool_choice
    if choice is not None and choice.mode in ("required", "named"):
        raise UnsupportedFeature(
            "this target cannot be made to call a tool; leave `tool_choice` out or choose another model",
            param="tool_choice",
        )
    if not meaning.tools or (choice is not None and choice.mode == "none"):
        return
    if meaning.parallel_tool_calls is False:
        dropped("parallel_tool_calls")
    body["tools"] = write_tools(meaning.tools, dropped)


def _write_format(body: Block, wanted: ResponseFormat) -> None:
    if wanted.kind == "json_object":
        body["format"] = "json"
    elif wanted.kind == "json_schema":
        body["format"] = wanted.whole_schema


def _write_thinking(body: Block, meaning: Meaning, dropped: Dropped) -> None:
    asked = meaning.knobs.get("think")
    if asked is not None:
        body["think"] = asked
        return
    budget, effort = meaning.thinking_budget, meaning.reasoning_effort
    if effort is not None:
        body["think"] = THINK.get(effort, True)
    elif budget is not None:
        body["think"] = budget != 0
        if budget > 0:
            dropped("thinking.budget_tokens")


def _write_options(meaning: Meaning, dropped: Dropped) -> Block:
    own = meaning.knobs.get("options")
    options: Block = dict(own) if isinstance(own, dict) else {}
    for name, value in (("temperature", meaning.temperature), ("top_p", meaning.top_p)):
        if value is not None:
            options[name] = value
    if meaning.stop:
        options["stop"] = list(meaning.stop)
    write_knobs(options, meaning, _OPTIONS, dropped)
    return options
