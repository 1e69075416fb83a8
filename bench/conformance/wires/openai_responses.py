"""OpenAI's Responses: items in, items out, and a stream of typed events.

Source (2026-11-26): openai==3.54.0, types/responses/ (response.py, response_stream_event.py,
response_reasoning_item.py, response_usage.py, response_input_item_param.py);
https://developers.openai.com/api/docs/guides/streaming-responses and …/guides/reasoning (a function call must be sent
back with the reasoning item in front of it).
"""

from __future__ import annotations

from typing import Literal

from conformance.facts import RETRY_AFTER, UNKNOWN_NAME, UNKNOWN_VALUE, Asked, Call, Json, Result, Thought, Truth
from conformance.wires._contract import Answer, cuts, image_of, join, json_answer, sse, unknown_fields

KNOWN = frozenset(
    [
        "access_programs",
        "background",
        "background_options",
        "context_management",
        "conversation",
        "image",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "moderation",
        "parallel_tool_calls",
        "previous_response_id",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    ]
)
RESPONSE_ID = "resp_river"


class OpenAIResponses:
    thoughts: Literal["signed", "plain", "none"] = "signed"
    cannot_tell = frozenset({"redacted"})
    cannot_ask = frozenset({"stop", "result errors", "cache_marks"})

    # ---- what was asked ----

    def read(self, path: str, headers: dict[str, str], body: dict[str, Json]) -> Asked:
        asked = Asked(model=body.get("model", ""), is_stream=bool(body.get("stream")), fields=body)
        asked.complaints += unknown_fields(body, KNOWN)
        asked.system = body.get("instructions") or ""
        items = body.get("input") or []
        if isinstance(items, str):
            items = [{"role": "user", "content": items}]
        calls: set[str] = set()
        for item in items:
            self._read_item(asked, item, calls)
        if calls:
            asked.complaints.append("calls without results")
        for tool in body.get("tools") or ():
            if tool.get("type") != "function" or "name" not in tool:
                asked.complaints.append(f"a tool of type {tool.get('type')!r}")
                continue
            asked.tools[tool["name"]] = {
                "description": tool.get("description") or "",
                "schema": tool.get("parameters"),
            }
        choice = body.get("tool_choice")
        asked.tool_choice = choice.get("name", "") if isinstance(choice, dict) else choice or ""
        form = (body.get("text") or {}).get("format") or {}
        if form.get("type") == "json_schema":
            asked.schema = form.get("schema")
        for knob, name in (("max_tokens", "max_output_tokens"), ("temperature",) * 2, ("top_p",) * 2):
            if body.get(name) is not None:
                asked.knobs[knob] = body[name]
        if (body.get("reasoning") or {}).get("effort", "none") != "none":
            asked.knobs["thinking"] = True
        return asked

    def _read_item(self, asked: Asked, item: dict[str, Json], calls: set[str]) -> None:
        match item.get("type", "message"):
            case "message":
                self._read_message(asked, item)
            case "reasoning":
                text = join(part.get("text", "") for part in item.get("summary") or ())
                thought = Thought(text=text, signature=item.get("encrypted_content") or "")
                asked.turn("assistant").thoughts.append(thought)
            case "function_call":
                call = Call(id=item.get("call_id", ""), name=item.get("name", ""), arguments=item.get("arguments", ""))
                if not isinstance(item.get("arguments"), str):
                    asked.complaints.append("arguments are no string")
                calls.add(call.id)
                asked.turn("assistant").calls.append(call)
            case "function_call_output":
                output, images = item.get("output"), []
                text = output if isinstance(output, str) else join(p.get("text", "") for p in output or ())
                for part in output if isinstance(output, list) else ():
                    if part.get("type") == "input_image":
                        images.append(image_of(part.get("image_url") or ""))
                call_id = item.get("call_id", "")
                if call_id not in calls:
                    asked.complaints.append("a result that answers no call")
                calls.discard(call_id)
                asked.turn("tool").results.append(Result(call_id=call_id, text=text, images=tuple(images)))
            case other:
                asked.complaints.append(f"an item of type {other!r}")

    def _read_message(self, asked: Asked, item: dict[str, Json]) -> None:
        role, content = item.get("role", ""), item.get("content")
        parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content or []
        if role in ("system", "developer"):
            asked.system = join((asked.system, *(part.get("text", "") for part in parts)))
            return
        if role not in ("user", "assistant"):
            asked.complaints.append(f"a message of role {role!r}")
            return
        turn = asked.turn(role)
        for part in parts:
            kind = part.get("type")
            if kind in ("input_text", "output_text"):
                if isinstance(content, list) and (kind == "output_text") != (role == "assistant"):
                    asked.complaints.append(f"{kind} in a message of role {role}")
                turn.text = join((turn.text, part.get("text", "")))
            elif kind == "input_image" and role == "user":
                turn.images.append(image_of(part.get("image_url") or ""))
            elif kind != "refusal":
                asked.complaints.append(f"content part of type {kind!r}")

    # ---- what is answered ----

    def whole(self, truth: Truth, asked: Asked) -> Answer:
        answer = self._response(truth, asked, self._items(truth))
        if truth.has_unknown:
            answer[UNKNOWN_NAME] = UNKNOWN_VALUE
        return json_answer(answer)

    def stream(self, truth: Truth, asked: Asked) -> Answer:
        out: list[dict[str, Json]] = []
        shell = self._response(truth, asked, []) | {"status": "in_progress", "usage": None, "completed_at": None}
        out.append({"type": "response.created", "response": shell})
        out.append({"type": "response.in_progress", "response": shell})
        items = self._items(truth)
        for index, item in enumerate(items):
            out += self._item_events(index, item, truth)
        if truth.has_unknown:
            out.append({"type": "response.future.delta", UNKNOWN_NAME: UNKNOWN_VALUE})
            out[0][UNKNOWN_NAME] = UNKNOWN_VALUE
        if truth.breaks == "error":
            failed = shell | {
                "status": "failed",
                "error": {"code": "server_error", "message": "The server had an error"},
            }
            out.append({"type": "response.failed", "response": failed})
        elif not truth.breaks:
            final = self._response(truth, asked, items)
            out.append({"type": f"response.{final['status']}", "response": final})
        events = [sse(event | {"sequence_number": number}, event["type"]) for number, event in enumerate(out)]
        return Answer(status=200, content_type="text/event-stream", pieces=events, breaks=truth.breaks == "cut")

    def refuse(self, status: int, message: str) -> Answer:
        kind, code = ("requests", "rate_limit_exceeded") if status == 429 else ("invalid_request_error", None)
        headers = (("retry-after", RETRY_AFTER),) if status == 429 else ()
        return json_answer({"error": {"message": message, "type": kind, "param": None, "code": code}}, status, headers)

    # ---- parts ----

    def _response(self, truth: Truth, asked: Asked, items: list[Json]) -> dict[str, Json]:
        u = truth.usage
        is_short = truth.finish == "length"
        return {
            "id": RESPONSE_ID,
            "object": "response",
            "created_at": 1_795_000_000,
            "completed_at": 1_795_000_002,
            "status": "incomplete" if is_short else "completed",
            "background": False,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if is_short else None,
            "instructions": asked.fields.get("instructions"),
            "max_output_tokens": asked.fields.get("max_output_tokens"),
            "model": asked.model,
            "output": items,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "reasoning": {"effort": None, "summary": None} | (asked.fields.get("reasoning") or {}),
            "service_tier": "default",
            "store": asked.fields.get("store", True),
            "temperature": asked.fields.get("temperature", 1.0),
            "text": {"format": {"type": "text"}} | (asked.fields.get("text") or {}),
            "tool_choice": asked.fields.get("tool_choice", "auto"),
            "tools": asked.fields.get("tools", []),
            "top_p": asked.fields.get("top_p", 1.0),
            "truncation": "disabled",
            "usage": {
                "input_tokens": u.input or 0,
                "input_tokens_details": {"cached_tokens": u.cached or 0, "cache_write_tokens": u.cache_write or 0},
                "output_tokens": u.output or 0,
                "output_tokens_details": {"reasoning_tokens": u.reasoning or 0},
                "total_tokens": (u.input or 0) + (u.output or 0),
            },
            "user": None,
            "metadata": {},
        }

    def _items(self, truth: Truth) -> list[dict[str, Json]]:
        items: list[dict[str, Json]] = []
        for position, thought in enumerate(truth.thoughts):
            if thought.text:
                items.append(
                    {
                        "id": f"rs_{position}",
                        "type": "reasoning",
                        "summary": [{"type": "summary_text", "text": thought.text}],
                        "encrypted_content": thought.signature,
                    }
                )
        content = []
        if truth.text:
            content.append({"type": "output_text", "text": truth.text, "annotations": [], "logprobs": []})
        if truth.refusal:
            content.append({"type": "refusal", "refusal": truth.refusal})
        if content:
            status = "incomplete" if truth.finish == "length" else "completed"
            items.append({"id": "msg_0", "type": "message", "status": status, "role": "assistant", "content": content})
        for position, call in enumerate(truth.calls):
            items.append(
                {
                    "id": f"fc_{position}",
                    "type": "function_call",
                    "status": "completed",
                    "arguments": call.arguments or "{}",
                    "call_id": call.id,
                    "name": call.name,
                }
            )
        return items

    def _item_events(self, index: int, item: dict[str, Json], truth: Truth) -> list[dict[str, Json]]:
        place = {"item_id": item["id"], "output_index": index}
        is_broken = bool(truth.breaks)
        if item["type"] == "reasoning":
            text = item["summary"][0]["text"]
            start, events = item | {"summary": [], "encrypted_content": ""}, []
            spot = place | {"summary_index": 0}
            part = {"type": "summary_text", "text": ""}
            events.append({"type": "response.reasoning_summary_part.added", **spot, "part": part})
            for piece in (text[:9], text[9:]):
                events.append({"type": "response.reasoning_summary_text.delta", **spot, "delta": piece})
            events.append({"type": "response.reasoning_summary_text.done", **spot, "text": text})
            events.append({"type": "response.reasoning_summary_part.done", **spot, "part": part | {"text": text}})
        elif item["type"] == "function_call":
            start, events = item | {"arguments": "", "status": "in_progress"}, []
            for piece in cuts(item["arguments"]):
                events.append({"type": "response.function_call_arguments.delta", **place, "delta": piece})
            done = {"type": "response.function_call_arguments.done", **place, "arguments": item["arguments"]}
            events.append(done | {"name": item["name"]})
        else:
            start, events = item | {"content": [], "status": "in_progress"}, []
            for position, part in enumerate(item["content"]):
                events += _part_events(place | {"content_index": position}, part, truth)
        out = [{"type": "response.output_item.added", "output_index": index, "item": start}, *events]
        if is_broken:
            return [event for event in out if not event["type"].endswith(".done")]
        return [*out, {"type": "response.output_item.done", "output_index": index, "item": item}]


def _part_events(spot: dict[str, Json], part: dict[str, Json], truth: Truth) -> list[dict[str, Json]]:
    if part["type"] == "refusal":
        empty, kind, pieces = part | {"refusal": ""}, "response.refusal", [part["refusal"][:9], part["refusal"][9:]]
        done = {"type": f"{kind}.done", **spot, "refusal": part["refusal"]}
    else:
        empty, kind, pieces = part | {"text": ""}, "response.output_text", list(truth.pieces)
        done = {"type": f"{kind}.done", **spot, "text": part["text"], "logprobs": []}
    deltas = [{"type": f"{kind}.delta", **spot, "delta": piece, "logprobs": []} for piece in pieces]
    added = {"type": "response.content_part.added", **spot, "part": empty}
    return [added, *deltas, done, {"type": "response.content_part.done", **spot, "part": part}]
