"""What is sensitive never reaches a vendor: in any field of any dialect, counted, embedded, or said again later."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fault_upstream import Call, FaultUpstream, Script, piece
from faults.dialect_fields import (
    ORIGINS,
    OTHERS,
    UNREADABLE,
    Put,
    calls_again,
    gemini,
    halves,
    messages,
    responses,
    texts_again,
    thoughts_again,
)
from faults.dialect_kit import DIALECTS as CHATTING
from faults.dialect_kit import Asked, Said, ask, chat_request, config, gemini_path, run, speaks, streams, whole
from faults.test_sovereignty import CARD, LONG, MORE, SCANNER, VALUES, spellings
from faults_kit import VENDOR_SECRET, check_clean, status_of
from gateway_kit import RunningGateway, gateway
from yuzui.privacy.conversation import ConversationMemory

Json = dict[str, Any]  # Any: JSON
API_KEY = "".join(("s", "k", "-proj-", "Aq9Zk3Lm7Xw2Vb8N" * 3))  # in pieces: no file may hold what looks like one
CANARIES = {"card": CARD, "resident": VALUES["cn_resident_id"], "key": API_KEY}

DIALECTS: Mapping[str, tuple[Callable[[str], Mapping[str, Put]], tuple[str, ...]]] = {
    "messages": (messages, ("vendor/claude", "vendor/both", "vendor/responses", "vendor/gemini")),
    "responses": (responses, ("vendor/responses", "vendor/both", "vendor/claude", "vendor/chat")),
    "gemini": (gemini, ("vendor/gemini", "vendor/both", "vendor/claude", "vendor/bedrock")),
}
"""Dialect → its fields, and targets: two on the same-dialect lane, two through the hub."""


def asked(dialect: str, target: str, body: Json, *, count: bool = False, stream: bool = False) -> Asked:
    match dialect:
        case "messages":
            path = "/v1/messages/count_tokens" if count else "/v1/messages"
            more = {} if count else {"max_tokens": 99, "stream": stream}
            return Asked(path=path, body=json.dumps({"model": target, **more, **body}).encode())
        case "responses":
            return Asked(path="/v1/responses", body=json.dumps({"model": target, "stream": stream, **body}).encode())
        case _:
            method = "countTokens" if count else "streamGenerateContent" if stream else "generateContent"
            return Asked(path=gemini_path(target, method), body=json.dumps(body).encode())


def forget(running: RunningGateway) -> None:
    """No conversation is known any more: what an earlier case taught must not refuse the next."""
    memory = running.service.gateway.world.memory
    fresh = ConversationMemory(memory._secret, capacity=10_000)
    for name, value in vars(fresh).items():
        setattr(memory, name, value)


async def refuses(running: RunningGateway, vendor: FaultUpstream, found: Asked, canary: str) -> bool:
    """Whether `found` is kept away from the vendor, and nothing of it is told."""
    forget(running)
    vendor.calls.clear()
    answer = await ask(running, found)
    check_clean(answer)
    assert canary.encode() not in answer or status_of(answer) == 400  # a name that is no name may be quoted
    return not vendor.calls and status_of(answer) in (400, 403)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_field_of_a_chat_carries_a_value_to_a_vendor(dialect: str) -> None:
    read, targets = DIALECTS[dialect]

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        leaked, passed = [], 0
        for target in targets:
            for field, put in read(ORIGINS[target]).items():
                for kind, value in CANARIES.items():
                    if kind != "card" and target != targets[0]:
                        continue  # the kinds are found in one place, whoever is asked
                    if not await refuses(running, vendor, asked(dialect, target, put(value)), value):
                        leaked.append((field, kind, target))
                if dialect != "responses" and target in (targets[0], targets[-1]):
                    if not await refuses(running, vendor, asked(dialect, target, put(CARD), count=True), CARD):
                        leaked.append((field, "counted", target))
                if target == targets[0] and not field.startswith(UNREADABLE):
                    forget(running)
                    passed += status_of(await ask(running, asked(dialect, target, put("harmless")))) == 200
        assert leaked == []
        assert passed > 35, "the same fields with harmless words are answered, or nothing was tried here"

    run(speaks(), story)


def test_no_field_of_a_wrapped_count_carries_a_value_to_a_vendor() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        leaked = []
        for target in ("vendor/gemini", "vendor/claude"):
            for name in ("generateContentRequest", "generate_content_request"):
                for field, put in gemini(ORIGINS[target]).items():
                    if not await refuses(running, vendor, asked("gemini", target, {name: put(CARD)}, count=True), CARD):
                        leaked.append((field, target))
        assert leaked == []

    run(speaks(), story)


def test_no_field_of_another_operation_and_no_header_carries_a_value_to_a_vendor() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        leaked, passed = [], 0
        for field, put in OTHERS.items():
            for kind, value in CANARIES.items():
                if field.startswith("header") and kind != "card":
                    continue  # capitals are no letters of that header: such a word is not sent at all
                if not await refuses(running, vendor, put(value), value):
                    leaked.append((field, kind))
            if UNREADABLE not in field:
                forget(running)
                passed += status_of(await ask(running, put("harmless"))) == 200
        assert leaked == []
        assert passed > 25

    run(speaks(), story)


def test_no_spelling_in_any_field_is_overlooked() -> None:
    """Every field with every spelling, through the scanner alone."""
    overlooked = []
    for dialect, (read, targets) in DIALECTS.items():
        for field, put in read(ORIGINS[targets[0]]).items():
            for spelling, spell in spellings().items():
                found = SCANNER.scan(json.loads(json.dumps(put(spell(CARD)))))
                if not (found.findings or found.unscannable or found.failures):
                    overlooked.append((dialect, field, spelling))
    assert overlooked == []


# ---- a label sticks --------------------------------------------------------------------------------------------------

ARGUMENTS = '{"who":"the patient of this morning","what":"second opinion"}'


def remembers(thought: str = "", text: str = "", arguments: str = "") -> Script:
    """An own target that answers so, whole or in pieces."""
    call_ = [{"index": 0, "id": "c1", "type": "function", "function": {"name": "book", "arguments": arguments}}]
    pieces: list[Json] = [{"reasoning_content": half} for half in halves(thought) if thought]
    pieces += [{"content": half} for half in halves(text) if text]
    pieces += [{"tool_calls": call_}] if arguments else []
    message: Json = {"role": "assistant", "content": text or None, "reasoning_content": thought or None}
    if arguments:
        message["tool_calls"] = call_

    async def script(call: Call) -> None:
        if not streams(call):
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            await call.json(whole("chat", Said()) | {"choices": [choice]})
            return
        await call.start_stream()
        for delta in pieces:
            await call.event(piece() | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        await call.event(piece(finish="stop"))
        await call.end_stream()

    return script


@pytest.mark.parametrize(
    ("own", "again"),
    [
        (remembers(text=LONG), texts_again(LONG)),
        (remembers(arguments=ARGUMENTS), calls_again(ARGUMENTS)),
        (remembers(thought=MORE, text="Hm."), thoughts_again(MORE)),
    ],
    ids=["text", "call", "thought"],
)
def test_what_a_model_said_under_a_label_keeps_it_in_every_dialect(own: Script, again: Mapping[str, Asked]) -> None:
    async def story(running: RunningGateway, first: FaultUpstream, vendor: FaultUpstream) -> None:
        missed, memory = [], running.service.gateway.world.memory
        for dialect in CHATTING:
            for stream in (False, True):
                forget(running)
                question = chat_request(dialect, "house/small", text=f"Charge my card {CARD}, please.", stream=stream)
                assert status_of(await ask(running, question)) == 200
                learned = pickle.dumps((memory._scopes, memory._shares))  # hashes of whole things alone
                for way, found in again.items():
                    forget(running)  # what one way taught must not help the next
                    memory._scopes, memory._shares = pickle.loads(learned)
                    vendor.calls.clear()
                    if status_of(await ask(running, found)) != 403 or vendor.calls:
                        missed.append((dialect, stream, way))
        assert missed == []
        forget(running)
        fresh = [status_of(await ask(running, found)) for found in again.values()]
        assert fresh.count(200) >= len(fresh) - 3, "without the memory the same words may go"

    run(speaks(), story, own=own)


def test_an_answer_of_several_texts_is_known_by_each_of_them() -> None:
    """Responses gives a text before and after a call as two items; a client may give back one of them."""
    items = [
        {"type": "message", "id": "msg_1", "role": "assistant", "content": [
            {"type": "output_text", "text": LONG, "annotations": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "message", "id": "msg_2", "role": "assistant", "content": [
            {"type": "output_text", "text": MORE, "annotations": []}]},
    ]  # fmt: skip

    async def script(call: Call) -> None:
        await call.json(whole("responses", Said()) | {"output": items})

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        own_responses = chat_request("responses", "house/answers", text=f"Charge my card {CARD}, please.")
        assert status_of(await ask(running, own_responses)) == 200
        for text in (LONG, MORE, LONG + MORE):
            later = [{"role": "assistant", "content": text}, {"role": "user", "content": "Go on."}]
            found = Asked(path="/v1/chat/completions",
                          body=json.dumps({"model": "vendor/chat", "messages": later}).encode())  # fmt: skip
            assert status_of(await ask(running, found)) == 403, text
        assert not vendor.calls

    async def main() -> None:
        async with FaultUpstream(script) as own, FaultUpstream(speaks()) as vendor:
            table = f"""
[[targets]]
name = "house/answers"
provider = "openai_responses"
base_url = "{own.base_url}"
model = "m"
premises = "own"
clearance = "restricted"
price = "free"
"""
            async with gateway(config(own, vendor, more=table), {"VENDOR_KEY": VENDOR_SECRET}) as running:
                await story(running, own, vendor)

    asyncio.run(main())
