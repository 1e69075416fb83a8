"""A certified router in a whole gateway: who answers, what the record claims, and what a changed file does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import openai
import pytest

from fault_upstream import Call, FaultUpstream, completion
from gateway_kit import RunningGateway, gateway
from guarantee_kit import EASY, HARD, STRANGE, certificate, config, write_router
from yuzui.audit.record import RequestRecord
from yuzui.config import load
from yuzui.routing.artefact import Certificate
from yuzui.wiring import Service

SECRET = "My card is 4111 1111 1111 1111. What is the capital of France and a tree number 412?"


@dataclass(slots=True)
class Scene:
    running: RunningGateway
    sick: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    """Places whose servers were asked, in order."""

    async def ask(self, text: str) -> tuple[RequestRecord, dict[str, str]]:
        answer = await self.running.client().chat.completions.with_raw_response.create(
            model="support", messages=[{"role": "user", "content": text}], max_tokens=20
        )
        return await self.running.record_of(answer.headers["x-yuzui-request-id"]), dict(answer.headers)


@asynccontextmanager
async def scene(folder: Path, *certificates: Certificate) -> AsyncGenerator[Scene, None]:
    sick: set[str] = set()
    asked: list[str] = []

    def place(name: str) -> FaultUpstream:
        async def serve(call: Call) -> None:
            asked.append(name)
            if name in sick:
                await call.json({"error": {"message": "down"}}, status="503 Service Unavailable")
            else:
                await call.json(completion("hello"))

        return FaultUpstream(serve)

    sha256 = write_router(folder / "r.json", *certificates)
    async with place("own") as own, place("vendor") as vendor:
        text = config(folder / "r.json", sha256, own=own.base_url, vendor=vendor.base_url)
        async with gateway(text, {"BIG": "k"}) as running:
            yield Scene(running, sick, asked)


def test_what_is_certified_is_answered_by_the_candidate_and_the_rest_by_the_reference(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, certificate()) as at:
            record, headers = await at.ask(EASY)
            assert (record.target, headers["x-yuzui-guarantee"]) == ("house/small", "certified")
            routed = record.routed
            assert routed is not None and (routed.guarantee, routed.rule) == ("certified", "certified")
            assert (routed.epsilon, routed.delta, routed.threshold) == (0.02, 0.1, 0.3)
            assert routed.gain is not None and routed.gain < 0.3 and len(routed.router) == 64 and len(routed.data) == 64
            assert record.plan == ("house/small", "vendor/big", "house/other")
            assert "certified: at most 0.02 worse at 90%" in record.why
            for text, rule in ((HARD, "reference_better"), (STRANGE, "unlike")):
                record, headers = await at.ask(text)
                assert (record.target, headers["x-yuzui-guarantee"]) == ("vendor/big", "reference")
                assert record.routed is not None and record.routed.rule == rule
            assert at.asked == ["own", "vendor", "vendor"]
            metrics = at.running.service._metrics.scrape().decode()
            labels = 'guarantee="certified",model="support",rule="certified",target="house/small"'
            assert f"yuzui_guaranteed_requests_total{{{labels}}} 1.0" in metrics

    asyncio.run(story())


def test_without_a_certificate_the_reference_answers_and_the_start_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        with caplog.at_level(logging.WARNING, "yuzui"):
            async with scene(tmp_path, certificate(epsilon=0.05)) as at:
                record, headers = await at.ask(EASY)
        assert (record.target, headers["x-yuzui-guarantee"]) == ("vendor/big", "reference")
        assert record.routed is not None and record.routed.rule == "no_certificate"
        (warned,) = [one for one in caplog.records if one.message == "guarantee_not_certified"]
        assert "certified for 0.05 at 0.9" in warned.fields["reason"]  # type: ignore[attr-defined]  # our own field

    asyncio.run(story())


def test_what_the_reference_may_not_see_stays_and_nothing_is_claimed(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, certificate()) as at:
            for text in (SECRET, SECRET.replace("capital", "limit")):
                record, headers = await at.ask(text)
                assert "vendor/big" not in record.allowed
                assert (record.target, headers["x-yuzui-guarantee"]) == ("house/other", "none")
                assert record.routed is not None and record.routed.rule == "not_permitted"
            at.sick.add("own")
            with pytest.raises(openai.APIStatusError):
                await at.ask(SECRET)
            assert "vendor" not in at.asked

    asyncio.run(story())


def test_a_candidate_that_fails_falls_back_to_the_reference(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, certificate()) as at:
            at.sick.add("own")
            record, headers = await at.ask(EASY)
            assert (record.target, headers["x-yuzui-guarantee"]) == ("vendor/big", "reference")
            assert record.routed is not None
            assert (record.routed.chosen, record.routed.guarantee) == ("house/small", "reference")
            assert at.asked == ["own", "vendor"]

    asyncio.run(story())


def test_a_reference_that_fails_is_replaced_with_nothing_claimed(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, certificate()) as at:
            at.sick.add("vendor")
            record, headers = await at.ask(HARD)
            assert (record.target, headers["x-yuzui-guarantee"]) == ("house/other", "none")
            assert record.routed is not None
            assert (record.routed.rule, record.routed.guarantee) == ("reference_better", "none")
            assert at.asked == ["vendor", "own"]

    asyncio.run(story())


def test_no_text_of_the_request_is_in_its_record(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, certificate()) as at:
            record, _ = await at.ask(EASY)
            assert "capital" not in repr(record) and "France" not in repr(record)

    asyncio.run(story())


def test_a_changed_router_refuses_the_reload_and_the_old_one_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        path = tmp_path / "yuzui.toml"
        first = write_router(tmp_path / "r.json", certificate())
        off = "\n[sensitivity.names]\nenabled = false\n"
        path.write_text(config("r.json", first) + off, "utf-8")
        service = Service(load(path, {"BIG": "k"}), tmp_path / "data")
        await service.start()
        try:
            before = service.gateway.snapshot
            second = write_router(tmp_path / "r.json", certificate(threshold=0.1))
            with caplog.at_level(logging.ERROR, "yuzui"):
                await service.reload()
            assert service.gateway.snapshot is before
            (refused,) = [one for one in caplog.records if one.message == "reload_refused"]
            assert f"has another hash: {second}" in refused.fields["reason"]  # type: ignore[attr-defined]  # ours
            path.write_text(config("r.json", second) + off, "utf-8")
            await service.reload()
            applied = service.gateway.snapshot.guaranteed["support"].certificate
            assert applied is not None and applied.threshold == 0.1
            (tmp_path / "key").write_text("k", "utf-8")
            named = config("r.json", second).replace(
                '{ env = "BIG" }', f'{{ file = "{(tmp_path / "key").as_posix()}" }}'
            )
            path.write_text(named + off, "utf-8")
            hidden: list[Path] = []
            monkeypatch.setattr(service.code_tests, "hide", hidden.extend)
            await service.reload()
            assert hidden == [tmp_path / "data", tmp_path, tmp_path / "key"]
        finally:
            await service.stop()

    asyncio.run(story())
