"""A refusal names a way out, and only one that its caller may take."""

from __future__ import annotations

import json

import pytest

from fault_upstream import FaultUpstream
from faults.dialect_kit import Asked, ask, run, speaks
from faults.test_sovereignty import CARD
from faults_kit import code_of, error_of, key_of, status_of
from gateway_kit import RunningGateway


def only_system(text: str = "Be brief.") -> Asked:
    """Anthropic's API needs a turn of the user's; OpenAI's does not."""
    body = {"model": "vendor/claude", "messages": [{"role": "system", "content": text}]}
    return Asked(path="/v1/chat/completions", body=json.dumps(body).encode())


@pytest.mark.parametrize(
    ("text", "key", "named"),
    [
        ("Be brief.", {}, "'house/small'"),
        ("Be brief.", {"models": ("vendor/claude", "vendor/chat")}, "'vendor/chat'"),
        ("Be brief.", {"models": ("vendor/claude", "vendor/bedrock")}, ""),
        ("Be brief.", {"models": ("vendor/claude",)}, ""),
    ],
)
def test_what_one_codec_cannot_say_another_target_may(text: str, key: dict[str, object], named: str) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        answer = await ask(running, only_system(text), key_of(running, "one", **key))
        assert (status_of(answer), code_of(answer)) == (400, "unsupported_feature")
        assert error_of(answer)["param"] == "messages"
        message = error_of(answer)["message"]
        assert message.endswith(f"A permitted target that can: {named}" if named else "add one to `messages`")
        assert not own.calls and not vendor.calls

    run(speaks(), story, own=speaks())


def test_a_sensitive_request_is_not_sent_elsewhere_by_advice() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        answer = await ask(running, only_system(f"My card is {CARD}."), key_of(running, "one"))
        assert (status_of(answer), code_of(answer)) == (403, "no_permitted_target")
        assert "vendor/chat" not in error_of(answer)["message"]

    run(speaks(), story, own=speaks())
