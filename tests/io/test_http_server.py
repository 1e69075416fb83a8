"""The line to the client: exact paths, bounded bodies, no browser tricked into it, no heartbeat after the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from typing_extensions import override

from fake_time import FakeTimeLoop, run
from yuzui.core.chat import RequestLine
from yuzui.core.errors import InvalidRequest, NotFound, Unauthenticated, YuzuiError
from yuzui.dialects._contract import ClientDialect
from yuzui.dialects.openai_chat import DIALECT
from yuzui.io import http_server
from yuzui.io.http_server import AsgiReply, HttpServer, Scope
from yuzui.ports import ClientGone, Interruption, ModelShape, RawRequest, Reply
from yuzui.routes import EXACT, METHODS, Routes

CHAT = "/v1/chat/completions"
Message = MutableMapping[str, Any]  # Any: ASGI's own shapes
Answer = Callable[[RawRequest, Reply, Interruption], Awaitable[None]]


async def answers_ok(raw: RawRequest, reply: Reply, interruption: Interruption) -> None:
    await reply.start(200, {"content-length": "2"})
    await reply.send(b"ok", more=False)


@dataclass
class FakeGateway:
    script: Answer = answers_ok
    seen: list[RawRequest] = field(default_factory=list)
    turned_away: list[YuzuiError] = field(default_factory=list)

    @property
    def routes(self) -> Routes:
        return Routes({CHAT: DIALECT}, {"generateContent": DIALECT})

    async def answer(self, raw: RawRequest, reply: Reply, dialect: ClientDialect, interruption: Interruption) -> None:
        assert dialect is DIALECT
        self.seen.append(raw)
        await self.script(raw, reply, interruption)

    async def turn_away(self, error: YuzuiError, reply: Reply, dialect: ClientDialect) -> None:
        self.turned_away.append(error)
        body = dialect.write_error(error, "req_1")
        await reply.start(error.status, {})
        await reply.send(body, more=False)


@dataclass
class FakeDesk:
    most_body_bytes: int = 100
    is_open: bool = False

    def check_key(self, authorization: tuple[str, ...]) -> None:
        if authorization == ("Bearer wrong",):
            raise Unauthenticated("no such key")

    def list_models(self, authorization: tuple[str, ...], shape: ModelShape) -> bytes:
        if authorization == ("Bearer wrong",):
            raise Unauthenticated("no such key")
        return b'{"data":[]}' if shape == "openai" else json.dumps({"shape": shape}).encode()

    async def show_answer(self, authorization: tuple[str, ...], name: str) -> bytes:
        return json.dumps({"shown": name}).encode()

    async def list_inputs(self, authorization: tuple[str, ...], name: str, query: str) -> bytes:
        return json.dumps({"inputs": name, "query": query}).encode()

    async def delete_answer(self, authorization: tuple[str, ...], name: str) -> bytes:
        return json.dumps({"deleted": name}).encode()

    def conversation_methods(self, path: str) -> str:
        return "GET, POST, DELETE" if path.endswith("conv_1") else ""

    async def conversation(
        self, method: str, path: str, query: str, authorization: tuple[str, ...], body: bytes
    ) -> bytes:
        return json.dumps([method, path, query, authorization, body.decode()]).encode()

    def show_model(self, authorization: tuple[str, ...], name: str, shape: ModelShape) -> bytes:
        if name == "bug":
            raise ZeroDivisionError("private words")
        if name == "nobody":
            raise NotFound("no such model")
        return json.dumps({"id": name}).encode()

    def health(self) -> tuple[int, bytes]:
        return 200, b"{}"

    def readiness(self) -> tuple[int, bytes]:
        return 503, b"{}"

    def metrics(self, authorization: tuple[str, ...], *, is_local: bool) -> bytes:
        if not is_local and not authorization:
            raise Unauthenticated("a key, please")
        return b"metric 1\n"


def scope_of(method: str, path: str, headers: Mapping[str, str], client: str, raw_path: bytes | None) -> Scope:
    return {
        "type": "http", "method": method, "path": path, "raw_path": path.encode() if raw_path is None else raw_path,
        "query_string": b"", "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers.items()],
        "client": (client, 50_000),
    }  # fmt: skip


@dataclass
class Line:
    """One request by hand, and what came back."""

    gateway: FakeGateway = field(default_factory=FakeGateway)
    desk: FakeDesk = field(default_factory=FakeDesk)
    sent: list[Message] = field(default_factory=list)

    def ask(
        self, method: str, path: str, *pieces: bytes | None, headers: Mapping[str, str] | None = None,
        client: str = "203.0.113.9", raw_path: bytes | None = None, query: bytes = b"",
    ) -> int:  # fmt: skip
        """The status; None among `pieces` is a client that hangs up."""
        scope = scope_of(method, path, headers or {}, client, raw_path)
        scope["query_string"] = query
        waiting = list(pieces) or [b""]

        async def receive() -> Message:
            if not waiting:
                await asyncio.Event().wait()
            piece = waiting.pop(0)
            if piece is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

        async def send(message: Message) -> None:
            self.sent.append(message)

        async def story(loop: FakeTimeLoop) -> None:
            await HttpServer(self.gateway, self.desk)(scope, receive, send)

        self.sent.clear()
        run(story)
        return int(self.sent[0]["status"]) if self.sent else 0

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["error"]["code"])


# ---- paths and methods ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", CHAT, 200), ("GET", "/v1/models", 200), ("HEAD", "/v1/models", 200), ("GET", "/v1/models/a", 200),
        ("GET", "/healthz", 200), ("HEAD", "/healthz", 200), ("GET", "/readyz", 503), ("GET", "/metrics", 200),
        ("GET", CHAT, 405), ("PUT", CHAT, 405), ("OPTIONS", CHAT, 405), ("POST", "/v1/models", 405),
        ("POST", "/v1/models/a", 405), ("DELETE", "/metrics", 405),
        ("GET", "/", 404), ("POST", "/", 404), ("POST", "/v1/embeddings", 404), ("GET", "/v1/models/nobody", 404),
    ],
)  # fmt: skip
def test_each_path_takes_its_methods_only(method: str, path: str, status: int) -> None:
    line = Line()
    assert line.ask(method, path, b"{}", client="127.0.0.1") == status
    if status == 405:
        assert line.code == "method_not_allowed"
        assert method not in line.headers["allow"].split(", ")


@pytest.mark.parametrize("base", [CHAT, "/v1/models", "/metrics", "/healthz"])
@pytest.mark.parametrize(
    "spell",
    [
        lambda path: "/" + path, lambda path: path + "/", lambda path: path.upper(), lambda path: path + ";a=b",
        lambda path: path + ".", lambda path: "/x/.." + path, lambda path: path.replace("/", "//"),
        lambda path: path + "\0", lambda path: path[:-1] + "ｓ", lambda path: path + "\\",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_second_spelling_of_a_path_is_another_path(base: str, spell: Callable[[str], str], method: str) -> None:
    line = Line()
    assert line.ask(method, spell(base), client="127.0.0.1") == 404
    assert line.code == "not_found"
    assert not line.gateway.seen


@pytest.mark.parametrize(
    "raw", [b"/v1%2fchat/completions", b"/v1/chat/%63ompletions", b"/%2e/v1/chat/completions", b"/metric%73"]
)
@pytest.mark.parametrize("path", [CHAT, "/metrics"])
def test_a_percent_encoded_spelling_is_not_decoded_into_a_path(raw: bytes, path: str) -> None:
    line = Line()
    # The server has decoded `path` already: only the raw spelling tells the difference.
    assert line.ask("POST" if path == CHAT else "GET", path, raw_path=raw, client="127.0.0.1") == 404


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"/v1/models/house/qwen", "house/qwen"),
        (b"/v1/models/house%2Fqwen", "house/qwen"),
        (b"/v1/models/%E9%B1%BC%E5%98%B4", "鱼嘴"),
        (b"/v1/models/a?x=1", "a"),
        (b"/v1/models/a%2520b", "a%20b"),
    ],
)
def test_a_model_may_have_any_name(raw: bytes, name: str) -> None:
    line = Line()
    assert line.ask("GET", "/v1/models/x", raw_path=raw) == 200
    assert json.loads(line.body) == {"id": name}


def test_a_model_name_that_is_no_text_is_refused() -> None:
    line = Line()
    assert line.ask("GET", "/v1/models/x", raw_path=b"/v1/models/%ff") == 400
    assert line.code == "invalid_utf8"


def test_a_websocket_is_closed() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def story(loop: FakeTimeLoop) -> None:
        await HttpServer(FakeGateway(), FakeDesk())({"type": "websocket", "path": CHAT}, receive, send)

    run(story)
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_a_bug_behind_the_line_is_an_error_without_its_words() -> None:
    line = Line()
    assert line.ask("GET", "/v1/models/bug") == 500
    assert line.code == "internal_error"
    assert b"private" not in line.body


# ---- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [(b"x" * 100,), (b"x" * 60, b"x" * 40), (b"",) * 5 + (b"x" * 100,), (b"x",) * 100])
def test_a_body_may_come_in_any_pieces(pieces: tuple[bytes, ...]) -> None:
    line = Line()
    assert line.ask("POST", CHAT, *pieces) == 200
    assert line.gateway.seen[0].body == b"".join(pieces)
    assert type(line.gateway.seen[0].body) is bytes


@pytest.mark.parametrize("pieces", [(b"x" * 101,), (b"x" * 100, b"x"), (b"x",) * 101])
def test_a_body_over_the_limit_is_refused_by_count(pieces: tuple[bytes, ...]) -> None:
    line = Line()
    assert line.ask("POST", CHAT, *pieces) == 413
    assert line.code == "request_too_large"
    assert not line.gateway.seen


@pytest.mark.parametrize("length", ["101", "9" * 18, "1" + "0" * 30, "9" * 5000, "-5", "1.5", "abc", ""])
def test_a_body_over_the_limit_is_refused_by_its_header_before_it_is_read(length: str) -> None:
    line = Line()
    assert line.ask("POST", CHAT, None, headers={"content-length": length}) == 413


def test_a_body_that_never_comes_is_given_up() -> None:
    line = Line()
    gateway = line.gateway

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("nothing ever comes")

    async def send(message: Message) -> None:
        line.sent.append(message)

    async def story(loop: FakeTimeLoop) -> None:
        await HttpServer(gateway, line.desk)(scope_of("POST", CHAT, {}, "127.0.0.1", None), receive, send)
        assert loop.now == http_server.BODY_TIMEOUT_S

    run(story)
    assert line.sent[0]["status"] == 408
    assert [error.code for error in gateway.turned_away] == ["body_too_slow"]


PATHS = [*EXACT, *(f"/v1beta/models/m:{method}" for method in METHODS)]


@dataclass
class EveryPath(FakeGateway):
    @property
    @override
    def routes(self) -> Routes:
        return Routes()


def drip(path: str, piece: bytes, every_s: float, headers: Mapping[str, str] | None = None) -> tuple[Line, float, int]:
    """A body of `piece` again and again, never ending: what was answered, when, and after how many pieces."""
    line, sent, ended = Line(gateway=EveryPath(), desk=FakeDesk(most_body_bytes=1000)), 0, 0.0

    async def receive() -> Message:
        nonlocal sent
        await asyncio.sleep(every_s)
        sent += 1
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: Message) -> None:
        line.sent.append(message)

    async def story(loop: FakeTimeLoop) -> None:
        nonlocal ended
        scope = scope_of(
            "POST", path, {"content-type": "multipart/form-data; boundary=b", **(headers or {})}, "::1", None
        )
        await HttpServer(line.gateway, line.desk)(scope, receive, send)
        ended = loop.now

    run(story)
    return line, ended, sent


@pytest.mark.parametrize("path", PATHS)
def test_a_body_in_drops_has_its_time_and_is_told_in_the_dialect_of_its_path(path: str) -> None:
    line, ended, sent = drip(path, b"{", 1.0)
    assert ended == http_server.BODY_TIMEOUT_S and sent < ended + 1
    assert line.sent[0]["status"] == 408 and "body_too_slow" in str(json.loads(line.body))
    assert "did not arrive within 120 s" in json.loads(line.body)["error"]["message"]


@pytest.mark.parametrize("path", PATHS)
def test_a_body_without_end_is_read_up_to_the_limit(path: str) -> None:
    line, _, sent = drip(path, b"{" * 300, 0.0)
    assert (line.sent[0]["status"], sent) == (413, 4)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("headers", "pieces"), [({}, 1), ({"expect": "100-continue"}, 0)])
def test_a_stranger_fills_no_memory(path: str, headers: Mapping[str, str], pieces: int) -> None:
    line, _, sent = drip(path, b"{" * 300, 0.0, {"authorization": "Bearer wrong", **headers})
    assert (line.sent[0]["status"], sent) == (401, pieces)
    assert [type(error) for error in line.gateway.turned_away] == [Unauthenticated]


@pytest.mark.parametrize("pieces", [(None,), (b"x", None)])
def test_a_client_that_leaves_while_it_sends_gets_nothing(pieces: tuple[bytes | None, ...]) -> None:
    line = Line()
    assert line.ask("POST", CHAT, *pieces) == 0
    assert not line.gateway.seen and not line.gateway.turned_away


@pytest.mark.parametrize(
    ("headers", "query", "status", "code"),
    [
        ({"content-encoding": "gzip"}, b"", 415, "unsupported_content_encoding"),
        ({}, b"api_key=1", 400, "key_in_url"),
        ({}, b"x=1&Access_TOKEN=2", 400, "key_in_url"),
    ],
)
def test_what_cannot_be_read_safely_is_turned_away(
    headers: Mapping[str, str], query: bytes, status: int, code: str
) -> None:
    line = Line()
    assert line.ask("POST", CHAT, b"{}", headers=headers, query=query) == status
    assert line.code == code


def test_every_authorization_header_is_handed_on_and_the_conversation_is_cut() -> None:
    line = Line()
    line.ask("POST", CHAT, b"{}", headers={"authorization": "Bearer a", "x-yuzui-conversation": "c" * 300})
    assert line.gateway.seen[0] == RawRequest(
        body=b"{}", authorization=("Bearer a",), conversation_id="c" * 256, content_type="",
        line=RequestLine(path=CHAT),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "authorization"),
    [
        ({"x-api-key": "k"}, ("Bearer k",)),
        ({"x-goog-api-key": "k"}, ("Bearer k",)),
        ({"authorization": "Bearer k", "x-api-key": "k"}, ("Bearer k",)),
        ({"authorization": "Bearer k", "x-api-key": "other"}, ("Bearer k", "Bearer other")),  # the gate refuses two
    ],
)
def test_keys_of_other_dialects_clients_are_one_with_the_bearer(
    headers: dict[str, str], authorization: tuple[str, ...]
) -> None:
    line = Line()
    line.ask("POST", CHAT, b"{}", headers=headers)
    assert line.gateway.seen[0].authorization == authorization


@pytest.mark.parametrize(
    "path",
    ["/v1beta/models/auto:generateContent", "/v1beta/models/house/qwen:generateContent",
     "/v1/projects/p/locations/l/publishers/google/models/m:generateContent"],
)  # fmt: skip
def test_googles_custom_methods_are_found_behind_any_model(path: str) -> None:
    line = Line()
    assert line.ask("POST", path, b"{}") == 200
    assert line.gateway.seen[0].line.path == path
    assert line.ask("GET", path) == 405
    assert line.ask("POST", path.replace(":generateContent", ":tuneModel"), b"{}") in (404, 405)


def test_models_are_listed_in_the_words_of_who_asks() -> None:
    line = Line()
    line.ask("GET", "/v1/models")
    assert b'"shape"' not in line.body
    line.ask("GET", "/v1/models", headers={"anthropic-version": "2023-06-01"})
    assert b"anthropic" in line.body
    line.ask("GET", "/v1beta/models")
    assert b"gemini" in line.body


def test_kept_answers_are_shown_listed_and_deleted() -> None:
    line = Line()
    line.ask("GET", "/v1/responses/resp_1")
    assert b'"shown": "resp_1"' in line.body
    line.ask("GET", "/v1/responses/resp_1/input_items")
    assert b'"inputs": "resp_1"' in line.body
    line.ask("DELETE", "/v1/responses/resp_1")
    assert b'"deleted": "resp_1"' in line.body
    assert line.ask("DELETE", "/v1/responses/resp_1/input_items") == 405
    assert line.ask("PUT", "/v1/responses/resp_1") == 405


def test_conversations_go_to_the_desk_with_their_bodies() -> None:
    line = Line()
    path = "/v1/conversations/conv_1"
    assert line.ask("GET", path) == 200 and json.loads(line.body) == ["GET", path, "", [], ""]
    assert line.ask("POST", path, b"{}", headers={"authorization": "Bearer k"}) == 200
    assert json.loads(line.body) == ["POST", path, "", ["Bearer k"], "{}"]
    assert line.ask("PATCH", path) == 405
    assert line.ask("GET", "/v1/conversations/conv_1/else") == 404
    assert line.ask("POST", path, b"x" * 101) == 413


# ---- who may call while there is no key ----------------------------------------------------------------------------

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "127.0.0.1:8080"}, 200), ({"host": "LOCALHOST"}, 200), ({"host": "[::1]:8080"}, 200),
        ({"host": "[::1]"}, 200),
        ({"host": "attacker.example"}, 421), ({"host": "localhost.attacker.example:80"}, 421),
        ({"host": "127.0.0.1.attacker.example"}, 421), ({"host": "localhost@attacker.example"}, 421),
        ({"origin": "http://localhost:3000", **JSON}, 200), ({"origin": "http://[::1]", **JSON}, 200),
        ({"origin": "https://attacker.example", **JSON}, 403), ({"origin": "null", **JSON}, 403),
        ({"origin": "https://attacker.example://localhost", **JSON}, 403),
        ({"origin": "http://localhost:3000", "content-type": "text/plain"}, 415),
        ({"origin": "http://localhost:3000"}, 415),
    ],
)  # fmt: skip
def test_without_keys_only_programs_on_this_machine_may_call(headers: Mapping[str, str], status: int) -> None:
    line = Line(desk=FakeDesk(is_open=True))
    assert line.ask("POST", CHAT, b"{}", headers=headers) == status
    # Reading needs no content type; otherwise a page may not read what it may not ask.
    for path in ("/v1/models", "/v1/models/a", "/metrics"):
        assert line.ask("GET", path, headers=headers, client="127.0.0.1") == (200 if status == 415 else status)


def test_with_keys_the_key_decides_and_not_the_name() -> None:
    line = Line(desk=FakeDesk(is_open=False))
    assert line.ask("POST", CHAT, b"{}", headers={"host": "gateway.example", "origin": "https://app.example"}) == 200
    assert line.ask("GET", "/v1/models", headers={"host": "gateway.example", "authorization": "Bearer wrong"}) == 401


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {"host": "localhost:8080"}, 200),
        ("203.0.113.9", {}, 401),
        ("203.0.113.9", {"authorization": "Bearer a"}, 200),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}, 401),  # a proxy on this machine speaks for somebody else
        ("127.0.0.1", {"forwarded": "for=203.0.113.9"}, 401),
        ("127.0.0.1", {"host": "attacker.example"}, 401),  # a page in a browser on this machine, by a rebound name
    ],
)
def test_metrics_are_for_scrapers_on_this_machine_or_with_a_key(
    client: str, headers: Mapping[str, str], status: int
) -> None:
    assert Line().ask("GET", "/metrics", headers=headers, client=client) == status


# ---- headers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("plain: a, b", b"plain: a, b"),
        ("50%", b"50%"),
        ("鱼嘴", b"%E9%B1%BC%E5%98%B4"),
        ("鱼 50%", b"%E9%B1%BC 50%25"),
        ("a\r\nx-admin: 1", b"a%0D%0Ax-admin: 1"),
        ("\0", b"%00"),
        ("\ud800", b"%3F"),
    ],
)
def test_a_header_holds_printable_ascii_only(value: str, sent: bytes) -> None:
    async def story(loop: FakeTimeLoop) -> None:
        messages: list[Message] = []

        async def send(message: Message) -> None:
            messages.append(message)

        await AsgiReply(send).start(200, {"x-yuzui-decision": value})
        assert messages[0]["headers"] == [(b"x-yuzui-decision", sent)]

    run(story)


# ---- heartbeats, slow readers and hang-ups -------------------------------------------------------------------------


@dataclass
class SlowLine:
    """An ASGI `send` as uvicorn's: it waits while the client does not read, and refuses anything after the end."""

    messages: list[tuple[float, Message]] = field(default_factory=list)
    may_write: asyncio.Event = field(default_factory=asyncio.Event)
    is_complete: bool = False

    async def send(self, message: Message) -> None:
        await self.may_write.wait()
        if self.is_complete:
            raise RuntimeError("Unexpected ASGI message sent, after response already completed.")
        self.is_complete = message["type"] == "http.response.body" and not message["more_body"]
        self.messages.append((asyncio.get_running_loop().time(), message))

    @property
    def bodies(self) -> list[tuple[float, bytes]]:
        return [(at, m["body"]) for at, m in self.messages if m["type"] == "http.response.body"]


def fails_loudly(loop: asyncio.AbstractEventLoop) -> list[Mapping[str, Any]]:  # Any: asyncio's own
    problems: list[Mapping[str, Any]] = []  # Any: see above
    loop.set_exception_handler(lambda _, context: problems.append(context))
    return problems


def test_a_silent_stream_beats_and_a_lively_one_does_not() -> None:
    async def story(loop: FakeTimeLoop) -> None:
        line = SlowLine()
        line.may_write.set()
        reply = AsgiReply(line.send)
        await reply.start(200, {})
        reply.keep_alive(b":\n\n", 10.0)
        for pause, data in [(4.0, b"a"), (4.0, b"b"), (25.0, b"c")]:
            await asyncio.sleep(pause)
            await reply.send(data, more=True)
        await reply.send(b"end", more=False)
        await asyncio.sleep(100)
        assert line.bodies == [(4, b"a"), (8, b"b"), (18, b":\n\n"), (28, b":\n\n"), (33, b"c"), (33, b"end")]

    run(story)


def test_no_heartbeat_follows_the_end_however_slow_the_reader() -> None:
    async def story(loop: FakeTimeLoop) -> None:
        problems = fails_loudly(loop)
        line = SlowLine()
        reply = AsgiReply(line.send)
        reply.keep_alive(b":\n\n", 10.0)
        await asyncio.sleep(10.5)  # a heartbeat waits in `send`, because the client does not read
        ending = asyncio.create_task(reply.send(b"end", more=False))
        await asyncio.sleep(30)
        line.may_write.set()
        await ending
        await asyncio.sleep(100)
        assert [data for _, data in line.bodies] == [b"end"]
        assert not problems

    run(story)


def test_a_heartbeat_in_the_moment_of_the_end_is_not_sent() -> None:
    async def story(loop: FakeTimeLoop) -> None:
        problems = fails_loudly(loop)
        line = SlowLine()
        line.may_write.set()
        reply = AsgiReply(line.send)
        reply.keep_alive(b":\n\n", 10.0)
        await asyncio.sleep(10.0)  # both timers are due: the heartbeat's task exists and has not run yet
        await reply.send(b"end", more=False)
        await asyncio.sleep(1)
        assert line.bodies[-1] == (10, b"end")
        assert not problems

    run(story)


def test_heartbeats_do_not_pile_up_behind_a_slow_reader() -> None:
    async def story(loop: FakeTimeLoop) -> None:
        line = SlowLine()
        reply = AsgiReply(line.send)
        reply.keep_alive(b":\n\n", 1.0)
        sending = asyncio.create_task(reply.send(b"piece", more=True))
        await asyncio.sleep(30)
        line.may_write.set()
        await sending
        assert [data for _, data in line.bodies] == [b"piece"]
        reply.stop()

    run(story)


@pytest.mark.parametrize("more", [True, False])
def test_a_client_that_stopped_reading_is_given_up(more: bool) -> None:
    async def stream(raw: RawRequest, reply: Reply, interruption: Interruption) -> None:
        await reply.start(200, {})
        reply.keep_alive(b":\n\n", 10.0)
        line.may_write.clear()
        with pytest.raises(asyncio.CancelledError):
            await reply.send(b"piece", more=more)
        assert interruption.reason == "client_gone"
        ended.append(asyncio.get_running_loop().time())

    ended: list[float] = []
    line = SlowLine()

    async def story(loop: FakeTimeLoop) -> None:
        line.may_write.set()
        body: list[Message] = [{"type": "http.request", "body": b"{}", "more_body": False}]

        async def receive() -> Message:
            if not body:
                await asyncio.Event().wait()
            return body.pop()

        app = HttpServer(FakeGateway(stream), FakeDesk())
        await app(scope_of("POST", CHAT, {}, "127.0.0.1", None), receive, line.send)

    run(story)
    assert http_server.STUCK_AFTER_S <= ended[0] <= http_server.STUCK_AFTER_S + 10


def test_a_hang_up_interrupts_a_request_that_lasts() -> None:
    async def endless(raw: RawRequest, reply: Reply, interruption: Interruption) -> None:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(3600)
        reasons.append(interruption.reason)

    reasons: list[str] = []
    line = Line(gateway=FakeGateway(endless))
    # After the body `receive` tells of the hang-up, and only a watcher would hear it.
    scope = scope_of("POST", CHAT, {}, "127.0.0.1", None)
    messages: list[Message] = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"{}"}]

    async def receive() -> Message:
        return messages.pop()

    async def send(message: Message) -> None:
        raise AssertionError("nobody is there to read")

    async def story(loop: FakeTimeLoop) -> None:
        await HttpServer(line.gateway, line.desk)(scope, receive, send)
        assert loop.now == http_server.HANGUP_WATCH_AFTER_S
        assert len(asyncio.all_tasks()) == 1  # the watcher went with the request

    run(story)
    assert reasons == ["client_gone"]


def test_a_line_that_broke_is_a_client_that_left() -> None:
    async def story(loop: FakeTimeLoop) -> None:
        async def send(message: Message) -> None:
            raise ConnectionResetError

        reply = AsgiReply(send)
        with pytest.raises(ClientGone):
            await reply.start(200, {})
        with pytest.raises(ClientGone):
            await reply.send(b"x", more=True)
        # Neither a refusal nor an answer to it is an error of ours.
        scope = scope_of("GET", "/nowhere", {}, "127.0.0.1", None)
        await HttpServer(FakeGateway(), FakeDesk())(scope, send, send)  # type: ignore[arg-type]  # never called

    run(story)


# ---- lifespan ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failing", ["", "startup", "shutdown"])
def test_any_asgi_server_can_start_and_stop_the_gateway(failing: str) -> None:
    called: list[str] = []
    sent: list[Message] = []

    def hook(name: str) -> Callable[[], Awaitable[None]]:
        async def call() -> None:
            called.append(name)
            if failing == name:
                raise InvalidRequest("the model is not there")

        return call

    async def story(loop: FakeTimeLoop) -> None:
        incoming: list[Message] = [{"type": "lifespan.shutdown"}, {"type": "lifespan.startup"}]

        async def receive() -> Message:
            return incoming.pop()

        async def send(message: Message) -> None:
            sent.append(message)

        app = HttpServer(FakeGateway(), FakeDesk(), on_startup=hook("startup"), on_shutdown=hook("shutdown"))
        await app({"type": "lifespan"}, receive, send)

    run(story)
    told = [message["type"].removeprefix("lifespan.") for message in sent]
    if failing == "startup":
        assert (called, told) == (["startup"], ["startup.failed"])
        assert sent[0]["message"] == "the model is not there"
    else:
        assert called == ["startup", "shutdown"]
        assert told == ["startup.complete", "shutdown.failed" if failing else "shutdown.complete"]


@pytest.mark.parametrize(
    ("headers", "shape"),
    [
        ({"x-goog-api-key": "k"}, {"code", "message", "status", "details"}),
        ({"anthropic-version": "2023-06-01"}, {"type", "message", "details"}),
        ({}, {"message", "type", "param", "code"}),
    ],
)
def test_a_wrong_path_is_told_in_the_dialect_of_who_asks(headers: Mapping[str, str], shape: set[str]) -> None:
    line = Line()
    assert line.ask("POST", "/v9/nothing", headers=headers) == 404
    told = json.loads(line.body)
    assert set(told["error"]) >= shape
    assert "no such path" in told["error"]["message"]
