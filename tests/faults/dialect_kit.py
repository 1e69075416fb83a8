"""Every dialect a client can speak, every wire a target can: requests, answers, and a gateway between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventstream_kit import event as binary_event
from fault_upstream import Call, FaultUpstream, Script
from faults_kit import VENDOR_SECRET, never, post, say
from gateway_kit import RunningGateway, gateway

Json = dict[str, Any]  # Any: JSON
Story = Callable[[RunningGateway, FaultUpstream, FaultUpstream], Coroutine[Any, Any, None]]  # Any: asyncio's own

BOUNDARY = "clients-own-boundary"
FORM_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
MESSAGE = {"role": "user", "content": "Good morning, how are you?"}
CONTENTS = [{"role": "user", "parts": [{"text": "Good morning, how are you?"}]}]


# ---- targets ---------------------------------------------------------------------------------------------------------

OPERATIONS = '["chat", "completions", "embeddings", "rerank", "moderations", "transcription", "speech", "images"]'

VENDORS: Mapping[str, tuple[str, str, str]] = {
    "vendor/chat": ("openai", "{address}/v1", "also_speaks = []"),
    "vendor/both": ("openai", "{address}/v1", 'also_speaks = ["openai_responses", "anthropic", "gemini"]'),
    "vendor/responses": ("openai_responses", "{address}/v1", ""),
    "vendor/claude": ("anthropic", "{address}", ""),
    "vendor/gemini": ("gemini", "{address}/v1beta", ""),
    "vendor/bedrock": ("bedrock", "{address}", ""),
    "vendor/media": ("vllm", "{address}/v1", f"serves = {OPERATIONS}"),
    "vendor/cohere": ("cohere", "{address}", 'serves = ["chat", "embeddings", "rerank"]'),
    "vendor/vectors": ("gemini", "{address}/v1beta", 'serves = ["embeddings"]'),
}
"""Name → (provider, base_url, more). All are cleared for `internal` only."""

CHATS = ("vendor/chat", "vendor/responses", "vendor/claude", "vendor/gemini", "vendor/bedrock")
"""One target for each wire of a chat."""
MEDIA = "vendor/media"
"""The target of all other operations."""


def config(own: FaultUpstream, vendor: FaultUpstream, *, extra: str = "", more: str = "", price: str = "") -> str:
    """An own target that may see and do everything, and all `VENDORS`. `extra` goes into every vendor's table."""
    address = f"http://127.0.0.1:{vendor.port}"
    priced = price or 'price = { currency = "USD", input = 1, output = 2 }'
    tables = [
        f"""
[[targets]]
name = "{name}"
provider = "{provider}"
base_url = "{base_url.format(address=address)}"
model = "{name.partition("/")[2]}-1"
api_key = {{ env = "VENDOR_KEY" }}
premises = "vendor"
clearance = "internal"
{priced}
{table}
{extra}
"""
        for name, (provider, base_url, table) in VENDORS.items()
    ]
    return f"""
[[targets]]
name = "house/small"
provider = "vllm"
base_url = "{own.base_url}"
model = "small"
premises = "own"
clearance = "restricted"
price = "free"
serves = {OPERATIONS}
{"".join(tables)}
[[models]]
name = "assistant"
candidates = ["house/small", "vendor/chat", "vendor/responses", "vendor/claude", "vendor/gemini"]
policy = "own_first"
{more}
"""


def run(
    vendor: Script, story: Story, *, own: Script = never, extra: str = "", more: str = "", price: str = "",
    data_dir: Path | None = None,
) -> None:  # fmt: skip
    """Run `story` with a gateway in front of an own target and of all vendors, which are one server."""

    async def main() -> None:
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(FaultUpstream(own))
            second = await stack.enter_async_context(FaultUpstream(vendor))
            text = config(first, second, extra=extra, more=more, price=price)
            running = await stack.enter_async_context(gateway(text, {"VENDOR_KEY": VENDOR_SECRET}, data_dir))
            async with asyncio.timeout(80):
                await story(running, first, second)

    asyncio.run(main())


# ---- answers ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a target answers, on any wire."""

    text: str = "Good morning!"
    input: int = 10
    output: int = 5
    finish: bool = True
    """False: the stream stops before what ends it."""


def wire_of(call: Call) -> str:
    """Which wire a request came by."""
    path = call.head.split(b" ")[1].decode().partition("?")[0]
    for ending, wire in (
        ("/chat/completions", "chat"), ("/responses", "responses"), ("/count_tokens", "count"), ("/messages", "messages"),
        ("GenerateContent", "gemini"), (":generateContent", "gemini"), ("/converse", "bedrock"),
        ("/converse-stream", "bedrock"), (":countTokens", "gemini_count"), ("/embeddings", "embeddings"), (":embedContent", "vector"), (":batchEmbedContents", "vectors"),
        ("/embed", "embed"), ("/rerank", "rerank"), ("/completions", "completions"), ("/moderations", "moderations"),
        ("/transcriptions", "transcription"), ("/translations", "transcription"), ("/speech", "speech"),
        ("/generations", "images"), ("/edits", "images"),
    ):  # fmt: skip
        if path.endswith(ending):
            return wire
    raise AssertionError(f"nobody serves {path}")


def streams(call: Call) -> bool:
    path = call.head.split(b" ")[1]
    return b'"stream":true' in call.body.replace(b" ", b"") or b":stream" in path or b"converse-stream" in path


def whole(wire: str, said: Said) -> Json:
    """An answer that came whole."""
    i, o, text = said.input, said.output, said.text
    match wire:
        case "chat":
            return {
                "id": "c1",
                "object": "chat.completion",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": i, "completion_tokens": o, "total_tokens": i + o},
            }
        case "responses":
            return {
                "id": "resp_v1",
                "object": "response",
                "created_at": 1,
                "status": "completed",
                "model": "m",
                "error": None,
                "incomplete_details": None,
                "output": [
                    {
                        "type": "message",
                        "id": "msg_v1",
                        "status": "completed",
                        "role": "assistant",
                        "content": [{"type": "output_text", "text": text, "annotations": []}],
                    }
                ],
                "usage": {"input_tokens": i, "output_tokens": o, "total_tokens": i + o},
            }
        case "messages":
            return {
                "id": "msg_v1",
                "type": "message",
                "role": "assistant",
                "model": "m",
                "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": i, "output_tokens": o},
            }
        case "gemini":
            return {
                "candidates": [
                    {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}
                ],
                "modelVersion": "m",
                "responseId": "g1",
                "usageMetadata": {"promptTokenCount": i, "candidatesTokenCount": o, "totalTokenCount": i + o},
            }
        case "bedrock":
            return {
                "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
                "stopReason": "end_turn",
                "usage": {"inputTokens": i, "outputTokens": o, "totalTokens": i + o},
                "metrics": {"latencyMs": 1},
            }
        case "count":
            return {"input_tokens": i}
        case "gemini_count":
            return {"totalTokens": i}
        case "embeddings":
            return {
                "object": "list",
                "model": "m",
                "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 1]}],
                "usage": {"prompt_tokens": i, "total_tokens": i},
            }
        case "embed":
            return {
                "id": "e1",
                "embeddings": {"float": [[0.5, 1], [1, 0]]},
                "meta": {"billed_units": {"input_tokens": i}},
            }
        case "vector":
            return {"embedding": {"values": [0.5, 1]}}
        case "vectors":
            return {"embeddings": [{"values": [0.5, 1]}]}
        case "rerank":
            return {
                "id": "r1",
                "model": "m",
                "results": [{"index": 0, "relevance_score": 0.5}],
                "usage": {"total_tokens": i},
            }
        case "completions":
            return {
                "id": "cmpl-1",
                "object": "text_completion",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "text": text, "finish_reason": "stop", "logprobs": None}],
                "usage": {"prompt_tokens": i, "completion_tokens": o, "total_tokens": i + o},
            }
        case "moderations":
            return {
                "id": "modr-1",
                "model": "m",
                "results": [{"flagged": False, "categories": {}, "category_scores": {}}],
            }
        case "transcription":
            return {"text": text, "usage": {"type": "tokens", "input_tokens": i, "output_tokens": o}}
        case "images":
            return {"created": 1, "data": [{"b64_json": "QUFB"}], "usage": {"input_tokens": i, "output_tokens": o}}
        case _:
            raise AssertionError(wire)  # fmt: skip


def events(wire: str, said: Said) -> list[bytes]:
    """The same as a stream: what each event is on the line. The last one or two are what ends it."""
    i, o, text = said.input, said.output, said.text
    first, second = text[: len(text) // 2], text[len(text) // 2 :]
    match wire:
        case "chat":

            def chunk(delta: Json, finish: str | None = None) -> Json:
                return {
                    "id": "c1",
                    "object": "chat.completion.chunk",
                    "created": 1,
                    "model": "m",
                    "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
                }

            usage = {
                "id": "c1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "m",
                "choices": [],
                "usage": {"prompt_tokens": i, "completion_tokens": o, "total_tokens": i + o},
            }
            found = [
                _data(chunk({"role": "assistant", "content": first})),
                _data(chunk({"content": second})),
                _data(chunk({}, "stop")),
                _data(usage),
                b"data: [DONE]\n\n",
            ]
            return found if said.finish else found[:2]
        case "completions":

            def text_chunk(said_: str, finish: str | None = None) -> Json:
                return {
                    "id": "c1",
                    "object": "text_completion",
                    "created": 1,
                    "model": "m",
                    "choices": [{"index": 0, "text": said_, "finish_reason": finish}],
                }

            usage = {
                "id": "c1",
                "object": "text_completion",
                "created": 1,
                "model": "m",
                "choices": [],
                "usage": {"prompt_tokens": i, "completion_tokens": o, "total_tokens": i + o},
            }
            found = [
                _data(text_chunk(first)),
                _data(text_chunk(second)),
                _data(text_chunk("", "stop")),
                _data(usage),
                b"data: [DONE]\n\n",
            ]
            return found if said.finish else found[:2]
        case "responses":
            answer = whole("responses", said)
            item = answer["output"][0]
            begun = {**answer, "status": "in_progress", "output": [], "usage": None}
            place = {"item_id": "msg_v1", "output_index": 0, "content_index": 0}
            said_: list[Json] = [
                {"type": "response.created", "response": begun},
                {
                    "type": "response.output_item.added",
                    "output_index": 0,
                    "item": {**item, "status": "in_progress", "content": []},
                },
                {
                    "type": "response.content_part.added",
                    **place,
                    "part": {"type": "output_text", "text": "", "annotations": []},
                },
                {"type": "response.output_text.delta", **place, "delta": first},
                {"type": "response.output_text.delta", **place, "delta": second},
                {"type": "response.output_text.done", **place, "text": text},
                {"type": "response.content_part.done", **place, "part": item["content"][0]},
                {"type": "response.output_item.done", "output_index": 0, "item": item},
                {"type": "response.completed", "response": answer},
            ]
            named = [_named(one["type"], {**one, "sequence_number": n}) for n, one in enumerate(said_)]
            return named if said.finish else named[:5]
        case "messages":
            message = {
                **whole("messages", said),
                "content": [],
                "stop_reason": None,
                "usage": {"input_tokens": i, "output_tokens": 1},
            }
            said_ = [
                {"type": "message_start", "message": message},
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": first}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": second}},
                {"type": "content_block_stop", "index": 0},
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                    "usage": {"output_tokens": o},
                },
                {"type": "message_stop"},
            ]
            named = [_named(one["type"], one) for one in said_]
            return named if said.finish else named[:4]
        case "gemini":

            def part(text_: str, **more: object) -> bytes:
                return _data(
                    {
                        "candidates": [{"content": {"role": "model", "parts": [{"text": text_}]}, "index": 0, **more}],
                        "modelVersion": "m",
                        "responseId": "g1",
                        "usageMetadata": {"promptTokenCount": i, "candidatesTokenCount": o, "totalTokenCount": i + o},
                    }
                ).replace(b"\n\n", b"\r\n\r\n")

            found = [part(first), part(second, finishReason="STOP")]
            return found if said.finish else [part(first), part(second)]
        case "bedrock":
            found = [
                binary_event("messageStart", b'{"role":"assistant"}'),
                binary_event("contentBlockDelta", _json({"contentBlockIndex": 0, "delta": {"text": first}})),
                binary_event("contentBlockDelta", _json({"contentBlockIndex": 0, "delta": {"text": second}})),
                binary_event("contentBlockStop", b'{"contentBlockIndex":0}'),
                binary_event("messageStop", b'{"stopReason":"end_turn"}'),
                binary_event(
                    "metadata",
                    _json(
                        {
                            "usage": {"inputTokens": i, "outputTokens": o, "totalTokens": i + o},
                            "metrics": {"latencyMs": 1},
                        }
                    ),
                ),
            ]
            return found if said.finish else found[:3]
        case _:
            raise AssertionError(wire)  # fmt: skip


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _data(value: object) -> bytes:
    return b"data: %b\n\n" % _json(value)


def _named(name: str, value: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _json(value))


WHOLE = frozenset(("embed", "embeddings", "vector", "vectors", "rerank", "count", "gemini_count", "moderations"))
"""Wires that never stream, whatever the words of a request look like."""


def speaks(said: Said = Said()) -> Script:  # frozen, so it may be shared
    """A target that is well, on every wire."""

    async def script(call: Call) -> None:
        wire = wire_of(call)
        if wire == "speech" and b"sse" in call.body:
            usage = {"input_tokens": said.input, "output_tokens": said.output}
            await start(call, wire)
            await call.event({"type": "speech.audio.delta", "audio": "SUQz"})
            await call.event({"type": "speech.audio.done", "usage": usage})
            await call.write(b"0\r\n\r\n")
        elif wire == "speech":
            await call.write(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 6\r\n\r\nID3abc")
        elif streams(call) and wire not in WHOLE:
            await start(call, wire)
            for one in events(wire, said):
                await call.chunk(one)
            await call.write(b"0\r\n\r\n")
        else:
            await call.json(whole(wire, said))

    return script


async def start(call: Call, wire: str) -> None:
    kind = b"application/vnd.amazon.eventstream" if wire == "bedrock" else b"text/event-stream"
    await call.write(b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ntransfer-encoding: chunked\r\n\r\n" % kind)


# ---- requests --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, as a client of some dialect sends it."""

    path: str
    body: bytes
    content_type: str = "application/json"
    headers: str = ""

    @property
    def line(self) -> bytes:
        return post(self.body, f"content-type: {self.content_type}\r\n{self.headers}", path=self.path)


def gemini_path(model: str, method: str = "generateContent", query: str = "") -> str:
    return f"/v1beta/models/{model}:{method}{query}"


def form(
    fields: Mapping[str, str], *, file: bytes = b"ID3 sound", name: str = "file", filename: str = "a.mp3"
) -> bytes:
    parts = [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}' for key, value in fields.items()]
    parts.append(f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
                 f"Content-Type: audio/mpeg\r\n\r\n{file.decode('latin-1')}")  # fmt: skip
    body = "".join(f"--{BOUNDARY}\r\n{part}\r\n" for part in parts)
    return f"{body}--{BOUNDARY}--\r\n".encode()


def chat_request(dialect: str, model: str, *, text: str = "Good morning, how are you?", stream: bool = False,
                 **more: object) -> Asked:  # fmt: skip
    """A chat in `dialect`: chat, responses, messages or gemini."""
    match dialect:
        case "chat":
            body: Json = {"model": model, "messages": [{"role": "user", "content": text}], "stream": stream, **more}
            return Asked(path="/v1/chat/completions", body=_json(body))
        case "completions":
            return Asked(path="/v1/completions", body=_json({"model": model, "prompt": text, "stream": stream, **more}))
        case "responses":
            body = {"model": model, "input": text, "stream": stream, **more}
            return Asked(path="/v1/responses", body=_json(body))
        case "messages":
            body = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": text}],
                    "stream": stream, **more}  # fmt: skip
            return Asked(path="/v1/messages", body=_json({k: v for k, v in body.items() if v is not None}))
        case "gemini":
            body = {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}
            method, query = ("streamGenerateContent", "?alt=sse") if stream else ("generateContent", "")
            return Asked(path=gemini_path(model, method, query), body=_json(body))
        case "gemini_array":
            body = {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}
            return Asked(path=gemini_path(model, "streamGenerateContent"), body=_json(body))
        case _:
            raise AssertionError(dialect)


DIALECTS = ("chat", "responses", "messages", "gemini")


async def ask(running: RunningGateway, asked: Asked, key: str = "") -> bytes:
    line = asked.line
    if key:
        line = line.replace(b"\r\n", f"\r\nauthorization: Bearer {key}\r\n".encode(), 1)
    return await say(running, line)


def body_of(answer: bytes) -> bytes:
    """The body of a whole or chunked answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    found = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        if not size or int(size, 16) == 0:
            break
        found += rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]
    return found


ENDS = {
    "chat": (b"[DONE]", b'"finish_reason":"'),
    "completions": (b"[DONE]", b'"finish_reason":"'),
    "responses": (b'"type":"response.completed"', b'"type":"response.incomplete"', b"[DONE]"),
    "messages": (b'"type":"message_stop"', b'"stop_reason":"'),
    "gemini": (b'"finishReason":"',),
    "gemini_array": (b'"finishReason":"',),
}
"""What a client of each dialect takes for the end of an answer."""


def looks_complete(dialect: str, body: bytes) -> bool:
    plain = body.replace(b'": "', b'":"')
    return any(end in plain for end in ENDS[dialect])
