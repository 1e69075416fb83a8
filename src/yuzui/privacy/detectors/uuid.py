"""UUIDs that name a session, a request, an account or a key, by the word before them. No more than internal."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.surroundings import has_cue, is_word

_CUES = (
    "id", "token", "authtoken", "apitoken", "key", "apikey", "secret", "session", "sessionid", "auth", "account",
    "user", "userid", "device", "customer", "credential", "password", "密钥", "令牌", "用户",
)  # fmt: skip  # a list of words
_ALNUM = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    """The pattern is `-4-4-4-`; eight characters stand before it and twelve behind."""
    first, last = start - 8, end + 12
    if first < 0 or last > len(text) or is_word(text, first - 1) or is_word(text, last):
        return
    if text[first - 1 : first] == "-" or text[last : last + 1] == "-":
        return
    value = text[first:start] + text[start:end].replace("-", "") + text[end:last]
    if not _ALNUM.issuperset(value) or len(set(value)) < 8 or text[first:last].lower().startswith("00000000"):
        return
    digits = sum(char.isdigit() for char in value)
    if 6 <= digits <= 31 and has_cue(text, first, _CUES, reach=24):
        yield Hit("uuid", first, last, 0.8, evidence=because(near=True))


DETECTOR = Detector(
    levels={"uuid": "internal"},
    patterns=(Pattern(regex="-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-"),),
    check=_check,
)
