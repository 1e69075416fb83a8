"""A failure that nobody waits for makes no noise."""

from __future__ import annotations

import asyncio
import gc

from yuzui.core.futures import heard


def test_what_failed_unheard_is_not_complained_about() -> None:
    complaints: list[dict[str, object]] = []

    async def main(*, is_heard: bool) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        future: asyncio.Future[None] = loop.create_future()
        if is_heard:
            future.add_done_callback(heard)
        future.set_exception(OSError("no"))
        await asyncio.sleep(0)
        del future
        gc.collect()

    asyncio.run(main(is_heard=True))
    assert not complaints
    asyncio.run(main(is_heard=False))
    assert complaints


def test_what_was_cancelled_stays_so() -> None:
    async def main() -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        heard(future)
        assert future.cancelled()

    asyncio.run(main())
