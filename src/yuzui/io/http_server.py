"""The line to the client: a raw ASGI application, from bytes to `RawRequest` and from `Reply` to bytes.

It owns the send loop and the detection of clients that hung up. Paths are matched exactly as they were sent: no
decoding, no normalisation, so that no second spelling of a path can mean something else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from yuzui.core.chat import RequestLine
from yuzui.core.errors import ClientFault, InvalidRequest, NotFound, RequestTooLarge, YuzuiError
from yuzui.dialects._contract import ClientDialect
from yuzui.ports import ClientGone, Interruption, ModelShape, RawRequest, Reply

Scope = MutableMapping[str, Any]  # Any: ASGI's own shapes
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]  # Any: ASGI
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]  # Any: ASGI

log = logging.getLogger("yuzui")

HANGUP_WATCH_AFTER_S = 1.0  # a watcher costs a task: short requests never pay for one
BODY_TIMEOUT_S = 120.0  # a body that is longer on its way than this is not worth the memory that it holds
STUCK_AFTER_S = 60.0  # a reader that takes nothing for so long holds a target, money and a place for nobody
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
JSON_TYPE = "application/json"
MODEL_LISTS = ("/v1/models", "/v1beta/models")
DESK_PATHS = frozenset({*MODEL_LISTS, "/healthz", "/readyz", "/metrics"})
ONE_MODEL = tuple(f"{path}/" for path in MODEL_LISTS)
ONE_ANSWER = "/v1/responses/"
CONVERSATIONS = "/v1/conversations"
KEY_HEADERS = frozenset({b"x-api-key", b"x-goog-api-key"})
"""Where clients of Anthropic's and Google's dialects put their key."""
FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-real-ip"})


class Routing(Protocol):
    """`routes.Routes`, seen from the line."""

    def find(self, path: str, *, is_plain: bool) -> ClientDialect | None: ...

    def for_errors(self, path: str, headers: Container[str]) -> ClientDialect: ...


class Answering(Protocol):
    """`pipeline.Gateway`, seen from the line."""

    @property
    def routes(self) -> Routing: ...

    async def answer(
        self, raw: RawRequest, reply: Reply, dialect: ClientDialect, interruption: Interruption
    ) -> None: ...

    async def turn_away(self, error: YuzuiError, reply: Reply, dialect: ClientDialect) -> None: ...


class FrontDesk(Protocol):
    """`desk.Desk`, seen from the line: everything that is answered without a model."""

    def list_models(self, authorization: tuple[str, ...], shape: ModelShape) -> bytes: ...

    def show_model(self, authorization: tuple[str, ...], name: str, shape: ModelShape) -> bytes: ...

    async def show_answer(self, authorization: tuple[str, ...], name: str) -> bytes: ...

    async def list_inputs(self, authorization: tuple[str, ...], name: str, query: str) -> bytes: ...

    async def delete_answer(self, authorization: tuple[str, ...], name: str) -> bytes: ...

    def conversation_methods(self, path: str) -> str: ...

    async def conversation(
        self, method: str, path: str, query: str, authorization: tuple[str, ...], body: bytes
    ) -> bytes: ...

    def health(self) -> tuple[int, bytes]: ...

    def readiness(self) -> tuple[int, bytes]: ...

    def metrics(self, authorization: tuple[str, ...], *, is_local: bool) -> bytes: ...

    def check_key(self, authorization: tuple[str, ...]) -> None:
        """Raise `Unauthenticated` for a stranger."""
        ...

    @property
    def most_body_bytes(self) -> int: ...

    @property
    def is_open(self) -> bool:
        """True while anyone on this machine may call without a key: then a browser must not be tricked into it."""
        ...


class AsgiReply:
    """The port's `Reply` over ASGI's send. `on_stuck` is called when a client has stopped reading its stream."""

    __slots__ = (
        "_beat", "_beating", "_every_s", "_is_ending", "_last_sent", "_loop", "_send", "_sending", "_timer",
        "has_started", "on_stuck",
    )  # fmt: skip

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_started = False
        self.on_stuck: Callable[[], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._beat = b""
        self._beating: asyncio.Task[None] | None = None
        self._every_s = 0.0
        self._last_sent = 0.0
        self._sending = 0
        self._is_ending = False

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
        if not more:
            self._is_ending = True
            self._stop_beat()  # before the end goes out: one that waits for a slow reader would come after it
        self._sending += 1
        try:
            await self._send({"type": "http.response.body", "body": data, "more_body": more})
        except OSError as error:
            raise ClientGone from error
        finally:
            self._sending -= 1
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
        silent_s = self._loop.time() - self._last_sent
        wait_s = self._every_s
        if self._sending:
            # Not silence: the client does not read. Another heartbeat would only queue up behind what it left.
            if silent_s >= max(STUCK_AFTER_S, 2 * self._every_s):
                self._timer = None
                if self.on_stuck is not None:
                    self.on_stuck()
                return
        elif silent_s < self._every_s:
            wait_s = self._every_s - silent_s
        elif not self._is_ending:
            # Held, or it could be collected before it ran.
            self._beating = self._loop.create_task(self._send_beat())
        self._timer = self._loop.call_later(wait_s, self._check_silence)

    async def _send_beat(self) -> None:
        with suppress(ClientGone):
            await self.send(self._beat, more=True)

    def _stop_beat(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
            self._beating = None

    def stop(self) -> None:
        """No heartbeat after this."""
        self._stop_beat()
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
            dialect = None
            if scope["method"] == "POST":
                dialect = self._gateway.routes.find(scope["path"], is_plain=_is_plain(scope))
            if dialect is not None:
                await self._chat(scope, receive, reply, dialect)
            else:
                await self._other(scope, receive, reply)
        except ClientGone:
            return
        except YuzuiError as error:
            await self._refuse(scope, reply, error)
        except Exception:  # the edge: a bug in what stands behind the line is logged here and told without its words
            log.exception("line_failed")
            await self._refuse(scope, reply, YuzuiError("internal error; the gateway's log says where"))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            hook = self._on_startup if message["type"] == "lifespan.startup" else self._on_shutdown
            try:
                if hook is not None:
                    await hook()
            except YuzuiError as error:
                await send({"type": f"{message['type']}.failed", "message": error.message})
                return
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _chat(self, scope: Scope, receive: Receive, reply: AsgiReply, dialect: ClientDialect) -> None:
        try:
            raw = await self._read(scope, receive, dialect)
        except YuzuiError as error:
            await self._gateway.turn_away(error, reply, dialect)
            return
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - an ASGI server always runs us in a task
            raise RuntimeError("no task")
        interruption = Interruption(task)
        reply.on_stuck = lambda: interruption.fire("client_gone")
        watch = _HangupWatch(receive, interruption)
        try:
            await self._gateway.answer(raw, reply, dialect, interruption)
        finally:
            watch.stop()
            reply.stop()

    async def _read(self, scope: Scope, receive: Receive, dialect: ClientDialect) -> RawRequest:
        authorization: list[str] = []
        keys: list[str] = []
        heard: dict[str, str] = {}
        hears = dialect.hears
        conversation_id = ""
        masking: str | None = None
        origin = host = content_type = ""
        waits = False
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization.append(value.decode("latin-1"))
            elif name == b"content-length":
                # Leading zeros aside, 18 digits are more than anybody sends; int() refuses thousands of them.
                if not value.isdigit() or len(value) > 18 or int(value) > self._desk.most_body_bytes:
                    raise self._too_large()
            elif name == b"content-encoding" and value != b"identity":
                raise InvalidRequest(
                    "compressed bodies are not accepted; send the JSON as it is",
                    code="unsupported_content_encoding",
                    status=415,
                )
            elif name in KEY_HEADERS:
                keys.append(value.decode("latin-1"))
            elif name == b"x-yuzui-conversation":
                conversation_id = value.decode("latin-1")[:256]
            elif name == b"x-yuzui-masking":
                said = value.decode("latin-1")
                masking = said if masking is None else f"{masking},{said}"
            elif name == b"origin":
                origin = value.decode("latin-1")
            elif name == b"host":
                host = value.decode("latin-1")
            elif name == b"content-type":
                content_type = value.decode("latin-1")
            elif name == b"expect":
                waits = True
            if hears and (text := name.decode("latin-1")) in hears:
                heard[text] = f"{heard[text]},{value.decode('latin-1')}" if text in heard else value.decode("latin-1")
        query: bytes = scope["query_string"]
        if query:
            _refuse_secrets_in_query(query)
        if self._desk.is_open:
            _check_browser(origin, host, content_type)
        callers = _one_of_each(authorization, keys)
        if waits:
            self._desk.check_key(callers)  # reading on would tell the client to send
        return RawRequest(
            body=await self._read_body(receive, callers),
            authorization=callers,
            conversation_id=conversation_id,
            masking=masking,
            content_type=content_type,
            line=RequestLine(path=scope["path"], query=query.decode("latin-1"), headers=heard),
        )

    async def _read_body(self, receive: Receive, authorization: tuple[str, ...]) -> bytes:
        """What comes at once is read; for more of it the sender must have a key: strangers fill no memory."""
        most = self._desk.most_body_bytes
        body = b""
        grown: bytearray | None = None  # one buffer: a list of a million tiny pieces would weigh forty times as much
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    part: bytes = message.get("body", b"")
                    if grown is not None:
                        grown += part
                    elif message.get("more_body", False):
                        self._desk.check_key(authorization)
                        grown = bytearray(part)
                    else:
                        body = part
                    if len(body if grown is None else grown) > most:
                        raise self._too_large()
                    if not message.get("more_body", False):
                        return body if grown is None else bytes(grown)
        except TimeoutError as error:
            raise ClientFault(
                f"the body did not arrive within {BODY_TIMEOUT_S:g} s; send it faster or send less",
                code="body_too_slow",
                status=408,
            ) from error

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(
            f"the body is larger than {self._desk.most_body_bytes} bytes; send less or raise server.max_body_bytes"
        )

    async def _other(self, scope: Scope, receive: Receive, reply: AsgiReply) -> None:
        path: str = scope["path"]
        is_plain = _is_plain(scope)
        # A path with a name in it, which may be percent-encoded.
        is_model = path.startswith(ONE_MODEL) and path not in ONE_MODEL
        is_answer = path.startswith(ONE_ANSWER) and path != ONE_ANSWER and is_plain
        is_conversation = path.startswith(CONVERSATIONS) and is_plain
        methods = ""
        if self._gateway.routes.find(path, is_plain=is_plain) is not None:
            methods = "POST"
        elif is_model or (path in DESK_PATHS and is_plain):
            methods = "GET, HEAD"
        elif is_answer:
            methods = "GET" if path.endswith("/input_items") else "GET, DELETE"
        elif is_conversation:
            methods = self._desk.conversation_methods(path)
        if not methods:
            raise NotFound(f"no such path: {path[:100]!r}; point your client's base_url at /v1", code="not_found")
        if scope["method"] not in methods.split(", "):
            error = NotFound(f"{path[:100]} takes {methods} only", code="method_not_allowed", status=405)
            await self._refuse(scope, reply, error, {"allow": methods})
            return
        if is_answer:
            await self._kept_answer(scope, reply, path.removeprefix(ONE_ANSWER))
        elif is_conversation:
            await self._conversation(scope, receive, reply, path)
        else:
            await self._at_the_desk(scope, reply, path)

    async def _kept_answer(self, scope: Scope, reply: AsgiReply, name: str) -> None:
        caller = self._caller(scope)
        if scope["method"] == "DELETE":
            body = await self._desk.delete_answer(caller.authorization, name)
        elif name.endswith("/input_items"):
            query = scope["query_string"].decode("latin-1")
            body = await self._desk.list_inputs(caller.authorization, name.removesuffix("/input_items"), query)
        else:
            body = await self._desk.show_answer(caller.authorization, name)
        await reply.whole(200, body)

    async def _conversation(self, scope: Scope, receive: Receive, reply: AsgiReply, path: str) -> None:
        method, authorization, body = scope["method"], self._caller(scope).authorization, b""
        if method == "POST":
            body = (await self._read(scope, receive, self._gateway.routes.for_errors(path, ()))).body
        query = scope["query_string"].decode("latin-1")
        await reply.whole(200, await self._desk.conversation(method, path, query, authorization, body))

    def _caller(self, scope: Scope) -> _Caller:
        caller = _Caller(scope)
        if self._desk.is_open:
            _check_host(caller.host)
            _check_origin(caller.origin)
        return caller

    async def _at_the_desk(self, scope: Scope, reply: AsgiReply, path: str) -> None:
        if path == "/healthz":
            await reply.whole(*self._desk.health())
            return
        if path == "/readyz":
            await reply.whole(*self._desk.readiness())
            return
        caller = self._caller(scope)
        if path in MODEL_LISTS:
            await reply.whole(200, self._desk.list_models(caller.authorization, caller.shape))
        elif path == "/metrics":
            text = self._desk.metrics(caller.authorization, is_local=caller.is_local)
            await reply.whole(200, text, {"content-type": "text/plain; version=0.0.4; charset=utf-8"})
        else:
            await reply.whole(200, self._desk.show_model(caller.authorization, _model_name(scope), caller.shape))

    async def _refuse(
        self, scope: Scope, reply: AsgiReply, error: YuzuiError, headers: Mapping[str, str] | None = None
    ) -> None:
        """Faults from before the pipeline took over (it answers its own)."""
        if not reply.has_started:
            names = {name.decode("latin-1") for name, _ in scope["headers"]}
            dialect = self._gateway.routes.for_errors(scope["path"], names)
            with suppress(ClientGone):
                await reply.whole(error.status, dialect.write_error(error, ""), headers)


class _Caller:
    """Who stands at the desk, as the headers tell it."""

    __slots__ = ("authorization", "host", "is_local", "origin", "shape")

    def __init__(self, scope: Scope) -> None:
        authorization: list[str] = []
        keys: list[str] = []
        self.shape: ModelShape = "gemini" if scope["path"].startswith("/v1beta") else "openai"
        self.host = self.origin = ""
        is_forwarded = False
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization.append(value.decode("latin-1"))
            elif name in KEY_HEADERS:
                keys.append(value.decode("latin-1"))
            elif name == b"anthropic-version":
                self.shape = "anthropic"
            elif name == b"x-goog-api-client":  # Google's clients ask at /v1/models as well
                self.shape = "gemini"
            elif name == b"host":
                self.host = value.decode("latin-1")
            elif name == b"origin":
                self.origin = value.decode("latin-1")
            elif name in FORWARDED:
                is_forwarded = True
        self.authorization = _one_of_each(authorization, keys)
        client = scope.get("client")
        # Behind a proxy on this machine everybody comes from loopback, and so does a page in a browser on it.
        self.is_local = (
            client is not None
            and client[0] in LOOPBACK_HOSTS
            and not is_forwarded
            and (not self.host or _host_name(self.host) in LOOPBACK_HOSTS)
        )


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
    name = unquote_to_bytes(raw.partition(b"?")[0].partition(b"/models/")[2])
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest("the model name in the path is not valid UTF-8", code="invalid_utf8") from error


def _one_of_each(authorization: list[str], keys: list[str]) -> tuple[str, ...]:
    """The same key in two headers is one; two different ones are two callers, which the gate refuses."""
    for key in keys:
        value = f"Bearer {key}"
        if value not in authorization:
            authorization.append(value)
    return tuple(authorization)


def _refuse_secrets_in_query(query: bytes) -> None:
    lowered = query.lower()
    if b"key=" in lowered or b"token=" in lowered:
        raise InvalidRequest(
            "keys do not belong into the URL, where logs keep them; send `Authorization: Bearer ...` or "
            "`x-goog-api-key: ...`",
            code="key_in_url",
        )


def _check_browser(origin: str, host: str, content_type: str) -> None:
    """Without keys, only programs on this machine may call: not a page in its browser, not a rebound name."""
    _check_host(host)
    if origin and content_type.split(";")[0].strip().lower() != JSON_TYPE:
        raise ClientFault(
            "requests from a browser need content-type application/json", code="unsupported_media_type", status=415
        )
    _check_origin(origin)


def _check_host(host: str) -> None:
    if host and _host_name(host) not in LOOPBACK_HOSTS:
        raise ClientFault(
            "without virtual keys only loopback host names are answered; create a key: `yuzui keys create`",
            code="host_not_allowed",
            status=421,
        )


def _check_origin(origin: str) -> None:
    if origin and _host_name(origin.partition("://")[2]) not in LOOPBACK_HOSTS:
        raise ClientFault(
            "without virtual keys pages of other origins are not answered; create a key",
            code="origin_not_allowed",
            status=403,
        )


def _host_name(host: str) -> str:
    """`host` without its port, in lower case."""
    return (host if host.endswith("]") else host.rsplit(":", 1)[0]).lower()
