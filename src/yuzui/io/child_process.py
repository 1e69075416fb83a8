"""How processes that we started come to their end, whoever is cancelled meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine


async def to_its_end(work: Coroutine[None, None, None]) -> None:
    """Run `work` to its end also when the caller is cancelled meanwhile: what we started is ended by us."""
    task = asyncio.get_running_loop().create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def end_process(process: asyncio.subprocess.Process, stop_s: float) -> None:
    """Close stdin (the order to exit), then ask, then kill; return when the process is gone."""
    if process.stdin is not None:
        process.stdin.close()
    for insist in (process.terminate, process.kill):
        if process.returncode is not None:
            break
        try:
            async with asyncio.timeout(stop_s):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):  # gone in this very moment
                insist()
    await process.wait()
