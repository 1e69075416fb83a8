"""Chat completions: OpenAI and Azure as they document it, and how vLLM and llama.cpp differ.

Sources (2026-11-26): openai==3.54.0, types/chat/chat_completion*.py, completion_create_params.py, completion_usage.py;
https://developers.openai.com/api/reference/resources/chat; https://docs.vllm.ai/en/latest/features/reasoning_outputs.html
(`reasoning_content`, later `reasoning`), vllm/entrypoints/openai/protocol.py (empty `tool_calls`); llama.cpp
tools/server/README.md (arguments in one piece, usage on a chunk that has choices).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from conformance.facts import RETRY_AFTER, UNKNOWN_NAME, UNKNOWN_VALUE, Asked, Call, Json, Result, Thought, Truth
from conformance.wires._contract import Answer, cuts, image_of, join, json_answer, sse, unknown_fields

KNOWN = frozenset(
    [
        "messages",
        "model",
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ]
)
KNOWN_IN_MESSAGE = frozenset(
    ["role", "content", "name", "refusal", "tool_calls", "function_call", "audio", "annotations", "tool_call_id"]
)
THINKING_MODELS = ("gpt-5", "gpt-6", "o1", "o3", "o4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """How a server differs from OpenAI's own. `thinks`: it tells its thoughts, in `reasoning_content`."""

    name: str
    is_strict: bool = False
    """Fields that it does not know are refused."""
    thinks: bool = False
    refuses: bool = False
    """It has the field `refusal`."""
    has_empty_calls: bool = False
    """`tool_calls: []` stands in answers without calls."""
    whole_arguments: bool = False
    """A call's arguments come in one piece."""
    usage_with_choices: bool = False
    """The usage stands on a chunk that has choices, too."""
    counts_reasoning: bool = False
    counts_writes: bool = False


OPENAI = Flavour(name="openai", is_strict=True, refuses=True, counts_reasoning=True, counts_writes=True)
AZURE = Flavour(name="azure", is_strict=True, refuses=True, counts_reasoning=True)
VLLM = Flavour(name="vllm", thinks=True, has_empty_calls=True)
LLAMA_CPP = Flavour(name="llama_cpp", thinks=True, whole_arguments=True, usage_with_choices=True)


class OpenAIChat:
    thoughts: Literal["signed", "plain", "none"]

    def __init__(self, flavour: Flavour) -> None:
        self.flavour = flavour
        self.thoughts = "plain" if flavour.thinks else "none"
        cannot = {"signature", "redacted"}
        if not flavour.thinks:
            cannot.add("thoughts")
        if not flavour.refuses:
            cannot.add("refusal text")
        if not flavour.counts_reasoning:
            cannot.add("reasoning")
        if not flavour.counts_writes:
            cannot.add("cache_write")
        self.cannot_tell = frozenset(cannot)
        self.cannot_ask = frozenset({"result errors", "cache_marks"})

    # ---- what was asked ----

    def read(self, path: str, headers: dict[str, str], body: dict[str, Json]) -> Asked:
        asked = Asked(model=body.get("model", ""), is_stream=bool(body.get("stream")), fields=body)
        read_messages(asked, body.get("messages") or [], strict=self.flavour.is_strict)
        if self.flavour.is_strict:
            asked.complaints += unknown_fields(body, KNOWN)
            if "max_tokens" in body and str(body.get("model", "")).startswith(THINKING_MODELS):
                asked.complaints.append("max_tokens for a reasoning model")
        read_chat_tools(asked, body)
        read_chat_knobs(asked, body)
        if body.get("reasoning_effort") not in (None, "none") or self.flavour.thinks:
            asked.knobs["thinking"] = True
        return asked

    # ---- what is answered ----

    def whole(self, truth: Truth, asked: Asked) -> Answer:
        message: dict[str, Json] = {"role": "assistant", "content": truth.text or None}
        if self.flavour.refuses:
            message |= {"refusal": truth.refusal or None, "annotations": []}
        if self.flavour.thinks:
            message["reasoning_content"] = _thoughts(truth) or None
        if truth.calls or self.flavour.has_empty_calls:
            message["tool_calls"] = [_call(call) for call in truth.calls]
        answer = self._frame("chat.completion", asked) | {
            "choices": [
                {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish(truth)},
            ],
            "usage": self._usage(truth),
        }
        if truth.has_unknown:
            answer[UNKNOWN_NAME] = UNKNOWN_VALUE
            message[UNKNOWN_NAME] = UNKNOWN_VALUE
        return json_answer(answer)

    def stream(self, truth: Truth, asked: Asked) -> Answer:
        deltas: list[dict[str, Json]] = [{"role": "assistant", "content": ""}]
        if self.flavour.has_empty_calls:
            deltas[0]["tool_calls"] = []
        if self.flavour.thinks:
            deltas += [{"reasoning_content": piece} for piece in _halves(_thoughts(truth))]
        deltas += [{"content": piece} for piece in truth.pieces]
        if self.flavour.refuses:
            deltas += [{"refusal": piece} for piece in _halves(truth.refusal)]
        for position, call in enumerate(truth.calls):
            deltas += self._call_deltas(position, call)
        if truth.has_unknown:
            deltas[-1][UNKNOWN_NAME] = UNKNOWN_VALUE
        events = [sse(self._chunk(asked, truth, delta)) for delta in deltas]
        if truth.breaks == "error":
            events.append(sse({"error": {"message": "The server had an error", "type": "server_error", "code": None}}))
        elif not truth.breaks:
            events.append(sse(self._chunk(asked, truth, {}, finish=self._finish(truth))))
            if (asked.fields.get("stream_options") or {}).get("include_usage"):
                events.append(sse(self._usage_chunk(asked, truth)))
            events.append(sse("[DONE]"))
        return Answer(status=200, content_type="text/event-stream", pieces=events, breaks=truth.breaks == "cut")

    def refuse(self, status: int, message: str) -> Answer:
        kind, code = ("requests", "rate_limit_exceeded") if status == 429 else ("invalid_request_error", None)
        headers = (("retry-after", RETRY_AFTER),) if status == 429 else ()
        return json_answer({"error": {"message": message, "type": kind, "param": None, "code": code}}, status, headers)

    # ---- parts ----

    def _frame(self, kind: str, asked: Asked) -> dict[str, Json]:
        frame = {"id": "chatcmpl-river", "object": kind, "created": 1_795_000_000, "model": asked.model}
        if self.flavour.refuses:
            frame |= {"service_tier": "default", "system_fingerprint": "fp_44709d6fcb"}
        return frame

    def _chunk(self, asked: Asked, truth: Truth, delta: dict[str, Json], finish: str | None = None) -> dict[str, Json]:
        chunk = self._frame("chat.completion.chunk", asked) | {
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        }
        if truth.has_unknown:
            chunk[UNKNOWN_NAME] = UNKNOWN_VALUE
        return chunk

    def _usage_chunk(self, asked: Asked, truth: Truth) -> dict[str, Json]:
        chunk = self._frame("chat.completion.chunk", asked) | {"choices": [], "usage": self._usage(truth)}
        if self.flavour.usage_with_choices:
            chunk["choices"] = [{"index": 0, "delta": {}, "finish_reason": None}]
        return chunk

    def _call_deltas(self, position: int, call: Call) -> list[dict[str, Json]]:
        first: dict[str, Json] = {"index": position, "id": call.id, "type": "function"}
        if self.flavour.whole_arguments:
            return [{"tool_calls": [first | {"function": {"name": call.name, "arguments": call.arguments}}]}]
        deltas = [{"tool_calls": [first | {"function": {"name": call.name, "arguments": ""}}]}]
        for piece in cuts(call.arguments):
            deltas.append({"tool_calls": [{"index": position, "function": {"arguments": piece}}]})
        return deltas

    def _finish(self, truth: Truth) -> str:
        # OpenAI's models refuse in a field of their own and stop as usual.
        return "stop" if truth.refusal and self.flavour.refuses else truth.finish

    def _usage(self, truth: Truth) -> dict[str, Json]:
        u = truth.usage
        details: dict[str, Json] = {"cached_tokens": u.cached or 0}
        if self.flavour.counts_writes:
            details |= {"audio_tokens": 0, "cache_write_tokens": u.cache_write or 0}
        usage: dict[str, Json] = {
            "prompt_tokens": u.input or 0,
            "completion_tokens": u.output or 0,
            "total_tokens": (u.input or 0) + (u.output or 0),
            "prompt_tokens_details": details,
        }
        if self.flavour.counts_reasoning:
            usage["completion_tokens_details"] = {
                "reasoning_tokens": u.reasoning or 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            }
        return usage


# ---- shared with the other vendors that took over these shapes ------------------------------------------------------


def read_messages(asked: Asked, messages: list[Json], *, strict: bool) -> None:
    """Texts, images, calls, results and thoughts of chat messages, with what the vendor would refuse about them."""
    open_calls: set[str] = set()
    for position, message in enumerate(messages):
        role = message.get("role", "")
        if strict and (odd := message.keys() - KNOWN_IN_MESSAGE):
            asked.complaints.append(f"unknown field messages.{'/'.join(sorted(odd))}")
        if open_calls and role != "tool":
            asked.complaints.append("calls without results")
            open_calls = set()
        if role in ("system", "developer"):
            asked.system = join((asked.system, _texts(message.get("content"))))
        elif role == "tool":
            _read_result(asked, message, open_calls, strict=strict)
        elif role in ("user", "assistant"):
            _read_turn(asked, message, role, open_calls)
        else:
            asked.complaints.append(f"messages[{position}].role {role!r}")
    if open_calls:
        asked.complaints.append("calls without results")


def _read_turn(asked: Asked, message: dict[str, Json], role: str, open_calls: set[str]) -> None:
    turn = asked.turn(role)
    turn.text = join((turn.text, _texts(message.get("content"))))
    content = message.get("content")
    for part in content if isinstance(content, list) else ():
        if part.get("type") == "image_url":
            turn.images.append(image_of(part["image_url"]["url"]))
        elif part.get("type") not in ("text", "refusal"):
            asked.complaints.append(f"content part of type {part.get('type')!r}")
    if role == "assistant" and message.get("content") == [] and not message.get("tool_calls"):
        asked.complaints.append("empty content")
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        if not isinstance(function.get("arguments"), str):
            asked.complaints.append("arguments are no string")
        if not call.get("id"):
            asked.complaints.append("a call without an id")
        turn.calls.append(
            Call(id=call.get("id") or "", name=function.get("name", ""), arguments=str(function.get("arguments", "")))
        )
        open_calls.add(call.get("id") or "")
    thought = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(thought, str) and thought:
        turn.thoughts.append(Thought(text=thought))


def _read_result(asked: Asked, message: dict[str, Json], open_calls: set[str], *, strict: bool) -> None:
    content = message.get("content")
    images = []
    for part in content if isinstance(content, list) else ():
        if part.get("type") == "image_url":
            images.append(image_of(part["image_url"]["url"]))
            if strict:  # "for tool messages, only type text is supported"
                asked.complaints.append("an image in a tool message")
    call_id = message.get("tool_call_id") or ""
    if call_id not in open_calls:
        asked.complaints.append("a result that answers no call")
    open_calls.discard(call_id)
    asked.turn("tool").results.append(Result(call_id=call_id, text=_texts(content), images=tuple(images)))


def read_chat_tools(asked: Asked, body: dict[str, Json]) -> None:
    for tool in body.get("tools") or ():
        function = tool.get("function")
        if tool.get("type") != "function" or not isinstance(function, dict):
            asked.complaints.append(f"a tool of type {tool.get('type')!r}")
            continue
        asked.tools[function.get("name", "")] = {
            "description": function.get("description", ""),
            "schema": function.get("parameters"),
        }
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        choice = (choice.get("function") or {}).get("name", "")
    asked.tool_choice = choice or ""
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        asked.schema = (form.get("json_schema") or {}).get("schema")


def read_chat_knobs(asked: Asked, body: dict[str, Json]) -> None:
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    stop = body.get("stop")
    for name, value in (
        ("max_tokens", limit),
        ("temperature", body.get("temperature")),
        ("top_p", body.get("top_p")),
        ("stop", [stop] if isinstance(stop, str) else stop),
    ):
        if value is not None:
            asked.knobs[name] = value


def _texts(content: Json) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    return join(str(part.get("text", "")) for part in parts if part.get("type", "text") == "text")


def _call(call: Call) -> dict[str, Json]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _thoughts(truth: Truth) -> str:
    return join(thought.text for thought in truth.thoughts)


def _halves(text: str) -> list[str]:
    half = len(text) // 2
    return [piece for piece in (text[:half], text[half:]) if piece]
