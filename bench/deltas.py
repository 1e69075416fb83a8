"""Streams for measuring: a text in pieces, and what one piece costs."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any


def pieces(text: str, draw: random.Random, least: int, most: int) -> list[str]:
    """`text` cut into pieces of `least` to `most` characters."""
    found = []
    at = 0
    while at < len(text):
        size = draw.randint(least, most)
        found.append(text[at : at + size])
        at += size
    return found


def per_item(items: Sequence[Any], make: Callable[[], Callable[[Any], object]]) -> float:
    """Microseconds of CPU, the best of five runs."""
    best = float("inf")
    for _ in range(5):
        feed = make()
        began = time.process_time()
        for item in items:
            feed(item)
        best = min(best, (time.process_time() - began) / len(items))
    return best * 1e6
