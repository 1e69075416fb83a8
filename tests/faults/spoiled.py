"""Requests that nobody can read whole: cut, ambiguous, in no encoding, too deep, too many, too hidden."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

from faults.baits import CARD
from faults.dialect_kit import Asked
from faults.injecting import Fault, nothing_broken

Spoil = Callable[[bytes], bytes]
MARK = CARD.mark.encode()


def spoiled_requests() -> list[Fault]:
    """Bodies that are no JSON of which there is one reading."""
    return [Fault("request", name, nothing_broken, CARD, "open", spoil=_json(spoil)) for name, spoil in _SPOILS.items()]


def _json(spoil: Spoil) -> Callable[[Asked], Asked]:
    return lambda asked: replace(asked, body=spoil(asked.body)) if "json" in asked.content_type else asked


def _before_mark(data: bytes) -> Spoil:
    return lambda body: body.replace(MARK, data + MARK, 1)


def _field(value: bytes) -> Spoil:
    """One more field, at the front."""
    return lambda body: b'{"x_more":' + value + b"," + body[1:]


def _cut(share: int) -> Spoil:
    return lambda body: body[: len(body) * share // 100]


def _each_object(body: bytes) -> bytes:
    """The first key of every object twice."""
    return re.sub(rb'\{("[^"\\]*"): ?', rb"{\1:0,\1:", body)


_SPOILS: dict[str, Spoil] = {
    **{f"cut at {share} %": _cut(share) for share in (10, 25, 50, 75, 90)},
    "cut by one byte": lambda body: body[:-1],
    "begins one byte late": lambda body: body[1:],
    "empty": lambda body: b"",
    "twice": lambda body: body + body,
    "a brace more": lambda body: body + b"}",
    "a word behind": lambda body: body + b" null",
    "a NUL behind": lambda body: body + b"\0",
    "a comment": lambda body: b"/* */" + body,
    "a comma more": lambda body: body[:-1] + b",}",
    "single quotes": lambda body: body.replace(b'"', b"'"),
    "a list": lambda body: b"[" + body + b"]",
    "a text": lambda body: json.dumps(body.decode()).encode(),
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "UTF-16": lambda body: body.decode().encode("utf-16"),
    "UTF-32": lambda body: body.decode().encode("utf-32"),
    "one byte that is no UTF-8": _before_mark(b"\xff"),
    "an overlong form": _before_mark(b"\xc0\xb4"),
    "half a pair in UTF-8": _before_mark(b"\xed\xa0\x80"),
    "a character beyond Unicode": _before_mark(b"\xf5\x80\x80\x80"),
    "half a pair, escaped": _before_mark(b"\\ud800"),
    "the other half, escaped": _before_mark(b"\\udc00"),
    "an escape that is none": _before_mark(b"\\x41"),
    "a cut escape": _before_mark(b"\\u00zz"),
    "a raw control character": _before_mark(b"\x01"),
    "a raw line end": _before_mark(b"\n"),
    "a field twice": _field(b'1,"x_more":2'),
    "a field twice, once escaped": _field(b'1,"\\u0078_more":2'),
    "every first field twice": _each_object,
    "a field twice, deep": _field(b'[{"a":[{"b":1,"b":2}]}]'),
    "NaN": _field(b"NaN"),
    "Infinity": _field(b"-Infinity"),
    "a number beyond all": _field(b"1e999"),
    "a number of 5,000 digits": _field(b"9" * 5000),
    "a number with a plus": _field(b"+1"),
    "hexadecimal": _field(b"0x10"),
    "70 levels": _field(b"[" * 70 + b"]" * 70),
    "100,000 levels": _field(b"[" * 100_000 + b"]" * 100_000),
    "70 levels of objects": _field(b'{"a":' * 70 + b"1" + b"}" * 70),
    "an open end of levels": _field(b"[" * 50),
}


def unscanned_parts() -> list[Fault]:
    """Texts and parts in which something may hide that is not looked at."""
    texts = [
        Fault(
            "unscanned", name, nothing_broken, CARD, "strict", says=f"{CARD.text} {hidden}", is_dear=len(hidden) > 10**5
        )
        for name, hidden in _HIDDEN.items()
    ]
    return texts + [
        Fault("unscanned", name, nothing_broken, CARD, "strict", spoil=_json(_field(json.dumps(value).encode())))
        for name, value in _UNREAD.items()
    ]


def _encoded(times: int) -> str:
    text = "nothing is in here, whoever looks"
    for _ in range(times):
        text = b64encode(text.encode()).decode()
    return text


_MANY = " ".join(b64encode(f"nothing is in number {n}".encode()).decode() for n in range(300))
_UNREAD: dict[str, object] = {
    "a blob": "QUFB" * 200,
    "a blob without a line": "QUFB" * 200 + "=",
    "a picture in an address": "data:image/png;base64,iVBORw0KGgo=",
    "JSON too deep in a text": '{"\\u0061":' * 70 + "1" + "}" * 70,
    "JSON far too deep in a text": '{"\\u0061":' * 5000 + "1" + "}" * 5000,
}
_HIDDEN = {
    "encoded six times": _encoded(6),
    "300 encoded pieces": _MANY,
    "an encoded megabyte": b64encode(b"nothing to see here. " * 60_000).decode(),
    "10,001 addresses": " ".join(f"a{n}@b.cn" for n in range(10_001)),
}
