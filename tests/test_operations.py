"""Operations other than chat: the whole way through a running gateway, with the official client; and bent answers."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fault_upstream import Call, FaultUpstream
from gateway_kit import RunningGateway, gateway
from yuzui.core.chat import AnswerFacts, StreamChunk
from yuzui.core.errors import UpstreamFault
from yuzui.core.money import Price
from yuzui.core.target import Target
from yuzui.dialects import openai_completions, openai_images, openai_speech, openai_transcription
from yuzui.dialects._contract import ClientDialect
from yuzui.providers import openai_completions as completions_codec
from yuzui.providers import openai_images as images_codec
from yuzui.providers import openai_speech as speech_codec
from yuzui.providers import openai_transcription as transcription_codec
from yuzui.providers._contract import Codec, WireRequest

CONFIG = """
[[targets]]
name = "media"
provider = "vllm"
base_url = "{url}"
model = "m-1"
serves = ["transcription", "speech", "images", "moderations", "rerank", "embeddings", "completions"]
price = {{ currency = "USD", {price} }}
"""
BY_UNIT = "image = 0.04, character = 0.000015, second = 0.0001"
BY_TOKEN = "input = 1, output = 2"
Script = Callable[[Call], Awaitable[None]]


@asynccontextmanager
async def running(script: Script, price: str = BY_TOKEN) -> AsyncGenerator[tuple[RunningGateway, FaultUpstream], None]:
    async with FaultUpstream(script) as upstream:
        async with gateway(CONFIG.format(url=upstream.base_url, price=price)) as found:
            yield found, upstream


def run(story: Awaitable[None]) -> None:
    async def told() -> None:
        await story

    asyncio.run(told())


async def start_bytes(call: Call) -> None:
    await call.write(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n")


def test_a_recording_is_heard_and_charged() -> None:
    async def answer(call: Call) -> None:
        assert b"the-client's-own-boundary" not in call.body
        assert b'filename="meeting.mp3"' in call.body
        await call.json({"text": "Hello.", "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 5,
                                                     "input_token_details": {"audio_tokens": 10}}})  # fmt: skip

    async def story() -> None:
        async with running(answer) as (found, upstream):
            client = found.client()
            text = await client.audio.transcriptions.create(model="media", file=("meeting.mp3", b"ID3" * 100))
            assert text.text == "Hello."
            assert upstream.calls[0].head.startswith(b"POST /v1/audio/transcriptions ")
            record = (await found.records())[-1]
            assert record.usage is not None
            assert (record.operation, record.usage.input, record.usage.input_audio) == ("transcription", 14, 10)
            assert record.findings is not None

    run(story())


def test_a_transcript_streams() -> None:
    async def answer(call: Call) -> None:
        await call.start_stream()
        await call.event({"type": "transcript.text.delta", "delta": "Hel"})
        await call.event(
            {"type": "transcript.text.done", "text": "Hello.", "usage": {"input_tokens": 3, "output_tokens": 2}}
        )
        await call.end_stream()

    async def story() -> None:
        async with running(answer) as (found, _):
            stream = await found.client().audio.transcriptions.create(
                model="media", file=("a.mp3", b"ID3"), stream=True, extra_headers={"x-yuzui-conversation": "c"}
            )
            events = [event async for event in stream]
            assert [event.type for event in events] == ["transcript.text.delta", "transcript.text.done"]
            extra = events[-1].model_extra
            assert extra is not None
            assert set(extra["yuzui"]) == {"request_id", "receipt"}

    run(story())


def test_sound_is_relayed_while_it_is_made_and_ends_when_it_is_settled() -> None:
    goes_on = asyncio.Event()

    async def answer(call: Call) -> None:
        await start_bytes(call)
        await call.chunk(b"ID3")
        await call.chunk(b"first")
        await goes_on.wait()
        await call.chunk(b"last")
        await call.end_stream(done=False)

    async def story() -> None:
        async with running(answer, BY_UNIT) as (found, _):
            client = found.client()
            async with client.audio.speech.with_streaming_response.create(
                model="media", input="Grüß dich.", voice="alloy"
            ) as heard:
                assert heard.headers["content-type"] == "audio/mpeg"
                pieces = heard.iter_bytes()
                begun = await anext(pieces)  # arrives while the target still speaks
                assert begun.startswith(b"ID3")
                goes_on.set()
                rest = b"".join([piece async for piece in pieces])
                record = await found.record_of(heard.headers["x-yuzui-request-id"])  # durable before the last byte
            assert begun + rest == b"ID3firstlast"
            assert record.usage is not None
            assert (record.usage.characters, record.usage.is_estimated, record.outcome) == (10, False, "answered")
            assert record.cost is not None
            assert record.cost.amount == 150_000  # 10 characters at 15 USD per million, in nano-USD

    run(story())


def test_broken_sound_breaks_the_line() -> None:
    async def answer(call: Call) -> None:
        await start_bytes(call)
        await call.chunk(b"ID3")
        await call.chunk(b"more")
        await asyncio.sleep(0.05)  # what was sent is on its way before the line breaks
        call.reset()

    async def story() -> None:
        async with running(answer, BY_UNIT) as (found, _):
            with pytest.raises(httpx2.RemoteProtocolError):
                async with found.client().audio.speech.with_streaming_response.create(
                    model="media", input="Hello.", voice="alloy"
                ) as heard:
                    async for _ in heard.iter_bytes():
                        pass
            assert (await found.records())[-1].outcome == "failed"

    run(story())


def test_sound_charged_by_tokens_is_asked_for_in_events() -> None:
    async def answer(call: Call) -> None:
        assert json.loads(call.body)["stream_format"] == "sse"
        await call.start_stream()
        await call.event({"type": "speech.audio.delta", "audio": b64encode(b"ID3").decode()})
        await call.event({"type": "speech.audio.done", "usage": {"input_tokens": 4, "output_tokens": 9}})
        await call.end_stream()

    async def story() -> None:
        async with running(answer) as (found, _):
            sound = await found.client().audio.speech.create(model="media", input="Hello.", voice="alloy")
            assert sound.content == b"ID3"
            record = (await found.records())[-1]
            assert record.usage is not None
            assert (record.usage.input, record.usage.output, record.usage.output_audio) == (4, 9, 9)

    run(story())


def test_pictures_are_charged_one_by_one() -> None:
    async def answer(call: Call) -> None:
        await call.json({"created": 1, "data": [{"b64_json": "QUFB"}, {"b64_json": "QUFB"}]})

    async def story() -> None:
        async with running(answer, BY_UNIT) as (found, _):
            pictures = await found.client().images.generate(model="media", prompt="A river", n=2)
            assert pictures.data is not None
            record = (await found.records())[-1]
            assert record.usage is not None
            assert (len(pictures.data), record.usage.images) == (2, 2)
            assert record.cost is not None
            assert record.cost.amount == 80_000_000

    run(story())


def test_a_draft_goes_on_before_its_picture_and_an_edit_is_written_anew() -> None:
    async def answer(call: Call) -> None:
        if call.head.startswith(b"POST /v1/images/edits "):
            assert b'name="image"; filename="a.png"' in call.body
            await call.json({"data": [{"b64_json": "QUFB"}]})
            return
        await call.start_stream()
        await call.event({"type": "image_generation.partial_image", "b64_json": "aa", "partial_image_index": 0})
        await call.event(
            {"type": "image_generation.completed", "b64_json": "bb", "usage": {"input_tokens": 1, "output_tokens": 2}}
        )
        await call.end_stream(done=False)

    async def story() -> None:
        async with running(answer) as (found, _):
            client = found.client()
            stream = await client.images.generate(model="media", prompt="A river", stream=True, partial_images=1)
            assert [event.b64_json async for event in stream] == ["aa", "bb"]
            edited = await client.images.edit(model="media", prompt="p", image=("a.png", b"\x89PNG"))
            assert edited.data is not None

    run(story())


def test_what_a_target_cannot_do_is_refused_before_anything_is_sent() -> None:
    async def answer(call: Call) -> None:
        raise AssertionError("nothing may come here")

    async def story() -> None:
        async with FaultUpstream(answer) as upstream:
            config = CONFIG.format(url=upstream.base_url, price=BY_TOKEN).replace('"speech", ', "")
            async with gateway(config) as found:
                with pytest.raises(openai.BadRequestError, match="speech"):
                    await found.client().audio.speech.create(model="media", input="Hello.", voice="alloy")
            assert upstream.calls == []

    run(story())


# ---- bent answers ---------------------------------------------------------------------------------------------------

FILE = {"type": "input_audio", "name": "file", "filename": "a", "media_type": "", "data": b"x"}
PRICED = Price(currency="USD", input_pico=1, output_pico=1, cached_input_pico=0, cache_write_pico=0, version="v")
Case = tuple[ClientDialect, Codec, WireRequest, "dict[str, object]", bytes]


def case(
    dialect: ClientDialect, codec: Codec, body: dict[str, object], *events: bytes, price: Price | None = None
) -> Case:
    target = Target(name="t", provider="p", codec="openai", model="m", base_url="https://x.test", premises="own",
                    clearance=0, jurisdiction="", price=price)  # fmt: skip
    wire = codec.write_request(dialect.read_request(body), target, output_cap=None)
    return dialect, codec, wire, body, b"".join(events)


SPEECH: dict[str, object] = {"model": "m", "input": "hi"}
HEARD: dict[str, object] = {"model": "m", "stream": "true", "input": [FILE]}
DONE = b"data: [DONE]\n\n"
SPOKEN = (
    b'data: {"type":"speech.audio.delta","audio":"QUFB"}\n\n'
    b'data: {"type":"speech.audio.done","usage":{"input_tokens":1,"output_tokens":2}}\n\n'
)
CASES = [
    case(openai_completions.DIALECT, completions_codec.CODEC, {"model": "m", "prompt": "a", "stream": True},
         b'data: {"choices":[{"text":" a","index":0,"finish_reason":null}],"id":"x"}\n\n',
         b'data: {"choices":[{"text":"","index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}\n\n', DONE),
    case(openai_transcription.DIALECT, transcription_codec.CODEC, HEARD,
         b'data: {"type":"transcript.text.delta","delta":"I"}\n\nevent: x\ndata: {"type":"x","text":"I"}\n\n',
         b'data: {"type":"transcript.text.done","text":"I","usage":{"input_tokens":1,"output_tokens":2}}\n\n', DONE),
    case(openai_transcription.DIALECT, transcription_codec.CODEC, HEARD,
         b'{"text":"I {see}","usage":{"type":"duration","seconds":2},"x":{"y":1}}\n'),
    case(openai_transcription.DIALECT, transcription_codec.CODEC, HEARD,
         b'data: {"choices":[{"delta":{"content":"I"},"finish_reason":"stop"}]}\n\n', DONE),
    case(openai_speech.DIALECT, speech_codec.CODEC, SPEECH, b'\n{"error":{"message":"x"}}'),
    case(openai_speech.DIALECT, speech_codec.CODEC, SPEECH, SPOKEN, price=PRICED),
    case(openai_speech.DIALECT, speech_codec.CODEC, SPEECH | {"stream_format": "sse"}, SPOKEN),
    case(openai_images.DIALECT, images_codec.CODEC, {"model": "m", "prompt": "p", "stream": True, "n": 2},
         b'event: e\ndata: {"type":"image_generation.partial_image","b64_json":"a"}\n\n',
         b'data: {"type":"image_generation.completed","b64_json":"b","usage":{"input_tokens":1}}\n\n' * 2),
]  # fmt: skip
TOKENS = [b"null", b"-1", b"1e400", b'"x"', b"{}", b"[]", b"true", b"\n", b"\n\n", b"\r", b"[DONE]", b"\xff", b"\\ud800",
          b"9" * 400, b'{"error":{"message":"x"}}', b"event: error\n", b"}", b'"']  # fmt: skip
BENDS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 12), st.sampled_from(TOKENS)), max_size=3)


def bend(data: bytes, bends: list[tuple[int, int, bytes]]) -> bytes:
    """`data` with pieces taken out and others put in."""
    for at, removed, added in bends:
        place = at % (len(data) + 1)
        data = data[:place] + added + data[place + removed :]
    return data


def decode(codec: Codec, wire: WireRequest, pieces: list[bytes]) -> tuple[list[StreamChunk], str]:
    decoder, chunks = codec.decoder(wire), []
    try:
        for piece in pieces:
            chunks += decoder.feed(piece)
            if decoder.is_complete:
                break
        if not decoder.is_complete:
            decoder.feed(b"")
        decoder.close()
    except UpstreamFault as fault:
        return chunks, type(fault).__name__
    return chunks, ""


def said(chunks: list[StreamChunk], wire: WireRequest) -> list[object]:
    """Bytes of sound are one, however they are cut; everything else is told as it is."""
    if isinstance(wire, speech_codec.SpeechWire) and wire.kind != "events":
        sound = b"".join([chunk.raw for chunk in chunks])
        return [sound, *[chunk for chunk in chunks if not chunk.raw]]
    return list(chunks)


@given(st.sampled_from(CASES), BENDS, st.lists(st.integers(0, 400), max_size=4))
def test_no_cut_changes_what_a_bent_answer_says(
    chosen: Case, bends: list[tuple[int, int, bytes]], marks: list[int]
) -> None:
    dialect, codec, wire, body, data = chosen
    data = bend(data, bends)
    places = sorted({mark % (len(data) + 1) for mark in marks})
    pieces = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
    whole, end = decode(codec, wire, [data])
    for cut in (pieces, [data[i : i + 1] for i in range(len(data))]):
        chunks, cut_end = decode(codec, wire, cut)
        assert (said(chunks, wire), cut_end) == (said(whole, wire), end)
    writer = dialect.stream_writer(dialect.read_request(body), AnswerFacts(request_id="req-1", is_lane=True))
    sent = b"".join([writer.write(chunk) for chunk in whole])
    if end:
        writer.fail(UpstreamFault("it broke"), "req-1")
    else:
        assert sent + writer.finish({"request_id": "req-1"})
