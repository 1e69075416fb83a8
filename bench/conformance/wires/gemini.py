"""Gemini's generateContent.

Sources (2026-11-26): google-genai==3.6.1, types.py (Part, GenerationConfig, GenerateContentResponseUsageMetadata,
FinishReason) and _api_client.py (errors in streams); https://ai.google.dev/api/generate-content,
https://ai.google.dev/gemini-api/docs/thought-signatures (Gemini 3 refuses a call without the signature it came with),
https://ai.google.dev/gemini-api/docs/function-calling (images in `functionResponse.parts`).
"""

from __future__ import annotations

import json
import re
from typing import Literal

from conformance.facts import RETRY_AFTER, UNKNOWN_NAME, UNKNOWN_VALUE, Asked, Call, Image, Json, Result, Thought, Truth
from conformance.wires._contract import Answer, join, json_answer, sse, to_bytes, unknown_fields

KNOWN = frozenset(
    [
        "model",
        "contents",
        "tools",
        "toolConfig",
        "safetySettings",
        "systemInstruction",
        "generationConfig",
        "cachedContent",
        "labels",
        "store",
        "serviceTier",
    ]
)
SIGNATURE = "U2lnbmVkOiBhIGNhbGwgb2YgR2VtaW5pIDM="
"""Gemini 3 signs the first of its calls, also when it tells no thought."""
FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}


class Gemini:
    thoughts: Literal["signed", "plain", "none"] = "signed"
    cannot_tell = frozenset({"cache_write", "redacted", "refusal text", "call ids", "retry after"})
    cannot_ask = frozenset({"call ids", "cache_marks"})

    # ---- what was asked ----

    def read(self, path: str, headers: dict[str, str], body: dict[str, Json]) -> Asked:
        body = camel(body)
        found = re.search(r"/models/([^:/]+):(\w+)", path)
        asked = Asked(
            model=found[1] if found else "", is_stream=bool(found and found[2].startswith("stream")), fields=body
        )
        asked.fields["is_sse"] = "alt=sse" in path
        asked.complaints += unknown_fields({k: v for k, v in body.items() if k != "is_sse"}, KNOWN)
        system = body.get("systemInstruction") or {}
        asked.system = join(part.get("text", "") for part in _parts(system))
        self._read_contents(asked, body.get("contents") or [])
        config = body.get("generationConfig") or {}
        self._read_tools(asked, body)
        asked.schema = config.get("responseJsonSchema") or config.get("responseSchema")
        if asked.schema and config.get("responseMimeType") != "application/json":
            asked.complaints.append("a schema without responseMimeType")
        for knob, name in (
            ("max_tokens", "maxOutputTokens"), ("temperature",) * 2, ("top_p", "topP"), ("stop", "stopSequences"),
        ):  # fmt: skip
            if config.get(name) is not None:
                asked.knobs[knob] = config[name]
        thinking = config.get("thinkingConfig") or {}
        if thinking.get("thinkingBudget", 0) or thinking.get("thinkingLevel"):
            asked.knobs["thinking"] = True
        if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
            asked.complaints.append("thinkingBudget beside thinkingLevel")
        return asked

    def _read_contents(self, asked: Asked, contents: list[Json]) -> None:
        open_calls = 0
        for position, content in enumerate(contents):
            role = {"model": "assistant", "function": "user"}.get(
                content.get("role", "user"), content.get("role", "user")
            )
            parts = _parts(content)
            if role not in ("user", "assistant"):
                asked.complaints.append(f"a content of role {role!r}")
                continue
            if not parts:
                asked.complaints.append("a content without parts")
            answers = sum(1 for part in parts if part.get("functionResponse"))
            if open_calls != answers:
                asked.complaints.append("as many results as calls are needed")
            open_calls = sum(1 for part in parts if part.get("functionCall"))
            is_current = not any(c.get("role") == "user" and not _has_result(c) for c in contents[position:])
            if open_calls and is_current and asked.model.startswith("gemini-3"):
                first = next(part for part in parts if part.get("functionCall"))
                if not first.get("thoughtSignature"):
                    asked.complaints.append("a call without the signature of its thought")
            for part in parts:
                self._read_part(asked, role, part)
        if open_calls:
            asked.complaints.append("calls without results")

    def _read_part(self, asked: Asked, role: str, part: dict[str, Json]) -> None:
        signature = part.get("thoughtSignature") or ""
        if part.get("thought"):
            asked.turn(role).thoughts.append(Thought(text=part.get("text", ""), signature=signature))
            return
        if signature:
            asked.turn(role).thoughts.append(Thought(signature=signature))
        if "text" in part:
            turn = asked.turn(role)
            turn.text = join((turn.text, part["text"]))
        elif inline := part.get("inlineData"):
            asked.turn(role).images.append(Image(media_type=inline.get("mimeType", ""), data=inline.get("data", "")))
        elif call := part.get("functionCall"):
            if not isinstance(call.get("args", {}), dict):
                asked.complaints.append("args are no object")
            arguments = to_bytes(call.get("args") or {}).decode()
            asked.turn(role).calls.append(Call(id=call.get("id") or "", name=call.get("name", ""), arguments=arguments))
        elif result := part.get("functionResponse"):
            asked.turn("tool").results.append(_result(result))
        else:
            asked.complaints.append(f"a part with {sorted(part)}")

    def _read_tools(self, asked: Asked, body: dict[str, Json]) -> None:
        for tool in body.get("tools") or ():
            for function in tool.get("functionDeclarations") or ():
                asked.tools[function.get("name", "")] = {
                    "description": function.get("description", ""),
                    "schema": function.get("parametersJsonSchema") or function.get("parameters"),
                }
        calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
        names = calling.get("allowedFunctionNames") or []
        mode = {"AUTO": "auto", "ANY": "required", "NONE": "none"}.get(str(calling.get("mode", "")).upper(), "")
        asked.tool_choice = names[0] if mode == "required" and len(names) == 1 else mode

    # ---- what is answered ----

    def whole(self, truth: Truth, asked: Asked) -> Answer:
        answer = self._chunk(truth, asked, self._parts(truth, [truth.text] if truth.text else []), FINISH[truth.finish])
        if truth.has_unknown:
            answer[UNKNOWN_NAME] = UNKNOWN_VALUE
        return json_answer(answer)

    def stream(self, truth: Truth, asked: Asked) -> Answer:
        chunks = [self._chunk(truth, asked, [part], None) for part in self._parts(truth, list(truth.pieces))]
        if not truth.breaks:
            last = chunks.pop() if chunks and not truth.text else self._chunk(truth, asked, [{"text": ""}], None)
            last["candidates"][0]["finishReason"] = FINISH[truth.finish]
            chunks.append(last)
            if truth.refusal:
                chunks = [self._chunk(truth, asked, [], "SAFETY")]
        if truth.has_unknown:
            for chunk in chunks:
                chunk[UNKNOWN_NAME] = UNKNOWN_VALUE
        if truth.breaks == "error":
            error = {
                "code": 503,
                "message": "The model is overloaded. Please try again later.",
                "status": "UNAVAILABLE",
            }
            chunks.append({"error": error})
        if asked.fields.get("is_sse"):
            events = [sse(chunk).replace(b"\n\n", b"\r\n\r\n") for chunk in chunks]  # as the API ends its events
        else:
            events = [
                (b",\r\n" if n else b"[") + json.dumps(c, indent=2).encode() + b"\n" for n, c in enumerate(chunks)
            ]
            events += [] if truth.breaks else [b"]"]
        kind = "text/event-stream" if asked.fields.get("is_sse") else "application/json"
        return Answer(status=200, content_type=kind, pieces=events, breaks=truth.breaks == "cut")

    def refuse(self, status: int, message: str) -> Answer:
        error: dict[str, Json] = {"code": status, "message": message, "status": "INVALID_ARGUMENT"}
        if status == 429:
            delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{RETRY_AFTER}s"}
            error |= {"status": "RESOURCE_EXHAUSTED", "details": [delay]}
        return json_answer({"error": error}, status)

    # ---- parts ----

    def _chunk(self, truth: Truth, asked: Asked, parts: list[Json], finish: str | None) -> dict[str, Json]:
        u = truth.usage
        content: dict[str, Json] = {"role": "model"} | ({"parts": parts} if parts else {})
        candidate: dict[str, Json] = {"content": content, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        usage: dict[str, Json] = {
            "promptTokenCount": u.input or 0,
            "candidatesTokenCount": (u.output or 0) - (u.reasoning or 0),
            "totalTokenCount": (u.input or 0) + (u.output or 0),
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": u.input or 0}],
        }
        if u.cached:
            usage["cachedContentTokenCount"] = u.cached
        if u.reasoning:
            usage["thoughtsTokenCount"] = u.reasoning
        return {
            "candidates": [candidate],
            "usageMetadata": usage,
            "modelVersion": asked.model,
            "responseId": "river",
        }

    def _parts(self, truth: Truth, texts: list[str]) -> list[dict[str, Json]]:
        parts: list[dict[str, Json]] = []
        signature = SIGNATURE
        for thought in truth.thoughts:
            if thought.text:
                parts.append({"text": thought.text, "thought": True})
                signature = thought.signature
        for text in texts:
            parts.append({"text": text})
        for position, call in enumerate(truth.calls):
            part: dict[str, Json] = {"functionCall": {"name": call.name, "args": call.values}}
            if position == 0:  # parallel calls share it
                part["thoughtSignature"] = signature
            parts.append(part)
        return parts


def camel(value: Json) -> Json:
    """Names of fields as protobuf's JSON writes them; both spellings are accepted. Schemas and values stay."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        name = re.sub(r"_([a-z])", lambda found: found[1].upper(), key) if not key.startswith("x_") else key
        free = name in (
            "args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema",
        )  # fmt: skip
        out[name] = item if free else camel(item)
    return out


def _parts(content: Json) -> list[Json]:
    parts = content.get("parts") or []
    return parts if isinstance(parts, list) else [parts]


def _has_result(content: Json) -> bool:
    return any(part.get("functionResponse") for part in _parts(content))


def _result(found: dict[str, Json]) -> Result:
    response = found.get("response") or {}
    images = [part.get("inlineData") or {} for part in found.get("parts") or ()]
    said = (
        response.get("error") or response.get("output") or response.get("result") or response.get("content") or response
    )
    return Result(
        call_id=found.get("id") or "",
        name=found.get("name", ""),
        text=said if isinstance(said, str) else to_bytes(said).decode(),
        images=tuple(Image(media_type=i.get("mimeType", ""), data=i.get("data", "")) for i in images if i),
        is_error="error" in response,
    )
