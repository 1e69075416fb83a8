"""Model, key and request narrow what is masked, nothing over the line widens it, and the record says why not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest

from fault_upstream import FaultUpstream, completion
from gateway_kit import RunningGateway, gateway
from yuzui.audit.record import RequestRecord
from yuzui.cli._story import tell
from yuzui.config import read
from yuzui.core.caller import Caller, Constraints
from yuzui.core.errors import InvalidRequest
from yuzui.core.sensitivity import Cause
from yuzui.dialects.openai_chat import DIALECT
from yuzui.masking_choice import NotMasked, choose, still
from yuzui.privacy.mask import Masking

MAIL, MOBILE = "wang@corp.cn", "13800138000"
CONFIG = """
[masking]
kinds = ["email", "cn_mobile"]
realistic = ["cn_mobile"]

[[targets]]
name = "vendor/big"
provider = "openai"
base_url = "{vendor}"
model = "big"
premises = "vendor"
clearance = "internal"
price = "free"

[[targets]]
name = "house/small"
provider = "vllm"
base_url = "{own}"
model = "small"
premises = "own"
price = "free"

[[models]]
name = "open"
candidates = ["vendor/big", "house/small"]
policy = "pinned"

[[models]]
name = "closed"
candidates = ["vendor/big", "house/small"]
policy = "pinned"
masking = "off"

[[models]]
name = "mails"
candidates = ["vendor/big", "house/small"]
policy = "pinned"
masked_kinds = ["email"]
"""
Story = Callable[[RunningGateway, FaultUpstream, FaultUpstream], Coroutine[Any, Any, None]]  # Any: asyncio's own
TEXT = CONFIG.replace("{vendor}", "https://vendor.example/v1").replace("{own}", "http://127.0.0.1:1/v1")
RULES = read(TEXT, {}, source=Path("test.toml"))
CALLER = Caller(key_id="key_1", app="a")


def request(model: str) -> Any:  # Any: a request of the hub
    return DIALECT.read_request({"model": model, "messages": [{"role": "user", "content": MAIL}]})


def run(story: Story) -> None:
    async def main() -> None:
        async with (
            FaultUpstream(lambda call: call.json(completion("ok"))) as vendor,
            FaultUpstream(lambda call: call.json(completion("ok"))) as own,
        ):
            text = CONFIG.replace("{vendor}", vendor.base_url).replace("{own}", own.base_url)
            async with gateway(text, {}) as running:
                await story(running, vendor, own)

    asyncio.run(main())


async def ask(running: RunningGateway, model: str, text: str, key: str = "none", **headers: str) -> Any:  # Any: headers
    reply = await running.client(key).chat.completions.with_raw_response.create(
        model=model,
        messages=[{"role": "user", "content": text}],
        extra_headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    return reply.headers


async def last(running: RunningGateway) -> RequestRecord:
    return (await running.records())[-1]


def test_a_model_narrows_and_never_widens() -> None:
    everything = RULES.masking.masking
    assert choose(RULES, CALLER, request("open"), None) == everything
    assert choose(RULES, CALLER, request("vendor/big"), None) == everything
    mails = choose(RULES, CALLER, request("mails"), None)
    assert mails == Masking(kinds=frozenset({"email"}), realistic=frozenset())
    closed = choose(RULES, CALLER, request("closed"), None)
    assert isinstance(closed, NotMasked) and "'closed'" in closed.reason


def test_a_key_and_a_request_rule_it_out_and_a_deployment_without_kinds_has_none() -> None:
    pinned = replace(CALLER, constraints=Constraints(allow_masking=False))
    assert choose(RULES, pinned, request("open"), None) == NotMasked("the key was made with --no-masking")
    for wish in ("off", " OFF ", "off,off"):
        assert choose(RULES, CALLER, request("open"), wish) == NotMasked("the request says x-yuzui-masking: off")
    none = read(TEXT.replace('["email", "cn_mobile"]', "[]").replace('realistic = ["cn_mobile"]', "").replace(
        'masked_kinds = ["email"]', ""), {}, source=Path("test.toml"))  # fmt: skip
    assert choose(none, CALLER, request("open"), None) == NotMasked("masking.kinds is empty")


@pytest.mark.parametrize("wish", ["on", "", "email", "off,on", "off;on", "true", "0"])
def test_a_header_that_says_anything_else_is_refused_also_where_nothing_is_masked(wish: str) -> None:
    with pytest.raises(InvalidRequest, match="may only say `off`"):
        choose(RULES, CALLER, request("closed"), wish)


def test_what_keeps_a_level_up_is_said_once_and_without_what_is_below() -> None:
    causes = (
        Cause(source="default", level=1, detail=""),
        Cause(source="finding", level=3, detail="api_key"),
        Cause(source="finding", level=3, detail="api_key"),
        Cause(source="floor", level=3, detail=""),
    )
    assert still("restricted", causes, 3).reason == "what may not be masked keeps it restricted: finding api_key, floor"


def test_an_unmasked_model_goes_only_where_the_original_may_be_seen() -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream, own: FaultUpstream) -> None:
        assert (await ask(running, "open", f"ask {MAIL}"))["x-yuzui-target"] == "vendor/big"
        record = await last(running)
        assert (record.masked_level, record.not_masked) == ("internal", "") and vendor.calls
        vendor.calls.clear()
        headers = await ask(running, "closed", "ask li@corp.cn")
        assert headers["x-yuzui-target"] == "house/small" and "x-yuzui-masked" not in headers
        record = await last(running)
        assert record.masked_level == "" and "'closed' says masking" in record.not_masked
        assert any("not to be masked: model 'closed'" in line for _, lines in tell(record, 0, b"") for line in lines)
        assert not vendor.calls and b"li@corp.cn" in own.calls[-1].body

    run(story)


def test_a_model_with_kinds_of_its_own_masks_these_and_keeps_the_rest_at_home() -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream, own: FaultUpstream) -> None:
        assert (await ask(running, "mails", f"ask {MAIL}"))["x-yuzui-masked"] == "email=1"
        assert MAIL.encode() not in vendor.calls[0].body
        headers = await ask(running, "mails", f"call {MOBILE} about li@corp.cn")
        assert headers["x-yuzui-target"] == "house/small" and len(vendor.calls) == 1
        assert "keeps it confidential: finding cn_mobile" in (await last(running)).not_masked
        assert (await ask(running, "open", "call 13900139000"))["x-yuzui-masked"] == "cn_mobile=1"

    run(story)


def test_a_request_may_ask_for_less_and_is_refused_where_nobody_may_see_it() -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream, own: FaultUpstream) -> None:
        assert (await ask(running, "open", f"ask {MAIL}", x_yuzui_masking="off"))["x-yuzui-target"] == "house/small"
        with pytest.raises(openai.PermissionDeniedError) as caught:
            await ask(running, "vendor/big", "ask li@corp.cn", x_yuzui_masking="off")
        assert caught.value.code == "no_permitted_target"
        with pytest.raises(openai.BadRequestError) as wrong:
            await ask(running, "vendor/big", "ask me", x_yuzui_masking="on")
        assert wrong.value.param == "x-yuzui-masking"
        for model in ("closed", "vendor/big"):  # nothing to protect: the header changes nothing
            assert (await ask(running, model, "hello there", x_yuzui_masking="off"))["x-yuzui-target"] == "vendor/big"
        assert (await last(running)).not_masked == ""

    run(story)


def test_what_was_said_unmasked_on_demand_is_not_masked_for_a_vendor_later() -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream, own: FaultUpstream) -> None:
        text = f"The one who left us last spring was {MAIL}, as you know"
        await ask(running, "open", text, x_yuzui_masking="off", x_yuzui_conversation="chat")
        headers = await ask(running, "open", text, x_yuzui_conversation="chat")
        assert headers["x-yuzui-target"] == "house/small" and not vendor.calls
        assert "conversation" in (await last(running)).not_masked

    run(story)


def test_a_key_that_is_never_masked() -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream, own: FaultUpstream) -> None:
        free = running.add_key(app="free", seed=1)
        pinned = running.add_key(app="pinned", seed=2, may_mask=False)
        assert (await ask(running, "open", f"ask {MAIL}", pinned))["x-yuzui-target"] == "house/small"
        assert "--no-masking" in (await last(running)).not_masked and not vendor.calls
        assert (await ask(running, "open", f"ask {MAIL}", free))["x-yuzui-target"] == "vendor/big"

    run(story)
