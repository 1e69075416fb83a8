"""IBM watsonx.ai's text/chat and text/chat_stream: OpenAI's messages in a frame of its own.

Sources (2026-11-26): https://cloud.ibm.com/apidocs/watsonx-ai#text-chat-stream;
https://ibm.github.io/watsonx-ai-node-sdk (TextChatParams, TextChatResultDelta: `refusal`, `tool_calls`; finish
reasons).
"""

from __future__ import annotations

from typing_extensions import override

from conformance.facts import Asked, Json, Truth
from conformance.wires._contract import Answer, json_answer, sse
from conformance.wires.openai_chat import Flavour, OpenAIChat


class Watsonx(OpenAIChat):
    def __init__(self) -> None:
        super().__init__(Flavour(name="watsonx", thinks=True))
        self.cannot_tell |= {"cached", "refusal text", "retry after"}

    @override
    def read(self, path: str, headers: dict[str, str], body: dict[str, Json]) -> Asked:
        asked = super().read(path, headers, body)
        asked.model, asked.is_stream = body.get("model_id", ""), "chat_stream" in path
        if not body.get("model_id") or not (body.get("project_id") or body.get("space_id")):
            asked.complaints.append("no model_id, or no project_id")
        if "version=" not in path:
            asked.complaints.append("no version in the address")
        asked.tool_choice = asked.tool_choice or body.get("tool_choice_option") or ""
        return asked

    @override
    def stream(self, truth: Truth, asked: Asked) -> Answer:
        asked.fields = asked.fields | {"stream_options": {"include_usage": True}}  # usage always comes
        answer = super().stream(truth, asked)
        pieces: list[bytes] = []
        for number, piece in enumerate(answer.pieces):
            if piece.startswith(b"data: [DONE]"):
                continue  # its streams just end
            if b'"error":' in piece[:20]:
                fault = {"errors": [{"code": "model_error", "message": "the model failed"}], "status_code": 500}
                pieces.append(f"id: {number}\nevent: error\n".encode() + sse(fault))
            else:
                pieces.append(f"id: {number}\nevent: message\n".encode() + piece)
        return Answer(status=200, content_type="text/event-stream", pieces=pieces, breaks=answer.breaks)

    @override
    def refuse(self, status: int, message: str) -> Answer:
        code = "rate_limit_reached_requests" if status == 429 else "invalid_request_entity"
        return json_answer(
            {"errors": [{"code": code, "message": message}], "trace": "river", "status_code": status}, status
        )

    @override
    def _frame(self, kind: str, asked: Asked) -> dict[str, Json]:
        return {
            "id": "chatcmpl-river",
            "object": kind,
            "model_id": asked.model,
            "model": asked.model,
            "created": 1_795_000_000,
            "created_at": "2026-11-26T08:00:00.000Z",
            "model_version": "4.0.0",
        }

    @override
    def _usage(self, truth: Truth) -> dict[str, Json]:
        u = truth.usage
        total = (u.input or 0) + (u.output or 0)
        return {"completion_tokens": u.output or 0, "prompt_tokens": u.input or 0, "total_tokens": total}
