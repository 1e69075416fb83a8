"""Gemini's generateContent, as strict as the vendor: unknown fields, calls without their signature, missing results.

Sources: https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/thought-signatures,
https://ai.google.dev/gemini-api/docs/function-calling; read 2026-11-26.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from clients.scripted_model import (
    Answer,
    Call,
    Counts,
    Json,
    Question,
    Refused,
    Result,
    Thought,
    Turn,
    id_of,
    proof_of,
    unveil,
    veil,
)

FIELDS = frozenset({
    "contents", "tools", "toolConfig", "safetySettings", "systemInstruction", "generationConfig", "cachedContent", "store",
    "serviceTier",
})  # fmt: skip
CONFIG = frozenset({
    "stopSequences", "responseMimeType", "responseSchema", "responseJsonSchema", "_responseJsonSchema",
    "responseModalities", "candidateCount", "maxOutputTokens", "temperature", "topP", "topK", "seed", "presencePenalty",
    "frequencyPenalty", "responseLogprobs", "logprobs", "thinkingConfig", "mediaResolution",
})  # fmt: skip
VERBATIM = frozenset({"args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema"})
FINISH = {"stop": "STOP", "tools": "STOP", "length": "MAX_TOKENS", "filter": "SAFETY"}
UNCHECKED = frozenset({"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"})
"""What the vendor takes in place of a signature for calls that its model never made."""


def read(model: str, method: str, body: Json) -> Question:
    body = _camel(body)
    config = body.get("generationConfig") or {}
    unknown = sorted(body.keys() - FIELDS) + sorted(config.keys() - CONFIG)
    if unknown:
        raise Refused(f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.')
    turns = [_turn(content, number) for number, content in enumerate(body["contents"])]
    for before, after in pairwise(turns):
        _name_results(before, after)
    mode = ((body.get("toolConfig") or {}).get("functionCallingConfig") or {}).get("mode", "AUTO")
    declared = [one for tool in body.get("tools") or [] for one in tool.get("functionDeclarations") or []]
    return Question(
        wire="gemini",
        model=model,
        stream=method == "streamGenerateContent",
        turns=tuple(turns),
        tools={one["name"]: one.get("parametersJsonSchema") or one.get("parameters") or {} for one in declared},
        must_call="*" if mode == "ANY" else "",
        schema=config.get("responseJsonSchema") or config.get("_responseJsonSchema") or config.get("responseSchema"),
        wants_json=config.get("responseMimeType") == "application/json",
        wants_thoughts=bool((config.get("thinkingConfig") or {}).get("includeThoughts")),
    )


def _camel(value: Any) -> Any:  # Any: JSON values
    """Field names as documented: the vendor takes them in snake_case too, and its own client sends both, mixed."""
    if isinstance(value, list):
        return [_camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    named = {re.sub(r"(?<=[a-z0-9])_([a-z])", lambda found: found[1].upper(), name): one for name, one in value.items()}
    return {name: one if name in VERBATIM else _camel(one) for name, one in named.items()}


def _turn(content: Json, number: int) -> Turn:
    turn = Turn(is_model=content.get("role", "user") == "model")
    if not content.get("parts"):
        raise Refused(f"contents[{number}].parts must not be empty.")
    for part in content["parts"]:
        _add(turn, part)
    return turn


def _add(turn: Turn, part: Json) -> None:
    if part.get("thought"):
        return  # summaries are for people; the thought itself comes back in the signature
    if "functionCall" in part:
        call = part["functionCall"]
        name, text = call["name"], json.dumps(call.get("args") or {})
        proof = part.get("thoughtSignature", "")
        # Of parallel calls only the first is signed.
        if not proof and not turn.calls:
            raise Refused(f"Function call is missing a thought_signature in functionCall parts: {name}")
        if proof and proof not in UNCHECKED and not _is(proof, proof_of(name, text)):
            raise Refused("Thought signature is not valid")
        id_ = call.get("id") or id_of(name, text)
        turn.calls.append(Call(id=id_, name=name, arguments=text))
    elif "functionResponse" in part:
        result = part["functionResponse"]
        text = json.dumps(result["response"], ensure_ascii=False)
        turn.results.append(Result(call_id=result.get("id") or "", name=result["name"], text=text))
        for inner in result.get("parts") or []:
            _add(turn, inner)
    elif "text" in part:
        turn.text += part["text"]
        if part.get("thoughtSignature"):
            turn.thoughts = [Thought(text=unveil(part["thoughtSignature"]))]
    elif "inlineData" in part:
        turn.pictures.append(_bytes(part["inlineData"]["data"]))
    else:
        raise Refused(f"no such part: {sorted(part)}")


def _name_results(before: Turn, after: Turn) -> None:
    """Ids may be left out: then results belong to the calls of their name, in order."""
    left = list(before.calls)
    for number, result in enumerate(after.results):
        call = next((call for call in left if result.call_id in ("", call.id) and result.name == call.name), None)
        if call is None:
            raise Refused(f"no call is answered by the result {number} of {result.name}")
        left.remove(call)
        after.results[number] = replace(result, call_id=call.id)


def _is(sent: str, proof: str) -> bool:
    return _bytes(sent) == b64decode(proof)


def _bytes(text: str) -> bytes:
    """Either alphabet, with or without padding: so reads protobuf its JSON."""
    return urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))


def count(body: Json) -> Json:
    """`:countTokens`."""
    body = _camel(body)
    contents = (body.get("generateContentRequest") or body)["contents"]
    return {"totalTokens": 100 + sum(len(part.get("text", "")) for content in contents for part in content["parts"])}


# ---- answers ---------------------------------------------------------------------------------------------------------


def usage(counts: Counts) -> Json:
    return {
        "promptTokenCount": counts.input,
        "cachedContentTokenCount": counts.cached,
        "candidatesTokenCount": counts.output - counts.reasoning,
        "thoughtsTokenCount": counts.reasoning,
        "totalTokenCount": counts.input + counts.output,
    }


def _calls(answer: Answer) -> list[Json]:
    return [
        {
            "functionCall": {"id": call.id, "name": call.name, "args": json.loads(call.arguments)},
            **({"thoughtSignature": call.proof} if position == 0 else {}),
        }
        for position, call in enumerate(answer.calls)
    ]


def _answer(question: Question, answer: Answer, parts: list[Json], finish: str | None, counts: Counts) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    if not parts:
        del candidate["content"]
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": usage(counts),
        "modelVersion": question.model,
        "responseId": answer.id,
    }


def whole(question: Question, answer: Answer) -> Json:
    parts: list[Json] = [{"text": answer.thought, "thought": True}] if answer.thought else []
    if answer.text:
        parts.append({"text": answer.text})
        if answer.thought and not answer.calls:
            parts[-1]["thoughtSignature"] = veil(answer.thought)
    return _answer(question, answer, [*parts, *_calls(answer)], FINISH[answer.finish], answer.counts)


def events(question: Question, answer: Answer) -> Iterator[bytes]:
    early = Counts(input=answer.counts.input, cached=answer.counts.cached, output=1)
    thought = answer.thought
    parts: list[Json] = [{"text": thought[at : at + 20], "thought": True} for at in range(0, len(thought), 20)]
    parts += [{"text": piece} for piece in answer.pieces]
    for part in parts:
        yield _event(_answer(question, answer, [part], None, early))
    # The signature of a text comes behind it, on an empty part.
    last = _calls(answer) or [{"text": "", **({"thoughtSignature": veil(answer.thought)} if answer.thought else {})}]
    yield _event(
        _answer(question, answer, last if answer.finish != "filter" else [], FINISH[answer.finish], answer.counts)
    )


def _event(value: Json) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\r\n\r\n"


STATUS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE",
}  # fmt: skip


def error(status: int, message: str, details: Json | None = None) -> Json:
    return {"error": {"code": status, "message": message, "status": STATUS.get(status, "INTERNAL")}}


def error_event(message: str) -> bytes:
    return _event(error(503, message))
