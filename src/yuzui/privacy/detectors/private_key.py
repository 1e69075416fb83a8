"""Private keys in text form: PEM, OpenSSH, PGP, PuTTY, age."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern

_MAX_BODY = 16_384  # an RSA key of 16,384 bits needs about 12,700 characters
_BODY = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\\n\r\n ,:-\"'")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if text[start] in "Aa":
        yield Hit("private_key", start, end, 1.0, "age")
        return
    limit = min(len(text), end + _MAX_BODY)
    following = text.find("-----BEGIN", end, limit)
    if following >= 0:
        limit = following  # a body never reaches into the next key: this also keeps many headers linear
    closing = text.find("-----END", end, limit)
    if closing >= 0:
        last = text.find("-----", closing + 8, closing + 64)
        yield Hit("private_key", start, last + 5 if last >= 0 else closing + 8, 1.0, "block")
        return
    last = end
    while last < limit and text[last] in _BODY:
        last += 1
    if last - end >= 24:  # a bare header in prose is no key; a cut-off key still is one
        yield Hit("private_key", start, last, 0.9, "cut")


DETECTOR = Detector(
    levels={"private_key": "restricted"},
    patterns=(
        Pattern(regex="-----BEGIN (?:[0-9A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
        Pattern(regex="AGE-SECRET-KEY-1[0-9A-Z]{58}", ignore_case=True),
        Pattern(regex="PuTTY-User-Key-File-[0-9]:"),
    ),
    check=_check,
)
