"""A client of Responses: reads as openai 3.54 does, whose stream state is strict about items and their identity.

Source (2026-11-26): openai==3.54.0, lib/streaming/responses/_responses.py (`accumulate_event`), types/responses/.
"""

from __future__ import annotations

from conformance.clients._contract import Received, Sent, broken, events, failure_of, read_json
from conformance.facts import UNKNOWN_NAME, Call, Failure, Json, Thought, Told, Usage


class OpenAIResponsesClient:
    cannot_tell: frozenset[str] = frozenset({"redacted"})

    def write(self, body: dict[str, Json], *, model: str, is_stream: bool, key: str) -> Sent:
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        return Sent(path="/responses", headers=headers, body=body | ({"stream": True} if is_stream else {}))

    def read_whole(self, got: Received) -> Told:
        told = Told()
        if got.status != 200 or got.fault:
            return _refused(told, got)
        answer = read_json(got.body, told)
        if isinstance(answer, dict):
            _read_response(told, answer)
        return told

    def read_stream(self, got: Received) -> Told:
        told = Told()
        if got.status != 200:
            return _refused(told, got)
        items: dict[int, dict[str, Json]] = {}
        final: dict[str, Json] | None = None
        first = ""
        for name, data in events(got.body):
            event = read_json(data, told) if data != "[DONE]" else None
            if not isinstance(event, dict):
                continue
            kind = event.get("type", "")
            if name and name != kind:
                told.complaints.append(f"event {name} is of type {kind}")
            if event.get("error") and not kind.startswith("response."):
                error = event["error"] if isinstance(event["error"], dict) else {}
                told.failure = Failure(is_told_by="event", message=str(error.get("message") or event["error"]))
                break
            first = first or kind
            if UNKNOWN_NAME in event:
                told.fields[UNKNOWN_NAME] = event[UNKNOWN_NAME]
            if kind in ("response.completed", "response.incomplete"):
                final = event.get("response")
            elif kind in ("error", "response.failed"):
                error = event if kind == "error" else (event.get("response") or {}).get("error") or {}
                told.failure = Failure(
                    is_told_by="event", kind=str(error.get("code") or ""), message=str(error.get("message") or "")
                )
                break
            elif problem := _accumulate(items, kind, event, told):
                told.complaints.append(problem)
        if first and first not in ("response.created", "error"):
            told.complaints.append(f"{first} before response.created")
        if isinstance(final, dict):
            streamed = _told_of(list(items.values()))
            _read_response(told, final)
            if (streamed.text, [c.values for c in streamed.calls]) != (told.text, [c.values for c in told.calls]):
                told.complaints.append("the deltas differ from the final response")
        else:
            partial = _told_of([items[index] for index in sorted(items)])
            told.text, told.calls = partial.text, partial.calls
        return broken(told, got)


def _accumulate(items: dict[int, dict[str, Json]], kind: str, event: dict[str, Json], told: Told) -> str:
    index: int = event.get("output_index", -1)
    if kind == "response.output_item.added":
        if index in items:
            return f"output index {index} is added twice"
        items[index] = dict(event.get("item") or {})
    elif kind.startswith(
        ("response.output_text", "response.content_part", "response.function_call", "response.refusal")
    ):
        item = items.get(index)
        if item is None:
            return f"{kind} before its item"
        if kind == "response.content_part.added":
            item["content"] = [*(item.get("content") or []), dict(event.get("part") or {})]
        elif kind == "response.output_text.delta":
            told.pieces += 1
            position = event.get("content_index", 0)
            if position >= len(item.get("content") or []):
                return "text before its content part"
            part = item["content"][position]
            part["text"] = part.get("text", "") + event.get("delta", "")
        elif kind == "response.function_call_arguments.delta":
            told.pieces += 1
            item["arguments"] = item.get("arguments", "") + event.get("delta", "")
    elif kind == "response.output_item.done":
        item, done = items.get(index), event.get("item") or {}
        if item is not None and (item.get("type"), item.get("id")) != (done.get("type"), done.get("id")):
            return "the identity of an item changed"
    return ""


def _told_of(items: list[dict[str, Json]]) -> Told:
    told = Told()
    _read_items(told, items)
    return told


def _read_response(told: Told, answer: dict[str, Json]) -> None:
    if not isinstance(answer.get("output"), list):
        told.complaints.append("no output")
        return
    _read_items(told, answer["output"])
    status, why = answer.get("status"), (answer.get("incomplete_details") or {}).get("reason")
    if status == "failed":
        error = answer.get("error") or {}
        told.failure = Failure(is_told_by="status", kind=str(error.get("code")), message=str(error.get("message")))
    elif status == "incomplete":
        told.finish = {"max_output_tokens": "length", "content_filter": "content_filter"}.get(why or "", "")
    elif status == "completed":
        told.finish = "tool_calls" if told.calls else "stop"
    told.echo = answer["output"]
    usage = answer.get("usage") or {}
    inputs, outputs = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    told.usage = Usage(
        input=usage.get("input_tokens"),
        cached=inputs.get("cached_tokens"),
        cache_write=inputs.get("cache_write_tokens"),
        output=usage.get("output_tokens"),
        reasoning=outputs.get("reasoning_tokens"),
    )
    if UNKNOWN_NAME in answer:
        told.fields[UNKNOWN_NAME] = answer[UNKNOWN_NAME]


def _read_items(told: Told, items: list[dict[str, Json]]) -> None:
    for item in items:
        match item.get("type"):
            case "message":
                for part in item.get("content") or ():
                    told.text += part.get("text", "") if part.get("type") == "output_text" else ""
                    told.refusal += part.get("refusal", "") if part.get("type") == "refusal" else ""
            case "function_call":
                if not isinstance(item.get("arguments"), str):
                    told.complaints.append("arguments are no string")
                told.calls.append(
                    Call(
                        id=item.get("call_id") or "",
                        name=item.get("name") or "",
                        arguments=str(item.get("arguments") or ""),
                    )
                )
            case "reasoning":
                parts = [*(item.get("summary") or ()), *(item.get("content") or ())]
                text = "".join(part.get("text", "") for part in parts)
                told.thoughts.append(Thought(text=text, signature=item.get("encrypted_content") or ""))


def _refused(told: Told, got: Received) -> Told:
    answer = read_json(got.body, Told())
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        told.failure = failure_of(got, str(error.get("type") or error.get("code") or ""), error["message"])
    else:
        told.failure = failure_of(got, "", got.body[:300].decode("utf-8", "replace"))
        told.complaints.append("the error has not the dialect's shape")
    return broken(told, got)
