"""A process ends when it is told to, when it must be killed, and when whoever ends it is cancelled."""

from __future__ import annotations

import asyncio
import signal
import sys
import time

import pytest

from yuzui.io.child_process import end_process, to_its_end

OBEYS = "import sys; sys.stdin.read()"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


async def start(code: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


@pytest.mark.parametrize(("code", "is_deaf"), [(OBEYS, False), (DEAF, True)])
def test_closing_stdin_is_enough_for_who_obeys_and_others_are_killed(code: str, is_deaf: bool) -> None:
    async def main() -> None:
        process = await start(code)
        if is_deaf:
            assert process.stdout is not None
            await process.stdout.readline()  # it ignores the signal from here on
        await end_process(process, 0.3 if is_deaf else 20)
        assert process.returncode == (-signal.SIGKILL if is_deaf else 0)

    asyncio.run(main())


def test_what_was_begun_is_ended_also_when_its_caller_is_cancelled() -> None:
    async def main() -> None:
        process = await start(DEAF)
        assert process.stdout is not None
        await process.stdout.readline()
        ending = asyncio.create_task(to_its_end(end_process(process, 0.3)))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
        assert process.returncode == -signal.SIGKILL and time.monotonic() - began < 20

    asyncio.run(main())
