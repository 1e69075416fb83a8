"""All that looks for sensitive things in a request: patterns at once, names beside them, one result."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from yuzui.privacy.scan import NOTHING, ScanResult
from yuzui.world import Snapshot, World

INLINE_BYTES: Final = 256 * 1024  # larger bodies are scanned in a thread: dense ones take a second per megabyte


async def scan_request(
    snapshot: Snapshot, world: World, body: Mapping[str, Any], headers: Mapping[str, str], size_bytes: int
) -> ScanResult:  # Any: checked JSON
    """Findings of the detectors, and of the models for names where there are any. What broke is in `failures`."""
    looking = None
    if world.names is not None:
        looking = asyncio.ensure_future(world.names.find(body, snapshot.config.sensitivity.names))
        await asyncio.sleep(0)  # the worker begins to read while the patterns run here
    try:
        if size_bytes <= INLINE_BYTES:
            scan = snapshot.scanner.scan(body, headers)
        else:
            scan = await asyncio.to_thread(snapshot.scanner.scan, body, headers)
        return scan if looking is None else join(scan, await looking)
    finally:
        if looking is not None:
            looking.cancel()  # nobody waits for it any more where the patterns refused the body


def join(first: ScanResult, second: ScanResult) -> ScanResult:
    """Both results as one; a failure of either stays a failure."""
    if second == NOTHING:
        return first
    return ScanResult(
        findings=first.findings + second.findings,
        repeats=first.repeats + second.repeats,
        unscannable=first.unscannable + second.unscannable,
        failures=first.failures + second.failures,
    )
