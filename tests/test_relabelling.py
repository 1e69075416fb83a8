"""A question with more in it than the request is labelled by all of it, and goes where that may go."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway_kit import gateway
from guarantee_kit import certificate, config, write_router
from yuzui.core.caller import Caller
from yuzui.core.errors import YuzuiError
from yuzui.core.sensitivity import Sensitivity
from yuzui.relabelling import relabelled, who_may_see

SECRET = "My card is 4111 1111 1111 1111."


def test_the_label_only_rises_and_decides_who_may_see_it(tmp_path: Path) -> None:
    async def story() -> None:
        sha256 = write_router(tmp_path / "r.json", certificate())
        async with gateway(config(tmp_path / "r.json", sha256), {"BIG": "k"}) as running:
            inside = running.service.gateway
            snapshot, world, caller = inside.snapshot, inside.world, Caller(key_id="k", app="a", team="t")
            before = Sensitivity(level=0, causes=(), kinds={})
            plain = {"model": "vendor/big", "messages": [{"role": "user", "content": "It is four."}]}
            secret = {"model": "vendor/big", "messages": [{"role": "user", "content": SECRET}]}
            low = await relabelled(snapshot, world, caller, plain, 100, before)
            high = await relabelled(snapshot, world, caller, secret, 100, before)
            again = await relabelled(snapshot, world, caller, plain, 100, high)
            assert low.level < high.level == again.level
            assert who_may_see(snapshot, caller, "vendor/big", 100, low, 10).plan[0].name == "vendor/big"
            assert who_may_see(snapshot, caller, "house/small", 100, high, 10).plan[0].name == "house/small"
            with pytest.raises(YuzuiError, match="no target behind model"):
                who_may_see(snapshot, caller, "vendor/big", 100, high, 10)

    asyncio.run(story())
