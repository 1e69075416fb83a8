"""The scripted model as a server on loopback, over five wires, in a thread of its own: one for all tests.

/v1/chat/completions  /v1/responses  /v1/messages  /v1/messages/count_tokens  /v1/embeddings
/v1beta/models/MODEL:generateContent (or /v1)  :streamGenerateContent  :countTokens  :embedContent  :batchEmbedContents
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import socket
import struct
import threading
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

import uvicorn
from typing_extensions import override

from clients import wire_chat, wire_gemini, wire_messages, wire_responses
from clients.scripted_model import CUT_AFTER, Answer, Json, Question, Refused, answer

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]  # Any: ASGI
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]  # Any: ASGI

GEMINI = re.compile(r"/v1(?:beta)?/models/([^:/]+):(\w+)")
KEY = "scripted-key"
DIMENSIONS = 8


class Wire(Protocol):
    """A module `wire_*`."""

    def whole(self, question: Question, answer: Answer) -> Json: ...

    def events(self, question: Question, answer: Answer) -> Iterator[bytes]: ...

    def error(self, status: int, message: str, details: Json | None = None) -> Json: ...

    def error_event(self, message: str) -> bytes: ...


@dataclass(slots=True, kw_only=True)
class Asked:
    """One request that reached the model."""

    path: str
    headers: dict[str, str]
    body: Json
    question: Question | None = None
    refusal: str = ""
    is_left: bool = False
    """The other side hung up before the end."""
    is_over: bool = False


@dataclass(slots=True)
class ScriptedUpstream:
    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:  # Any: ASGI
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        asked = Asked(path=scope["path"], headers=headers, body=json.loads(body or b"{}"))
        self.asked.append(asked)
        wire, read = _wire_of(asked.path, headers.get("anthropic-beta", ""))
        try:
            found = read(asked.body)
            if isinstance(found, Question):
                asked.question = found
                await _speak(asked, wire, found, answer(found), receive, send)
            else:
                await _whole(send, 200, found)
        except Refused as refused:
            asked.refusal = refused.message
            await _whole(send, refused.status, wire.error(refused.status, refused.message, refused.details))
        except (KeyError, TypeError, ValueError) as error:  # what a strict vendor would call an invalid body
            asked.refusal = f"{type(error).__name__}: {error}"
            await _whole(send, 400, wire.error(400, asked.refusal))
        finally:
            asked.is_over = True


def _wire_of(path: str, beta: str) -> tuple[Wire, Callable[[Json], Question | Json]]:
    if path == "/v1/chat/completions":
        return wire_chat, wire_chat.read
    if path == "/v1/responses":
        return wire_responses, wire_responses.read
    if path == "/v1/messages":
        return wire_messages, lambda body: wire_messages.read(body, beta)
    if path == "/v1/messages/count_tokens":
        return wire_messages, wire_messages.count
    if path == "/v1/embeddings":
        return wire_chat, _embeddings
    found = GEMINI.fullmatch(path)
    if found:
        model, method = found[1], found[2]
        if method == "countTokens":
            return wire_gemini, wire_gemini.count
        if method == "embedContent":
            return wire_gemini, lambda body: {"embedding": {"values": vector(_text_of(body["content"]))}}
        if method == "batchEmbedContents":
            return wire_gemini, lambda body: {
                "embeddings": [{"values": vector(_text_of(one["content"]))} for one in body["requests"]]
            }
        return wire_gemini, lambda body: wire_gemini.read(model, method, body)
    return wire_chat, _no_such_path


def _no_such_path(body: Json) -> Json:
    raise Refused("no such path", 404)


def _text_of(content: Json) -> str:
    return "".join(part["text"] for part in content["parts"])


async def _speak(asked: Asked, wire: Wire, question: Question, said: Answer, receive: Receive, send: Send) -> None:
    if not question.stream:
        await _whole(send, 200, wire.whole(question, said))
        return
    events = wire.events(question, said)
    if said.ends != "whole":
        events = islice(events, CUT_AFTER + 3)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    gone = asyncio.ensure_future(receive())  # resolves when the other side hangs up
    for event in events:
        await send({"type": "http.response.body", "body": event, "more_body": True})
        if said.pause_s:
            await asyncio.wait([gone], timeout=said.pause_s)
        if gone.done():
            asked.is_left = True
            return
    if said.ends == "error":
        await send({"type": "http.response.body", "body": wire.error_event("overloaded"), "more_body": True})
    gone.cancel()
    await send({"type": "http.response.body", "body": b""})


async def _whole(send: Send, status: int, value: Json) -> None:
    body = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 429:
        headers.append((b"retry-after", b"60"))  # longer than anybody waits
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


# ---- embeddings ------------------------------------------------------------------------------------------------------


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Numbers that float32 holds exactly."""
    digest = hashlib.sha256(text.encode()).digest()
    return [digest[number % 32] / 256 - 0.5 for number in range(dimensions)]


def _embeddings(body: Json) -> Json:
    given = body["input"]
    vectors = [
        vector(text, body.get("dimensions") or DIMENSIONS) for text in ([given] if isinstance(given, str) else given)
    ]
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _base64(one) if body.get("encoding_format") == "base64" else one,
        }
        for index, one in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 6 * len(data), "total_tokens": 6 * len(data)}
    return {"object": "list", "model": body["model"], "data": data, "usage": usage}


def _base64(numbers: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


# ---- the server ------------------------------------------------------------------------------------------------------


class _Server(uvicorn.Server):
    """In a thread, where signal handlers may not be set."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@contextmanager
def scripted_upstream(port: int = 0) -> Iterator[ScriptedUpstream]:
    """Serve while the body runs."""
    upstream = ScriptedUpstream()
    listener = socket.create_server(("127.0.0.1", port))
    upstream.port = listener.getsockname()[1]
    server = _Server(
        uvicorn.Config(
            upstream,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        assert server.is_up.wait(10)
        yield upstream
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
