"""What a target was sent to know us by, taken out of its words: keys, tokens, signatures, whole or in part.

A target may quote what it was sent, in any of its errors and in the middle of a stream. Codecs know patterns of keys;
here the values themselves are known, also those of tokens that were fetched a moment ago.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

LEAST_CHARS: Final = 10  # a shorter piece of a key tells nobody the key
HIDDEN: Final = "[key]"

_HARMLESS: Final = frozenset(
    ("accept", "anthropic-beta", "anthropic-version", "content-length", "content-type", "host", "user-agent",
     "x-amz-content-sha256", "x-amz-date")
)  # fmt: skip
"""Headers that everybody may know. Any other, the operator's own as well, may hold a secret."""
_WORDS: Final = re.compile(r"[\s,]+")
_PLAIN_QUERY: Final = frozenset(("alt", "api-version", "version"))  # a wrong one is found by what the target says of it
_PIECES: Final = re.compile(r"[;:=/]+")
_SCHEMES: Final = frozenset(("AWS4-HMAC-SHA256", "SignedHeaders"))


def hide(words: str, url: str, headers: Mapping[str, str]) -> str:
    """`words` without any piece of `LEAST_CHARS` or more of what `headers` and the query of `url` hold."""
    for secret in sorted(set(_secrets(url, headers)), key=len, reverse=True):
        words = _without(words, secret)
    return words


def _secrets(url: str, headers: Mapping[str, str]) -> Iterator[str]:
    values = [value for name, value in headers.items() if name.lower() not in _HARMLESS]
    values += [value for name, value in parse_qsl(urlsplit(url).query) if name not in _PLAIN_QUERY]
    for value in values:
        for word in _WORDS.split(value):
            for piece in (word, *_PIECES.split(word)):
                if len(piece) >= LEAST_CHARS and piece not in _SCHEMES:
                    yield piece


def _without(words: str, secret: str) -> str:
    """Every stretch of `words` that stands in `secret` too, and is long enough, replaced."""
    kept: list[str] = []
    at = 0
    while at <= len(words) - LEAST_CHARS:
        if words[at : at + LEAST_CHARS] not in secret:
            kept.append(words[at])
            at += 1
            continue
        end = at + LEAST_CHARS
        while end < len(words) and words[at : end + 1] in secret:
            end += 1
        kept.append(HIDDEN)
        at = end
    return "".join(kept) + words[at:]
