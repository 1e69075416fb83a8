"""What conversation memory adds to a request, and what it takes from it when it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from yuzui.core.sensitivity import Finding
from yuzui.exchange import Exchange
from yuzui.privacy.conversation import ConversationMemory, Recollection
from yuzui.privacy.scan import ScanResult

log = logging.getLogger("yuzui")

INLINE_BYTES: Final = 128 * 1024  # to read a longer body takes ten milliseconds and more, in which others wait


async def recollect(
    memory: ConversationMemory,
    exchange: Exchange,
    body: Mapping[str, Any],  # Any: checked JSON
    scan: ScanResult,
    size_bytes: int,
) -> tuple[ScanResult, int | None]:
    """`scan` with the variants of what was found earlier, and the level of the conversation so far."""
    caller, request = exchange.caller, exchange.request
    assert caller is not None and request is not None
    names = (exchange.conversation_id, request.follows, request.joins)
    if size_bytes <= INLINE_BYTES:
        reading = memory.read(caller.scope, body, names)
    else:
        reading = await asyncio.to_thread(memory.read, caller.scope, body, names)
    found: Recollection = memory.recollect(reading)
    news = tuple(not_yet_found(scan.findings, found.findings)) if found.findings else ()
    return (replace(scan, findings=(*scan.findings, *news)) if news else scan), found.level


def not_yet_found(known: Iterable[Finding], variants: Iterable[Finding]) -> list[Finding]:
    """Those of `variants` that no finding of the same kind covers."""
    places: dict[tuple[str, str], list[Finding]] = {}
    for finding in known:
        places.setdefault((finding.path, finding.kind), []).append(finding)
    return [
        one
        for one in variants
        if not any(other.start <= one.start and one.end <= other.end for other in places.get((one.path, one.kind), ()))
    ]


def learn(memory: ConversationMemory, exchange: Exchange, findings: tuple[Finding, ...]) -> None:
    """An answer carries the label of what produced it, and that of what was found in it: remember both, in case they
    come back without each other.

    What cannot be learnt cannot be recognised: then everything of the caller's scope counts as the highest level.
    """
    try:
        _learn(memory, exchange, findings)
    except Exception as error:  # the client may have the answer by now: what it brings back must not pass for unknown
        if exchange.caller is not None:
            memory.distrust(exchange.caller.scope)
        log.error("label_not_learnt", extra={"fields": {"request_id": exchange.id, "reason": type(error).__name__}})


def _learn(memory: ConversationMemory, exchange: Exchange, findings: tuple[Finding, ...]) -> None:
    caller, request, label = exchange.caller, exchange.request, exchange.sensitivity
    if exchange.delivered.texts is None or caller is None or request is None or label is None:
        return
    said = exchange.delivered.said()
    also = [name for name in (request.follows, *[kept.id for kept in exchange.kept]) if name]
    if exchange.carries_label:
        exchange.memory = memory.learn(
            caller.scope,
            request.body,
            exchange.conversation_id,
            label.level,
            said,
            findings,
            also=also,
            masked_level=exchange.masking.level if exchange.masking else None,
            was_masked=exchange.masked is not None,
            is_whole=any(cause.source == "judge" for cause in label.causes),  # it says what, not where
        )
    if exchange.answer_level > label.level:
        seen = exchange.masked.level if exchange.masked else label.level
        learnt = memory.learn_answer(
            caller.scope,
            request.body,
            exchange.conversation_id,
            exchange.answer_level,
            said,
            also=also,
            masked_level=max(seen, exchange.answer_masked_level),
        )
        exchange.memory = replace(learnt, told=exchange.memory)
