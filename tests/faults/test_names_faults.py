"""Whatever happens to the worker for names, a vendor never sees a text that nobody looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from fault_upstream import FaultUpstream
from faults.load_kit import Answer, answers, ask, chat, two_targets
from gateway_kit import RunningGateway, gateway
from ner_kit import BROKEN, QUICK, fake_command
from yuzui.io.ner_process import NerProcess
from yuzui.wiring import NER_PATIENCE_S

NAME = "Zaphod"
HARMLESS = "Please Compare two Sorting algorithms."  # capitals: worth asking about
CONFIG = '[sensitivity]\ndefault = "public"\n\n[sensitivity.names]\nenabled = true\ndeadline_ms = {deadline_ms}\n'


@asynccontextmanager
async def world(
    monkeypatch: pytest.MonkeyPatch, mode: str, *, deadline_ms: int = 4000
) -> AsyncGenerator[tuple[RunningGateway, FaultUpstream, FaultUpstream], None]:
    monkeypatch.setattr(
        "yuzui.io.ner_process.NerProcess", partial(NerProcess, command=fake_command(mode), patience=QUICK)
    )
    monkeypatch.setattr("yuzui.io.ner_process.missing_packages", tuple)
    monkeypatch.setattr("yuzui.wiring.NER_PATIENCE_S", min(3.0, NER_PATIENCE_S))
    async with FaultUpstream(answers) as own, FaultUpstream(answers) as vendor:
        config = two_targets(own, vendor, more=CONFIG.format(deadline_ms=deadline_ms))
        async with gateway(config, {"VENDOR_KEY": "vendor-secret"}) as running:
            yield running, own, vendor


async def say(running: RunningGateway, text: str, model: str = "vendor/big", *, stream: bool = False) -> Answer:
    host, port = running.base_url.removeprefix("http://").split(":")
    return await ask((host, int(port)), chat(model, [{"role": "user", "content": text}], stream=stream))


def test_a_name_keeps_a_prompt_from_the_vendor_and_other_words_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with world(monkeypatch, "well") as (running, own, vendor):
            assert (await say(running, HARMLESS)).status == 200 and len(vendor.calls) == 1
            for stream in (False, True):
                refused = await say(running, f"Write to {NAME}.", stream=stream)
                assert (refused.status, refused.code) == (403, "no_permitted_target")
                assert (await say(running, f"Write to {NAME}.", "assistant", stream=stream)).status == 200
            assert len(vendor.calls) == 1 and len(own.calls) == 2

    asyncio.run(main())


@pytest.mark.parametrize("mode", [*BROKEN, "never ready", "not installed", "dies at birth"])
def test_no_text_leaves_while_nobody_can_look_for_names(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    async def main() -> None:
        async with world(monkeypatch, mode, deadline_ms=150 if mode == "slow" else 4000) as (running, own, vendor):
            for number in range(2):  # other words each time: nothing is remembered
                text = f"{HARMLESS} Number {number} of {NAME}"
                refused = await say(running, text, stream=bool(number % 2))
                assert (refused.status, refused.code) == (403, "no_permitted_target")
                assert (await say(running, text + "!", "assistant")).status == 200
            assert not vendor.calls and len(own.calls) == 2

    asyncio.run(main())


def test_a_worker_that_comes_back_opens_the_way_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with world(monkeypatch, "dies once") as (running, _, vendor):
            assert (await say(running, HARMLESS)).status == 200
            assert (await say(running, "DIE, Zaphod")).status == 403
            ner = running.service.ner
            assert ner is not None and await ner.wait_ready(8)
            assert (await say(running, HARMLESS + " Again.")).status == 200
            assert all(b"Zaphod" not in call.body for call in vendor.calls)

    asyncio.run(main())
