"""A label that could not be learnt: what was answered does not come back to a vendor as if nothing had been."""

from __future__ import annotations

import asyncio
import re
from contextlib import nullcontext
from typing import Any

import pytest

import yuzui.privacy.conversation
from egress_kit import Room
from faults.baits import CARD
from faults.dialect_kit import Asked, chat_request
from faults.fault_runs import opened, quietly
from faults.injecting import ERRORS, Strikes, patched, raises
from yuzui.privacy.conversation import ConversationMemory

MARK = "qvzkwhbtnxmdrp"
ANSWER = f"Between us: the matter of {MARK} stays where it is for now, whoever asks about it."
DIALECTS = {
    "chat": "vendor/chat",
    "messages": "vendor/claude",
    "responses": "vendor/responses",
    "gemini": "vendor/gemini",
}
PARTS: list[tuple[Any, str]] = [  # Any: a class or a module
    (ConversationMemory, "learn"),
    (ConversationMemory, "_keep"),
    (ConversationMemory, "_first_sensitive"),
    (ConversationMemory, "_prints_of_answers"),
    (ConversationMemory, "_remember"),
    (yuzui.privacy.conversation, "near_findings"),
    (yuzui.privacy.conversation, "originals_in"),
]


def heard(body: bytes) -> bool:
    return MARK in re.sub(r"[^a-z]", "", body.decode("utf-8", "replace")) or MARK[:7].encode() in body


async def goes_on(found: Room, dialect: str) -> list[str]:
    """Which vendors are shown the answer when it comes back."""
    await found.ask(chat_request(dialect, DIALECTS[dialect], text=ANSWER))
    return found.received(MARK)


async def tell(found: Room, dialect: str, *, stream: bool) -> bytes:
    asked: Asked = chat_request(dialect, "assistant", text=CARD.text, stream=stream)
    return (await found.ask(asked)).body


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("part", [None, *PARTS], ids=lambda part: "nothing" if part is None else part[1])
def test_what_memory_could_not_learn_stays_on_own_premises(part: tuple[Any, str] | None, stream: bool) -> None:
    async def main() -> None:
        async with opened("closed") as found:
            found.targets.said["house/small"] = ANSWER
            for dialect in DIALECTS:
                for error in ERRORS:
                    found.forget()
                    assert await goes_on(found, dialect), "nobody has said it yet: it may go"
                    strikes = Strikes()
                    with patched(*part, raises(error), strikes) if part else nullcontext():
                        body = await tell(found, dialect, stream=stream)
                    assert heard(body), "the client has its answer"
                    assert strikes.count or part is None, f"{part} was not reached"
                    assert await goes_on(found, dialect) == []

    with quietly():
        asyncio.run(main())


def test_only_the_caller_whose_label_was_lost_is_distrusted() -> None:
    memory = ConversationMemory(b"secret", capacity=10)
    memory.distrust("key_1")
    body = {"messages": [{"role": "user", "content": "Good morning."}]}
    assert memory.recall("key_1", body, "") == yuzui.privacy.conversation.UNKNOWN
    assert memory.recall("key_1", body, "", is_masked=True) == yuzui.privacy.conversation.UNKNOWN
    assert memory.recall("key_2", body, "") is None
