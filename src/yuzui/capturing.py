"""What is kept of a request as an example for evaluation: sealed, app by app, never above the level that is allowed.

A deliberate exception to "no content" (decision 0022): not in records, log or metrics, but in the books, encrypted.
"""

from __future__ import annotations

import logging
from typing import Any, Final

import msgspec

from yuzui.core.booking import KeptAnswer
from yuzui.core.caller import Caller
from yuzui.core.capture import AnswerUse, CaptureRules
from yuzui.core.chat import ChatRequest
from yuzui.core.errors import YuzuiError
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.target import Target
from yuzui.exchange import Exchange
from yuzui.ports import Archive, Randomness
from yuzui.privacy.answer_scan import NOTHING_FOUND
from yuzui.providers.openai_request import Dropped, body_of_meaning

log = logging.getLogger("yuzui")

PREFIX: Final = "capture:"
"""Of the scope in the books; what clients may ask for has no colon in its scope."""
MOST_BYTES: Final = 256 * 1024
_NOWHERE: Final = Target(
    name="capture", provider="openai", codec="openai", model="", base_url="", premises="own", clearance=0,
    jurisdiction="",
)  # fmt: skip  # whose quirks are none: the request in OpenAI's plain words

Json = dict[str, Any]  # Any: JSON values


class Captured(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What lies in the books, before it is sealed."""

    request_id: str
    at_ns: int
    app: str
    model: str
    """What the client asked for."""
    target: str
    level: str
    is_masked: bool = False
    messages: list[Json]
    tools: list[Json] = []
    response_format: Json | None = None
    answer: str | None = None
    """None where it may not be kept."""
    answer_use: AnswerUse = "none"
    why_no_answer: str = ""


def wanted(
    rules: CaptureRules, caller: Caller, request: ChatRequest, label: Sensitivity, randomness: Randomness
) -> bool:
    """Decided before the request is sent, because its answer must then be gathered."""
    if caller.app not in rules.apps or request.operation != "chat" or label.level > rules.max_level:
        return False
    return randomness.fraction() < rules.share


def captured(exchange: Exchange, rules: CaptureRules, archive: Archive | None) -> tuple[KeptAnswer, ...]:
    """What the closing carries into the books: one row or none. Never raises: an example is not worth a request."""
    try:
        found = None if archive is None else _example(exchange, rules)
        if found is None or archive is None:
            return ()
        content = msgspec.json.encode(found)
        if len(content) > MOST_BYTES:
            return ()
        kept = archive.wrap(
            scope=PREFIX + found.app, id=found.request_id, level=found.level, content=content, at_ns=found.at_ns
        )
        return () if kept is None else (kept,)
    except Exception as error:  # the edge: whatever is odd about a request, it is settled and recorded
        log.warning("not_captured", extra={"fields": {"request_id": exchange.id, "reason": type(error).__name__}})
        return ()


def _example(exchange: Exchange, rules: CaptureRules) -> Captured | None:
    caller, request, label, target = exchange.caller, exchange.request, exchange.sensitivity, exchange.target
    assert caller is not None and request is not None and label is not None and target is not None  # it was answered
    if label.level > rules.max_level:
        return None
    is_masked = rules.masked and bool(label.kinds)
    if is_masked:
        if exchange.masking is None:
            return None
        request = exchange.masking.request
    body = plain_body(request)
    if body is None:
        return None
    answer, why = _answer(exchange, rules, target, is_masked=is_masked)
    return Captured(
        request_id=exchange.id, at_ns=exchange.at_ns, app=caller.app, model=request.model, target=target.name,
        level=exchange.lattice.names[label.level], is_masked=is_masked, messages=body["messages"],
        tools=body.get("tools") or [], response_format=body.get("response_format"), answer=answer,
        answer_use=target.answer_use, why_no_answer=why,
    )  # fmt: skip  # one thing


def plain_body(request: ChatRequest) -> Json | None:
    """In OpenAI's words; None for one that cannot be said so, or that is not text alone."""
    if request.dialect == "openai_chat":
        body = dict(request.body)
    else:
        try:
            body = body_of_meaning(request, _NOWHERE, Dropped())
        except YuzuiError:
            return None
    return body if all(_is_text(message) for message in body["messages"]) else None


def _is_text(message: Json) -> bool:
    content = message.get("content")
    if content is None or isinstance(content, str):
        return True
    return isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content)


def _answer(exchange: Exchange, rules: CaptureRules, target: Target, *, is_masked: bool) -> tuple[str | None, str]:
    """(its text, "") or (None, why it is not kept)."""
    texts = exchange.delivered.texts or {}
    kinds = {kind for _, kind, _ in texts}
    if target.answer_use == "none":
        return None, "terms"
    if target.is_simulated:
        return None, "simulated"
    if exchange.answer_level > rules.max_level:
        return None, "level"
    if rules.masked and (is_masked or exchange.masked is not None or exchange.found != NOTHING_FOUND):
        return None, "findings"
    if "call" in kinds or "refusal" in kinds or not kinds:
        return None, "no text"
    said = [piece for (index, kind, _), pieces in texts.items() if index == 0 and kind == "text" for piece in pieces]
    return "".join(said), ""
