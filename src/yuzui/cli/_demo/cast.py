"""Knows how the demo's requests are sent: the official `openai` client, sync and async, without special settings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import openai

SHORT = 24  # tokens of an answer: the demo shows the way, not the prose
PATIENCE_S = 60.0  # the first request waits for the model to load

Message = dict[str, Any]  # Any: the client's TypedDicts have dozens of shapes


@dataclass(slots=True, kw_only=True)
class Seen:
    """What a client saw of one request."""

    request_id: str = ""
    status: int = 0
    code: str = ""
    """The error's stable code; empty for an answer."""
    text: str = ""
    """The answer, for checks only; it is not shown and not kept."""
    pieces: int = 0
    """Streamed chunks with content."""
    elapsed_ms: int = 0
    problems: list[str] = field(default_factory=list)
    """What the scene itself found wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays: clients by the name of their key, the names of the own and the vendor's target."""

    base_url: str
    keys: dict[str, str]
    own: str
    vendor: str

    def client(self, key: str = "app") -> openai.OpenAI:
        return openai.OpenAI(base_url=self.base_url, api_key=self.keys[key], timeout=PATIENCE_S)

    def async_client(self, key: str = "app") -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=self.base_url, api_key=self.keys[key], timeout=PATIENCE_S)

    def ask(
        self,
        model: str,
        messages: Iterable[Message] | str,
        *,
        key: str = "app",
        retries: int | None = None,
        max_tokens: int = SHORT,
        **fields: Any,
    ) -> Seen:
        """One request, not streamed, with the sync client; `retries`: fewer than the client would make by itself."""
        seen, began = Seen(), time.monotonic()
        with self.client(key) as client:
            if retries is not None:
                client = client.with_options(max_retries=retries)
            try:
                raw = client.chat.completions.with_raw_response.create(
                    model=model, messages=_messages(messages), max_tokens=max_tokens, **fields
                )
                answer = raw.parse()
                _note(seen, raw.headers, raw.http_response.status_code)
                seen.text = answer.choices[0].message.content or ""
                _note_calls(seen, answer.choices[0].message.tool_calls)
                if fields.get("logprobs") and not answer.choices[0].logprobs:
                    seen.problems.append("no logprobs came back")
            except openai.APIError as error:
                _note_error(seen, error)
        seen.elapsed_ms = _ms_since(began)
        return seen

    def stream(
        self,
        model: str,
        messages: Iterable[Message] | str,
        *,
        key: str = "app",
        max_tokens: int = SHORT,
        **fields: Any,
    ) -> Seen:
        """One streamed request with the sync client."""
        seen, began = Seen(), time.monotonic()
        with self.client(key) as client:
            try:
                raw = client.chat.completions.with_raw_response.create(
                    model=model, messages=_messages(messages), stream=True, max_tokens=max_tokens, **fields
                )
                _note(seen, raw.headers, raw.http_response.status_code)
                end = ""
                for chunk in raw.parse():
                    end = _note_chunk(seen, chunk) or end
                _check_end(seen, end)
            except openai.APIError as error:
                _note_error(seen, error)
        seen.elapsed_ms = _ms_since(began)
        return seen

    def streams(self, model: str, questions: list[str], *, max_tokens: int = SHORT) -> list[Seen]:
        """Several streamed requests at once with the async client."""

        async def one(client: openai.AsyncOpenAI, question: str) -> Seen:
            seen, began = Seen(), time.monotonic()
            raw = await client.chat.completions.with_raw_response.create(
                model=model, messages=_messages(question), stream=True, max_tokens=max_tokens
            )
            _note(seen, raw.headers, raw.http_response.status_code)
            end = ""
            async for chunk in raw.parse():
                end = _note_chunk(seen, chunk) or end
            _check_end(seen, end)
            seen.elapsed_ms = _ms_since(began)
            return seen

        async def all_at_once() -> list[Seen]:
            async with self.async_client() as client:
                return list(await asyncio.gather(*(one(client, question) for question in questions)))

        return asyncio.run(all_at_once())


def _messages(messages: Iterable[Message] | str) -> Any:  # Any: see Message
    return [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)


def _note(seen: Seen, headers: Any, status: int) -> None:  # Any: the client's HTTP library is its own affair
    seen.request_id = headers.get("x-yuzui-request-id", "")
    seen.status = status


def _note_error(seen: Seen, error: openai.APIError) -> None:
    seen.code = error.code or ""
    if not isinstance(error, openai.APIStatusError):  # the line broke, or an error event came inside a stream
        seen.code = seen.code or "connection_error"
        seen.problems.append(f"{type(error).__name__}: {error.message}")
        return
    _note(seen, error.response.headers, error.status_code)
    if (
        error.status_code == 429
        and seen.code == "rate_limit_exceeded"
        and not error.response.headers.get("retry-after")
    ):
        seen.problems.append("no Retry-After header")


def _note_chunk(seen: Seen, chunk: Any) -> str:  # Any: ChatCompletionChunk, generic over the client's versions
    """Take the chunk in; return its finish reason."""
    if not chunk.choices:
        return ""
    piece = chunk.choices[0].delta.content or ""
    seen.pieces += bool(piece)
    seen.text += piece
    return chunk.choices[0].finish_reason or ""


def _note_calls(seen: Seen, calls: Any) -> None:  # Any: a union of the client's tool call classes
    if calls:
        seen.text += "".join(f"{call.function.name}({call.function.arguments})" for call in calls)


def _check_end(seen: Seen, finish_reason: str) -> None:
    if not finish_reason:
        seen.problems.append("the stream ended without a finish reason")
    if seen.pieces < 2:
        seen.problems.append(f"{seen.pieces} streamed pieces came, not several")


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
