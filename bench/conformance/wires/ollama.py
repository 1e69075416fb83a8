"""Ollama's own chat API: lines of JSON.

Source (2026-11-26): ollama==0.6.3, _types.py (ChatRequest, ChatResponse, Message), _client.py (an `error` line raises);
https://docs.ollama.com/api/chat, https://docs.ollama.com/capabilities/tool-calling, …/thinking, …/structured-outputs.
"""

from __future__ import annotations

from typing import Literal

from conformance.facts import UNKNOWN_NAME, UNKNOWN_VALUE, Asked, Call, Image, Json, Result, Thought, Truth
from conformance.wires._contract import Answer, join, json_answer, to_bytes
from conformance.wires.openai_chat import read_chat_tools

KIND_BY_START = {"iVBOR": "image/png", "/9j/": "image/jpeg", "R0lG": "image/gif", "UklG": "image/webp"}


class Ollama:
    thoughts: Literal["signed", "plain", "none"] = "plain"
    cannot_tell = frozenset(
        {"cached", "cache_write", "reasoning", "signature", "redacted", "refusal text", "call ids", "retry after"}
    )
    cannot_ask = frozenset({"call ids", "tool_choice", "result errors", "cache_marks"})

    # ---- what was asked ----

    def read(self, path: str, headers: dict[str, str], body: dict[str, Json]) -> Asked:
        asked = Asked(model=body.get("model", ""), is_stream=body.get("stream", True), fields=body)
        for message in body.get("messages") or []:
            self._read_message(asked, message)
        read_chat_tools(asked, {"tools": body.get("tools")})
        form = body.get("format")
        asked.schema = form if isinstance(form, dict) else None
        options = body.get("options") or {}
        for knob, name in (("max_tokens", "num_predict"), ("temperature",) * 2, ("top_p",) * 2, ("stop",) * 2):
            if options.get(name) is not None:
                asked.knobs[knob] = options[name]
        if body.get("think"):
            asked.knobs["thinking"] = True
        return asked

    def _read_message(self, asked: Asked, message: dict[str, Json]) -> None:
        role, content = message.get("role"), message.get("content") or ""
        if not isinstance(content, str):
            asked.complaints.append("content is no string")
            return
        images = [_image(data) for data in message.get("images") or ()]
        if role == "system":
            asked.system = join((asked.system, content))
        elif role == "tool":
            asked.turn("tool").results.append(
                Result(call_id="", name=message.get("tool_name") or "", text=content, images=tuple(images))
            )
        elif role in ("user", "assistant"):
            turn = asked.turn(role)
            turn.text = join((turn.text, content))
            turn.images += images
            if message.get("thinking"):
                turn.thoughts.append(Thought(text=message["thinking"]))
            for call in message.get("tool_calls") or ():
                function = call.get("function") or {}
                if not isinstance(function.get("arguments"), dict):
                    asked.complaints.append("arguments are no object")
                arguments = to_bytes(function.get("arguments")).decode()
                turn.calls.append(Call(id="", name=function.get("name", ""), arguments=arguments))
        else:
            asked.complaints.append(f"a message of role {role!r}")

    # ---- what is answered ----

    def whole(self, truth: Truth, asked: Asked) -> Answer:
        message: dict[str, Json] = {"role": "assistant", "content": truth.text}
        if thought := join(thought.text for thought in truth.thoughts):
            message["thinking"] = thought
        if truth.calls:
            message["tool_calls"] = [_call(*pair) for pair in enumerate(truth.calls)]
        answer = self._frame(asked, message) | self._end(truth)
        if truth.has_unknown:
            answer[UNKNOWN_NAME] = UNKNOWN_VALUE
        return json_answer(answer)

    def stream(self, truth: Truth, asked: Asked) -> Answer:
        messages: list[dict[str, Json]] = []
        for thought in truth.thoughts:
            if thought.text:
                messages += [{"content": "", "thinking": piece} for piece in (thought.text[:9], thought.text[9:])]
        messages += [{"content": piece} for piece in truth.pieces]
        messages += [{"content": "", "tool_calls": [_call(*pair)]} for pair in enumerate(truth.calls)]
        lines = [self._frame(asked, {"role": "assistant"} | message) | {"done": False} for message in messages]
        if truth.has_unknown:
            lines[0][UNKNOWN_NAME] = UNKNOWN_VALUE
        if truth.breaks == "error":
            lines.append({"error": "an error was encountered while running the model"})
        elif not truth.breaks:
            lines.append(self._frame(asked, {"role": "assistant", "content": ""}) | self._end(truth))
        events = [to_bytes(line) + b"\n" for line in lines]
        return Answer(status=200, content_type="application/x-ndjson", pieces=events, breaks=truth.breaks == "cut")

    def refuse(self, status: int, message: str) -> Answer:
        return json_answer({"error": message}, status)

    def _frame(self, asked: Asked, message: dict[str, Json]) -> dict[str, Json]:
        return {"model": asked.model, "created_at": "2026-11-26T08:00:00.000000Z", "message": message}

    def _end(self, truth: Truth) -> dict[str, Json]:
        return {
            "done": True,
            "done_reason": "length" if truth.finish == "length" else "stop",
            "total_duration": 900_000_000,
            "load_duration": 100_000_000,
            "prompt_eval_count": truth.usage.input or 0,
            "prompt_eval_duration": 300_000_000,
            "eval_count": truth.usage.output or 0,
            "eval_duration": 500_000_000,
        }


def _call(position: int, call: Call) -> dict[str, Json]:
    # Index and id came later (ollama/ollama, api/types.go).
    return {"id": call.id, "function": {"index": position, "name": call.name, "arguments": call.values}}


def _image(data: str) -> Image:
    kind = next((kind for start, kind in KIND_BY_START.items() if data.startswith(start)), "")
    return Image(media_type=kind, data=data)
