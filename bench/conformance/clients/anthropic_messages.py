"""A client of Messages: reads as anthropic 2.14 does, whose stream helper wants events in their order.

Source (2026-11-26): anthropic==2.14.0, _streaming.py (`error` raises, nameless events are skipped),
lib/streaming/_messages.py (`accumulate_event`: blocks by index, cumulative usage), types/.
"""

from __future__ import annotations

import json

from conformance.clients._contract import Received, Sent, broken, events, failure_of, read_json
from conformance.facts import UNKNOWN_NAME, Call, Failure, Json, Thought, Told, Usage

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class AnthropicClient:
    cannot_tell: frozenset[str] = frozenset()

    def write(self, body: dict[str, Json], *, model: str, is_stream: bool, key: str) -> Sent:
        headers = {"x-api-key": key, "anthropic-version": "2023-06-01", "content-type": "application/json"}
        return Sent(path="/messages", headers=headers, body=body | ({"stream": True} if is_stream else {}))

    def read_whole(self, got: Received) -> Told:
        told = Told()
        if got.status != 200 or got.fault:
            return _refused(told, got)
        message = read_json(got.body, told)
        if isinstance(message, dict) and isinstance(message.get("content"), list):
            _read_message(told, message)
        else:
            told.complaints.append("no content")
        return told

    def read_stream(self, got: Received) -> Told:
        told = Told()
        if got.status != 200:
            return _refused(told, got)
        message: dict[str, Json] | None = None
        is_over = False
        buffers: dict[int, str] = {}
        for name, data in events(got.body):
            if name == "error":
                error = (read_json(data, told) or {}).get("error") or {}
                kind = str(error.get("type") or "")
                told.failure = Failure(is_told_by="event", kind=kind, message=str(error.get("message") or ""))
                break
            event = read_json(data, told) if name and name != "ping" else None
            if not isinstance(event, dict) or event.get("type") == "ping":
                continue
            if UNKNOWN_NAME in event:
                told.fields[UNKNOWN_NAME] = event[UNKNOWN_NAME]
            if message is None:
                if event.get("type") != "message_start":
                    told.complaints.append(f"{event.get('type')} before message_start")
                    break
                message = dict(event.get("message") or {})
                message["content"] = list(message.get("content") or [])
                continue
            is_over = is_over or event.get("type") == "message_stop"
            if problem := _accumulate(message, buffers, event, told):
                told.complaints.append(problem)
        if message is not None:
            _read_message(told, message)
        if told.finish and not is_over and told.failure is None:
            told.blemishes.append("the stream's end mark (message_stop)")
        return broken(told, got)


def _accumulate(message: dict[str, Json], buffers: dict[int, str], event: dict[str, Json], told: Told) -> str:
    content, index = message["content"], event.get("index", 0)
    match event.get("type"):
        case "content_block_start":
            if index != len(content):
                return f"block {index} starts as number {len(content)}"
            content.append(dict(event.get("content_block") or {}))
        case "content_block_delta":
            if index >= len(content):
                return "a delta before its block"
            return _add_delta(content[index], buffers, index, event.get("delta") or {}, told)
        case "message_delta":
            delta, usage = event.get("delta") or {}, event.get("usage") or {}
            message |= {"stop_reason": delta.get("stop_reason"), "stop_details": delta.get("stop_details")}
            if "output_tokens" not in usage:
                return "message_delta without usage"
            message["usage"] = (message.get("usage") or {}) | {k: v for k, v in usage.items() if v is not None}
    return ""


def _add_delta(block: dict[str, Json], buffers: dict[int, str], index: int, delta: dict[str, Json], told: Told) -> str:
    kind, wanted = delta.get("type"), {"text_delta": "text", "input_json_delta": "tool_use"}
    if kind in wanted and block.get("type") != wanted[kind]:
        return f"{kind} in a block of type {block.get('type')!r}"
    match kind:
        case "text_delta":
            told.pieces += 1
            block["text"] = block.get("text", "") + delta.get("text", "")
        case "input_json_delta":
            told.pieces += 1
            buffers[index] = buffers.get(index, "") + delta.get("partial_json", "")
            try:
                block["input"] = json.loads(buffers[index])
            except ValueError:
                block["unfinished"] = buffers[index]
            else:
                block.pop("unfinished", None)
        case "thinking_delta":
            block["thinking"] = block.get("thinking", "") + delta.get("thinking", "")
        case "signature_delta":
            block["signature"] = delta.get("signature", "")
    return ""


def _read_message(told: Told, message: dict[str, Json]) -> None:
    for block in message["content"]:
        match block.get("type"):
            case "text":
                told.text += block.get("text", "")
            case "tool_use":
                unfinished = block.pop("unfinished", "")
                if unfinished.strip():
                    told.complaints.append("arguments that are not JSON")
                arguments = unfinished or json.dumps(block.get("input") or {}, ensure_ascii=False)
                told.calls.append(Call(id=block.get("id") or "", name=block.get("name") or "", arguments=arguments))
            case "thinking":
                told.thoughts.append(Thought(text=block.get("thinking", ""), signature=block.get("signature") or ""))
            case "redacted_thinking":
                told.thoughts.append(Thought(redacted=block.get("data", "")))
    told.finish = FINISH.get(message.get("stop_reason") or "", "")
    if message.get("stop_reason") == "refusal":
        told.refusal = str((message.get("stop_details") or {}).get("explanation") or "")
    told.echo = [{"role": "assistant", "content": message["content"]}]
    if UNKNOWN_NAME in message:
        told.fields[UNKNOWN_NAME] = message[UNKNOWN_NAME]
    usage = message.get("usage") or {}
    cached, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    fresh = usage.get("input_tokens")
    told.usage = Usage(
        input=None if fresh is None else fresh + (cached or 0) + (written or 0),
        cached=cached,
        cache_write=written,
        output=usage.get("output_tokens"),
        reasoning=(usage.get("output_tokens_details") or {}).get("thinking_tokens"),
    )


def _refused(told: Told, got: Received) -> Told:
    answer = read_json(got.body, Told())
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict) and isinstance(error.get("type"), str) and isinstance(error.get("message"), str):
        told.failure = failure_of(got, error["type"], error["message"])
    else:
        told.failure = failure_of(got, "", got.body[:300].decode("utf-8", "replace"))
        told.complaints.append("the error has not the dialect's shape")
    return broken(told, got)
