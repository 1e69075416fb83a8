"""The upstream client: sends one wire request to one permitted target and hands back its bytes.

pyreqwest (Rust reqwest) does TLS, pooling and HTTP. Redirects are never followed, nothing is decompressed or cached, no
header of a client ever gets here. The allowed set is checked again at this socket, whatever the pipeline believes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType

from pyreqwest import exceptions as rq
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.http import Url
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response

from yuzui.core.decision import AllowedSet
from yuzui.core.errors import (
    UpstreamBusy,
    UpstreamFault,
    UpstreamInterrupted,
    UpstreamInvalid,
    UpstreamRedirect,
    UpstreamTimeout,
    UpstreamTLS,
    UpstreamUnreachable,
    YuzuiError,
)
from yuzui.core.target import Auth, Target
from yuzui.io.credentials import Credentials
from yuzui.io.deadlines import Deadlines
from yuzui.io.hidden import hide
from yuzui.io.queue import TargetQueue
from yuzui.ports import UpstreamReply
from yuzui.privacy.egress import Scanned
from yuzui.providers._contract import WireRequest

MAX_BODY_BYTES = 64 * 1024 * 1024
MOST_URLS = 1024
OWN_IDLE_S = 3.0  # llama.cpp and vLLM (uvicorn) close a line after 5 s of silence: be gone before, or race with it
VENDOR_IDLE_S = 55.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an embedded engine listens right now."""

    url: str
    api_key: str


ScriptedAnswer = Callable[[Target, WireRequest], AsyncGenerator[bytes, None]]


class HttpUpstream:
    """All targets' connections. One pooled client per kind of transport, made on first use."""

    def __init__(
        self,
        *,
        endpoint_of: Callable[[str], Awaitable[Endpoint | None]],
        scripted: ScriptedAnswer,
        credentials: Credentials | None = None,
        extra_roots_pem: bytes = b"",
    ) -> None:
        """`credentials`: for targets with `auth`; without it they cannot be reached."""
        self._credentials = credentials
        self._endpoint_of = endpoint_of
        self._scripted = scripted
        self._extra_roots_pem = extra_roots_pem
        self._clients: dict[tuple[bool, float], Client] = {}
        self._queues: dict[str, TargetQueue] = {}
        self._urls: dict[str, Url] = {}

    def open(
        self, scanned: Scanned[WireRequest], target: Target, allowed: AllowedSet
    ) -> AbstractAsyncContextManager[UpstreamReply]:
        if not isinstance(scanned, Scanned) or scanned.target != target.name:
            raise PermissionError(f"nobody looked at this request for target {target.name!r}")
        wire = scanned.wire
        if target.name not in allowed:
            raise PermissionError(f"target {target.name!r} is not in this request's allowed set")
        queue = self._queue_of(target)
        if target.codec == "scripted":
            return _ScriptedCall(self._scripted(target, wire), wire, target, queue)
        return _HttpCall(self, wire, target, queue)

    async def request_of(self, wire: WireRequest, target: Target) -> tuple[StreamRequest, Mapping[str, str]]:
        """`wire` bound to where `target` listens now, and all its headers; waits for an embedded engine that is still
        loading."""
        url, headers = target.base_url, wire.headers
        if target.engine:
            endpoint = await self._endpoint_of(target.engine)
            if endpoint is None:
                raise UpstreamUnreachable(
                    f"the embedded model {target.engine!r} is not ready; try again shortly or see `yuzui doctor`",
                    code="engine_not_ready",
                    status=503,
                    retry_after_s=2.0,
                )
            url = endpoint.url
            headers = {**headers, "authorization": f"Bearer {endpoint.api_key}"}
        elif target.auth is not None:
            headers = {**headers, **await self._authorize(target.auth, url + wire.path, wire)}
        request = self._client_of(target).post(self._url_of(url + wire.path)).body_bytes(wire.body)
        for name, value in headers.items():
            request = request.header(name, value)
        if wire.is_stream:
            request = request.streamed_read_buffer_limit(0)  # else the first event waits for a full buffer
        return request.build_streamed(), headers

    def _url_of(self, text: str) -> Url:
        """Read once: there are few, and they are the configuration's."""
        url = self._urls.get(text)
        if url is None:
            if len(self._urls) >= MOST_URLS:
                self._urls.clear()
            url = self._urls[text] = Url(text)
        return url

    async def _authorize(self, auth: Auth, url: str, wire: WireRequest) -> Mapping[str, str]:
        """A token or a signature for exactly these bytes; the wait for it counts as the target's."""
        if self._credentials is None:
            raise UpstreamUnreachable("this gateway exchanges no credentials; targets.auth cannot be used")
        return await self._credentials.headers(auth, method="POST", url=url, headers=wire.headers, body=wire.body)

    def _client_of(self, target: Target) -> Client:
        is_own = target.premises == "own"
        key = (is_own, target.timeouts.connect_s)
        client = self._clients.get(key)
        if client is None:
            builder = (
                ClientBuilder()
                .follow_redirects(False)
                .referer(False)
                .gzip(False)
                .brotli(False)
                .zstd(False)
                .deflate(False)
                .connect_timeout(timedelta(seconds=target.timeouts.connect_s))
                .pool_idle_timeout(timedelta(seconds=OWN_IDLE_S if is_own else VENDOR_IDLE_S))
                .pool_max_idle_per_host(1024)
                .tcp_keepalive(timedelta(seconds=30))
            )
            if is_own:
                builder = builder.no_proxy()  # own premises are never reached through the way out
            if self._extra_roots_pem:
                builder = builder.add_root_certificate_pem(self._extra_roots_pem)
            client = self._clients[key] = builder.build()
        return client

    def _queue_of(self, target: Target) -> TargetQueue:
        queue = self._queues.get(target.name)
        if queue is None:
            queue = self._queues[target.name] = TargetQueue(target.name, target.max_concurrency, target.max_queue)
        elif queue.limits != (target.max_concurrency, target.max_queue):
            queue.resize(target.max_concurrency, target.max_queue)
        return queue

    async def close(self) -> None:
        if self._credentials is not None:
            await self._credentials.close()
        for client in self._clients.values():
            await client.close()
        self._clients.clear()


class _Call:
    """What every call does: wait for a place, keep the time limits, give the place back."""

    def __init__(self, target: Target, queue: TargetQueue, *, is_stream: bool) -> None:
        self._target = target
        self._queue = queue
        self._deadlines = Deadlines(target.timeouts, target.name, is_stream=is_stream)
        self._has_place = False

    async def _enter_limits(self) -> None:
        await self._deadlines.__aenter__()
        await self._queue.enter()
        self._has_place = True
        self._deadlines.waiting()  # only now does the target make us wait: the queue is ours

    async def _exit_limits(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        had_place, self._has_place = self._has_place, False
        if had_place:
            self._queue.leave()
        try:
            await self._deadlines.__aexit__(kind, error, trace)
        except UpstreamTimeout as timeout:
            if had_place:
                raise
            fault = UpstreamBusy(
                f"no place in front of target {self._target.name!r} became free in time; raise "
                "targets.max_concurrency or the limits in targets.timeouts",
                code="target_queue_timeout",
                retry_after_s=2.0,
            )
            fault.counts_for_breaker = False  # the target is well: it was never asked
            raise fault from timeout


class _HttpCall(_Call):
    def __init__(self, upstream: HttpUpstream, wire: WireRequest, target: Target, queue: TargetQueue) -> None:
        super().__init__(target, queue, is_stream=wire.is_stream)
        self._upstream = upstream
        self._wire = wire
        self._request: StreamRequest | None = None
        self._sent: Mapping[str, str] = wire.headers

    async def __aenter__(self) -> UpstreamReply:
        try:
            await self._enter_limits()
            request, self._sent = await self._upstream.request_of(self._wire, self._target)
            try:
                response = await request.__aenter__()
            except rq.PyreqwestError as error:
                raise _fault_of(error, self._target, had_head=False) from error
            self._request = request
            if 300 <= response.status < 400:
                raise UpstreamRedirect(
                    f"target {self._target.name!r} answered with a redirect; set targets.base_url to the final address"
                )
            return _HttpReply(response, self._target, self._deadlines)
        except BaseException as error:
            # __aexit__ is not called when __aenter__ raises: give everything back here.
            await self.__aexit__(type(error), error, error.__traceback__)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, YuzuiError):
            error.message = hide(error.message, self._wire.path, self._sent)  # whoever read it, in whatever it stood
        try:
            if self._request is not None:
                request, self._request = self._request, None
                await request.__aexit__(kind, error, trace)
        finally:
            await self._exit_limits(kind, error, trace)


class _HttpReply:
    """The port's `UpstreamReply` over a pyreqwest response."""

    __slots__ = ("_deadlines", "_response", "_target", "status")

    def __init__(self, response: Response, target: Target, deadlines: Deadlines) -> None:
        self._response = response
        self._target = target
        self._deadlines = deadlines
        self.status = response.status

    def header(self, name: str) -> str | None:
        return self._response.get_header(name)

    async def read(self) -> bytes:
        length = self._response.get_header("content-length")
        try:
            if length is not None and length.isdigit() and int(length) <= MAX_BODY_BYTES:
                return bytes(await self._response.bytes())
            parts: list[bytes] = []
            size = 0
            while (chunk := await self._response.body_reader.read_chunk()) is not None:
                _obey_cancellation()
                size += len(chunk)
                if size > MAX_BODY_BYTES:
                    raise UpstreamInvalid(f"target {self._target.name!r} sent more than {MAX_BODY_BYTES} bytes")
                parts.append(bytes(chunk))
            return b"".join(parts)
        except rq.PyreqwestError as error:
            raise _fault_of(error, self._target, had_head=True) from error

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        reader = self._response.body_reader
        deadlines = self._deadlines
        try:
            while True:
                deadlines.waiting()
                chunk = await reader.read_chunk()
                _obey_cancellation()
                deadlines.arrived()
                if chunk is None:
                    return
                yield bytes(chunk)
        except rq.PyreqwestError as error:
            raise _fault_of(error, self._target, had_head=True) from error


def _obey_cancellation() -> None:
    """Raise the cancellation of this task if the await before this line lost it.

    pyreqwest 0.15.1 gives out the chunk and forgets the cancellation when both come in one turn of uvloop: 8 of 300
    in a trial on 2026-11-26. Without this line a hang-up would be noticed only at the end of the stream.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class _ScriptedCall(_Call):
    """A simulated target: bytes from a script in this process, marked as such by the codec that writes them."""

    def __init__(
        self, script: AsyncGenerator[bytes, None], wire: WireRequest, target: Target, queue: TargetQueue
    ) -> None:
        super().__init__(target, queue, is_stream=wire.is_stream)
        self._script = script

    async def __aenter__(self) -> UpstreamReply:
        try:
            await self._enter_limits()
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return _ScriptedReply(self._script)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._script.aclose()
        await self._exit_limits(kind, error, trace)


class _ScriptedReply:
    status = 200

    def __init__(self, script: AsyncGenerator[bytes, None]) -> None:
        self._script = script

    def header(self, name: str) -> str | None:
        return None

    async def read(self) -> bytes:
        async with aclosing(self._script) as script:
            return b"".join([part async for part in script])

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._script) as script:
            async for part in script:
                yield part


def _fault_of(error: rq.PyreqwestError, target: Target, *, had_head: bool) -> UpstreamFault:
    """The transport's error as one of ours. Its text may name addresses, so only its class reaches the client."""
    causes = " ".join(cause["message"] for cause in (getattr(error, "details", None) or {}).get("causes") or ())
    causes = causes.lower()
    name = target.name
    if isinstance(error, rq.ConnectTimeoutError):
        return UpstreamTimeout(
            f"no connection to target {name!r} within targets.timeouts.connect_s", code="upstream_connect_timeout"
        )
    if had_head or "reading a body" in causes:  # small bodies are read ahead, before the head is handed out
        return UpstreamInterrupted(f"target {name!r} stopped in the middle of its answer")  # TLS cut short too
    # "corrupt message": what answers on that port does not speak TLS at all.
    if any(word in causes for word in ("certificate", "tls", "handshake", "corrupt message")):
        reason = next(
            (
                word
                for word in ("expired", "notvalidforname", "unknownissuer", "selfsigned", "protocol")
                if word in causes.replace(" ", "")
            ),
            "handshake failed",
        )
        return UpstreamTLS(f"target {name!r} offers no acceptable TLS ({reason}); check its certificate and base_url")
    if isinstance(error, rq.ConnectError) and "(connect)" in causes:
        return UpstreamUnreachable(f"target {name!r} cannot be reached; check that it runs and that base_url is right")
    if isinstance(error, rq.DecodeError):
        return UpstreamInvalid(f"target {name!r} does not answer in HTTP", code="upstream_protocol")
    if isinstance(error, rq.PoolTimeoutError):
        return UpstreamBusy(f"no free connection to target {name!r}")
    if isinstance(error, rq.NetworkError | rq.RequestError):
        return UpstreamInterrupted(f"target {name!r} closed the connection before it answered")
    return UpstreamUnreachable(f"target {name!r} cannot be reached")
