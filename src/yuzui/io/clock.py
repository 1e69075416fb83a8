"""The real clock and the real randomness, behind the ports."""

from __future__ import annotations

import os
import random
import time


class SystemClock:
    """`now_ns` for records, `monotonic` for intervals."""

    now_ns = staticmethod(time.time_ns)
    monotonic = staticmethod(time.monotonic)


class SystemRandomness:
    """Identifiers and jitter. Not for secrets: those come from `secrets` in io/secrets.py."""

    def __init__(self) -> None:
        self._random = random.Random(os.urandom(32))

    def bits64(self) -> int:
        return self._random.getrandbits(64)

    def fraction(self) -> float:
        return self._random.random()
