"""AWS event streams: any cut gives the same messages, every flipped bit is found, nothing is held without bound."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstream_kit import encode_lines, error, event, exception, frame
from yuzui.core import eventstream
from yuzui.core.errors import UpstreamInvalid
from yuzui.core.eventstream import EventMessage, EventStreamReader

# The first vector is the empty message of the format's own test suite (aws-c-event-stream, tests/), the second one with
# a payload alone; both are also what botocore==1.44.8 reads.
EMPTY = bytes.fromhex("00000010 00000000 05c248eb 7d98c8ff")
PAYLOAD = bytes.fromhex("0000001d 00000000 fd528c5a 7b27666f6f273a27626172277d c3653936")


def read(pieces: Sequence[bytes]) -> list[EventMessage]:
    reader = EventStreamReader()
    messages = [message for piece in pieces for message in reader.feed(piece)]
    assert reader.close()
    return messages


def test_the_published_vectors_are_read() -> None:
    assert read([EMPTY, PAYLOAD]) == [EventMessage({}, b""), EventMessage({}, b"{'foo':'bar'}")]


def test_events_exceptions_and_errors_tell_their_kind() -> None:
    stream = event("messageStart", b"{}") + exception("throttlingException", b"{}") + error("InternalError", "boom")
    heads = [dict(message.headers) for message in read([stream])]
    assert heads == [
        {":event-type": "messageStart", ":content-type": "application/json", ":message-type": "event"},
        {":exception-type": "throttlingException", ":content-type": "application/json", ":message-type": "exception"},
        {":error-code": "InternalError", ":error-message": "boom", ":message-type": "error"},
    ]


def test_headers_of_every_type_are_stepped_over_and_texts_are_kept() -> None:
    head = (
        b"\x01a\x00" + b"\x01b\x01" + b"\x01c\x02\x7f" + b"\x01d\x03\x00\x01" + b"\x01e\x04\x00\x00\x00\x01"
        b"\x01f\x05" + bytes(8) + b"\x01g\x06\x00\x02xy" + b"\x01h\x07\x00\x02hi" + b"\x01i\x08" + bytes(8) + b"\x01j\x09" + bytes(16)
    )  # fmt: skip
    assert read([_raw(head, b"p")]) == [EventMessage({"h": "hi"}, b"p")]


def _raw(head: bytes, payload: bytes) -> bytes:
    prelude = struct.pack("!II", len(head) + len(payload) + 16, len(head))
    message = prelude + struct.pack("!I", crc32(prelude)) + head + payload
    return message + struct.pack("!I", crc32(message))


@pytest.mark.parametrize(
    "head",
    [b"\x05a", b"\x01a", b"\x01a\x0a", b"\x01a\x07\x00\x09x", b"\x01a\x07\x00\x01\xff", b"\x01\xff\x00", b"\x01a\x07\x00\x00" * 2],
    ids=["name cut", "no type", "unknown type", "value cut", "no UTF-8", "name no UTF-8", "twice"],
)  # fmt: skip
def test_damaged_headers_are_a_fault(head: bytes) -> None:
    with pytest.raises(UpstreamInvalid, match="headers"):
        EventStreamReader().feed(_raw(head, b""))


def test_a_fault_behind_good_messages_waits_for_the_next_call() -> None:
    damaged = bytearray(event("b", b"{}"))
    damaged[-1] ^= 1
    reader = EventStreamReader()
    assert [message.headers[":event-type"] for message in reader.feed(event("a", b"{}") + damaged)] == ["a"]
    with pytest.raises(UpstreamInvalid, match="checksum"):
        reader.feed(b"")
    with pytest.raises(UpstreamInvalid, match="checksum"):
        reader.close()


def test_an_answer_that_is_no_event_stream_is_told_at_its_first_bytes() -> None:
    with pytest.raises(UpstreamInvalid, match="no event stream"):
        EventStreamReader().feed(b"<html><body>Bad gateway")


@pytest.mark.parametrize(
    ("size", "headers"), [(2**31, 0), (2**20, 2**18), (15, 0), (20, 8)], ids=["payload", "headers", "short", "shorter"]
)
def test_impossible_sizes_are_refused_before_anything_is_collected(size: int, headers: int) -> None:
    prelude = struct.pack("!II", size, headers)
    with pytest.raises(UpstreamInvalid):
        EventStreamReader().feed(prelude + struct.pack("!I", crc32(prelude)))


def test_a_stream_that_ends_inside_a_message_says_so() -> None:
    reader = EventStreamReader()
    assert reader.close()
    reader.feed(event("a", b"{}")[:-1])
    assert not reader.close()


def test_the_kit_writes_what_its_lines_say() -> None:
    text = '# comment\n\nmessageStart {"role": "assistant"}\n!throttlingException {"message": "slow"}\n!! Code some words\n'
    stream = event("messageStart", b'{"role":"assistant"}') + exception("throttlingException", b'{"message":"slow"}')
    assert encode_lines(text) == stream + error("Code", "some words")
    assert encode_lines("a {}\n~3\n") == event("a", b"{}")[:-3]
    assert encode_lines("a {}\n~^1\n")[-1] == event("a", b"{}")[-1] ^ 0xFF


MESSAGES = st.lists(
    st.tuples(
        st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=12), max_size=3), st.binary(max_size=60)
    ),
    max_size=5,
)


@given(messages=MESSAGES, cuts=st.lists(st.integers(0, 400), max_size=8))
def test_any_cut_gives_the_same_messages(messages: list[tuple[dict[str, str], bytes]], cuts: list[int]) -> None:
    stream = b"".join(frame(headers, payload) for headers, payload in messages)
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[start:end] for start, end in itertools.pairwise(edges)]
    whole = [EventMessage(headers, payload) for headers, payload in messages]
    assert read(pieces) == whole
    assert read([stream[i : i + 1] for i in range(len(stream))]) == whole


@given(payload=st.binary(max_size=40), bit=st.integers(0), where=st.integers(0))
def test_a_flipped_bit_is_never_read_as_a_message(payload: bytes, bit: int, where: int) -> None:
    stream = bytearray(event("a", payload))
    stream[where % len(stream)] ^= 1 << (bit % 8)
    reader = EventStreamReader()
    try:
        assert reader.feed(bytes(stream)) == []
        assert not reader.close()
    except UpstreamInvalid:
        pass


@given(data=st.binary(max_size=200))
def test_any_bytes_are_messages_or_a_declared_fault(data: bytes) -> None:
    reader = EventStreamReader()
    try:
        reader.feed(data)
        reader.close()
    except UpstreamInvalid:
        pass


def test_the_types_name() -> None:
    assert eventstream.CONTENT_TYPE == "application/vnd.amazon.eventstream"
