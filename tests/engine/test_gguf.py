"""The header reader believes no length and no name."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yuzui.engine.faults import WrongContent
from yuzui.engine.gguf import MOST_TENSORS, read_header

HEAD = struct.Struct("<4sIQQ")


def header_of(data: bytes) -> object:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        path.write_bytes(data)
        return read_header(path)


def test_a_sound_file_says_what_is_inside(gguf: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf)
    header = read_header(path)
    assert (header.version, header.tensor_count, header.architecture, header.context_tokens) == (3, 1, "llama", 2048)
    assert not header.has_chat_template


def key(name: str, rest: bytes) -> bytes:
    return struct.pack("<Q", len(name)) + name.encode() + rest


ARCHITECTURE = key("general.architecture", struct.pack("<IQ", 8, 5) + b"llama")

ONE = HEAD.pack(b"GGUF", 3, 1, 1)

HOSTILE = [
    (b"", "ends inside the head"),
    (b"PK\x03\x04" + bytes(60), "not a GGUF file"),
    (b"\x80\x04\x95" + bytes(60), "not a GGUF file"),
    (struct.pack("<Q", 2**63) + bytes(60), "not a GGUF file"),
    (HEAD.pack(b"GGUF", 1, 1, 1), "version 1"),
    (HEAD.pack(b"GGUF", 3, 10**9, 1), "tensors is not plausible"),
    (HEAD.pack(b"GGUF", 3, 0, 1), "tensors is not plausible"),
    (HEAD.pack(b"GGUF", 3, 1, 2**63), "fields is not plausible"),
    (ONE + struct.pack("<Q", 2**63), "a key of"),
    (ONE + key("k", struct.pack("<IQ", 8, 2**63)), "ends inside a string"),
    (ONE + key("k", struct.pack("<IIQ", 9, 4, 2**62)), "array of"),
    (ONE + key("k", struct.pack("<IIQ", 9, 9, 2)), "unsupported type 9"),
    (ONE + key("k", struct.pack("<IIQ", 9, 4, 4_000_000)), "ends inside an array"),
    (ONE + key("k", struct.pack("<I", 99)), "unknown type 99"),
    (ONE + key("\x01", b"")[:8] + b"\xff" + bytes(20), "not UTF-8"),
    (HEAD.pack(b"GGUF", 3, 1, 2) + ARCHITECTURE * 2 + bytes(99), "there twice"),
    (ONE + ARCHITECTURE + key("w", struct.pack("<I", 99)), "dimensions"),
    (ONE + ARCHITECTURE + key("w", struct.pack("<IQIQ", 1, 2**60, 0, 0)), "larger than the file"),
    (ONE + ARCHITECTURE + key("w", struct.pack("<IQIQ", 1, 8, 0, 7)), "not aligned"),
    (ONE + ARCHITECTURE + key("w", struct.pack("<IQIQ", 1, 8, 0, 2**40)), "truncated"),
    (HEAD.pack(b"GGUF", 3, 2, 1) + ARCHITECTURE + key("w", struct.pack("<IQIQ", 1, 8, 0, 0)) * 2 + bytes(99), "twice"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), HOSTILE, ids=[reason for _, reason in HOSTILE])
def test_a_hostile_header_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(WrongContent, match=reason):
        header_of(data)


def test_a_file_without_architecture_is_refused() -> None:
    fields = key("general.name", struct.pack("<IQ", 8, 1) + b"x")
    tensor = key("w", struct.pack("<IQIQ", 1, 8, 0, 0))
    with pytest.raises(WrongContent, match="architecture"):
        header_of(ONE + fields + tensor + bytes(99))


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_no_damage_to_a_file_leads_to_anything_but_a_header_or_a_clear_refusal(data: st.DataObject) -> None:
    sound = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(sound) - 1))
        sound[at : at + 1] = data.draw(st.binary(max_size=9))
    damaged = bytes(sound[: data.draw(st.integers(0, len(sound)))])
    try:
        header_of(damaged)
    except WrongContent as error:
        assert "model.gguf" in str(error)


@given(st.binary(max_size=400))
@example(b"")
@settings(max_examples=200, deadline=None)
def test_random_bytes_after_the_magic_are_refused(data: bytes) -> None:
    with pytest.raises(WrongContent):
        header_of(b"GGUF" + data)


def test_every_truncation_of_a_sound_header_is_refused() -> None:
    end = SOUND.index(b"\x00\x07\x0e")  # the first weights
    for length in range(0, end, 3):
        with pytest.raises(WrongContent):
            header_of(SOUND[:length])


def test_the_bound_on_tensors_is_above_what_large_models_have() -> None:
    assert MOST_TENSORS > 10_000


def _sound() -> bytes:
    fields = ARCHITECTURE + key("llama.context_length", struct.pack("<II", 4, 512))
    head = HEAD.pack(b"GGUF", 3, 1, 2) + fields + key("w", struct.pack("<IQIQ", 1, 32, 0, 0))
    return head + bytes(-len(head) % 32) + bytes(i * 7 % 251 for i in range(256))


SOUND = _sound()


def test_the_trained_context_comes_from_the_field_of_the_architecture(
    gguf_with: Callable[..., bytes], tmp_path: Path
) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf_with(context=777))
    assert read_header(path).context_tokens == 777
