"""Credentials in HTTP headers: `Bearer …`, `Basic …`, `Token …` (RFC 7617, RFC 6750)."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.randomness import is_placeholder, looks_random
from yuzui.privacy.surroundings import has_cue, is_word

_VALUE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=")
_CUES = ("authorization", "auth", "proxy-authorization", "header", "headers")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if is_word(text, start - 1):
        return
    last = end
    limit = min(len(text), end + 4096)
    while last < limit and text[last] in _VALUE:
        last += 1
    value = text[end:last].rstrip("._-~")
    last = end + len(value)
    if len(value) < 8 or is_placeholder(value):
        return
    scheme = text[start:end].strip().lower()
    if scheme == "basic":
        is_random = looks_random(value)
        if _is_base64(value) and (is_random or has_cue(text, start, _CUES)):
            yield Hit("authorization", end, last, 0.85, "basic", because(label=True, entropy=is_random))
    elif len(value) >= 16 and (looks_random(value) or _is_hex(value)):
        yield Hit("authorization", end, last, 0.85, "token", because(label=True, entropy=True))


def _is_base64(value: str) -> bool:
    """Letters of both cases or digits, a length that base64 has, and no sentence."""
    if len(value.rstrip("=")) % 4 == 1 or "." in value or "~" in value:
        return False
    return value != value.lower() and value != value.upper() and not value.istitle()


def _is_hex(value: str) -> bool:
    return len(value) >= 24 and any(char.isdigit() for char in value) and any(char.isalpha() for char in value)


DETECTOR = Detector(
    levels={"authorization": "restricted"},
    patterns=(Pattern(regex="(?:bearer|basic|token) ", ignore_case=True),),
    check=_check,
)
