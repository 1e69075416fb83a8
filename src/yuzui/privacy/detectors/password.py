"""Secrets that only their label gives away: `password: …`, `"client_secret" = "…"`, `https://user:…@host`."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern

_LABELS = (
    "password passwd passphrase pwd passwort mot_de_passe contrasena secret secret_key secretkey client_secret api_key"
    " apikey api-key access_key accesskey access_token auth_token authtoken refresh_token private_key encryption_key"
    " token 密码 口令 密钥 秘钥"
)
_LABELLED = (
    rf"(?:{'|'.join(sorted(_LABELS.split()))})['\"`*\])]{{0,3}}[ \t]{{0,3}}"
    r"(?::=|=>|==|=|:| is |是|为)[ \t]{0,3}"
)
_WEAK_LABELS = ("token", "secret", "key")  # these words also name variables; their values must look random
_QUOTES = {'"': '"', "'": "'", "`": "`"}
_MIN, _MAX = 6, 256
_ENDS = frozenset(" \t\r\n\"'`;,<>|\x1e，。；")
_PLACEHOLDER_PARTS = (
    "xxx",
    "***",
    "your",
    "example",
    "placeholder",
    "changeme",
    "redacted",
    "dummy",
    "${",
    "{{",
    "<",
    "...",
    "env",
    "todo",
)
_CODE_WORDS = "none null true false undefined string optional required password secret token default value str int bool"
_WORDS = frozenset(_CODE_WORDS.split())


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if text[start] == ":":
        yield from _check_url(text, start, end)
        return
    first = end
    closer = _QUOTES.get(text[first : first + 1], "")
    if closer:
        first += 1
    last = first
    limit = min(len(text), first + _MAX)
    while last < limit and (text[last] != closer and text[last] not in "\n\x1e" if closer else text[last] not in _ENDS):
        last += 1
    if closer and (last >= limit or text[last] != closer):
        return
    value = text[first:last] if closer else text[first:last].rstrip(".)]}")
    label = text[start:end].lower()
    is_weak = any(word in label for word in _WEAK_LABELS) and "pass" not in label
    if _is_secret(value, is_quoted=bool(closer), is_weak=is_weak):
        yield Hit("password", first, first + len(value), 0.7)


def _check_url(text: str, start: int, end: int) -> Iterable[Hit]:
    """`://user:secret@`; the pattern ends with the at-sign."""
    colon = text.find(":", start + 3, end)
    value = text[colon + 1 : end - 1]
    if len(value) >= 3 and not _is_placeholder(value):
        yield Hit("password", colon + 1, end - 1, 0.8)


def _is_secret(value: str, *, is_quoted: bool, is_weak: bool) -> bool:
    if not _MIN <= len(value) <= _MAX or " " in value or _is_placeholder(value):
        return False
    has_digit = any(char.isdigit() for char in value)
    has_letter = any(char.isalpha() for char in value)
    has_mark = any(not char.isalnum() and char not in "_.-" for char in value)
    if any(char in "()[]{}" for char in value) and not is_quoted:
        return False  # code: a call, an index, a literal
    if "." in value and not has_digit and not has_mark:
        return False  # code: an attribute
    if is_weak:
        return len(value) >= 12 and has_digit and has_letter and len(set(value)) >= 8 and "/" not in value[:1]
    if is_quoted:
        return has_letter or has_digit
    return (has_digit and has_letter) or (has_mark and (has_digit or has_letter)) or (has_digit and len(value) >= 8)


def _is_placeholder(value: str) -> bool:
    lower = value.lower()
    return (
        lower in _WORDS or len(set(value)) < 3 or value[0] in "$%{" or any(part in lower for part in _PLACEHOLDER_PARTS)
    )


DETECTOR = Detector(
    levels={"password": "restricted"},
    patterns=(
        Pattern(regex=_LABELLED, ignore_case=True),
        Pattern(regex=r"://[^/\s:@'\"]+:[^/\s@'\"]+@"),
    ),
    check=_check,
)
