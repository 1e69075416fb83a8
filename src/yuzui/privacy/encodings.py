"""Encoded pieces of a text: base64, base32, hex, bits, percent, HTML, escapes, quoted-printable, gzip.

The engine finds where a piece may stand (`PATTERNS`); here it is read. Only what decodes to text counts: a hash, an
identifier and a picture do not.
"""

from __future__ import annotations

import binascii
import html
import quopri
import zlib
from base64 import b32decode, b64decode
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple
from urllib.parse import unquote

from yuzui.privacy.detectors._contract import Pattern

MAX_DEPTH: Final = 3
"""How often an encoded text inside an encoded text is read."""
MAX_VIEWS: Final = 256
MAX_BYTES: Final = 1 << 20
"""Of all decoded text of one request. What is beyond this or `MAX_VIEWS` counts as not readable."""
_LEAST = 7  # characters: fewer hold nothing that identifies anybody
_MOST_RUN = 4096  # characters around an escape that are read with it
_PROBE = 64  # encoded characters that tell whether the rest is worth decoding

_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_BASE32 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_HEX = frozenset("0123456789abcdefABCDEF")
_SPACE = frozenset(" \t\r\n\x1e\"'<>(){}[],")
_URL_MARKS = frozenset("&?=/:")
_TO_STANDARD = str.maketrans("-_", "+/")


class View(NamedTuple):
    """What `text[start:end]` of the text around it spells."""

    text: str
    start: int
    end: int
    coding: str


PATTERNS: Final = (
    # They consume what ends them, so an engine that reports every end of a match reports one per run.
    Pattern(regex="[0-9A-Za-z+/_-]{16,}[^0-9A-Za-z+/_-]"),
    Pattern(
        regex="(?:[0-9A-Fa-f]{2}[ :]){6,}[0-9A-Fa-f]{2}(?:[ :](?:[^0-9A-Fa-f]"
        "|[0-9A-Fa-f](?:[^0-9A-Fa-f]|[0-9A-Fa-f]{2}))|[^0-9A-Fa-f :])"
    ),
    Pattern(regex="(?:[01]{8} ){4,}[01]{8}(?: [^01]|[^01 ])"),
    Pattern(regex=r"(?:\\x[0-9A-Fa-f]{2}){2,}[^\\]|\\u\{[0-9A-Fa-f]{2,6}\}"),
    Pattern(regex="(?:%[0-9A-Fa-f]{2}){2,}[^%]|%25[0-9A-Fa-f]{2}"),
    Pattern(regex="&#x?[0-9A-Fa-f]{2,6};"),
    Pattern(regex="(?:=[0-9A-F]{2}){2,}[^=]"),
)


def read_encoded(text: str, found: Iterable[tuple[int, int, int]]) -> Iterable[View]:
    """Views for candidates (index in `PATTERNS`, start, end) of `text`, by start. Each place is read once."""
    behind = 0
    for index, start, end in found:
        if start < behind:
            continue
        for view in _READERS[index](text, start, end):
            behind = max(behind, view.end)
            yield view


def _read_run(text: str, start: int, end: int) -> Iterable[View]:
    """A run of the alphabet of base64: that, or base32, or hex."""
    end -= 1  # the pattern consumed what ends the run
    while start and text[start - 1] in _BASE64:
        start -= 1
    last = _over_lines(text, start, end)
    value = text[start:last]
    if last > end:
        value = "".join(value.split())
    spelled, coding = _decode_run(value)
    if spelled:
        while last < len(text) and text[last] == "=":
            last += 1
        yield View(spelled, start, last, coding)
        return
    at = start
    for piece in text[start:end].replace("_", "-").replace("/", "-").split("-"):  # `token_5omL5py6…`
        spelled, coding = _decode_run(piece) if 16 <= len(piece) < end - start else ("", "")
        if spelled:
            yield View(spelled, at, at + len(piece), coding)
        at += len(piece) + 1


def _over_lines(text: str, start: int, end: int) -> int:
    """Where base64 that is broken into lines of 60 to 76 characters ends."""
    first, last = start, end
    while 60 <= last - first <= 76 and text[last : last + 1] in ("\n", "\r"):
        follows = last + (2 if text[last : last + 2] == "\r\n" else 1)
        behind = follows
        while behind < len(text) and text[behind] in _BASE64:
            behind += 1
        if behind == follows:
            break
        first, last = follows, behind
    return last


def _decode_run(value: str) -> tuple[str, str]:
    """What `value` spells in one of the alphabets, and in which; empty when in none."""
    if _HEX.issuperset(value):
        if len(value) % 2 == 0:
            return _as_text(bytes.fromhex(value)), "hex"
        return "", ""
    if _BASE32.issuperset(value):
        try:
            if spelled := _as_text(b32decode(value + "=" * (-len(value) % 8))):
                return spelled, "base32"
        except binascii.Error:
            pass  # upper-case base64, then
    standard = value.translate(_TO_STANDARD)
    if len(standard) % 4 == 1 or not _is_worth_it(standard):
        return "", ""
    try:
        data = b64decode(standard + "=" * (-len(standard) % 4))
    except binascii.Error:
        return "", ""
    plain = _unpacked(data)
    return _as_text(plain), "base64" if plain is data else "base64 gzip"


def _is_worth_it(standard: str) -> bool:
    """Whether the first bytes are text or gzip: pictures and words are told at once."""
    size = min(_PROBE, len(standard) - len(standard) % 4)
    data = b64decode(standard[:size])
    if data.startswith((b"\x1f\x8b", b"\x78\x9c", b"\x78\xda", b"\x78\x01")):
        return True
    try:
        head = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(data) - 4:  # a character cut in two at the end of the probe is none of its faults
            return False
        head = data[: error.start].decode("utf-8")
    return _is_printable(head)


def _unpacked(data: bytes) -> bytes:
    """The content of gzip or zlib, at most `MAX_BYTES`; anything else as it is."""
    if not data.startswith((b"\x1f\x8b", b"\x78")):
        return data
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, MAX_BYTES)
    except zlib.error:
        return data


def _as_text(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if len(text) >= _LEAST and _is_printable(text) else ""


def _is_printable(text: str) -> bool:
    return all(char.isprintable() or char in "\n\r\t" for char in text)


def _read_spaced_hex(text: str, start: int, end: int) -> Iterable[View]:
    end = start + 2
    while (
        text[end : end + 1] in (" ", ":")
        and _HEX.issuperset(text[end + 1 : end + 3])
        and not _HEX.issuperset(text[end + 3 : end + 4] or "-")
    ):
        end += 3
    try:
        spelled = _as_text(bytes.fromhex(text[start:end].replace(":", " ")))
    except ValueError:
        return
    if spelled:
        yield View(spelled, start, end, "hex")


def _read_bits(text: str, start: int, end: int) -> Iterable[View]:
    end = start + 8
    while text[end : end + 1] == " " and len(text) >= end + 9 and set(text[end + 1 : end + 9]) <= {"0", "1"}:
        end += 9
    spelled = _as_text(bytes(int(byte, 2) for byte in text[start:end].split()))
    if spelled:
        yield View(spelled, start, end, "bits")


def _around(text: str, start: int, end: int, stops: frozenset[str]) -> tuple[int, int]:
    """The run of ASCII without blanks, quotes and brackets around a place."""
    least = max(0, start - _MOST_RUN)
    while start > least and text[start - 1] not in stops and text[start - 1].isascii():
        start -= 1
    limit = min(len(text), end + _MOST_RUN)
    while end < limit and text[end] not in stops and text[end].isascii():
        end += 1
    return start, end


def _read_with(
    coding: str, decode: Callable[[str], str], stops: frozenset[str] = _SPACE
) -> Callable[[str, int, int], Iterable[View]]:
    def read(text: str, start: int, end: int) -> Iterable[View]:
        start, end = _around(text, start, start + 1, stops)
        piece = text[start:end]
        spelled = decode(piece)
        if spelled != piece and len(spelled) >= _LEAST:
            yield View(spelled, start, end, coding)

    return read


def _unquote(piece: str) -> str:
    return unquote(piece, errors="replace")


def _unescape(piece: str) -> str:
    """`\\x31` and `\\u{31}`; `\\u0031` is read with the leaf (`views.read_escapes`)."""
    parts = piece.replace("\\u{", "\\x{").split("\\x")
    data = [parts[0].encode()]
    for part in parts[1:]:
        closing = part.find("}") if part.startswith("{") else -1
        digits = part[1:closing] if closing > 0 else part[:2]
        rest = part[closing + 1 :] if closing > 0 else part[2:]
        if (
            not digits
            or not _HEX.issuperset(digits)
            or (value := int(digits, 16)) > 0x10FFFF
            or 0xD800 <= value <= 0xDFFF
        ):
            data.append(f"\\x{part}".encode())
        elif closing > 0:
            data.append(chr(value).encode() + rest.encode())
        else:
            data.append(bytes((value,)) + rest.encode())
    return b"".join(data).decode("utf-8", "replace")


def _unquote_printable(piece: str) -> str:
    if not piece.isascii():
        return piece
    return quopri.decodestring(piece.encode("ascii")).decode("utf-8", "replace")


_READERS: Final[tuple[Callable[[str, int, int], Iterable[View]], ...]] = (
    _read_run,
    _read_spaced_hex,
    _read_bits,
    _read_with("escapes", _unescape, _SPACE - {"{", "}"}),
    _read_with("percent", _unquote, _SPACE | _URL_MARKS),
    _read_with("html", html.unescape),
    _read_with("quoted-printable", _unquote_printable),
)
