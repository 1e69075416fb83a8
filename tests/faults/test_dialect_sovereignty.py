"""What is sensitive never reaches a vendor: in any field of any dialect, counted, embedded, or said again later."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fault_upstream import FaultUpstream
from faults.dialect_fields import ORIGINS, OTHERS, UNREADABLE, Put, gemini, messages, responses
from faults.dialect_kit import Asked, ask, gemini_path, run, speaks
from faults.test_sovereignty import CARD, SCANNER, VALUES, spellings
from faults_kit import check_clean, status_of
from gateway_kit import RunningGateway

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
    memory._scopes.clear()
    memory._heaviest, memory._size = b"", 0


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
