"""Words, pairs of words and runs of bytes as numbered buckets: what a text is about, at a bounded cost.

Everything is arithmetic on whole arrays: a polynomial hash modulo 2**64 of every run comes out of one cumulative sum,
because an odd base has an inverse there. No list of words and no seed of the process goes in, so the same text has the
same buckets everywhere.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

MOST_BYTES: Final = 8192
"""Of a text, half from its beginning and half from its end; what lies between is not looked at."""
RUN_BYTES: Final = 5
"""Length of the byte runs: about one Chinese character and a half, or most of an English stem."""

_BASE: Final = 0x9E3779B97F4A7C15 | 1
_MASK: Final = (1 << 64) - 1
_PAIR: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_FAMILIES: Final = tuple(np.uint64(salt) for salt in (0x165667B19E3779F9, 0x27D4EB2F165667C5, 0x85EBCA77C2B2AE63))

Array = npt.NDArray[np.generic]
Buckets = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


def cut(text: str) -> bytes:
    """Lower-case UTF-8 of `text`, at most `MOST_BYTES`; whatever is no character becomes `?`."""
    if len(text) > MOST_BYTES:
        text = text[: MOST_BYTES // 2] + " " + text[-MOST_BYTES // 2 :]
    raw = text.lower().encode("utf-8", "replace")
    if len(raw) > MOST_BYTES:
        raw = raw[: MOST_BYTES // 2] + raw[-(MOST_BYTES // 2) :]
    return raw


def buckets_of(text: str, bits: int) -> tuple[Buckets, Floats]:
    """Which of `2**bits` buckets `text` falls into, ascending, and how heavily: 1 + ln(count).

    The two families, words with pairs and byte runs, share the buckets by halves.
    """
    raw = np.frombuffer(b" " + cut(text).translate(_plain()) + b" ", np.uint8)
    half = np.uint64(1 << (bits - 1))
    powers, inverses = _powers()
    sums = np.empty(len(raw) + 1, np.uint64)
    sums[0] = 0
    np.cumsum((raw.astype(np.uint64) + np.uint64(1)) * powers[: len(raw)], out=sums[1:])
    is_space = raw == 32
    edges = np.flatnonzero(is_space[1:] != is_space[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    words = (sums[ends] - sums[starts]) * inverses[starts]
    pairs = words[:-1] * _PAIR + words[1:]
    last = max(len(raw) - RUN_BYTES + 1, 0)
    runs = (sums[RUN_BYTES:] - sums[:last]) * inverses[:last]
    lexical = _fold(np.concatenate((words * _FAMILIES[0], pairs * _FAMILIES[1])), bits - 1)
    bytewise = _fold(runs * _FAMILIES[2], bits - 1) + half
    counts = np.bincount(np.concatenate((lexical, bytewise)).astype(np.int64), minlength=1)
    found = np.flatnonzero(counts)
    return found.astype(np.int32), (1 + np.log(counts[found])).astype(np.float32)


def _fold(hashes: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.uint64]:
    """The top `bits` bits after one more mixing: low bits of a polynomial depend on low bits of the bytes only."""
    mixed = (hashes ^ (hashes >> np.uint64(29))) * _FAMILIES[0]
    mixed = (mixed ^ (mixed >> np.uint64(32))) * _PAIR
    return mixed >> np.uint64(64 - bits)


@lru_cache(maxsize=1)
def _powers() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """The base to the power of 0, 1, …, and the inverses of these, modulo 2**64."""
    inverse = pow(_BASE, -1, 1 << 64)
    up, down = [1], [1]
    for _ in range(MOST_BYTES + 2):
        up.append(up[-1] * _BASE & _MASK)
        down.append(down[-1] * inverse & _MASK)
    return np.array(up, np.uint64), np.array(down, np.uint64)


@lru_cache(maxsize=1)
def _plain() -> bytes:
    """For `bytes.translate`: letters and what is not ASCII stay, digits become 0, anything else becomes a space."""
    table = bytearray(b" " * 256)
    for byte in range(256):
        if byte >= 128 or 97 <= byte <= 122:
            table[byte] = byte
        elif 48 <= byte <= 57:
            table[byte] = 48
    return bytes(table)
