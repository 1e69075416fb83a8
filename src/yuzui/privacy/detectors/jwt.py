"""JSON Web Tokens (RFC 7519): base64url parts, the first like a JSON object, then another or a signature."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.randomness import looks_random
from yuzui.privacy.surroundings import is_word

_MOST = 8192
_PART = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


_RANDOM = because(entropy=True)


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if is_word(text, start - 1):
        return
    last, limit = end, min(len(text), start + _MOST)
    while last < limit and (text[last] in _PART or text[last] == "."):
        last += 1
    parts = text[start:last].rstrip(".").split(".")
    last = start + len(".".join(parts))
    is_object = parts[1].startswith("eyJ")  # base64 of `{"`; the header alone is harmless, so the claims must be there
    if is_object or (len(parts) >= 3 and len(parts[1]) >= 16 and len(parts[2]) >= 16 and looks_random(parts[2])):
        yield Hit("jwt", start, last, 1.0, "claims") if is_object else Hit("jwt", start, last, 0.85, "signed", _RANDOM)
    elif len(parts) == 2 and len(parts[1]) >= 32 and looks_random(parts[1]):
        yield Hit("jwt", start, last, 0.7, "cut", _RANDOM)  # cut off


DETECTOR = Detector(
    levels={"jwt": "restricted"},
    patterns=(Pattern(regex=r"eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10}"),),
    check=_check,
)
