"""Alibaba's DashScope, its own protocol: text-generation and multimodal-generation.

Sources (2026-11-26): https://www.alibabacloud.com/help/en/model-studio/qwen-api-via-dashscope,
https://www.alibabacloud.com/help/en/model-studio/stream; dashscope==2.0.2, api_entities/http_request.py (events, errors
in streams), aigc/generation.py (parameters).
"""

from __future__ import annotations

from typing import Literal

from conformance.facts import UNKNOWN_NAME, UNKNOWN_VALUE, Asked, Call, Json, Truth
from conformance.wires._contract import Answer, cuts, json_answer, to_bytes, unknown_fields
from conformance.wires.openai_chat import read_chat_knobs, read_chat_tools, read_messages

KNOWN = frozenset({"model", "input", "parameters"})


class DashScope:
    thoughts: Literal["signed", "plain", "none"] = "plain"
    cannot_tell = frozenset({"signature", "redacted", "refusal text", "retry after"})
    cannot_ask = frozenset({"result images", "result errors", "cache_marks", "tool_choice"})

    # ---- what was asked ----

    def read(self, path: str, headers: dict[str, str], body: dict[str, Json]) -> Asked:
        is_stream = headers.get("x-dashscope-sse") == "enable" or "event-stream" in headers.get("accept", "")
        asked = Asked(model=body.get("model", ""), is_stream=is_stream, fields=body)
        asked.complaints += unknown_fields(body, KNOWN)
        parameters = body.get("parameters") or {}
        is_multimodal = "multimodal-generation" in path
        messages = [_plain(message) for message in (body.get("input") or {}).get("messages") or []]
        read_messages(asked, messages, strict=False)
        if not is_multimodal and any(turn.images for turn in asked.turns):
            asked.complaints.append("images to text-generation")
        if parameters.get("result_format") != "message" and not is_multimodal:
            asked.complaints.append("result_format is not message")
        read_chat_tools(asked, {name: parameters.get(name) for name in ("tools", "tool_choice", "response_format")})
        read_chat_knobs(asked, parameters)
        if parameters.get("enable_thinking"):
            asked.knobs["thinking"] = True
        asked.fields["is_multimodal"] = is_multimodal
        if is_stream and not parameters.get("incremental_output"):
            asked.complaints.append("a stream without incremental_output")
        return asked

    # ---- what is answered ----

    def whole(self, truth: Truth, asked: Asked) -> Answer:
        message: dict[str, Json] = {"role": "assistant", "content": self._content(asked, truth.text)}
        if thought := "\n".join(thought.text for thought in truth.thoughts if thought.text):
            message["reasoning_content"] = thought
        if truth.calls:
            message["tool_calls"] = [_call(position, call, call.arguments) for position, call in enumerate(truth.calls)]
        answer = self._frame(truth, message, truth.finish)
        if truth.has_unknown:
            answer[UNKNOWN_NAME] = UNKNOWN_VALUE
        return json_answer(answer)

    def stream(self, truth: Truth, asked: Asked) -> Answer:
        deltas: list[dict[str, Json]] = []
        for thought in truth.thoughts:
            if thought.text:
                pieces = (thought.text[:9], thought.text[9:])
                deltas += [{"content": self._content(asked, ""), "reasoning_content": piece} for piece in pieces]
        deltas += [{"content": self._content(asked, piece)} for piece in truth.pieces]
        for position, call in enumerate(truth.calls):
            for number, piece in enumerate(["", *cuts(call.arguments)]):
                named = _call(position, call, piece)
                if number:
                    named = {"index": position, "id": "", "type": "function", "function": {"arguments": piece}}
                deltas.append({"content": self._content(asked, ""), "tool_calls": [named]})
        frames = [self._frame(truth, {"role": "assistant"} | delta, "null") for delta in deltas]
        if truth.has_unknown:
            frames[0][UNKNOWN_NAME] = UNKNOWN_VALUE
        if not truth.breaks:
            end = {"role": "assistant", "content": self._content(asked, "")}
            frames.append(self._frame(truth, end, truth.finish))
        events = [_event(number, "result", 200, frame) for number, frame in enumerate(frames, 1)]
        if truth.breaks == "error":
            fault = {"code": "InternalError", "message": "The model failed", "request_id": "river"}
            events.append(_event(len(events) + 1, "error", 500, fault))
        return Answer(status=200, content_type="text/event-stream", pieces=events, breaks=truth.breaks == "cut")

    def refuse(self, status: int, message: str) -> Answer:
        code = "Throttling.RateQuota" if status == 429 else "InvalidParameter"
        return json_answer({"code": code, "message": message, "request_id": "river"}, status)

    def _content(self, asked: Asked, text: str) -> Json:
        if asked.fields["is_multimodal"]:
            return [{"text": text}] if text else []
        return text

    def _frame(self, truth: Truth, message: dict[str, Json], finish: str) -> dict[str, Json]:
        u = truth.usage
        usage: dict[str, Json] = {
            "input_tokens": u.input or 0,
            "output_tokens": u.output or 0,
            "total_tokens": (u.input or 0) + (u.output or 0),
            "prompt_tokens_details": {"cached_tokens": u.cached or 0},
            "output_tokens_details": {"reasoning_tokens": u.reasoning or 0},
        }
        if u.cache_write:
            usage["prompt_tokens_details"]["cache_creation_input_tokens"] = u.cache_write
        choice = {"finish_reason": finish, "index": 0, "message": message}
        return {"output": {"choices": [choice]}, "usage": usage, "request_id": "river"}


def _event(number: int, kind: str, status: int, data: Json) -> bytes:
    return f"id:{number}\nevent:{kind}\n:HTTP_STATUS/{status}\ndata:".encode() + to_bytes(data) + b"\n\n"


def _call(position: int, call: Call, arguments: str) -> dict[str, Json]:
    return {
        "index": position,
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def _plain(message: dict[str, Json]) -> dict[str, Json]:
    """`message` with its parts as OpenAI spells them: `{"text": …}` and `{"image": …}` have no type here."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    parts = []
    for part in content:
        if "image" in part:
            parts.append({"type": "image_url", "image_url": {"url": part["image"]}})
        else:
            parts.append({"type": part.get("type", "text")} | part)
    return message | {"content": parts}
