"""The line to a gateway, against the real one: answers with their cost, refusals as results, waits, and an end by name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cascade_kit import scene
from gateway_kit import gateway
from yuzui.core.errors import ConfigError
from yuzui.evaluation.calls import Call, Result
from yuzui.io.evaluation_line import GatewayLine, Stopped

CONFIG = """
[[targets]]
name = "own/a"
provider = "scripted"
model = "scripted-echo"
premises = "own"
price = "free"
[[targets]]
name = "vendor/b"
provider = "scripted"
model = "scripted-words-2"
premises = "vendor"
clearance = "internal"
price = { currency = "USD", input = 1.0, output = 4.0 }
[[targets]]
name = "vendor/broken"
provider = "scripted"
model = "scripted-fail-500"
premises = "vendor"
price = "free"
[[targets]]
name = "vendor/no-price"
provider = "scripted"
model = "scripted"
premises = "vendor"
"""


def call(model: str, text: str = "Hello") -> Call:
    return Call(
        key="k", purpose="answer", model=model, body={"model": model, "messages": [{"role": "user", "content": text}]}
    )


async def no_sleep(seconds: float) -> None:
    return None


def ask(*calls: Call, key: str = "") -> list[Result]:
    async def work() -> list[Result]:
        async with gateway(CONFIG) as running, GatewayLine(running.base_url + "/v1/", key, no_sleep) as line:
            assert "own/a" in [entry["id"] for entry in await line.models()]
            return [await line.ask(one) for one in calls]

    return asyncio.run(work())


def test_answers_tell_their_cost_tokens_and_target() -> None:
    own, vendor = ask(call("own/a"), call("vendor/b"))
    assert own.outcome == "answered" and own.text.endswith("Hello") and (own.cost_nano, own.currency) == (0, "USD")
    assert vendor.target == "vendor/b" and vendor.request_id.startswith("req_") and vendor.finish_reason == "stop"
    assert vendor.cost_nano == vendor.input_tokens * 1000 + vendor.output_tokens * 4000 > 0
    assert vendor.sensitivity == "internal" and vendor.latency_ms >= 0 and vendor.at_ns > 0


@pytest.mark.parametrize("asks", [False, True])
def test_log_probabilities_are_kept_where_they_were_asked_for(tmp_path: Path, asks: bool) -> None:
    body = {
        "model": "house/small",
        "messages": [{"role": "user", "content": "Hello"}],
        **({"logprobs": True} if asks else {}),
    }

    async def work() -> Result:
        async with scene(tmp_path) as at, GatewayLine(at.running.base_url, "", no_sleep) as line:
            return await line.ask(Call(key="k", purpose="answer", model="house/small", body=body))

    assert asyncio.run(work()).log_probabilities == ((-0.25, -0.5) if asks else ())


def test_what_may_not_be_seen_is_a_result() -> None:
    (found,) = ask(call("vendor/b", "my key is " + "AKIA" + "IOSFODNN7EXAMPLQ"))
    assert (found.outcome, found.code) == ("not_permitted", "no_permitted_target") and found.message


def test_a_broken_target_fails_after_all_tries() -> None:
    (found,) = ask(call("vendor/broken"))
    assert found.outcome == "failed" and found.code == "upstream_refused"


@pytest.mark.parametrize("model", ["nobody", "vendor/no-price"])
def test_what_no_call_would_survive_stops(model: str) -> None:
    with pytest.raises((Stopped, BaseExceptionGroup)) as caught:
        ask(call(model))
    assert isinstance(caught.value, Stopped)


def test_a_wrong_key_and_no_gateway_are_said() -> None:
    async def wrong_key() -> None:
        async with gateway(CONFIG) as running:
            running.add_key()
            async with GatewayLine(running.base_url, "yz-wrong") as line:
                with pytest.raises(ConfigError, match="give a key with --key"):
                    await line.models()
                with pytest.raises(Stopped):
                    await line.ask(call("own/a"))

    asyncio.run(wrong_key())

    async def nobody() -> None:
        async with GatewayLine("http://127.0.0.1:9", "", no_sleep) as line:
            with pytest.raises(ConfigError, match="no gateway answers"):
                await line.models()
            assert (await line.ask(call("own/a"))).code == "gateway_unavailable"

    asyncio.run(nobody())
