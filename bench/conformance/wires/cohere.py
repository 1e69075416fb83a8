"""Cohere's chat, version 2.

Source (2026-11-26): cohere==7.3.1, v2/client.py, v2/types/v2chat_stream_response.py,
types/assistant_message_response*.py, types/usage.py, types/chat_finish_reason.py, types/tool_content.py;
https://docs.cohere.com/v2/reference/chat-stream.
"""

from __future__ import annotations

from typing import Literal

from conformance.facts import UNKNOWN_NAME, UNKNOWN_VALUE, Asked, Call, Json, Thought, Truth
from conformance.wires._contract import Answer, cuts, json_answer, sse, to_bytes, unknown_fields
from conformance.wires.openai_chat import read_chat_tools, read_messages

KNOWN = frozenset(
    [
        "model",
        "messages",
        "tools",
        "strict_tools",
        "documents",
        "citation_options",
        "response_format",
        "safety_mode",
        "max_tokens",
        "stop_sequences",
        "temperature",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "k",
        "p",
        "logprobs",
        "tool_choice",
        "thinking",
        "priority",
        "stream",
        "raw_prompting",
    ]
)
FINISH = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL"}


class Cohere:
    thoughts: Literal["signed", "plain", "none"] = "plain"
    cannot_tell = frozenset(
        {"cache_write", "reasoning", "signature", "redacted", "refusal text", "retry after", "text beside calls"}
    )
    cannot_ask = frozenset({"result images", "result errors", "cache_marks"})

    # ---- what was asked ----

    def read(self, path: str, headers: dict[str, str], body: dict[str, Json]) -> Asked:
        asked = Asked(model=body.get("model", ""), is_stream=bool(body.get("stream")), fields=body)
        asked.fields["is_lines"] = headers.get("accept", "") == "application/json"
        asked.complaints += unknown_fields({k: v for k, v in body.items() if k != "is_lines"}, KNOWN)
        messages = [self._plain(asked, message) for message in body.get("messages") or []]
        read_messages(asked, messages, strict=False)
        read_chat_tools(asked, {"tools": body.get("tools")})
        asked.tool_choice = {"REQUIRED": "required", "NONE": "none"}.get(body.get("tool_choice") or "", "")
        form = body.get("response_format") or {}
        asked.schema = form.get("json_schema") or form.get("schema")
        if asked.schema and asked.tools:
            asked.complaints.append("a schema beside tools")
        for knob, name in (("max_tokens",) * 2, ("temperature",) * 2, ("top_p", "p"), ("stop", "stop_sequences")):
            if body.get(name) is not None:
                asked.knobs[knob] = body[name]
        if (body.get("thinking") or {}).get("type") == "enabled":
            asked.knobs["thinking"] = True
        return asked

    def _plain(self, asked: Asked, message: dict[str, Json]) -> dict[str, Json]:
        """`message` with thoughts as OpenAI's relatives spell them, and documents as text."""
        content = message.get("content")
        if message.get("role") == "tool" and isinstance(content, list):
            texts = [str(p.get("text") or ((p.get("document") or {}).get("data") or {})) for p in content]
            return message | {"content": "\n".join(texts)}
        if not isinstance(content, list):
            return message
        thoughts = [part.get("thinking", "") for part in content if part.get("type") == "thinking"]
        rest = [part for part in content if part.get("type") != "thinking"]
        plan = message.get("tool_plan")
        if plan:  # said in front of calls
            rest = [*rest, {"type": "text", "text": plan}]
        return message | {"content": rest, "reasoning_content": "\n".join(thoughts)}

    # ---- what is answered ----

    def whole(self, truth: Truth, asked: Asked) -> Answer:
        message: dict[str, Json] = {"role": "assistant"}
        content: list[dict[str, Json]] = [
            {"type": "thinking", "thinking": thought.text} for thought in truth.thoughts if thought.text
        ]
        if truth.text and truth.calls:
            message["tool_plan"] = truth.text
        elif truth.text:
            content.append({"type": "text", "text": truth.text})
        if content:
            message["content"] = content
        if truth.calls:
            message["tool_calls"] = [_call(call) for call in truth.calls]
        answer = {
            "id": "river",
            "finish_reason": FINISH.get(truth.finish, "COMPLETE"),
            "message": message,
            "usage": self._usage(truth),
        }
        if truth.has_unknown:
            answer[UNKNOWN_NAME] = UNKNOWN_VALUE
        return json_answer(answer)

    def stream(self, truth: Truth, asked: Asked) -> Answer:
        out: list[dict[str, Json]] = [
            {
                "id": "river",
                "type": "message-start",
                "delta": {
                    "message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
                },
            }
        ]
        index = 0
        for thought in truth.thoughts:
            if thought.text:
                out += _content(index, "thinking", _split(thought), is_open=bool(truth.breaks))
                index += 1
        if truth.pieces and truth.calls:
            out += [{"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}} for piece in truth.pieces]
        elif truth.pieces:
            out += _content(index, "text", list(truth.pieces), is_open=bool(truth.breaks))
        for position, call in enumerate(truth.calls):
            out += _call_events(position, call)
        if truth.has_unknown:
            out.append({"type": "future-event", UNKNOWN_NAME: UNKNOWN_VALUE})
        if truth.breaks == "error":
            delta: dict[str, Json] = {"error": "the model failed", "finish_reason": "ERROR"}
            out.append({"type": "message-end", "delta": delta})
        elif not truth.breaks:
            delta = {"finish_reason": FINISH.get(truth.finish, "COMPLETE"), "usage": self._usage(truth)}
            out.append({"type": "message-end", "delta": delta})
        if asked.fields["is_lines"]:  # who accepts JSON only gets lines of it, as in version 1
            lines = [to_bytes(event) + b"\n" for event in out]
            return Answer(
                status=200, content_type="application/stream+json", pieces=lines, breaks=truth.breaks == "cut"
            )
        events = [sse(event, event["type"]) for event in out]
        if not truth.breaks:
            events.append(sse("[DONE]"))
        return Answer(status=200, content_type="text/event-stream", pieces=events, breaks=truth.breaks == "cut")

    def refuse(self, status: int, message: str) -> Answer:
        return json_answer({"id": "river", "message": message}, status)

    def _usage(self, truth: Truth) -> dict[str, Json]:
        u = truth.usage
        return {
            "billed_units": {"input_tokens": u.input or 0, "output_tokens": u.output or 0},
            "tokens": {"input_tokens": u.input or 0, "output_tokens": u.output or 0},
            "cached_tokens": u.cached or 0,
        }


def _split(thought: Thought) -> list[str]:
    return [thought.text[:9], thought.text[9:]]


def _call(call: Call) -> dict[str, Json]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}


def _content(index: int, kind: str, pieces: list[str], *, is_open: bool) -> list[dict[str, Json]]:
    start = {"message": {"content": {"type": kind, kind: ""}}}
    out: list[dict[str, Json]] = [{"type": "content-start", "index": index, "delta": start}]
    for piece in pieces:
        out.append({"type": "content-delta", "index": index, "delta": {"message": {"content": {kind: piece}}}})
    return out if is_open else [*out, {"type": "content-end", "index": index}]


def _call_events(position: int, call: Call) -> list[dict[str, Json]]:
    start = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
    out: list[dict[str, Json]] = [
        {"type": "tool-call-start", "index": position, "delta": {"message": {"tool_calls": start}}}
    ]
    for piece in cuts(call.arguments or "{}"):
        delta = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
        out.append({"type": "tool-call-delta", "index": position, "delta": delta})
    return [*out, {"type": "tool-call-end", "index": position}]
