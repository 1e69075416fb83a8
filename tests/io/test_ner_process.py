"""The process for names: answers come back whole or not at all, whatever the worker does; it comes back itself."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace

import pytest

from ner_kit import BROKEN, QUICK, fake_process
from yuzui.io.ner_process import NamesUnavailable, NerProcess, worker_environment


async def ask(process: NerProcess, *texts: str) -> list[list[tuple[int, int, str]]]:
    async with asyncio.timeout(8):
        return [[(span.start, span.end, span.kind) for span in spans] for spans in await process.ask(texts)]


def test_answers_come_in_the_order_of_the_texts() -> None:
    async def main() -> None:
        process = fake_process("well")
        process.start()
        assert await process.wait_ready(8) and process.models == ("fake 1",)
        assert await ask(process, "nobody", "ask Zaphod") == [[], [(4, 10, "person")]]
        first, second = await asyncio.gather(ask(process, "Zaphod"), ask(process, "x"))
        assert first == [[(0, 6, "person")]] and second == [[]]
        await process.stop()
        assert process.state == "stopped" and process.pid is None

    asyncio.run(main())


@pytest.mark.parametrize("mode", [mode for mode in BROKEN if mode != "slow"])
def test_a_broken_worker_is_an_exception_for_whoever_asked(mode: str) -> None:
    async def main() -> None:
        process = fake_process(mode)
        process.start()
        assert await process.wait_ready(8)
        with pytest.raises(NamesUnavailable):
            await ask(process, "Zaphod", "and others")
        assert process._waiting_bytes == 0 and not process._questions
        await process.stop()

    asyncio.run(main())


def test_a_worker_that_died_is_replaced_and_answers_again() -> None:
    async def main() -> None:
        process = fake_process("dies once")
        process.start()
        await process.wait_ready(8)
        assert await ask(process, "Zaphod") == [[(0, 6, "person")]]
        with pytest.raises(NamesUnavailable):
            await ask(process, "DIE")
        assert await process.wait_ready(8)
        assert await ask(process, "Zaphod") == [[(0, 6, "person")]]
        assert process.restarts == 1
        pid = process.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(8):
            while process.restarts < 2 or process.state != "ready":
                await asyncio.sleep(0.01)
        assert await ask(process, "Zaphod") == [[(0, 6, "person")]]
        await process.stop()

    asyncio.run(main())


@pytest.mark.parametrize("mode", ["dies at birth", "not installed"])
def test_restarts_are_bounded_and_whoever_asks_meanwhile_is_told(mode: str) -> None:
    async def main() -> None:
        states: list[str] = []
        process = NerProcess(
            command=fake_process(mode)._command, patience=QUICK, on_change=lambda state, _: states.append(state)
        )
        process.start()
        async with asyncio.timeout(20):
            while process.state != "failed":
                with pytest.raises(NamesUnavailable):
                    await process.ask(["Zaphod"])
                await asyncio.sleep(0.02)
        assert states[:2] == ["starting", "restarting"]
        assert process.last_error
        await process.stop()

    asyncio.run(main())


def test_more_than_may_wait_is_refused_at_once() -> None:
    async def main() -> None:
        process = fake_process("slow", replace(QUICK, hang_s=10, most_waiting_bytes=100))
        process.start()
        await process.wait_ready(8)
        first = process.ask(["a" * 90])
        with pytest.raises(NamesUnavailable, match="overloaded"):
            await process.ask(["b" * 90])
        assert await first == [[]]
        assert await process.ask(["c" * 500]) == [[]]  # one alone may be large
        await process.stop()

    asyncio.run(main())


def test_the_worker_gets_no_secret_of_ours() -> None:
    kept = worker_environment({"PATH": "/bin", "VENDOR_KEY": "x", "LC_ALL": "C", "OMP_NUM_THREADS": "64"})
    assert kept == {
        "PATH": "/bin",
        "LC_ALL": "C",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
