"""Writes a Messages stream so that a cut one can never look complete.

Blocks of this API follow each other, and never mix. Other vendors stream several tool calls at once, or text between
their pieces: here only the first unfinished block is live, and what belongs to later ones waits until it is done.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming, `anthropic` 2.14.0, lib/streaming/_messages.py
(2026-11-26). The trailer stands in `message_stop`, whose fields the official clients do not read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from typing_extensions import override

from yuzui.core.chat import AnswerFacts, ChatRequest, Citation, Delta, ReasoningPart, StreamChunk, ToolCallDelta
from yuzui.core.errors import UpstreamInvalid, YuzuiError
from yuzui.core.reasoning import seal
from yuzui.core.usage import Usage
from yuzui.dialects._contract import StreamWriter
from yuzui.dialects.anthropic_messages_answer import (
    Json,
    Stop,
    call_id,
    error_object,
    is_object,
    message_id,
    write_citations,
    write_input,
    write_usage,
)

PING: Final = b'event: ping\ndata: {"type": "ping"}\n\n'
MOST_HELD_BYTES: Final = 1024 * 1024  # what may follow the end of an answer; not a flood
MOST_WAITING_BYTES: Final = 16 * 1024 * 1024  # of blocks that wait for an earlier one to end
_MOST_CHECKS: Final = 64  # of whether a call's arguments are whole: each reads all of them

_encode = msgspec.json.Encoder().encode
_raw_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Writer(StreamWriter):
    """What both lanes share: the failure and the heartbeat."""

    @override
    def fail(self, error: YuzuiError, request_id: str) -> bytes:
        """The official clients raise for an event of this name. Nothing held is sent."""
        return b"event: error\ndata: %b\n\n" % _encode(error_object(error, request_id))

    @override
    def heartbeat(self) -> bytes:
        return PING


class LaneWriter(_Writer):
    """The upstream speaks our dialect: its events go on as they are."""

    __slots__ = ("_held", "_held_bytes")

    def __init__(self) -> None:
        self._held: list[tuple[str, bytes]] = []
        self._held_bytes = 0

    @override
    def write(self, chunk: StreamChunk) -> bytes:
        if not chunk.raw:
            return b""
        if not self._held and chunk.event != "message_stop":
            deltas = chunk.deltas
            if not deltas or deltas[-1].finish_reason is None:
                return b"event: %b\ndata: %b\n\n" % (chunk.event.encode(), chunk.raw)
        self._held.append((chunk.event, chunk.raw))
        self._held_bytes += len(chunk.raw)
        if self._held_bytes > MOST_HELD_BYTES:
            raise UpstreamInvalid(f"the target sent more than {MOST_HELD_BYTES} bytes after the end of its answer")
        return b""

    @override
    def finish(self, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
        held, self._held = self._held, []
        if not held or held[-1][0] != "message_stop":
            held.append(("message_stop", b'{"type":"message_stop"}'))
        last = _raw_fields.decode(held[-1][1])
        last["yuzui"] = msgspec.Raw(_encode(trailer))  # replaces the one of a gateway behind us
        held[-1] = ("message_stop", _encode(last))
        return b"".join([b"event: %b\ndata: %b\n\n" % (event.encode(), raw) for event, raw in held])


class HubWriter(_Writer):
    """The upstream speaks another dialect: its answer is written as blocks, one after the other."""

    __slots__ = (
        "_calls", "_facts", "_has_started", "_id", "_is_text_live", "_live", "_model", "_next", "_out", "_queue",
        "_request", "_space", "_stop", "_tail", "_text_head", "_usage", "_waiting_bytes",
    )  # fmt: skip

    def __init__(self, request: ChatRequest, facts: AnswerFacts) -> None:
        self._request = request
        self._facts = facts
        self._id = message_id(facts.request_id)
        self._model = request.model
        self._usage: Usage | None = None
        self._stop = Stop()
        self._has_started = False
        self._out: list[bytes] = []
        self._next = 0  # index of the block to be opened next
        self._live: _Block | None = None
        self._queue: deque[_Block] = deque()
        self._tail: _Block | None = None  # the block that came last: the live one, or the last of the queue
        self._calls: dict[int, _Block] = {}
        self._space = ""  # white space that may yet become the beginning of a text
        self._is_text_live = False
        self._text_head = b""
        self._waiting_bytes = 0

    # ---- what comes in ----------------------------------------------------------------------------------------------

    @override
    def write(self, chunk: StreamChunk) -> bytes:
        if chunk.usage is not None:
            self._usage = chunk.usage  # counts only grow: the last ones are the whole
        deltas = chunk.deltas
        if self._is_text_live and len(deltas) == 1 and _is_only_text(deltas[0]):
            return self._text_head + _encode(deltas[0].text) + b"}}\n\n"  # nearly every chunk of nearly every stream
        if not deltas:
            return b""
        if not self._has_started:
            self._start(chunk)
        for delta in deltas:
            if delta.index == 0:  # nobody can ask for more than one answer here
                self._take(delta)
        self._advance()
        out, self._out = self._out, []
        return b"".join(out)

    def _take(self, delta: Delta) -> None:
        if delta.reasoning or delta.reasoning_id or delta.redacted or delta.signature:
            self._take_thought(delta)
        if delta.text:
            self._add_text(delta.text)
        if delta.citations:
            self._add_citations(delta.citations)
        if delta.refusal and delta.finish_reason != "content_filter":
            self._add_text(delta.refusal)
            self._stop.note_refusal(delta.refusal)
        for call in delta.tool_calls:
            self._take_call(call)
        if delta.finish_reason is not None:
            explanation = delta.refusal if delta.finish_reason == "content_filter" else ""
            self._stop.note(delta.finish_reason, delta.stop_sequence, delta.native_finish, explanation)

    def _add_text(self, text: str) -> None:
        tail = self._tail
        if tail is None or tail.kind != "text":
            text = self._space + text
            if text.isspace():
                self._space = text  # the API refuses a block of nothing else when it comes back
                return
            tail = self._append(_Block("text"))
        self._say(tail, b'{"type":"text_delta","text":%b}' % _encode(text))

    def _add_citations(self, citations: tuple[Citation, ...]) -> None:
        tail = self._tail
        if tail is None or tail.kind != "text":
            return
        for written in write_citations(citations, self._request):
            self._say(tail, b'{"type":"citations_delta","citation":%b}' % _encode(written))

    def _take_thought(self, delta: Delta) -> None:
        tail = self._tail
        is_other = tail is None or tail.kind != "thinking" or tail.is_done
        if not is_other and tail is not None and delta.reasoning_id not in ("", tail.id):
            is_other = bool(tail.id) or tail.has_content  # a name that comes late names the thought that it stands in
        if is_other or tail is None:
            tail = self._append(_Block("redacted" if _is_only_redacted(delta) else "thinking"))
        tail.id = delta.reasoning_id or tail.id
        tail.is_summary = tail.is_summary or delta.is_summary
        if delta.reasoning:
            tail.has_content = True
            if self._request.meaning.wants_thoughts is False:
                tail.unsaid.append(delta.reasoning)
            else:
                self._say(tail, b'{"type":"thinking_delta","thinking":%b}' % _encode(delta.reasoning))
        tail.redacted += delta.redacted
        tail.signature += delta.signature
        if delta.signature or tail.kind == "redacted":
            tail.is_done = True

    def _take_call(self, call: ToolCallDelta) -> None:
        block = self._calls.get(call.position)
        if block is None or (call.id and block.id and call.id != block.id):
            block = self._calls[call.position] = self._append(_Block("tool"))
            block.number = call.position
            self._stop.has_calls = True
        block.id = block.id or call.id
        block.name = block.name or call.name
        if not call.arguments:
            return
        if block.is_closed:
            if call.arguments.strip():
                raise UpstreamInvalid("the target went on with a tool call whose arguments were complete")
            return
        block.take_arguments(call.arguments)
        if block is not self._live or block.is_raw:
            self._count_waiting(len(call.arguments))

    # ---- blocks, one after the other --------------------------------------------------------------------------------

    def _append(self, block: _Block) -> _Block:
        self._space = ""
        self._is_text_live = False
        self._tail = block
        if self._live is None:
            self._live = block
        else:
            self._queue.append(block)
        return block

    def _say(self, block: _Block, delta: bytes) -> None:
        block.waiting.append(delta)
        if block is not self._live:
            self._count_waiting(len(delta))

    def _count_waiting(self, size: int) -> None:
        self._waiting_bytes += size
        if self._waiting_bytes > MOST_WAITING_BYTES:
            raise UpstreamInvalid(f"the target mixes tool calls and text over more than {MOST_WAITING_BYTES} bytes")

    def _advance(self) -> None:
        """Send what the live block has to say, and go on to the next while it is done."""
        while (live := self._live) is not None:
            self._send(live)
            if not (self._queue and live.may_end()):
                break
            self._end(live)
            self._live = self._queue.popleft()
        self._is_text_live = live is not None and live.kind == "text" and not self._queue
        if self._is_text_live and live is not None:
            self._text_head = (
                b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,'
                b'"delta":{"type":"text_delta","text":' % live.index
            )

    def _send(self, block: _Block) -> None:
        if block.index < 0:
            if not block.may_begin():
                return
            block.index = self._next
            self._next += 1
            start = block.start(self._facts)
            self._out.append(
                b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,"content_block":%b}\n\n'
                % (block.index, start)
            )
        for delta in block.ready():
            self._out.append(
                b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%b}\n\n'
                % (block.index, delta)
            )

    def _end(self, block: _Block) -> None:
        if block.index < 0:
            raise UpstreamInvalid("the target's answer holds a tool call without a name")
        for delta in block.last(self._facts):
            self._out.append(
                b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%b}\n\n'
                % (block.index, delta)
            )
        block.is_closed = True
        self._out.append(b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n' % block.index)

    # ---- beginning and end ------------------------------------------------------------------------------------------

    def _start(self, chunk: StreamChunk) -> None:
        self._has_started = True
        self._id = chunk.id or self._id
        self._model = chunk.model or self._model
        message: Json = {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(self._usage or Usage()),  # most vendors tell it at the end only
        }
        self._out.append(b'event: message_start\ndata: {"type":"message_start","message":%b}\n\n' % _encode(message))

    @override
    def finish(self, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
        if not self._has_started:
            self._start(StreamChunk())
        while (live := self._live) is not None:
            self._send(live)
            self._end(live)
            self._live = self._queue.popleft() if self._queue else None
        end = {"type": "message_delta", "delta": self._stop.fields(), "usage": write_usage(self._usage or Usage())}
        self._out.append(b"event: message_delta\ndata: %b\n\n" % _encode(end))
        stop = {"type": "message_stop", "yuzui": trailer}
        self._out.append(b"event: message_stop\ndata: %b\n\n" % _encode(stop))
        out, self._out = self._out, []
        return b"".join(out)


class _Block:
    """One content block on its way: what it is, what waits to be said of it, and whether it may end."""

    __slots__ = (
        "_arguments", "_checks", "_is_whole", "has_content", "id", "index", "is_closed", "is_done", "is_raw",
        "is_summary", "kind", "name", "number", "redacted", "signature", "unsaid", "waiting",
    )  # fmt: skip

    def __init__(self, kind: Literal["text", "thinking", "redacted", "tool"]) -> None:
        self.kind = kind
        self.index = -1  # not opened yet
        self.waiting: list[bytes] = []
        self.is_closed = False
        self.is_done = False
        """Of a thought: signed, so what follows is another one."""
        self.has_content = False
        self.id = ""
        self.name = ""
        self.number = 0
        self.redacted = ""
        self.signature = ""
        self.is_summary = False
        self.unsaid: list[str] = []
        """Words of a thought that the client does not want to read: they travel in its seal."""
        self.is_raw = False
        """Of a call: its arguments are no JSON object as far as they came; they are said at the end, whole."""
        self._arguments: list[str] = []
        self._is_whole = False
        self._checks = 0

    def take_arguments(self, piece: str) -> None:
        if not self._arguments:
            # Arguments in one piece can be checked before they are out; in several pieces only their beginning can.
            piece = piece.lstrip()
            if not piece:
                return
            self.is_raw = not piece.startswith("{") or (piece.rstrip().endswith("}") and not is_object(piece))
        self._arguments.append(piece)
        self._is_whole = False
        if not self.is_raw:
            self.waiting.append(b'{"type":"input_json_delta","partial_json":%b}' % _encode(piece))

    def may_begin(self) -> bool:
        return self.kind != "tool" or bool(self.name)

    def may_end(self) -> bool:
        """Whether a later block may follow: always, but for a call whose arguments may still be on their way."""
        if self.kind != "tool":
            return True
        if not self._arguments or self.index < 0:
            return False
        if not self._is_whole and self._arguments[-1].rstrip().endswith("}") and self._checks < _MOST_CHECKS:
            self._checks += 1
            self._is_whole = is_object("".join(self._arguments))
        return self._is_whole

    def start(self, facts: AnswerFacts) -> bytes:
        match self.kind:
            case "text":
                return b'{"type":"text","text":""}'
            case "thinking":
                return b'{"type":"thinking","thinking":"","signature":""}'
            case "redacted":
                return _encode({"type": "redacted_thinking", "data": seal(self.thought(), facts.origin)})
            case "tool":
                name = call_id(self.id, self.number, facts.request_id)
                return _encode({"type": "tool_use", "id": name, "name": self.name, "input": {}})

    def ready(self) -> list[bytes]:
        waiting, self.waiting = self.waiting, []
        return waiting

    def last(self, facts: AnswerFacts) -> list[bytes]:
        """What is said of a block only at its end."""
        if self.kind == "thinking":
            sealed = seal(self.thought(), facts.origin, with_text=True)
            return [b'{"type":"signature_delta","signature":%b}' % _encode(sealed)]
        if self.is_raw:
            whole = bytes(write_input("".join(self._arguments))).decode()
            return [b'{"type":"input_json_delta","partial_json":%b}' % _encode(whole)]
        return []

    def thought(self) -> ReasoningPart:
        return ReasoningPart(
            text="".join(self.unsaid),
            signature=self.signature,
            redacted=self.redacted,
            id=self.id,
            is_summary=self.is_summary,
        )


def _is_only_text(delta: Delta) -> bool:
    return not (
        delta.finish_reason is not None
        or delta.index
        or delta.reasoning
        or delta.tool_calls
        or delta.signature
        or delta.redacted
        or delta.reasoning_id
        or delta.citations
        or delta.refusal
    ) and bool(delta.text)


def _is_only_redacted(delta: Delta) -> bool:
    return bool(delta.redacted) and not (delta.reasoning or delta.signature)
