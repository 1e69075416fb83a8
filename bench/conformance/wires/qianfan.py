"""Baidu Qianfan, version 2: chat completions with `flag` beside each choice and codes of errors of its own.

Sources (2026-11-26): https://cloud.baidu.com/doc/qianfan-api/s/3m7of64lb; qianfan==0.4.12.3,
resources/typing_client.py.
"""

from __future__ import annotations

from typing_extensions import override

from conformance.facts import Json, Truth
from conformance.wires._contract import Answer, json_answer
from conformance.wires.openai_chat import Flavour, OpenAIChat


class Qianfan(OpenAIChat):
    def __init__(self) -> None:
        super().__init__(Flavour(name="qianfan", thinks=True, counts_reasoning=True))
        self.cannot_tell |= {"retry after"}

    @override
    def refuse(self, status: int, message: str) -> Answer:
        code = "rpm_rate_limit_exceeded" if status == 429 else "invalid_argument"
        error: dict[str, Json] = {"code": code, "message": message, "type": "invalid_request_error"}
        return json_answer({"error": error, "id": "as-river"}, status)

    @override
    def _finish(self, truth: Truth) -> str:
        return "content_filter" if truth.refusal else truth.finish
