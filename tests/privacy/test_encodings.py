"""Encoded pieces and what they spell."""

from __future__ import annotations

import gzip
from base64 import b32encode, b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.kit import ENGINES, found, scan_both, scanner
from yuzui.privacy.encodings import MAX_VIEWS, PATTERNS, read_encoded
from yuzui.privacy.engine import compile_engine

MOBILE = "13800138000"
TEXT = f"call {MOBILE} now"
ENGINE = compile_engine(PATTERNS)


def views(text: str) -> list[tuple[str, str]]:
    return [(view.text, text[view.start : view.end]) for view in read_encoded(text, ENGINE.find(text, text.encode()))]


ENCODED = {
    "base64": b64encode(TEXT.encode()).decode(),
    "base64 of a URL": urlsafe_b64encode(TEXT.encode()).decode().rstrip("="),
    "base32": b32encode(TEXT.encode()).decode(),
    "hex": TEXT.encode().hex(),
    "spaced hex": TEXT.encode().hex(" "),
    "bits": " ".join(f"{byte:08b}" for byte in TEXT.encode()),
    "percent": "".join(f"%{byte:02X}" for byte in TEXT.encode()),
    "percent twice": quote("".join(f"%{byte:02X}" for byte in TEXT.encode())),
    "HTML": "".join(f"&#{ord(char)};" for char in TEXT),
    "hexadecimal HTML": "".join(f"&#x{ord(char):x};" for char in TEXT),
    "escapes": "".join(f"\\x{ord(char):02x}" for char in TEXT),
    "braced escapes": "".join(f"\\u{{{ord(char):x}}}" for char in TEXT),
    "quoted-printable": "".join(f"={byte:02X}" for byte in TEXT.encode()),
    "gzip": b64encode(gzip.compress(TEXT.encode())).decode(),
    "base64 twice": b64encode(b64encode(TEXT.encode())).decode(),
    "hex in base64 in base64": b64encode(b64encode(TEXT.encode().hex().encode())).decode(),
}


@pytest.mark.parametrize("name", ENCODED)
def test_a_value_is_found_in_what_a_piece_spells_and_covers_the_piece(name: str) -> None:
    piece = ENCODED[name]
    text = f"read this: {piece} thanks"
    result = scan_both(text)
    assert [finding.kind for finding in result.findings] == ["cn_mobile"] and not result.unscannable
    start, end = result.findings[0].start, result.findings[0].end
    assert text[start:end].rstrip() == piece


@given(st.text(alphabet="abcXYZ 0123456789@.-+,:/汉字é，💧", min_size=12))
def test_whatever_text_was_encoded_is_read(text: str) -> None:
    piece = b64encode(text.encode()).decode()
    assert (text, piece) in views(f" {piece} ")


@pytest.mark.parametrize(
    "text",
    [
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "getElementsByClassNameAndSomething",
        "src/yuzui/privacy/detectors/postal",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "plain words only",
        "00:1A:2B:3C:4D:5E:6F",
        "100%25 sure",
    ],
)
def test_hashes_names_and_pictures_spell_nothing(text: str) -> None:
    assert [view for view, _ in views(f" {text} ") if MOBILE in view or not view.isascii()] == []
    assert found(text) == []


def test_lines_of_base64_are_read_as_one() -> None:
    data = b64encode(("x" * 70 + " " + MOBILE + " " + "y" * 60).encode()).decode()
    piece = "\n".join(data[at : at + 76] for at in range(0, len(data), 76))
    assert [finding.kind for finding in scan_both(piece).findings] == ["cn_mobile"]


def test_too_many_pieces_count_as_not_readable() -> None:
    pieces = " ".join(b64encode(f"harmless text {number:05d}".encode()).decode() for number in range(MAX_VIEWS + 2))
    for engine in ENGINES:
        assert "encoded" in scanner(engine).scan_text(pieces).unscannable


def test_what_is_nested_too_deep_counts_as_not_readable() -> None:
    text = TEXT
    for _ in range(5):
        text = b64encode(text.encode()).decode()
    assert "encoded" in scan_both(text).unscannable


def test_a_bomb_is_not_unpacked_whole() -> None:
    bomb = b64encode(gzip.compress(b"a" * (64 << 20))).decode()
    assert "encoded" in scan_both(bomb).unscannable or not scan_both(bomb).failures
