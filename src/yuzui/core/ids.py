"""Identifiers that sort by time, so that the books' index grows at its right edge only."""

from __future__ import annotations


def time_sorted_id(prefix: str, now_ns: int, random_bits: int) -> str:
    """`prefix` + 12 hex digits of milliseconds + 16 of randomness; later ids sort after earlier ones."""
    return f"{prefix}{now_ns // 1_000_000:012x}{random_bits & 0xFFFF_FFFF_FFFF_FFFF:016x}"
