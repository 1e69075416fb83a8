"""OpenAI's Responses without state: items in, items out, thoughts as encrypted reasoning items.

Sources: https://developers.openai.com/api/reference/resources/responses and the types of openai==3.54.0
(`openai/types/responses/`); read 2026-11-26.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator

from clients.scripted_model import Answer, Call, Counts, Json, Question, Refused, Result, Thought, Turn, unveil, veil


def read(body: Json) -> Question:
    if body.get("previous_response_id"):
        raise Refused(f"Previous response with id {body['previous_response_id']!r} not found.")
    turns: list[Turn] = []
    given = body["input"]
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        _add(turns, item)
    choice = body.get("tool_choice") or "auto"
    if isinstance(choice, dict):
        must_call = choice["name"]
    else:
        must_call = "*" if choice == "required" else ""
    wanted = (body.get("text") or {}).get("format") or {}
    return Question(
        wire="responses",
        model=body["model"],
        stream=bool(body.get("stream")),
        turns=tuple(turns),
        tools={tool["name"]: tool.get("parameters") or {} for tool in body.get("tools") or []},
        must_call=must_call,
        schema=wanted.get("schema"),
        wants_json=wanted.get("type") == "json_object",
        wants_thoughts="reasoning" in body,
    )


def _add(turns: list[Turn], item: Json) -> None:
    kind, role = item.get("type", "message"), item.get("role", "")
    if kind == "message" and role in ("system", "developer"):
        _text_of(item["content"])
        return
    is_model = role == "assistant" or kind in ("reasoning", "function_call")
    if not turns or turns[-1].is_model != is_model:
        turns.append(Turn(is_model=is_model))
    turn = turns[-1]
    if kind == "message":
        turn.text += _text_of(item["content"])
        turn.pictures += _pictures_of(item["content"])
    elif kind == "function_call":
        turn.calls.append(Call(id=item["call_id"], name=item["name"], arguments=item["arguments"]))
    elif kind == "function_call_output":
        turn.results.append(Result(call_id=item["call_id"], text=_text_of(item["output"])))
        turn.pictures += _pictures_of(item["output"])
    elif kind == "reasoning":
        turn.thoughts.append(Thought(text=unveil(item.get("encrypted_content") or "")))
    else:
        raise Refused(f"no such item: {kind!r}")


def _text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise Refused(f"unknown content: {str(content)[:200]}")
    unknown = {part["type"] for part in content} - {"input_text", "output_text", "input_image"}
    if unknown:
        raise Refused(f"unknown content part: {sorted(unknown)}")
    return "".join(part.get("text", "") for part in content)


def _pictures_of(content: object) -> list[bytes]:
    if not isinstance(content, list):
        return []
    urls = [part["image_url"] for part in content if part["type"] == "input_image"]
    return [b64decode(url.partition(";base64,")[2], validate=True) for url in urls]


# ---- answers ---------------------------------------------------------------------------------------------------------


def usage(counts: Counts) -> Json:
    return {
        "input_tokens": counts.input,
        "input_tokens_details": {"cached_tokens": counts.cached, "cache_write_tokens": counts.written},
        "output_tokens": counts.output,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.input + counts.output,
    }


def _items(answer: Answer) -> list[Json]:
    items: list[Json] = []
    if answer.thought:
        summary = [{"type": "summary_text", "text": answer.thought}]
        items.append(
            {
                "id": f"rs_{answer.id}",
                "type": "reasoning",
                "summary": summary,
                "encrypted_content": veil(answer.thought),
            }
        )
    if answer.finish == "filter":
        content: list[Json] = [{"type": "refusal", "refusal": "I cannot help with that."}]
    else:
        content = [{"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}]
    if answer.text or answer.finish == "filter":
        items.append({
            "id": f"msg_{answer.id}", "type": "message", "role": "assistant", "status": "completed", "content": content,
        })  # fmt: skip
    items += [
        {
            "id": f"fc_{call.id}", "type": "function_call", "call_id": call.id, "name": call.name,
            "arguments": call.arguments, "status": "completed",
        }
        for call in answer.calls
    ]  # fmt: skip
    return items


def whole(question: Question, answer: Answer) -> Json:
    is_cut = answer.finish == "length"
    return _response(
        question,
        answer,
        status="incomplete" if is_cut else "completed",
        incomplete_details={"reason": "max_output_tokens"} if is_cut else None,
        output=_items(answer),
        usage=usage(answer.counts),
    )


def _response(question: Question, answer: Answer, **more: object) -> Json:
    return {
        "id": f"resp_{answer.id}", "object": "response", "created_at": 1_790_000_000, "model": question.model,
        "error": None, "incomplete_details": None, "instructions": None, "metadata": {}, "parallel_tool_calls": True,
        "temperature": 1.0, "top_p": 1.0, "tool_choice": "auto", "tools": [], "status": "in_progress", "output": [],
        "usage": None, **more,
    }  # fmt: skip


def events(question: Question, answer: Answer) -> Iterator[bytes]:
    for number, (kind, fields) in enumerate(_events(question, answer)):
        value = {"type": kind, "sequence_number": number, **fields}
        yield f"event: {kind}\ndata: {json.dumps(value)}\n\n".encode()


def _events(question: Question, answer: Answer) -> Iterator[tuple[str, Json]]:
    yield "response.created", {"response": _response(question, answer)}
    yield "response.in_progress", {"response": _response(question, answer)}
    for index, item in enumerate(_items(answer)):
        place = {"item_id": item["id"], "output_index": index}
        yield "response.output_item.added", {"output_index": index, "item": _begun(item)}
        if item["type"] == "reasoning":
            yield from _thought_events(place, item)
        elif item["type"] == "message":
            yield from _text_events(place, item, answer)
        else:
            text = item["arguments"]
            for at in range(0, len(text), 3):
                yield "response.function_call_arguments.delta", {**place, "delta": text[at : at + 3]}
            yield "response.function_call_arguments.done", {**place, "arguments": text, "name": item["name"]}
        yield "response.output_item.done", {"output_index": index, "item": item}
    done = whole(question, answer)
    yield f"response.{done['status']}", {"response": done}


def _begun(item: Json) -> Json:
    match item["type"]:
        case "reasoning":
            return {**item, "summary": [], "encrypted_content": ""}
        case "message":
            return {**item, "content": [], "status": "in_progress"}
        case _:
            return {**item, "arguments": "", "status": "in_progress"}


def _thought_events(place: Json, item: Json) -> Iterator[tuple[str, Json]]:
    part, text = {**place, "summary_index": 0}, item["summary"][0]["text"]
    yield "response.reasoning_summary_part.added", {**part, "part": {"type": "summary_text", "text": ""}}
    for at in range(0, len(text), 9):
        yield "response.reasoning_summary_text.delta", {**part, "delta": text[at : at + 9]}
    yield "response.reasoning_summary_text.done", {**part, "text": text}
    yield "response.reasoning_summary_part.done", {**part, "part": item["summary"][0]}


def _text_events(place: Json, item: Json, answer: Answer) -> Iterator[tuple[str, Json]]:
    where, part = {**place, "content_index": 0}, item["content"][0]
    if part["type"] == "refusal":
        yield "response.content_part.added", {**where, "part": {"type": "refusal", "refusal": ""}}
        yield "response.refusal.delta", {**where, "delta": part["refusal"]}
        yield "response.refusal.done", {**where, "refusal": part["refusal"]}
    else:
        yield "response.content_part.added", {**where, "part": {**part, "text": ""}}
        for piece in answer.pieces:
            yield "response.output_text.delta", {**where, "delta": piece, "logprobs": []}
        yield "response.output_text.done", {**where, "text": part["text"], "logprobs": []}
    yield "response.content_part.done", {**where, "part": part}


def error(status: int, message: str, details: Json | None = None) -> Json:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def error_event(message: str) -> bytes:
    value = {"type": "error", "code": "server_error", "message": message, "param": None, "sequence_number": 99}
    return f"event: error\ndata: {json.dumps(value)}\n\n".encode()
