"""Remembers what was found in a text, under a keyed hash: a conversation costs only what is new in it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from yuzui.privacy.ner.spans import NameSpan

_ENTRY_BYTES: Final = 200  # key, dictionary slot, list: what an entry without spans takes
_SPAN_BYTES: Final = 150


class SpanCache:
    """Least recently used entries go first. Holds offsets and kinds, never a text. Use on one thread."""

    def __init__(self, key: bytes, *, max_bytes: int) -> None:
        """`key`: 16 to 64 random bytes; another key, another cache."""
        self._key = key
        self._max_bytes = max_bytes
        self._entries: OrderedDict[bytes, tuple[NameSpan, ...]] = OrderedDict()
        self.size_bytes = 0
        """An estimate, at most `max_bytes`."""

    def key_of(self, text: str) -> bytes:
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest()

    def get(self, key: bytes) -> tuple[NameSpan, ...] | None:
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, key: bytes, spans: Sequence[NameSpan]) -> None:
        previous = self._entries.pop(key, None)
        if previous is not None:
            self.size_bytes -= _cost(previous)
        kept = tuple(spans)
        self._entries[key] = kept
        self.size_bytes += _cost(kept)
        while self.size_bytes > self._max_bytes and self._entries:
            _, dropped = self._entries.popitem(last=False)
            self.size_bytes -= _cost(dropped)


def _cost(spans: tuple[NameSpan, ...]) -> int:
    return _ENTRY_BYTES + _SPAN_BYTES * len(spans)
