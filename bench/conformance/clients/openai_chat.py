"""A client of chat completions: reads as openai 3.54 does, whose stream helper merges deltas by fixed rules.

Source (2026-11-26): openai==3.54.0, _streaming.py (`[DONE]` ends, an `error` raises), lib/streaming/_deltas.py (lists
of objects need `index`), types/chat/; thoughts in `reasoning_content` (DeepSeek, vLLM), `reasoning`,
`reasoning_details` (OpenRouter) or `thinking_blocks` (LiteLLM): whatever comes is sent back as it came.
"""

from __future__ import annotations

from conformance.clients._contract import Received, Sent, broken, events, failure_of, read_json
from conformance.facts import UNKNOWN_NAME, Call, Failure, Json, Thought, Told, Usage

NOT_SENT_BACK = frozenset({"audio", "function_call", "refusal", "annotations"})
"""Empty parts that applications leave out of the history."""


class OpenAIChatClient:
    cannot_tell: frozenset[str] = frozenset()

    def write(self, body: dict[str, Json], *, model: str, is_stream: bool, key: str) -> Sent:
        if is_stream:
            body = body | {"stream": True, "stream_options": {"include_usage": True}}
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        return Sent(path="/chat/completions", headers=headers, body=body)

    def read_whole(self, got: Received) -> Told:
        told = Told()
        if got.status != 200 or got.fault:
            return _refused(told, got)
        answer = read_json(got.body, told)
        if not isinstance(answer, dict) or not answer.get("choices"):
            told.complaints.append("no choices")
            return told
        choice = answer["choices"][0]
        _read_message(told, choice.get("message") or {})
        told.finish = choice.get("finish_reason") or ""
        told.usage = read_usage(answer.get("usage"))
        if UNKNOWN_NAME in answer:
            told.fields[UNKNOWN_NAME] = answer[UNKNOWN_NAME]
        return told

    def read_stream(self, got: Received) -> Told:
        told = Told()
        if got.status != 200:
            return _refused(told, got)
        message: dict[str, Json] = {}
        is_done = False
        for _, data in events(got.body):
            if data.startswith("[DONE]"):
                is_done = True
                break
            chunk = read_json(data, told)
            if not isinstance(chunk, dict):
                continue
            if chunk.get("error"):
                error = chunk["error"] if isinstance(chunk["error"], dict) else {}
                told.failure = Failure(
                    is_told_by="event", kind=str(error.get("type") or ""), message=str(error.get("message") or "")
                )
                break
            if chunk.get("usage"):
                told.usage = read_usage(chunk["usage"])
            if UNKNOWN_NAME in chunk:
                told.fields[UNKNOWN_NAME] = chunk[UNKNOWN_NAME]
            for choice in chunk.get("choices") or ():
                delta = choice.get("delta") or {}
                if any(delta.get(name) for name in ("content", "tool_calls")):
                    told.pieces += 1
                if problem := merge(message, delta):
                    told.blemishes.append(problem)
                told.finish = choice.get("finish_reason") or told.finish
        for name in ("thinking_blocks", "content_blocks"):
            if message.get(name):
                message[name] = whole_blocks(message[name])
        _read_message(told, message)
        if told.finish and not is_done and told.failure is None:
            told.blemishes.append("the stream's end mark ([DONE])")
        return broken(told, got)


def merge(whole: dict[str, Json], delta: dict[str, Json]) -> str:
    """Add `delta` to `whole` by the rules of the official helper; what it would raise, or an empty string."""
    for key, value in delta.items():
        has_index = isinstance(value, list) and any(isinstance(item, dict) and "index" in item for item in value)
        if whole.get(key) is None and not has_index:
            whole[key] = value
            continue
        had = whole.get(key)
        if had is None:
            had = whole[key] = []
        if key in ("index", "type"):
            whole[key] = value
        elif type(had) is type(value) and isinstance(had, str | int | float):
            whole[key] += value  # numbers, too
        elif isinstance(had, dict) and isinstance(value, dict):
            if problem := merge(had, value):
                return problem
        elif isinstance(had, list) and isinstance(value, list):
            for item in value:
                if not isinstance(item, dict) or not isinstance(item.get("index"), int):
                    had += value
                    return f"use of the official stream helper (it raises: entries of {key} have no index)"
                if item["index"] < len(had):
                    if problem := merge(had[item["index"]], item):
                        return problem
                else:
                    had.append(dict(item))
    return ""


def whole_blocks(blocks: list[Json]) -> list[Json]:
    """Streamed blocks put together as the gateways' documentation tells applications to: a thought goes on until it is
    signed; Portkey's blocks hold theirs under `delta`."""
    out: list[Json] = []
    for block in blocks:
        if isinstance(block, dict) and isinstance(block.get("delta"), dict):
            block = {"type": "redacted_thinking" if "data" in block["delta"] else "thinking", **block["delta"]}
        last = out[-1] if out else {}
        if block.get("type") == last.get("type") == "thinking" and not last.get("signature"):
            last["thinking"] = (last.get("thinking") or "") + (block.get("thinking") or "")
            last["signature"] = block.get("signature") or ""
        else:
            out.append(dict(block))
    return [
        block for block in out if block.get("type") != "thinking" or block.get("thinking") or block.get("signature")
    ]


def _read_message(told: Told, message: dict[str, Json]) -> None:
    content = message.get("content")
    if isinstance(content, list):
        told.complaints.append("content is a list")
        content = "".join(part.get("text", "") for part in content)
    told.text = content or ""
    told.refusal = message.get("refusal") or ""
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        arguments = function.get("arguments")
        if not isinstance(arguments, str):
            told.complaints.append("arguments are no string")
        told.calls.append(
            Call(id=call.get("id") or "", name=function.get("name") or "", arguments=str(arguments or ""))
        )
    _read_thoughts(told, message)
    if UNKNOWN_NAME in message:
        told.fields[f"message.{UNKNOWN_NAME}"] = message[UNKNOWN_NAME]
    if message and message.get("role") not in ("assistant", None):
        told.blemishes.append("role of the message")  # the helper joins it from the chunks
    back = {k: v for k, v in message.items() if v is not None and not (k in NOT_SENT_BACK and not v)}
    told.echo = [back | {"role": "assistant"}]
    for call in back.get("tool_calls") or ():
        call.pop("index", None)


def _read_thoughts(told: Told, message: dict[str, Json]) -> None:
    text = message.get("reasoning_content") or message.get("reasoning") or ""
    names = ("thinking_blocks", "reasoning_details", "content_blocks")
    blocks: list[Json] = next((message[name] for name in names if message.get(name)), [])
    signature = "".join(str(block.get("signature") or "") for block in blocks if isinstance(block, dict))
    if not text:
        said = (block.get("text") or block.get("summary") or block.get("thinking") for block in blocks)
        text = "".join(part for part in said if isinstance(part, str))
    if text or blocks:
        told.thoughts.append(Thought(text=str(text), signature=signature))


def read_usage(usage: Json) -> Usage:
    usage = usage or {}
    inputs, outputs = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return Usage(
        input=usage.get("prompt_tokens"),
        cached=inputs.get("cached_tokens"),
        cache_write=inputs.get("cache_write_tokens"),
        output=usage.get("completion_tokens"),
        reasoning=outputs.get("reasoning_tokens"),
    )


def _refused(told: Told, got: Received) -> Told:
    answer = read_json(got.body, Told())
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        told.failure = failure_of(got, str(error.get("type") or error.get("code") or ""), error.get("message"))
        if not isinstance(error.get("message"), str):
            told.complaints.append("an error without a message")
    else:
        told.failure = failure_of(got, "", got.body[:300].decode("utf-8", "replace"))
        told.complaints.append("the error has not the dialect's shape")
    return broken(told, got)
