"""Credentials that are exchanged for short-lived tokens, or that sign each request.

A token is fetched when it is first needed and again ahead of its end, while the old one still serves. One caller at a
time fetches, the others wait for it; what the issuer refuses is not asked for again at once. Tokens and secrets are in
no repr, log or message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from pyreqwest import exceptions as rq
from pyreqwest.client import Client, ClientBuilder

from yuzui.core.errors import UpstreamFault, UpstreamUnreachable
from yuzui.core.sigv4 import sign
from yuzui.core.target import Auth
from yuzui.io.token_requests import TokenRequest, read_token, refused, write_request
from yuzui.ports import Clock

Send = Callable[[TokenRequest], Awaitable[tuple[int, bytes]]]
"""Sends a request to an issuer: status and body, or an `UpstreamFault`."""

FRESH_PART: Final = 0.8  # of a token's life; then another is fetched in the background
MARGIN_S: Final = 30.0  # a token that ends while the request is on its way is of no use
PAUSE_S: Final = 5.0  # after a failure, before the issuer is asked again
EXCHANGE_TIMEOUT_S: Final = 15.0
MAX_ANSWER_BYTES: Final = 256 * 1024
MOST_TOKENS: Final = 1024

_Key = tuple[str, tuple[tuple[str, str], ...]]


class Credentials:
    """All targets' tokens. One per gateway; its methods run on one event loop."""

    def __init__(self, send: Send, clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._slots: dict[_Key, _Slot] = {}

    async def headers(
        self, auth: Auth, *, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, str]:
        """What to send beside `headers`. Raise an `UpstreamFault` that names `targets.auth`; nothing was sent then."""
        if auth.kind == "aws_sigv4":
            return self._sign(auth.settings, method, url, headers, body)
        return {"authorization": f"Bearer {await self._token(auth)}"}

    async def close(self) -> None:
        """Fetches that still run are given up."""
        tasks = [slot.task for slot in self._slots.values() if slot.task is not None]
        self._slots.clear()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _sign(
        self, settings: Mapping[str, str], method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, str]:
        return sign(
            method,
            url,
            headers,
            body,
            access_key=settings["access_key"],
            secret_key=settings["secret_key"],
            session_token=settings.get("session_token", ""),
            region=settings["region"],
            service=settings.get("service") or "bedrock",
            at=datetime.fromtimestamp(self._clock.now_ns() // 1_000_000_000, UTC),
        )

    async def _token(self, auth: Auth) -> str:
        slot = self._slot(auth)
        now = self._clock.monotonic()
        if now < slot.fresh_until:
            return slot.value
        if slot.task is None and now >= slot.pause_until:
            slot.task = asyncio.create_task(self._fetch(slot, auth), name="fetch-token")
        if now < slot.good_until:
            return slot.value
        if slot.task is not None:
            # Shielded: a caller that leaves must not take the token from those who wait with it.
            await asyncio.shield(slot.task)
        if self._clock.monotonic() < slot.good_until:
            return slot.value
        raise slot.fault()

    def _slot(self, auth: Auth) -> _Slot:
        key = (auth.kind, tuple(sorted(auth.settings.items())))
        slot = self._slots.get(key)
        if slot is None:
            if len(self._slots) >= MOST_TOKENS:  # only ever by changed configurations: the oldest are gone from it
                del self._slots[next(iter(self._slots))]
            slot = self._slots[key] = _Slot(auth.kind)
        return slot

    async def _fetch(self, slot: _Slot, auth: Auth) -> None:
        """A fresh token into `slot`, or the reason why there is none."""
        started = self._clock.monotonic()
        try:
            request = write_request(auth.kind, auth.settings, self._clock.now_ns() // 1_000_000_000)
            try:
                async with asyncio.timeout(EXCHANGE_TIMEOUT_S):
                    status, body = await self._send(request)
            except TimeoutError as error:
                raise _unreachable() from error
            if status in (408, 429) or status >= 500:
                raise _unreachable(f"HTTP {status}")
            token = read_token(auth.kind, status, body)
        except UpstreamFault as fault:
            slot.fail(fault, self._clock.monotonic() + PAUSE_S)
        else:
            slot.fill(token.value, token.life_s, started)
        finally:
            slot.task = None


class _Slot:
    """One token, and who fetches the next. Times are the clock's monotonic seconds."""

    __slots__ = ("_fault", "_kind", "fresh_until", "good_until", "pause_until", "task", "value")

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._fault: UpstreamFault | None = None
        self.value = ""
        self.fresh_until = float("-inf")
        self.good_until = float("-inf")
        self.pause_until = float("-inf")
        self.task: asyncio.Task[None] | None = None

    def fill(self, value: str, life_s: float, started: float) -> None:
        self.value = value
        self.fresh_until = started + life_s * FRESH_PART
        self.good_until = max(started + life_s - MARGIN_S, self.fresh_until)
        self._fault = None

    def fail(self, fault: UpstreamFault, pause_until: float) -> None:
        self._fault = fault
        self.pause_until = pause_until

    def fault(self) -> UpstreamFault:
        """Why there is no token; a new object for each caller, who adds a traceback to it."""
        fault = self._fault or refused(self._kind, "its token ended at once")
        again = type(fault).__new__(type(fault))
        again.args = fault.args
        again.__dict__.update(fault.__dict__)
        return again


def _unreachable(why: str = "no answer in time") -> UpstreamUnreachable:
    """Without the issuer's address: clients hear it, and it may be of the inside."""
    return UpstreamUnreachable(
        f"no token for the target: its issuer cannot be reached ({why}); check targets.auth and the way out"
    )


class TokenLine:
    """The way to the issuers, over pyreqwest: `send` is what `Credentials` needs."""

    def __init__(self, *, extra_roots_pem: bytes = b"") -> None:
        self._extra_roots_pem = extra_roots_pem
        self._client: Client | None = None

    async def send(self, request: TokenRequest) -> tuple[int, bytes]:
        try:
            call = self._opened().request(request.method, request.url)
            for name, value in request.headers.items():
                call = call.header(name, value)
            if request.body:
                call = call.body_bytes(request.body)
            async with call.build_streamed() as response:
                body = b""
                while (chunk := await response.body_reader.read_chunk()) is not None:
                    body += bytes(chunk)
                    if len(body) > MAX_ANSWER_BYTES:
                        raise _unreachable("its answer is too large")
                return response.status, body
        except rq.PyreqwestError as error:
            raise _unreachable("no connection") from error

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _opened(self) -> Client:
        if self._client is None:
            builder = (
                ClientBuilder()
                .follow_redirects(False)
                .referer(False)
                .connect_timeout(timedelta(seconds=5))
                .timeout(timedelta(seconds=EXCHANGE_TIMEOUT_S))
                .pool_idle_timeout(timedelta(seconds=30))
            )
            if self._extra_roots_pem:
                builder = builder.add_root_certificate_pem(self._extra_roots_pem)
            self._client = builder.build()
        return self._client
