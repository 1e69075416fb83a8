"""Hugging Face's Text Generation Inference: chat completions with a role in each chunk, one call with the id "0", a
call that ends with `stop`, and errors of its own.

Sources (2026-11-26): https://huggingface.co/docs/text-generation-inference/messages_api;
https://github.com/huggingface/text-generation-inference, docs/openapi.json (ChatCompletionChunk, ErrorResponse).
"""

from __future__ import annotations

import json
from dataclasses import replace

from typing_extensions import override

from conformance.facts import Asked, Json, Truth
from conformance.wires._contract import Answer, json_answer, sse
from conformance.wires.openai_chat import Flavour, OpenAIChat


class TGI(OpenAIChat):
    def __init__(self) -> None:
        super().__init__(Flavour(name="tgi", whole_arguments=True))
        self.cannot_tell |= {"cached", "retry after", "tool finish", "role of the message"}
        self.cannot_ask |= {"thinking"}

    @override
    def whole(self, truth: Truth, asked: Asked) -> Answer:
        return super().whole(_own(truth), asked)

    @override
    def stream(self, truth: Truth, asked: Asked) -> Answer:
        answer = super().stream(_own(truth), asked)
        pieces: list[bytes] = []
        for piece in answer.pieces:
            if piece.startswith(b"data: {") and b'"choices"' in piece:
                chunk = json.loads(piece.removeprefix(b"data: "))
                for choice in chunk["choices"]:
                    choice["delta"] = {"role": "assistant"} | choice["delta"]
                piece = sse(chunk)
            elif piece.startswith(b'data: {"error"'):
                piece = sse({"error": "Request failed during generation: out of memory", "error_type": "generation"})
            pieces.append(piece)
        return replace(answer, pieces=pieces)

    @override
    def refuse(self, status: int, message: str) -> Answer:
        return json_answer({"error": message, "error_type": "overloaded" if status == 429 else "validation"}, status)

    @override
    def _frame(self, kind: str, asked: Asked) -> dict[str, Json]:
        frame = {"object": kind, "id": "", "created": 1_795_000_000, "model": asked.model}
        return frame | {"system_fingerprint": "3.3.7-sha-1"}

    @override
    def _usage(self, truth: Truth) -> dict[str, Json]:
        u = truth.usage
        total = (u.input or 0) + (u.output or 0)
        return {"prompt_tokens": u.input or 0, "completion_tokens": u.output or 0, "total_tokens": total}


def _own(truth: Truth) -> Truth:
    """`truth` with calls as this server tells them."""
    calls = tuple(replace(call, id=str(position)) for position, call in enumerate(truth.calls))
    return replace(truth, calls=calls, finish="stop" if calls else truth.finish)
