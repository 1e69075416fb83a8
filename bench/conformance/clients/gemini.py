"""A client of generateContent: reads as google-genai 3.6 does.

Source (2026-11-26): google-genai==3.6.1, _api_client.py (a segment that begins with `{"error":` raises), errors.py,
types.py.
"""

from __future__ import annotations

import json

from conformance.clients._contract import Received, Sent, broken, events, failure_of, read_json
from conformance.facts import UNKNOWN_NAME, Call, Failure, Json, Thought, Told, Usage

FINISH = {"STOP": "stop", "MAX_TOKENS": "length"}
BLOCKED = frozenset(
    [
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "LANGUAGE",
        "MODEL_ARMOR",
        "ESCALATION",
    ]
)


class GeminiClient:
    cannot_tell: frozenset[str] = frozenset({"cache_write", "refusal text", "redacted", "call ids"})

    def write(self, body: dict[str, Json], *, model: str, is_stream: bool, key: str) -> Sent:
        method = "streamGenerateContent?alt=sse" if is_stream else "generateContent"
        headers = {"x-goog-api-key": key, "content-type": "application/json"}
        return Sent(path=f"/models/{model}:{method}", headers=headers, body=body)

    def read_whole(self, got: Received) -> Told:
        told = Told()
        if got.status != 200 or got.fault:
            return _refused(told, got)
        answer = read_json(got.body, told)
        if isinstance(answer, dict):
            parts: list[Json] = []
            _read_chunk(told, answer, parts)
            _finish(told, parts)
        return told

    def read_stream(self, got: Received) -> Told:
        told = Told()
        if got.status != 200:
            return _refused(told, got)
        parts: list[Json] = []
        for _, data in events(got.body):
            chunk = read_json(data, told)
            if not isinstance(chunk, dict):
                continue
            if next(iter(chunk), "") == "error":
                error = chunk["error"] if isinstance(chunk["error"], dict) else {}
                told.failure = Failure(
                    is_told_by="event", kind=str(error.get("status") or ""), message=str(error.get("message") or "")
                )
                break
            _read_chunk(told, chunk, parts)
        _finish(told, parts)
        return broken(told, got)


def _read_chunk(told: Told, chunk: dict[str, Json], parts: list[Json]) -> None:
    blocked = (chunk.get("promptFeedback") or {}).get("blockReason")
    if blocked:
        told.finish = "content_filter"
    if UNKNOWN_NAME in chunk:
        told.fields[UNKNOWN_NAME] = chunk[UNKNOWN_NAME]
    for candidate in (chunk.get("candidates") or ())[:1]:
        for part in (candidate.get("content") or {}).get("parts") or ():
            parts.append(part)
            told.pieces += 1
        reason = candidate.get("finishReason")
        if reason:
            told.finish = "content_filter" if reason in BLOCKED else FINISH.get(reason, reason)
    if usage := chunk.get("usageMetadata"):
        thoughts, candidates = usage.get("thoughtsTokenCount"), usage.get("candidatesTokenCount")
        told.usage = Usage(
            input=usage.get("promptTokenCount"),
            cached=usage.get("cachedContentTokenCount"),
            output=None if candidates is None and thoughts is None else (candidates or 0) + (thoughts or 0),
            reasoning=thoughts,
        )


def _finish(told: Told, parts: list[Json]) -> None:
    """The answer's parts as facts; they go back as they came."""
    for part in parts:
        signature = part.get("thoughtSignature") or ""
        if part.get("thought"):
            told.thoughts.append(Thought(text=part.get("text", ""), signature=signature))
            continue
        if signature:
            told.thoughts.append(Thought(signature=signature))
        if "text" in part:
            told.text += part["text"]
        elif call := part.get("functionCall"):
            if not isinstance(call.get("args", {}), dict):
                told.complaints.append("args are no object")
            arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
            told.calls.append(Call(id=call.get("id") or "", name=call.get("name") or "", arguments=arguments))
    if told.finish == "stop" and told.calls:
        told.finish = "tool_calls"
    told.echo = [{"role": "model", "parts": parts}]


def _refused(told: Told, got: Received) -> Told:
    answer = read_json(got.body, Told())
    if isinstance(answer, list) and answer:
        answer = answer[0]
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict) and isinstance(error.get("status"), str) and isinstance(error.get("code"), int):
        told.failure = failure_of(got, error["status"], error.get("message"))
    else:
        told.failure = failure_of(got, "", got.body[:300].decode("utf-8", "replace"))
        told.complaints.append("the error has not the dialect's shape")
    return broken(told, got)
