"""Futures whose waiter may be gone when they end."""

from __future__ import annotations

import asyncio
from typing import Any


def heard(future: asyncio.Future[Any]) -> None:  # Any: whatever it was to bring
    """A callback: a failure that nobody waits for any more is not complained about."""
    if not future.cancelled():
        future.exception()
