"""Anthropic's Messages.

Sources (2026-11-26): anthropic==2.14.0, types/message*.py, raw_*_event.py, usage.py, stop_reason.py,
output_config_param.py; https://platform.claude.com/docs/en/api/messages, …/build-with-claude/streaming,
…/build-with-claude/thinking (a turn whose tools are answered needs its thinking blocks unchanged), …/api/errors.
"""

from __future__ import annotations

from typing import Literal

from conformance.facts import (
    RETRY_AFTER,
    UNKNOWN_NAME,
    UNKNOWN_VALUE,
    Asked,
    Call,
    Image,
    Json,
    Result,
    Thought,
    Truth,
    Turn,
)
from conformance.wires._contract import Answer, cuts, join, json_answer, sse, to_bytes, unknown_fields

KNOWN = frozenset(
    [
        "max_tokens",
        "messages",
        "model",
        "cache_control",
        "container",
        "diagnostics",
        "inference_geo",
        "metadata",
        "output_config",
        "prefill",
        "service_tier",
        "speed",
        "stop_sequences",
        "stream",
        "system",
        "thinking",
        "tool_choice",
        "tools",
        "temperature",
        "top_k",
        "top_p",
        "context_management",
        "mcp_servers",
        "output_format",
    ]
)
FINISH = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


class Anthropic:
    thoughts: Literal["signed", "plain", "none"] = "signed"
    cannot_tell: frozenset[str] = frozenset()
    cannot_ask: frozenset[str] = frozenset()

    # ---- what was asked ----

    def read(self, path: str, headers: dict[str, str], body: dict[str, Json]) -> Asked:
        asked = Asked(model=body.get("model", ""), is_stream=bool(body.get("stream")), fields=body)
        asked.complaints += unknown_fields(body, KNOWN)
        if not isinstance(body.get("max_tokens"), int):
            asked.complaints.append("no max_tokens")
        system = body.get("system") or []
        blocks = [{"type": "text", "text": system}] if isinstance(system, str) else system
        asked.system = join(block.get("text", "") for block in blocks)
        asked.cache_marks += _marks(blocks)
        self._read_messages(asked, body.get("messages") or [])
        for tool in body.get("tools") or ():
            if "input_schema" not in tool:
                asked.complaints.append(f"a tool of type {tool.get('type')!r}")
                continue
            asked.tools[tool["name"]] = {
                "description": tool.get("description") or "",
                "schema": tool["input_schema"],
            }
        self._read_choice(asked, body)
        for knob, name in (("max_tokens",) * 2, ("temperature",) * 2, ("top_p",) * 2, ("stop", "stop_sequences")):
            if body.get(name) is not None:
                asked.knobs[knob] = body[name]
        thinking = body.get("thinking") or {}
        if thinking.get("type") in ("enabled", "adaptive"):
            asked.knobs["thinking"] = True
            if thinking["type"] == "enabled" and not 1024 <= thinking.get("budget_tokens", 0) < body.get(
                "max_tokens", 0
            ):
                asked.complaints.append("a thinking budget out of bounds")
            if asked.tool_choice not in ("", "auto", "none"):
                asked.complaints.append("a forced tool while thinking")
            if body.get("temperature", 1) != 1:
                asked.complaints.append("a temperature while thinking")
        return asked

    def _read_messages(self, asked: Asked, messages: list[Json]) -> None:
        calls: set[str] = set()
        for role, blocks in _merged(messages):
            asked.cache_marks += _marks(blocks)
            if role not in ("user", "assistant"):
                asked.complaints.append(f"a message of role {role!r}")
                continue
            if not blocks:
                asked.complaints.append("empty content")
            answered = {block.get("tool_use_id") for block in blocks if block.get("type") == "tool_result"}
            if role == "user" and calls != answered:
                asked.complaints.append(
                    "calls without results" if calls - answered else "a result that answers no call"
                )
            for block in blocks:
                self._read_block(asked, role, block)
            calls = {block.get("id", "") for block in blocks if block.get("type") == "tool_use"}

    def _read_block(self, asked: Asked, role: str, block: dict[str, Json]) -> None:
        match block.get("type"):
            case "text":
                if not str(block.get("text", "")).strip():
                    asked.complaints.append("an empty text block")
                turn = asked.turn(role)
                turn.text = join((turn.text, block.get("text", "")))
            case "image":
                asked.turn(role).images.append(image_of_source(block.get("source") or {}))
            case "tool_use":
                if not isinstance(block.get("input"), dict):
                    asked.complaints.append("input is no object")
                arguments = to_bytes(block.get("input")).decode()
                call = Call(id=block.get("id", ""), name=block.get("name", ""), arguments=arguments)
                asked.turn("assistant").calls.append(call)
            case "tool_result":
                asked.turn("tool").results.append(_result(block))
            case "thinking":
                _read_thinking(asked, asked.turn("assistant"), block)
            case "redacted_thinking":
                asked.turn("assistant").thoughts.append(Thought(redacted=block.get("data", "")))
            case other:
                asked.complaints.append(f"a block of type {other!r}")

    def _read_choice(self, asked: Asked, body: dict[str, Json]) -> None:
        choice = body.get("tool_choice") or {}
        kind = choice.get("type", "")
        asked.tool_choice = choice.get("name", "") if kind == "tool" else {"any": "required"}.get(kind, kind)
        form = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
        if form.get("type") == "json_schema":
            asked.schema = form.get("schema")
        elif kind == "tool" or (kind == "any" and len(asked.tools) == 1):
            name = choice.get("name") or next(iter(asked.tools))
            if name in asked.tools:
                asked.answer_tool = name

    # ---- what is answered ----

    def whole(self, truth: Truth, asked: Asked) -> Answer:
        message = self._message(asked) | {
            "content": self._blocks(truth, asked),
            "stop_reason": self._finish(truth, asked),
            "usage": self._usage(truth),
        }
        if truth.refusal:
            message["stop_details"] = _refused(truth)
        if truth.has_unknown:
            message[UNKNOWN_NAME] = UNKNOWN_VALUE
        return json_answer(message)

    def stream(self, truth: Truth, asked: Asked) -> Answer:
        usage = self._usage(truth)
        start = self._message(asked) | {"usage": usage | {"output_tokens": 1}}
        start["usage"].pop("output_tokens_details", None)
        out: list[dict[str, Json]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
        for index, block in enumerate(self._blocks(truth, asked)):
            empty, deltas = _deltas(block, truth)
            out.append({"type": "content_block_start", "index": index, "content_block": empty})
            out += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
            if not truth.breaks:
                out.append({"type": "content_block_stop", "index": index})
        if truth.has_unknown:
            out[0]["message"][UNKNOWN_NAME] = UNKNOWN_VALUE
            out.append({"type": "future_event", UNKNOWN_NAME: UNKNOWN_VALUE})
        if truth.breaks == "error":
            out.append({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
        elif not truth.breaks:
            delta: dict[str, Json] = {"stop_reason": self._finish(truth, asked), "stop_sequence": None}
            if truth.refusal:
                delta["stop_details"] = _refused(truth)
            counted = {key: value for key, value in usage.items() if key.startswith("output_tokens")}
            out.append({"type": "message_delta", "delta": delta, "usage": counted})
            out.append({"type": "message_stop"})
        events = [sse(event, event["type"]) for event in out]
        return Answer(status=200, content_type="text/event-stream", pieces=events, breaks=truth.breaks == "cut")

    def refuse(self, status: int, message: str) -> Answer:
        kind = "rate_limit_error" if status == 429 else "invalid_request_error"
        headers = (("retry-after", RETRY_AFTER),) if status == 429 else ()
        error = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_river"}
        return json_answer(error, status, headers)

    # ---- parts ----

    def _message(self, asked: Asked) -> dict[str, Json]:
        return {
            "id": "msg_river",
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }

    def _blocks(self, truth: Truth, asked: Asked) -> list[dict[str, Json]]:
        blocks: list[dict[str, Json]] = []
        for thought in truth.thoughts:
            if thought.redacted:
                blocks.append({"type": "redacted_thinking", "data": thought.redacted})
            else:
                blocks.append({"type": "thinking", "thinking": thought.text, "signature": thought.signature})
        if truth.is_json and asked.answer_tool:
            call = Call(id="toolu_answer", name=asked.answer_tool, arguments=truth.text)
            return [*blocks, {"type": "tool_use", "id": call.id, "name": call.name, "input": call.values}]
        if truth.text:
            blocks.append({"type": "text", "text": truth.text})
        for call in truth.calls:
            blocks.append({"type": "tool_use", "id": f"toolu_{call.id}", "name": call.name, "input": call.values})
        return blocks

    def _finish(self, truth: Truth, asked: Asked) -> str:
        return "tool_use" if truth.is_json and asked.answer_tool else FINISH[truth.finish]

    def _usage(self, truth: Truth) -> dict[str, Json]:
        u = truth.usage
        cached, written = u.cached or 0, u.cache_write or 0
        usage: dict[str, Json] = {
            "input_tokens": (u.input or 0) - cached - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": cached,
            "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
            "output_tokens": u.output or 0,
            "service_tier": "standard",
        }
        if u.reasoning:
            usage["output_tokens_details"] = {"thinking_tokens": u.reasoning}
        return usage


def _refused(truth: Truth) -> dict[str, Json]:
    return {"type": "refusal", "category": None, "explanation": truth.refusal}


def _deltas(block: dict[str, Json], truth: Truth) -> tuple[dict[str, Json], list[dict[str, Json]]]:
    """The block as it starts, and what then arrives of it."""
    match block["type"]:
        case "text":
            return block | {"text": ""}, [{"type": "text_delta", "text": piece} for piece in truth.pieces]
        case "thinking":
            text = block["thinking"]
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in (text[:9], text[9:])]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
            return block | {"thinking": "", "signature": ""}, deltas
        case "tool_use":
            written = next((c.arguments for c in truth.calls if f"toolu_{c.id}" == block["id"]), truth.text)
            pieces = ["", *cuts(written)]
            return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        case _:
            return block, []


def _read_thinking(asked: Asked, turn: Turn, block: dict[str, Json]) -> None:
    if not block.get("signature"):
        asked.complaints.append("thinking without a signature")
    turn.thoughts.append(Thought(text=block.get("thinking", ""), signature=block.get("signature") or ""))


def image_of_source(source: dict[str, Json]) -> Image:
    if source.get("type") == "base64":
        return Image(media_type=source.get("media_type", ""), data=source.get("data", ""))
    return Image(media_type="", data=source.get("url", ""))


def _result(block: dict[str, Json]) -> Result:
    content = block.get("content") or []
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    pictures: list[Json] = [part for part in parts if part.get("type") == "image"]
    return Result(
        call_id=block.get("tool_use_id", ""),
        text=join(part.get("text", "") for part in parts if part.get("type") == "text"),
        images=tuple(image_of_source(part["source"]) for part in pictures),
        is_error=bool(block.get("is_error")),
    )


def _merged(messages: list[Json]) -> list[tuple[str, list[Json]]]:
    """Neighbours of one role are one turn, says the API's reference."""
    out: list[tuple[str, list[Json]]] = []
    for message in messages:
        role, content = message.get("role"), message.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        if out and out[-1][0] == role:
            out[-1][1].extend(blocks)
        else:
            out.append((role, list(blocks)))
    return out


def _marks(blocks: list[Json]) -> int:
    return sum(1 for block in blocks if isinstance(block, dict) and block.get("cache_control"))
