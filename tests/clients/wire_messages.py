"""Anthropic's Messages, as strict as the vendor: unknown fields, thoughts that came back changed, calls without results.

Sources: https://platform.claude.com/docs/en/api/messages, https://platform.claude.com/docs/en/build-with-claude/streaming,
https://platform.claude.com/docs/en/build-with-claude/extended-thinking; read 2026-11-26.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator

from clients.scripted_model import Answer, Call, Counts, Json, Question, Refused, Result, Thought, Turn, proof_of

FIELDS = frozenset({
    "model", "max_tokens", "messages", "system", "stream", "stop_sequences", "temperature", "top_p", "top_k", "tools",
    "tool_choice", "thinking", "output_config", "metadata", "service_tier", "cache_control",
})  # fmt: skip
FINISH = {"stop": "end_turn", "tools": "tool_use", "length": "max_tokens", "filter": "refusal"}


BETA_FIELDS = {"context_management": "context-management"}
"""Fields that are taken only with a word like that in `anthropic-beta`."""


def read(body: Json, beta: str = "") -> Question:
    if "thread" in body:  # conversations that the vendor keeps; its own clients go on without when they hear this
        details = {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}
        raise Refused("thread: not supported", details=details)
    unknown = sorted(body.keys() - FIELDS - {name for name, word in BETA_FIELDS.items() if word in beta})
    if unknown:
        raise Refused(f"{unknown[0]}: Extra inputs are not permitted")
    if not isinstance(body.get("max_tokens"), int):
        raise Refused("max_tokens: Field required")
    turns = [_turn(message) for message in body["messages"] if message["role"] != "system"]
    choice = body.get("tool_choice") or {"type": "auto"}
    is_thinking = (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")
    if is_thinking:
        _check_thinking(body, choice)
    tools = {tool["name"]: tool.get("input_schema") or {} for tool in body.get("tools") or []}
    if not tools and any(turn.calls for turn in turns):
        raise Refused("tools: Field required when messages hold tool_use blocks")
    return Question(
        wire="messages",
        model=body["model"],
        stream=bool(body.get("stream")),
        turns=tuple(turns),
        tools=tools,
        must_call=choice.get("name", "*") if choice["type"] in ("any", "tool") else "",
        schema=((body.get("output_config") or {}).get("format") or {}).get("schema"),
        wants_thoughts=is_thinking,
    )


def _check_thinking(body: Json, choice: Json) -> None:
    if choice["type"] in ("any", "tool"):
        raise Refused("Thinking may not be enabled when tool_choice forces tool use.")
    if body["thinking"].get("budget_tokens", 0) >= body["max_tokens"]:
        raise Refused("`max_tokens` must be greater than `thinking.budget_tokens`")
    if body["thinking"]["type"] == "enabled":
        # A tool loop is one turn of the assistant, and that turn begins with a thought.
        asked = [number for number, message in enumerate(body["messages"]) if _is_question(message)]
        loop = [message for message in body["messages"][asked[-1] :] if message["role"] == "assistant"]
        if loop and loop[0]["content"][0]["type"] not in ("thinking", "redacted_thinking"):
            raise Refused("Expected `thinking` or `redacted_thinking`, but found another block")


def _is_question(message: Json) -> bool:
    content = message["content"]
    return message["role"] == "user" and (
        isinstance(content, str) or all(block["type"] != "tool_result" for block in content)
    )


def _turn(message: Json) -> Turn:
    turn = Turn(is_model={"user": False, "assistant": True}[message["role"]])
    content = message["content"]
    if not content:
        raise Refused("messages: text content blocks must be non-empty")
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        _add(turn, block)
    return turn


def _add(turn: Turn, block: Json) -> None:
    kind = block["type"]
    if kind == "text":
        if not block["text"]:
            raise Refused("messages: text content blocks must be non-empty")
        turn.text += block["text"]
    elif kind == "image" and block["source"]["type"] == "base64":
        turn.pictures.append(b64decode(block["source"]["data"], validate=True))
    elif kind == "tool_use" and turn.is_model:
        turn.calls.append(Call(id=block["id"], name=block["name"], arguments=json.dumps(block["input"])))
    elif kind == "tool_result" and not turn.is_model:
        if turn.text:
            raise Refused("tool_result blocks come first in the content array")
        content = block.get("content")
        turn.results.append(Result(call_id=block["tool_use_id"], text=_text_of(content)))
        for inner in content if isinstance(content, list) else []:
            if inner["type"] == "image":
                _add(turn, inner)
    elif kind == "thinking" and turn.is_model:
        if block["signature"] != proof_of("thought", block["thinking"]):
            raise Refused("Invalid `signature` in `thinking` block")
        turn.thoughts.append(Thought(text=block["thinking"], proof=block["signature"]))
    else:
        raise Refused(f"{kind!r} is not possible here")


def _text_of(content: object) -> str:
    if isinstance(content, list):
        return "".join(block.get("text", "") for block in content)
    return str(content or "")


def count(body: Json) -> Json:
    """`/v1/messages/count_tokens`."""
    return {"input_tokens": 100 + sum(len(_text_of(message["content"])) for message in body["messages"])}


# ---- answers ---------------------------------------------------------------------------------------------------------


def _blocks(answer: Answer) -> list[Json]:
    blocks: list[Json] = []
    if answer.thought:
        blocks.append(
            {"type": "thinking", "thinking": answer.thought, "signature": proof_of("thought", answer.thought)}
        )
    if answer.text:
        blocks.append({"type": "text", "text": answer.text})
    blocks += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": json.loads(call.arguments)}
        for call in answer.calls
    ]
    return blocks


def usage(counts: Counts) -> Json:
    return {
        "input_tokens": counts.input - counts.cached - counts.written,
        "cache_read_input_tokens": counts.cached,
        "cache_creation_input_tokens": counts.written,
        "cache_creation": {"ephemeral_5m_input_tokens": counts.written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": counts.output,
        "output_tokens_details": {"thinking_tokens": counts.reasoning},
        "service_tier": "standard",
    }


def _message(question: Question, answer: Answer, **more: object) -> Json:
    return {"id": f"msg_{answer.id}", "type": "message", "role": "assistant", "model": question.model, **more}


def whole(question: Question, answer: Answer) -> Json:
    return _message(
        question,
        answer,
        content=_blocks(answer),
        stop_reason=FINISH[answer.finish],
        stop_sequence=None,
        usage=usage(answer.counts),
    )


def events(question: Question, answer: Answer) -> Iterator[bytes]:
    numbers = usage(answer.counts)
    empty = _message(
        question, answer, content=[], stop_reason=None, stop_sequence=None, usage={**numbers, "output_tokens": 1}
    )
    yield _event("message_start", message=empty)
    yield _event("ping")
    for index, block in enumerate(_blocks(answer)):
        yield from _block_events(index, block, answer)
    yield _event(
        "message_delta",
        delta={"stop_reason": FINISH[answer.finish], "stop_sequence": None},
        usage={name: value for name, value in numbers.items() if name not in ("cache_creation", "service_tier")},
    )
    yield _event("message_stop")


def _block_events(index: int, block: Json, answer: Answer) -> Iterator[bytes]:
    deltas: list[Json]
    if block["type"] == "thinking":
        start = {**block, "thinking": "", "signature": ""}
        thought = block["thinking"]
        deltas = [{"type": "thinking_delta", "thinking": thought[at : at + 9]} for at in range(0, len(thought), 9)]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    elif block["type"] == "text":
        start = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in answer.pieces]
    else:
        start = {**block, "input": {}}
        text = json.dumps(block["input"]) if block["input"] else ""  # as the vendor does it for no arguments
        deltas = [{"type": "input_json_delta", "partial_json": ""}]
        deltas += [{"type": "input_json_delta", "partial_json": text[at : at + 3]} for at in range(0, len(text), 3)]
    yield _event("content_block_start", index=index, content_block=start)
    for delta in deltas:
        yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


KINDS = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 429: "rate_limit_error",
    529: "overloaded_error",
}  # fmt: skip


def error(status: int, message: str, details: Json | None = None) -> Json:
    found = {"type": KINDS.get(status, "api_error"), "message": message, **({"details": details} if details else {})}
    return {"type": "error", "error": found, "request_id": "req_scripted"}


def error_event(message: str) -> bytes:
    return _event("error", error={"type": "overloaded_error", "message": message})
