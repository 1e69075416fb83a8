"""Streams of every dialect over every wire: cut anywhere they never look whole, and what ends them waits for the books."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fault_upstream import Call, FaultUpstream
from faults.dialect_kit import (
    CHATS,
    DIALECTS,
    Said,
    ask,
    body_of,
    chat_request,
    events,
    looks_complete,
    run,
    speaks,
    start,
    wire_of,
)
from faults_kit import check_clean, dial, forget_failures, status_of, until_recorded
from gateway_kit import RunningGateway
from test_wire import CASES, read_case
from yuzui.core.chat import AnswerFacts, ChatRequest, RequestLine
from yuzui.core.errors import UpstreamFault, UpstreamInterrupted, YuzuiError
from yuzui.dialects._contract import ClientDialect, StreamWriter
from yuzui.providers._contract import Codec, Decoder, WireRequest

SPEAKING = (*DIALECTS, "gemini_array")
SAID = Said(text="Good morning to everybody here.")
WIRES = {
    "vendor/chat": "chat", "vendor/responses": "responses", "vendor/claude": "messages", "vendor/gemini": "gemini",
    "vendor/bedrock": "bedrock",
}  # fmt: skip
BEFORE_THE_END = {"chat": 2, "responses": 8, "messages": 6, "gemini": 1, "bedrock": 4}
"""How many events come before those that end an answer."""

# ---- codecs and dialects alone ---------------------------------------------------------------------------------------

ENDS = {
    "openai_chat": rb'\[DONE\]|"finish_reason"\s*:\s*"',
    "openai_completions": rb'\[DONE\]|"finish_reason"\s*:\s*"',
    "openai_responses": rb'"type"\s*:\s*"response\.(completed|incomplete)"|\[DONE\]',
    "anthropic_messages": rb'"type"\s*:\s*"message_stop"|"stop_reason"\s*:\s*"',
    "gemini": rb'"finishReason"\s*:\s*"',
    "openai_speech": rb"speech\.audio\.done",
    "openai_transcription": rb"transcript\.text\.done|\[DONE\]",
    "openai_images": rb"image_generation\.completed",
}
"""What a client of each dialect takes for the end of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """A golden stream: its bytes, who reads them, who writes them on."""

    name: str
    dialect: ClientDialect
    codec: Codec
    request: ChatRequest
    wire: WireRequest
    data: bytes

    def cast(self) -> tuple[Decoder, StreamWriter]:
        is_lane = self.codec.dialect == self.dialect.name
        facts = AnswerFacts(request_id="req-1", is_lane=is_lane, origin="somebody")
        return self.codec.decoder(self.wire), self.dialect.stream_writer(self.request, facts)


def plays() -> Iterator[Play]:
    for path in CASES:
        case = read_case(path.read_text("utf-8"))
        sections, folder = case.sections, path.parent.name
        if ">> client" not in sections or "<< upstream" not in sections or sections["<< upstream"].status >= 300:
            continue
        asked, dialect, codec = sections[">> client"], case.dialect(), case.codec(folder)
        place, _, query = asked.start.split(" ")[1].partition("?")
        line = RequestLine(path=place, query=query, headers=asked.headers)
        try:
            body = dialect.read_body(asked.body, asked.headers.get("content-type", "application/json"))
            request = dialect.read_request(body, line)
            wire = codec.write_request(request, case.target(folder), output_cap=case.preamble.output_cap)
        except YuzuiError:
            continue  # a refusal: nothing comes back
        if request.stream and dialect.name in ENDS:
            data = sections["<< upstream"].body
            yield Play(
                name=f"{folder}/{path.name}", dialect=dialect, codec=codec, request=request, wire=wire, data=data
            )


def test_no_prefix_of_any_stream_looks_like_a_whole_answer() -> None:
    """Every golden stream, one byte at a time: until `finish` nothing that ends it is out, also not in an error."""
    early: list[tuple[str, object]] = []
    places = 0
    for play in plays():
        decoder, writer = play.cast()
        end, sent = re.compile(ENDS[play.dialect.name]), b""
        try:
            for at in range(len(play.data)):
                places += 1
                out = b"".join([writer.write(chunk) for chunk in decoder.feed(play.data[at : at + 1])])
                if out:
                    sent = sent[-64:] + out
                    if end.search(sent):
                        early.append((play.name, at))
                        break
                if decoder.is_complete:
                    break
        except UpstreamFault:
            pass  # how it goes on is another matter
        for cut in range(1, len(play.data), max(1, len(play.data) // 6)):
            decoder, writer = play.cast()
            told = b""
            with suppress(UpstreamFault):
                told = b"".join([writer.write(chunk) for chunk in decoder.feed(play.data[:cut])])
            if decoder.is_complete:
                break
            if end.search(told + writer.fail(UpstreamInterrupted("it broke"), "req-1")):
                early.append((play.name, f"told at {cut}"))
    assert early == []
    assert places > 150_000


# ---- through a gateway -----------------------------------------------------------------------------------------------


@dataclass
class Weather:
    """How the vendor behaves now."""

    kind: str = "well"
    after: int = 0
    left: dict[int, bool] = field(default_factory=dict)

    async def __call__(self, call: Call) -> None:
        wire = wire_of(call)
        found = events(wire, SAID)
        await start(call, wire)
        for event in found[: len(found) if self.kind == "well" else self.after]:
            await call.chunk(event)
        match self.kind:
            case "reset":
                await asyncio.sleep(0.01)
                call.reset()
            case "close":
                call.writer.close()
            case "half":
                await call.chunk(found[self.after][: len(found[self.after]) // 2])
                await call.write(b"0\r\n\r\n")
            case "stall":
                self.left[id(call)] = await call.client_left(8)
            case _:
                await call.write(b"0\r\n\r\n")


@pytest.mark.parametrize("dialect", SPEAKING)
def test_a_broken_stream_ends_in_an_error_and_never_looks_whole(dialect: str) -> None:
    weather = Weather()

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for target, wire in WIRES.items():
            cases = [(kind, after) for kind in ("reset", "cut") for after in range(BEFORE_THE_END[wire] + 1)]
            cases += [("half", after) for after in range(BEFORE_THE_END[wire])]
            for kind, after in [*cases, ("close", BEFORE_THE_END[wire])]:
                weather.kind, weather.after = kind, after
                forget_failures(running)
                answer = await ask(running, chat_request(dialect, target, stream=True))
                check_clean(answer)
                case = (target, weather.kind, weather.after)
                assert status_of(answer) >= 500 or b'"error"' in body_of(answer), case
                assert status_of(answer) >= 500 or not looks_complete(dialect, body_of(answer)), case
            weather.kind = "well"
            forget_failures(running)
            assert looks_complete(dialect, body_of(await ask(running, chat_request(dialect, target, stream=True))))
        assert not running.service.gateway.running
        assert not await asyncio.to_thread(running.service.books.verify_sums)

    run(weather, story)


def test_the_end_of_a_stream_reaches_nobody_before_it_is_in_the_books() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for dialect in SPEAKING:
            for target in CHATS:
                reader, writer = await dial(running)
                writer.write(chat_request(dialect, target, stream=True).line)
                seen = b""
                while not looks_complete(dialect, seen):
                    piece = await reader.read(65_536)
                    assert piece, (dialect, target)
                    seen += piece
                name = re.search(rb"x-yuzui-request-id: (\S+)", seen)
                assert name is not None
                found = running.service.books.record_of(name[1].decode())
                assert found is not None, (dialect, target)
                writer.close()

    run(speaks(SAID), story)


def test_a_hang_up_is_settled_from_what_was_counted_and_leaves_nothing_running() -> None:
    """Every dialect on every wire, all at once."""
    weather = Weather(kind="stall")

    async def stalls(call: Call) -> None:
        await Weather(kind="stall", after=BEFORE_THE_END[wire_of(call)], left=weather.left)(call)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        async def leave(dialect: str, target: str) -> None:
            reader, writer = await dial(running)
            writer.write(chat_request(dialect, target, stream=True).line)
            await reader.readuntil(b"Good")
            writer.transport.abort()

        pairs = [(dialect, target) for dialect in SPEAKING for target in CHATS]
        await asyncio.gather(*[leave(*pair) for pair in pairs])
        records = await until_recorded(running, len(pairs))
        for record in records:
            usage = record.usage
            assert (record.outcome, bool(usage and usage.output)) == ("aborted", True), (record.dialect, record.target)
        async with asyncio.timeout(5):
            while len(weather.left) < len(pairs) or running.service.gateway.running:
                await asyncio.sleep(0.01)
        assert all(weather.left.values()), "the vendor's lines were closed"
        assert not await asyncio.to_thread(running.service.books.verify_sums)
        names = [task.get_name() for task in asyncio.all_tasks() if "Journey" in repr(task.get_coro())]
        assert names == []

    run(stalls, story)


def resident_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


@pytest.mark.parametrize("target", ["vendor/both", "vendor/bedrock"])
def test_two_hundred_streams_of_each_dialect_at_once_stay_small(target: str) -> None:
    """On the same-dialect lane, and translated from a binary wire; both ends and their buffers are in this process."""
    count, pieces = 200, 40
    go_on = asyncio.Event()
    said = Said(text="word " * 200)

    async def script(call: Call) -> None:
        wire = wire_of(call)
        found = events(wire, said)
        await start(call, wire)
        body = found[:-1] if wire == "gemini" else found[: BEFORE_THE_END[wire]]
        for event in body:
            await call.chunk(event)
        await go_on.wait()
        repeated = body[-1] if wire == "gemini" else body[-1 if wire == "chat" else 2 if wire == "bedrock" else 3]
        for _ in range(pieces):
            await call.chunk(repeated)
        for event in found[len(body) :]:
            await call.chunk(event)
        await call.write(b"0\r\n\r\n")

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for dialect in SPEAKING:
            go_on.clear()
            vendor.calls.clear()
            gc.collect()
            before = resident_kib()
            lines = [await dial(running) for _ in range(count)]
            for _, writer in lines:
                writer.write(chat_request(dialect, target, stream=True).line)
            await asyncio.gather(*[reader.readuntil(b"word word") for reader, _ in lines])
            during = resident_kib()
            go_on.set()
            answers = await asyncio.gather(*[reader.read() for reader, _ in lines])
            for _, writer in lines:
                writer.close()
            assert (during - before) / count < 256, f"{dialect}: KiB for each stream, four sockets' buffers included"
            assert all(looks_complete(dialect, answer) for answer in answers), answers[0][-500:]
            assert not running.service.gateway.running

    run(script, story)
