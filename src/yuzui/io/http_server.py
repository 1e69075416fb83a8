"""The line to the client: a raw ASGI application, from bytes to `RawRequest` and from `Reply` to bytes.

It owns the send loop and the detection of clients that hung up. Paths are matched exactly as they were sent: no
decoding, no normalisation, so that no second spelling of a path can mean something else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from yuzui.core.errors import ClientFault, InvalidRequest, NotFound, RequestTooLarge, YuzuiError
from yuzui.dialects._contract import ClientDialect
from yuzui.ports import ClientGone, Interruption, RawRequest, Reply

Scope = MutableMapping[str, Any]  # Any: ASGI's own shapes
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]  # Any: ASGI
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]  # Any: ASGI

HANGUP_WATCH_AFTER_S = 1.0  # a watcher costs a task: short requests never pay for one
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
JSON_TYPE = "application/json"


class Answering(Protocol):
    """`pipeline.Gateway`, seen from the line."""

    @property
    def dialects(self) -> Mapping[str, ClientDialect]:
        """Path of a POST → the dialect spoken there."""
        ...

    async def answer(
        self, raw: RawRequest, reply: Reply, dialect: ClientDialect, interruption: Interruption
    ) -> None: ...

    async def turn_away(self, error: YuzuiError, reply: Reply, dialect: ClientDialect) -> None: ...


class FrontDesk(Protocol):
    """`desk.Desk`, seen from the line: everything that is answered without a model."""

    def list_models(self, authorization: tuple[str, ...]) -> bytes: ...

    def show_model(self, authorization: tuple[str, ...], name: str) -> bytes: ...

    def health(self) -> tuple[int, bytes]: ...

    def readiness(self) -> tuple[int, bytes]: ...

    def metrics(self, authorization: tuple[str, ...], *, is_local: bool) -> bytes: ...

    @property
    def most_body_bytes(self) -> int: ...

    @property
    def is_open(self) -> bool:
        """True while anyone on this machine may call without a key: then a browser must not be tricked into it."""
        ...


class AsgiReply:
    """The port's `Reply` over ASGI's send."""

    __slots__ = ("_beat", "_beating", "_every_s", "_last_sent", "_loop", "_send", "_timer", "has_started")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_started = False
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._beat = b""
        self._beating: asyncio.Task[None] | None = None
        self._every_s = 0.0
        self._last_sent = 0.0

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        self.has_started = True
        try:
            await self._send(
                {
                    "type": "http.response.start",
                    "status": status,
                    "headers": [(name.encode("latin-1"), _header_value(value)) for name, value in headers.items()],
                }
            )
        except OSError as error:
            raise ClientGone from error

    async def send(self, data: bytes, *, more: bool) -> None:
        try:
            await self._send({"type": "http.response.body", "body": data, "more_body": more})
        except OSError as error:
            raise ClientGone from error
        if more:
            self._last_sent = self._loop.time()
        else:
            self.stop()

    def keep_alive(self, heartbeat: bytes, every_s: float) -> None:
        """One lazy timer per stream: sending only notes the time, the timer looks at it when it fires."""
        self._beat, self._every_s = heartbeat, every_s
        self._last_sent = self._loop.time()
        self._timer = self._loop.call_later(every_s, self._check_silence)

    def _check_silence(self) -> None:
        wait_s = self._last_sent + self._every_s - self._loop.time()
        if wait_s <= 0:
            # Held, or it could be collected before it ran.
            self._beating = self._loop.create_task(self._send_beat())
            wait_s = self._every_s
        self._timer = self._loop.call_later(wait_s, self._check_silence)

    async def _send_beat(self) -> None:
        with suppress(ClientGone):
            await self.send(self._beat, more=True)

    def stop(self) -> None:
        """No heartbeat after this."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def whole(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        await self.start(status, {"content-type": JSON_TYPE, "content-length": str(len(body)), **(headers or {})})
        await self.send(body, more=False)


def _header_value(value: str) -> bytes:
    # Names of targets and reasons may be Chinese; headers are bytes: percent-encode what is not printable ASCII.
    if value.isascii() and value.isprintable():
        return value.encode("ascii")
    return "".join(c if c.isascii() and c.isprintable() and c != "%" else _percent(c) for c in value).encode("ascii")


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))


class HttpServer:
    """The ASGI application. With `on_startup` and `on_shutdown` it can be run by any ASGI server with lifespan."""

    def __init__(
        self,
        gateway: Answering,
        desk: FrontDesk,
        *,
        on_startup: Callable[[], Awaitable[None]] | None = None,
        on_shutdown: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._gateway = gateway
        self._desk = desk
        self._on_startup = on_startup
        self._on_shutdown = on_shutdown
        self._error_dialect = next(iter(gateway.dialects.values()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            # No websocket routes: refuse the handshake.
            await send({"type": "websocket.close", "code": 1003})
            return
        reply = AsgiReply(send)
        try:
            dialect = self._gateway.dialects.get(scope["path"]) if scope["method"] == "POST" else None
            if dialect is not None and _is_plain(scope):
                await self._chat(scope, receive, reply, dialect)
            else:
                await self._other(scope, reply)
        except ClientGone:
            return
        except YuzuiError as error:
            await self._refuse(reply, error)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            hook = self._on_startup if message["type"] == "lifespan.startup" else self._on_shutdown
            if hook is not None:
                await hook()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _chat(self, scope: Scope, receive: Receive, reply: AsgiReply, dialect: ClientDialect) -> None:
        try:
            raw = await self._read(scope, receive)
        except YuzuiError as error:
            await self._gateway.turn_away(error, reply, dialect)
            return
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - an ASGI server always runs us in a task
            raise RuntimeError("no task")
        interruption = Interruption(task)
        watch = _HangupWatch(receive, interruption)
        try:
            await self._gateway.answer(raw, reply, dialect, interruption)
        finally:
            watch.stop()
            reply.stop()

    async def _read(self, scope: Scope, receive: Receive) -> RawRequest:
        authorization: list[str] = []
        conversation_id = ""
        origin = host = content_type = ""
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization.append(value.decode("latin-1"))
            elif name == b"content-length":
                if not value.isdigit() or int(value) > self._desk.most_body_bytes:
                    raise self._too_large()
            elif name == b"content-encoding" and value != b"identity":
                raise InvalidRequest(
                    "compressed bodies are not accepted; send the JSON as it is",
                    code="unsupported_content_encoding",
                    status=415,
                )
            elif name == b"x-yuzui-conversation":
                conversation_id = value.decode("latin-1")[:256]
            elif name == b"origin":
                origin = value.decode("latin-1")
            elif name == b"host":
                host = value.decode("latin-1")
            elif name == b"content-type":
                content_type = value.decode("latin-1")
        if scope["query_string"]:
            _refuse_secrets_in_query(scope["query_string"])
        if self._desk.is_open:
            _check_browser(origin, host, content_type)
        return RawRequest(
            body=await self._read_body(receive), authorization=tuple(authorization), conversation_id=conversation_id
        )

    async def _read_body(self, receive: Receive) -> bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            if len(body) > self._desk.most_body_bytes:
                raise self._too_large()
            return body
        parts = [body]
        size = len(body)
        while message.get("more_body", False):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > self._desk.most_body_bytes:
                raise self._too_large()
            parts.append(part)
        return b"".join(parts)

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(
            f"the body is larger than {self._desk.most_body_bytes} bytes; send less or raise server.max_body_bytes"
        )

    async def _other(self, scope: Scope, reply: AsgiReply) -> None:
        path: str = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            known = path in self._gateway.dialects or path in ("/v1/models", "/healthz", "/readyz", "/metrics")
            raise NotFound(
                f"no such method for {path[:100]!r}" if known else f"no such path: {path[:100]!r}",
                code="not_found",
                status=405 if known else 404,
            )
        authorization = tuple(v.decode("latin-1") for n, v in scope["headers"] if n == b"authorization")
        if path in self._gateway.dialects:
            raise NotFound(f"{path} takes POST only", code="method_not_allowed", status=405)
        is_plain = _is_plain(scope)
        if path == "/v1/models" and is_plain:
            await reply.whole(200, self._desk.list_models(authorization))
        elif path.startswith("/v1/models/"):
            await reply.whole(200, self._desk.show_model(authorization, _model_name(scope)))
        elif path == "/healthz" and is_plain:
            status, body = self._desk.health()
            await reply.whole(status, body)
        elif path == "/readyz" and is_plain:
            status, body = self._desk.readiness()
            await reply.whole(status, body)
        elif path == "/metrics" and is_plain:
            client = scope.get("client")
            is_local = client is not None and client[0] in LOOPBACK_HOSTS
            text = self._desk.metrics(authorization, is_local=is_local)
            await reply.whole(200, text, {"content-type": "text/plain; version=0.0.4; charset=utf-8"})
        else:
            raise NotFound(f"no such path: {path[:100]!r}; point your client's base_url at /v1", code="not_found")

    async def _refuse(self, reply: AsgiReply, error: YuzuiError) -> None:
        """Faults from before the pipeline took over (it answers its own)."""
        if reply.has_started:
            return
        headers = {"connection": "close"} if error.status == 413 else {}
        await reply.whole(error.status, self._error_dialect.write_error(error, ""), headers)


class _HangupWatch:
    """Fires the interruption when the client closes the line; looks only at requests that last."""

    __slots__ = ("_interruption", "_receive", "_task", "_timer")

    def __init__(self, receive: Receive, interruption: Interruption) -> None:
        self._receive = receive
        self._interruption = interruption
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(HANGUP_WATCH_AFTER_S, self._begin)

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._interruption.fire("client_gone")
                return

    def stop(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()


def _is_plain(scope: Scope) -> bool:
    """The path was sent exactly as it reads: nothing percent-encoded."""
    return b"%" not in scope.get("raw_path", b"")


def _model_name(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    name = unquote_to_bytes(raw.partition(b"?")[0].removeprefix(b"/v1/models/"))
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest("the model name in the path is not valid UTF-8", code="invalid_utf8") from error


def _refuse_secrets_in_query(query: bytes) -> None:
    lowered = query.lower()
    if b"key=" in lowered or b"token=" in lowered:
        raise InvalidRequest(
            "keys do not belong into the URL, where logs keep them; send `Authorization: Bearer ...`",
            code="key_in_url",
        )


def _check_browser(origin: str, host: str, content_type: str) -> None:
    """Without keys, only programs on this machine may call: not a page in its browser, not a rebound name."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name and name.lower() not in LOOPBACK_HOSTS:
        raise ClientFault(
            "without virtual keys only loopback host names are answered; create a key: `yuzui keys create`",
            code="host_not_allowed",
            status=421,
        )
    if origin and content_type.split(";")[0].strip().lower() != JSON_TYPE:
        raise ClientFault(
            "requests from a browser need content-type application/json", code="unsupported_media_type", status=415
        )
    if origin and origin.split("://")[-1].rsplit(":", 1)[0].lower() not in LOOPBACK_HOSTS:
        raise ClientFault(
            "without virtual keys pages of other origins are not answered; create a key",
            code="origin_not_allowed",
            status=403,
        )
