"""The line from an evaluation to a gateway: asks as any client does, waits where told to, and gives up by name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from pyreqwest import exceptions as rq
from pyreqwest.client import ClientBuilder
from pyreqwest.response import Response

from yuzui.core.errors import ConfigError
from yuzui.core.log_probabilities import log_probabilities_of
from yuzui.core.money import NANO
from yuzui.evaluation.calls import FATAL, NOT_PERMITTED, Call, Outcome, Result, read_answer

CALL_TIMEOUT_S: Final = 900.0  # a gateway has timeouts of its own, which are shorter
MOST_TRIES: Final = 6
MOST_WAIT_S: Final = 60.0
RETRIED: Final = frozenset((408, 429, 500, 502, 503, 504))


class Stopped(Exception):
    """Every further call would fare the same; the message says what to change."""


class Lost(Exception):
    """Whoever asked is gone: the call may have been paid, and its answer is not known."""


class GatewayLine:
    """`key` may be empty: a gateway on loopback without keys answers anyway. Use as an async context manager."""

    def __init__(self, url: str, key: str, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._url = url.rstrip("/").removesuffix("/v1")
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._sleep = sleep
        self._client = (
            ClientBuilder()
            .timeout(timedelta(seconds=CALL_TIMEOUT_S))
            .follow_redirects(False)
            .default_headers(self._headers)
            .error_for_status(False)
            .build()
        )

    async def __aenter__(self) -> GatewayLine:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *failure: Any) -> None:
        await self._client.__aexit__(*failure)

    async def models(self) -> list[dict[str, Any]]:  # Any: JSON values
        """What GET /v1/models lists. Raise `ConfigError` when there is no gateway, or it knows no such key."""
        try:
            reply = await self._client.get(f"{self._url}/v1/models").build().send()
            found = msgspec.json.decode(bytes(await reply.bytes()))
        except (rq.PyreqwestError, msgspec.DecodeError) as error:
            raise ConfigError(f"no gateway answers at {self._url}: {type(error).__name__}") from error
        if reply.status != 200:
            raise ConfigError(f"{self._url} refused the list of models: {_error_of(found)[1]}; give a key with --key")
        return list(found["data"])

    async def ask(self, call: Call) -> Result:
        """Raise `Stopped` for what no further call would survive."""
        body = msgspec.json.encode(call.body)
        for number in range(1, MOST_TRIES + 1):
            began = time.monotonic()
            wait_s: float | None = min(MOST_WAIT_S, 0.5 * 2**number)
            try:
                request = self._client.post(f"{self._url}/v1/chat/completions").body_bytes(body)
                reply = await request.header("content-type", "application/json").build().send()
                data = bytes(await reply.bytes())
            except rq.PyreqwestError as error:
                result = Result(outcome="failed", code="gateway_unavailable", message=type(error).__name__)
            else:
                result = _result(reply, data, int((time.monotonic() - began) * 1000))
                wait_s = _wait_s(reply, wait_s)
            if result.outcome != "failed":
                return result
            if result.code in FATAL:
                raise Stopped(f"{call.model}: {result.message}")
            if wait_s is None or number == MOST_TRIES:
                return result
            await self._sleep(wait_s)
        raise AssertionError("unreachable")


def _wait_s(reply: Response, usual_s: float | None) -> float | None:
    """Until the next try; None: there is none."""
    if reply.status not in RETRIED or reply.headers.get("x-should-retry") == "false":
        return None
    told = reply.headers.get("retry-after") or ""
    return min(float(told), MOST_WAIT_S) if told.isdigit() else usual_s


def _result(reply: Response, data: bytes, latency_ms: int) -> Result:
    headers = reply.headers
    cost_nano, currency = _cost(headers.get("x-yuzui-cost") or "")
    facts: dict[str, Any] = {
        "latency_ms": latency_ms, "cost_nano": cost_nano, "currency": currency, "at_ns": time.time_ns(),
        "target": unquote(headers.get("x-yuzui-target") or ""), "request_id": headers.get("x-yuzui-request-id") or "",
        "sensitivity": unquote(headers.get("x-yuzui-sensitivity") or ""),
    }  # fmt: skip
    try:
        body = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Result(outcome="failed", code=f"http_{reply.status}", message="the answer is not JSON", **facts)
    if reply.status != 200:
        code, message = _error_of(body)
        outcome: Outcome = "not_permitted" if code in NOT_PERMITTED else "failed"
        return Result(outcome=outcome, code=code or f"http_{reply.status}", message=message, **facts)
    try:
        text, calls, finish_reason, sent, written = read_answer(body)
    except ValueError as error:
        return Result(outcome="failed", code="upstream_invalid_response", message=str(error), **facts)
    return Result(
        outcome="answered", text=text, tool_calls=calls, finish_reason=finish_reason, input_tokens=sent,
        output_tokens=written, log_probabilities=tuple(log_probabilities_of(body["choices"][0])), **facts,
    )  # fmt: skip


def _cost(text: str) -> tuple[int | None, str]:
    amount, _, currency = text.partition(" ")
    try:
        return int(Decimal(amount) * NANO), currency
    except (InvalidOperation, ValueError):
        return None, ""


def _error_of(body: Any) -> tuple[str, str]:  # Any: JSON values
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", "it said nothing that can be read"
    return str(error.get("code") or ""), str(error.get("message") or "")[:500]
