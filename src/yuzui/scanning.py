"""All that looks for sensitive things in a request: patterns at once, names beside them, one result."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from yuzui.privacy.leaves import read_leaves
from yuzui.privacy.scan import NOTHING, ScanResult
from yuzui.world import Snapshot, World

INLINE_BYTES: Final = 256 * 1024  # larger bodies are scanned in a thread: dense ones take a second per megabyte


async def scan_request(
    snapshot: Snapshot, world: World, body: Mapping[str, Any], headers: Mapping[str, str], size_bytes: int
) -> ScanResult:  # Any: checked JSON
    """Findings of the detectors, and of the models for names where there are any. What broke is in `failures`."""
    is_large = size_bytes > INLINE_BYTES
    leaves = await asyncio.to_thread(read_leaves, body) if is_large else read_leaves(body)
    names, looking = NOTHING, None
    if world.names is not None:
        found = world.names.begin(tuple(leaves.found), snapshot.config.sensitivity.names)
        if isinstance(found, ScanResult):
            names = found  # all of it is remembered, as all but the last turn of a conversation is
        else:
            looking = asyncio.ensure_future(found)
            await asyncio.sleep(0)  # the worker begins to read while the patterns run here
    try:
        if is_large:
            scan = await asyncio.to_thread(snapshot.scanner.scan, body, headers, leaves)
        else:
            scan = snapshot.scanner.scan(body, headers, leaves)
        return join(scan, names if looking is None else await looking)
    finally:
        if looking is not None:
            looking.cancel()  # nobody waits for it any more where the patterns refused the body


def join(first: ScanResult, second: ScanResult) -> ScanResult:
    """Both results as one; a failure of either stays a failure."""
    if second is NOTHING or second == NOTHING:
        return first
    return ScanResult(
        findings=first.findings + second.findings,
        repeats=first.repeats + second.repeats,
        unscannable=first.unscannable + second.unscannable,
        failures=first.failures + second.failures,
    )
