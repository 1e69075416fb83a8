"""Stand-ins for sensitive values: `EMAIL_` and twelve letters, the same for the same value wherever it is computed.

A name is a keyed hash of tenant, scope, kind and value, so that turns, workers and restarts agree without sharing
anything, tenants never do, and nobody can guess a value from its name. Its first eight letters come from the canonical
value and the last four from the spelling: `138 1234 5678` and `13812345678` look related to a model, and each is
restored as it was written.
Source: https://www.rfc-editor.org/rfc/rfc4648#section-6 (base32), 2026-11.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b32encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

VALUE_LETTERS: Final = 8
SPELLING_LETTERS: Final = 4
CODE_LETTERS: Final = VALUE_LETTERS + SPELLING_LETTERS
TYPED: Final = "typed"
"""The kind of what a client typed that looks like a stand-in of ours: it gets one itself, and comes back as it was."""
MOST_ATTEMPTS: Final = 64

_WORD: Final = "[A-Z][A-Z0-9_]{0,39}"
LOOKALIKE: Final = re.compile(rf"(?<![A-Z0-9_])({_WORD}_[A-Z2-7]{{{CODE_LETTERS}}})(?![A-Z0-9_])")
"""What looks like a stand-in exactly as we write it, of whatever kind."""
_NO_WORD: Final = re.compile(r"[^A-Z0-9]+")
_NO_DIGIT: Final = re.compile(r"[^0-9]+")
_BLANKS: Final = re.compile(r"\s+")
_DIGIT_KINDS: Final = frozenset(("phone", "bank_card", "us_ssn", "cn_mobile", "cn_landline", "qq"))
_CODE_KINDS: Final = frozenset(
    ("iban", "cn_resident_id", "cn_social_credit_code", "passport", "vin", "hk_id", "tw_id", "licence_plate")
)
_EXACT_KINDS: Final = frozenset(("api_key", "password", "jwt", "private_key", TYPED))
"""Kinds in which every letter counts."""

Realistic = Callable[[str, str, Iterator[int]], str]
"""(kind, the value as written, endless keyed bytes) → a stand-in of the same shape, or ""."""


_WORDS: Final[Mapping[str, str]] = MappingProxyType({"iban": "TRANSFER_CODE", "wechat_id": "WX_HANDLE"})
"""Kinds whose own name is a cue for what detectors look for: the stand-in would be found again."""


def word_of(kind: str) -> str:
    """`cn_mobile` → `CN_MOBILE`: readable ASCII, whatever an operator calls a kind of their own."""
    if kind in _WORDS:
        return _WORDS[kind]
    word = _NO_WORD.sub("_", kind.upper()).strip("_")[:24].rstrip("_")
    return word if word[:1].isalpha() else f"VALUE_{word}".rstrip("_")


def canonical_value(kind: str, surface: str) -> str:
    """What all spellings of one value have in common."""
    if kind in _EXACT_KINDS:
        return surface
    text = unicodedata.normalize("NFKC", surface)
    if kind in _DIGIT_KINDS:
        digits = _NO_DIGIT.sub("", "".join([_digit(char) for char in text]))
        if kind == "cn_mobile" and len(digits) > 11:
            return digits[-11:]
        return digits or text
    if kind in _CODE_KINDS:
        return "".join([char for char in text.upper() if char.isalnum()]) or text
    return _BLANKS.sub(" ", text).strip().casefold()


def _digit(char: str) -> str:
    value = unicodedata.digit(char, None)
    return char if value is None else str(value)


class Namer:
    """Names of one tenant and scope, computed from nothing else. `secret`: the deployment's, 16 bytes or more."""

    __slots__ = ("_key",)

    def __init__(self, secret: bytes, *, tenant: str, scope: str = "") -> None:
        if len(secret) < 16:
            raise ValueError("names of stand-ins need a secret of at least 16 bytes: others can be guessed")
        self._key = _tenant_key(secret, tenant, scope)

    def name(self, kind: str, surface: str, attempt: int = 0) -> str:
        """`KIND_` and `CODE_LETTERS` letters. Another `attempt` gives another name for the same spelling."""
        value = self._digest(b"value", kind, canonical_value(kind, surface), 0)
        spelling = self._digest(b"spelling", kind, surface, attempt)
        return f"{word_of(kind)}_{_letters(value, VALUE_LETTERS)}{_letters(spelling, SPELLING_LETTERS)}"

    def stream(self, kind: str, value: str, attempt: int = 0) -> Iterator[int]:
        """Endless bytes that are the same for the same arguments."""
        block = 0
        while True:
            yield from self._digest(b"stream%d" % block, kind, value, attempt)
            block += 1

    def _digest(self, purpose: bytes, kind: str, value: str, attempt: int) -> bytes:
        pieces = (purpose, kind.encode(), value.encode("utf-8", "surrogatepass"), b"%d" % attempt)
        told = b"".join([b"%d:%b" % (len(piece), piece) for piece in pieces])
        return blake2b(told, key=self._key, digest_size=32, person=b"yuzui surrogate").digest()


@dataclass(slots=True)
class Surrogates:
    """The stand-ins of one request, one to one with what they stand for."""

    namer: Namer
    avoided: str = ""
    """Everything that the request says, in lower case: nothing in it is ever a stand-in."""
    originals: dict[str, str] = field(default_factory=dict)
    """Stand-in → what was written."""
    kinds: dict[str, str] = field(default_factory=dict)
    """Stand-in → kind."""
    _issued: dict[tuple[str, str], str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    """Stand-ins without separators and case: restoring tolerates both."""

    def issue(self, kind: str, surface: str, realistic: Realistic | None = None) -> str:
        """The stand-in for `surface`, the same each time. `realistic` makes one of the value's own shape where it can.

        Raise `ValueError` when the request holds all that were tried: somebody made it to.
        """
        known = self._issued.get((kind, surface))
        if known is not None:
            return known
        if realistic is not None:
            for attempt in range(MOST_ATTEMPTS):
                token = realistic(kind, surface, self.namer.stream(kind, surface, attempt))
                if not _can_be_spelled(token):
                    break
                if token != surface and self._claim(token, kind, surface):
                    return token
        for attempt in range(MOST_ATTEMPTS):
            token = self.namer.name(kind, surface, attempt)
            if self._claim(token, kind, surface):
                return token
        raise ValueError("no stand-in is free: the request holds all that were tried")

    def adopt(self, token: str, kind: str, surface: str) -> None:
        """Take over what an earlier request issued: it stands in this one already."""
        self.originals[token] = surface
        self.kinds[token] = kind
        self._taken.add(bare(token))
        self._issued.setdefault((kind, surface), token)

    def _claim(self, token: str, kind: str, surface: str) -> bool:
        plain = bare(token)
        if plain in self._taken or token.lower() in self.avoided:
            return False
        self._taken.add(plain)
        self.originals[token] = surface
        self.kinds[token] = kind
        self._issued[kind, surface] = token
        return True


def _can_be_spelled(token: str) -> bool:
    """Whether JSON spells it as it is, or all of it in escapes: a stream must know where it begins."""
    if token.isascii():
        return token != "" and token.isprintable() and '"' not in token and "\\" not in token
    return token.isprintable() and all(char > "\x7f" for char in token)


def bare(token: str) -> str:
    """A stand-in without what models change about it."""
    return "".join([char for char in token.upper() if char.isalnum()])


def _letters(digest: bytes, count: int) -> str:
    return b32encode(digest[: -(-count * 5 // 8)]).decode("ascii")[:count]


@lru_cache(maxsize=1024)  # a pure function, asked once per request
def _tenant_key(secret: bytes, tenant: str, scope: str) -> bytes:
    told = f"{len(tenant)}:{tenant}{len(scope)}:{scope}".encode()
    return blake2b(told, key=secret[:64], digest_size=32, person=b"yuzui tenant").digest()
