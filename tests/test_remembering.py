"""Between the pipeline and conversation memory: parts and variants of earlier turns, whole requests long and short."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest

from fault_upstream import FaultUpstream
from faults_kit import answers, run
from gateway_kit import RunningGateway
from privacy.kit import CONFIDENTIAL, RESTRICTED
from yuzui.core.booking import KeptAnswer
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatRequest, Meaning
from yuzui.core.sensitivity import Fact, Finding, Lattice, Sensitivity
from yuzui.exchange import Exchange
from yuzui.privacy.conversation import ConversationMemory
from yuzui.privacy.scan import NOTHING, ScanResult
from yuzui.remembering import INLINE_BYTES, learn, not_yet_found, recollect

SECRET = "Please write to Maria Lopez about the contract that ended in May."
ANSWER = " ".join(
    f"The {n}th clause of this contract says what part number {n * 7} owes to the other side." for n in range(9)
)
FOUND = (Finding(kind="person", detector="names", start=16, end=27, path="$.messages[0].content"),)


def chat_exchange(
    asked_body: dict[str, Any],
    *,
    conversation_id: str = "",
    follows: str = "",
    key_id: str = "key_1",
    first_key_id: str = "",
) -> Exchange:  # Any: JSON values
    exchange = Exchange(
        id="req_1", at_ns=0, started=0.0, lattice=Lattice(), snapshot_id="s", content_key=bytes(32),
        conversation_id=conversation_id,
    )  # fmt: skip
    exchange.caller = Caller(key_id=key_id, app="app", first_key_id=first_key_id)
    exchange.request = ChatRequest(
        dialect="openai_chat",
        model="auto",
        body=asked_body,
        follows=follows,
        read_meaning=lambda _: Meaning(messages=()),
    )
    return exchange


def body(*texts: str) -> dict[str, Any]:  # Any: JSON values
    return {"messages": [{"role": "user", "content": text} for text in texts]}


def taught(*, conversation_id: str = "", kept: tuple[str, ...] = ()) -> ConversationMemory:
    memory = ConversationMemory(b"secret", capacity=100)
    exchange = chat_exchange(body(SECRET), conversation_id=conversation_id)
    exchange.sensitivity = Sensitivity(level=RESTRICTED, causes=(), kinds={})
    exchange.delivered.texts = {(0, "text", 0): [ANSWER]}
    exchange.kept = tuple([KeptAnswer(scope="", id=id, level="", expires_ns=0, content=b"") for id in kept])
    learn(memory, exchange, FOUND)
    assert exchange.memory is not None and exchange.memory.level == RESTRICTED and exchange.memory.hashes
    return memory


def asked(memory: ConversationMemory, text: str, **known: Any) -> tuple[ScanResult, int | None]:  # Any: as below
    exchange = chat_exchange(body(text), **known)
    return asyncio.run(recollect(memory, exchange, body(text), NOTHING, len(text)))


@pytest.mark.parametrize("padding", [0, INLINE_BYTES])
def test_a_part_of_an_answer_is_recognised_in_short_and_in_long_requests(padding: int) -> None:
    part = "My colleague sent me this, is it right?\n> " + ANSWER[100:400].replace(" clause", "\n> **clause**")
    scan, level = asked(taught(), "filler " * (padding // 7) + part)
    assert level == RESTRICTED and scan == NOTHING
    assert asked(taught(), "My colleague sent me this, is it right? " + ANSWER[100:140]) == (NOTHING, None)


def test_variants_join_the_findings_and_those_that_are_known_are_not_told_twice() -> None:
    scan, level = asked(taught(), "Has LOPEZ, Maria answered?")
    assert [(one.kind, one.detector, one.start, one.end) for one in scan.findings] == [("person", "variant", 4, 16)]
    [variant] = scan.findings
    assert variant.rule_id == "variant/full" and variant.evidence == (Fact("variant", "full"),) and variant.version
    assert level is None
    known = Finding(kind="person", detector="names", start=0, end=20, path="$.messages[0].content")
    assert not_yet_found([known], scan.findings) == []
    other_kind = Finding(kind="email", detector="email", start=0, end=20, path="$.messages[0].content")
    assert not_yet_found([other_kind], scan.findings) == list(scan.findings)


@pytest.mark.parametrize(("same", "count"), [({"conversation_id": "c1"}, 1), ({"conversation_id": "c2"}, 0), ({}, 0)])
def test_surname_and_title_belong_to_their_conversation(same: dict[str, str], count: int) -> None:
    scan, _ = asked(taught(conversation_id="c1"), "And Mrs Lopez?", **same)
    assert [one.rule_id for one in scan.findings] == ["variant/titled"] * count


def test_a_conversation_is_known_by_the_name_of_its_kept_answer() -> None:
    memory = taught(kept=("resp_1",))
    scan, level = asked(memory, "And Mrs Lopez?", follows="resp_1")
    assert level == RESTRICTED and len(scan.findings) == 1
    assert asked(memory, "And Mrs Lopez?", follows="resp_2") == (NOTHING, None)


@pytest.mark.parametrize("missing", ["texts", "sensitivity", "request", "caller"])
def test_what_ended_early_teaches_nothing(missing: str) -> None:
    exchange = chat_exchange(body(SECRET))
    exchange.sensitivity = Sensitivity(level=CONFIDENTIAL, causes=(), kinds={})
    exchange.delivered.texts = {}
    if missing == "texts":
        exchange.delivered.texts = None
    else:
        setattr(exchange, missing, None)
    learn(ConversationMemory(b"secret", capacity=100), exchange, FOUND)
    assert exchange.memory is None


def test_other_callers_see_nothing() -> None:
    memory = taught(conversation_id="c1")
    assert asked(memory, ANSWER, key_id="key_2", conversation_id="c1") == (NOTHING, None)
    assert asked(memory, ANSWER, key_id="key_2", first_key_id="key_1")[1] == RESTRICTED


def test_a_variant_of_an_earlier_finding_keeps_a_request_away_from_a_vendor() -> None:
    mail = "li.wei83@" + "corp.example"

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        client = running.client()

        async def ask(text: str) -> str:
            try:
                answer = await client.chat.completions.with_raw_response.create(
                    model="vendor/big", messages=[{"role": "user", "content": text}]
                )
            except openai.PermissionDeniedError as refused:
                return "refused " + refused.response.headers["x-yuzui-sensitivity"]
            return str(answer.headers["x-yuzui-sensitivity"])

        assert await ask("What did LI_WEI83 order last week?") == "internal"
        await client.chat.completions.create(
            model="house/small", messages=[{"role": "user", "content": f"Write to {mail} about the order."}]
        )
        assert await ask("What did LI_WEI83 order last week?") == "refused confidential"
        assert len(vendor.calls) == 1
        refused = (await running.records())[-1]
        assert refused.findings == {"email": 1} and "wei83" not in str(refused).lower()

    run(answers, answers, story)


@pytest.mark.parametrize("carries_label", [True, False])
def test_what_was_found_in_an_answer_raises_its_label_beside_that_of_the_request(carries_label: bool) -> None:
    memory = ConversationMemory(b"secret", capacity=100)
    exchange = chat_exchange(body(SECRET))
    exchange.sensitivity = Sensitivity(level=CONFIDENTIAL if carries_label else 1, causes=(), kinds={})
    exchange.carries_label = carries_label
    exchange.delivered.texts = {(0, "text", 0): [ANSWER]}
    exchange.answer_level, exchange.answer_masked_level = RESTRICTED, 0
    learn(memory, exchange, FOUND if carries_label else ())
    assert exchange.memory is not None and exchange.memory.level == RESTRICTED
    assert (exchange.memory.told is not None) == carries_label
    again = ConversationMemory(b"secret", capacity=100)
    again.load([exchange.memory])  # as the books give it back
    for known in (memory, again):
        assert asked(known, ANSWER)[1] == RESTRICTED
        assert asked(known, SECRET)[1] == (CONFIDENTIAL if carries_label else None)
        masked = known.recall("key_1", body(ANSWER), "", is_masked=True)
        assert masked == (CONFIDENTIAL if carries_label else 1)
