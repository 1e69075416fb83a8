"""What is known of one request so far: it grows along the way and becomes the record that books and log keep."""

from __future__ import annotations

import asyncio
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

from yuzui.accounting import bounds
from yuzui.accounting.settle import Settlement
from yuzui.audit.record import (
    AnswerRecord,
    AskedRecord,
    AttemptRecord,
    CauseRecord,
    CostRecord,
    RequestRecord,
    RoutedRecord,
    UsageRecord,
    write_record,
)
from yuzui.core.answers import Answer, Blob
from yuzui.core.booking import Closing, KeptAnswer, Learnt, Outcome, Receipt
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatRequest, ChatResponse, Delta, ReasoningPart, StreamChunk, TextPart, ToolCallPart
from yuzui.core.decision import Decision, Verdict
from yuzui.core.errors import (
    InvalidRequest,
    UpstreamFault,
    UpstreamRedirect,
    UpstreamTimeout,
    UpstreamTLS,
    UpstreamUnreachable,
    YuzuiError,
)
from yuzui.core.guarantee import Advised
from yuzui.core.money import NANO
from yuzui.core.price_terms import PriceTerm, field_of, recordable, show_factor
from yuzui.core.sensitivity import Cause, Lattice, Sensitivity
from yuzui.core.target import Target
from yuzui.core.trial import ARM, CONTROL, FILTERED, Lot
from yuzui.core.usage import Usage
from yuzui.core.watching import WatchKind
from yuzui.dialects._field_names import spelled
from yuzui.masking import MaskedRequest
from yuzui.masking_choice import NotMasked
from yuzui.privacy.answer_scan import NOTHING_FOUND, AnswerFindings
from yuzui.routing.cascade_plan import without_cascade
from yuzui.routing.trial_plan import without_arm

MOST_DROPPED = 64  # names in a header and a record; nobody reads more


@dataclass(slots=True, kw_only=True)
class Delivered:
    """What reached us of an answer: enough to settle a stream that never told its usage."""

    characters: int = 0
    pieces: int = 0
    usage: Usage | None = None
    units: Usage | None = None
    """What the request itself tells of its consumption: see `WireRequest.units`."""
    sent_terms: frozenset[PriceTerm] = frozenset()
    """The price terms that the target was asked."""
    told_terms: tuple[PriceTerm, ...] = ()
    """Those at which it says it answered; of each field, what it said last."""
    texts: dict[tuple[int, str, int], list[str]] | None = None
    """What the answer says, by (choice, kind, position): each text, reasoning and tool call apart, because it may come
    back alone. Kept only while the conversation's memory needs it, or it is to be searched."""
    called: dict[tuple[int, int], str] = field(default_factory=dict)
    """Names of the tool calls in `texts`, by (choice, position)."""
    is_refused: bool = False
    """The target held an answer, or the rest of it, back by a filter of its own."""
    _last: dict[int, tuple[str, int]] = field(default_factory=dict)
    """What each choice said last: its kind and position."""

    def count(self, chunk: StreamChunk) -> bool:
        """Add `chunk`; say whether it carries content that a client would see."""
        if chunk.usage is not None:
            self.usage = chunk.usage
        if chunk.price_terms:
            self._note_terms(chunk.price_terms)
        has_content = chunk.has_content
        if has_content:
            self.pieces += 1
        for delta in chunk.deltas:
            if delta.finish_reason == FILTERED:
                self.is_refused = True
            size = len(delta.text) + len(delta.reasoning) + len(delta.refusal)
            for call in delta.tool_calls:
                size += len(call.arguments) + len(call.name)
            if size or delta.tool_calls or delta.redacted:
                self.characters += size
                self.pieces += 1
                has_content = True
                if self.texts is not None:
                    self._keep(delta)
        return has_content

    def _note_terms(self, terms: tuple[PriceTerm, ...]) -> None:
        fields = {field_of(term) for term in terms}
        self.told_terms = (*(term for term in self.told_terms if field_of(term) not in fields), *terms)

    def _keep(self, delta: Delta) -> None:
        """Kept by choice: the pieces of several choices come in turns."""
        if delta.reasoning:
            self._say(delta.index, "reasoning", delta.reasoning)
        if delta.text:
            self._say(delta.index, "text", delta.text)
        if delta.refusal:
            self._say(delta.index, "refusal", delta.refusal)
        for call in delta.tool_calls:
            self._say(delta.index, "call", call.arguments, call.position)
            if call.name:
                self.called[delta.index, call.position] = call.name

    def _say(self, index: int, kind: str, text: str, position: int | None = None) -> None:
        """`position`: of a call; elsewhere a new one begins when something else was said in between."""
        if self.texts is None:
            return
        if position is None:
            last, place = self._last.get(index, ("", 0))
            position = place if last == kind else len(self.texts)
        self._last[index] = kind, position
        self.texts.setdefault((index, kind, position), []).append(text)

    def said(self) -> list[str]:
        """Each thing that was said, and all of one kind together: clients give back the ones or the other."""
        found: dict[tuple[int, str], list[str]] = {}
        for (index, kind, _), pieces in (self.texts or {}).items():
            found.setdefault((index, kind), []).append("".join(pieces))
        return [
            text
            for (_, kind), texts in found.items()
            for text in (texts if kind == "call" or len(texts) == 1 else [*texts, "".join(texts)])
        ]

    def count_response(self, response: Answer) -> None:
        """The same for an answer that came whole."""
        self.usage = response.usage
        if not isinstance(response, ChatResponse):
            self._count_other(response)
            return
        self.told_terms = response.price_terms
        for choice in response.choices:
            if choice.finish_reason == FILTERED:
                self.is_refused = True
            if choice.refusal:
                self.characters += len(choice.refusal)
                self._say(choice.index, "refusal", choice.refusal)
            for position, part in enumerate(choice.parts):
                match part:
                    case TextPart():
                        self.characters += len(part.text)
                        self._say(choice.index, "text", part.text, position)
                    case ReasoningPart():
                        self.characters += len(part.text)
                        self._say(choice.index, "reasoning", part.text, position)
                    case ToolCallPart():
                        self.characters += len(part.name) + len(part.arguments)
                        self._say(choice.index, "call", part.arguments, position)
                        self.called[choice.index, position] = part.name
                    case _:
                        pass
            self.pieces += 1

    def _count_other(self, answer: Answer) -> None:
        self.pieces += 1
        if isinstance(answer, Blob):
            for number, text in enumerate(answer.texts):
                self.characters += len(text)
                self._say(number, "text", text)


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and its answer, as facts. No content: only keyed hashes, counts, names and reasons."""

    id: str
    at_ns: int
    started: float
    """Monotonic seconds."""
    lattice: Lattice
    snapshot_id: str
    content_key: bytes
    dialect: str = ""
    caller: Caller | None = None
    request: ChatRequest | None = None
    request_hash: str = ""
    sensitivity: Sensitivity | None = None
    decision: Decision | None = None
    lot: Lot | None = None
    """What it drew in the trials of its model."""
    attempts: list[AttemptRecord] = field(default_factory=list)
    target: Target | None = None
    delivered: Delivered = field(default_factory=Delivered)
    answer_hash: str = ""
    usage: Usage | None = None
    cost: CostRecord | None = None
    others: list[Settlement] = field(default_factory=list)
    """Of calls that the answer took beside its own: see `cascading.py`."""
    is_opened_early: bool = False
    """The stream began, to be kept alive, before it was known who answers: its end tells what its head could not."""
    dropped: tuple[str, ...] = ()
    first_token_ms: int = 0
    suppressed: int = 0
    input_bound: int = 0
    """Most tokens that the text of the body can be."""
    has_intent: bool = False
    reserved_nano: int = 0
    window: str = ""
    memory: Learnt | None = None
    conversation_id: str = ""
    kept: tuple[KeptAnswer, ...] = ()
    is_captured: bool = False
    """It is to be kept as an example, if it is answered."""
    captured: tuple[KeptAnswer, ...] = ()
    tail: tuple[KeptAnswer, ...] = ()
    """What its last turn ends with, sealed: see `tails.py`."""
    refused: tuple[Verdict, ...] = ()
    """Why no target was permitted, when routing refused."""
    masking: MaskedRequest | None = None
    """How the request looks masked, if it can be."""
    not_masked: str = ""
    """Why it cannot be; "" where it can, or where masking would change nothing."""
    masked: MaskedRequest | None = None
    """The same, once a target was asked with it; the last one that was asked counts."""
    shown: MaskedRequest | None = None
    """The same, once any target was asked with it: somebody saw its stand-ins."""
    drawn: frozenset[WatchKind] = frozenset()
    """What is to be done with it once it is answered."""
    carries_label: bool = True
    """The label is above what this caller gets anyway: memory learns it, with all that is said under it."""
    found: AnswerFindings = NOTHING_FOUND
    """In the answer."""
    answer_level: int = -1
    """Of what was found in it; -1 for nothing."""
    answer_masked_level: int = -1
    """The same once it comes back masked."""
    _opening: RequestRecord | None = None
    closed: asyncio.Future[Receipt] | None = None
    """Set once the closing is on its way to the books: a request is closed exactly once."""

    def content_hasher(self) -> blake2b:
        return blake2b(key=self.content_key, digest_size=32)

    def hash_content(self, data: bytes) -> str:
        """Keyed, so that nobody can guess content from the log: BLAKE2b-256 under the deployment's content key, hex."""
        return blake2b(data, key=self.content_key, digest_size=32).hexdigest()

    def come_home(self, decision: Decision) -> Decision | None:
        """Before anything was sent: what costs less takes the place of a plan that the budget does not hold.

        The arm of a trial goes first, then a cascade, then a burst. None where there is nothing to do without.
        """
        cheaper = without_arm(decision) or without_cascade(decision)
        if cheaper is not None:
            self._opening = None
            self.decision = cheaper
            return cheaper
        if not decision.unpaid or decision.unpaid == decision.plan:
            return None
        why = f"{decision.why}; the budget does not hold a burst: stays with {decision.unpaid[0].name}"
        self._opening = None
        self.decision = replace(decision, plan=decision.unpaid, why=why)
        return self.decision

    def note_refusal(self, error: YuzuiError) -> None:
        """Why routing refused, for the record: the verdicts travel with the error."""
        if self.decision is None:
            self.refused = error.refused

    def note_masking(self, outcome: MaskedRequest | NotMasked) -> MaskedRequest | None:
        if isinstance(outcome, NotMasked):
            self.not_masked = outcome.reason
            return None
        self.masking = outcome
        return outcome

    def note_settlement(self, settlement: Settlement, book_currency: str) -> None:
        self.usage = settlement.usage
        self.cost = cost_record(settlement, book_currency)
        if others := sum([one.spent_nano for one in self.others]):
            nothing = CostRecord(
                amount=0, currency=book_currency, book=0, book_currency=book_currency, price_version="-"
            )
            self.cost = msgspec.structs.replace(self.cost or nothing, others=others)

    def note_advice(self, advised: Advised, words: str) -> None:
        """What became of a cascade; `words` for the line that tells why."""
        if self.decision is not None:
            self._opening = None
            self.decision = replace(self.decision, advised=advised, why=f"{self.decision.why}; {words}")

    def record(self, outcome: Outcome, error: YuzuiError | None, *, duration_ms: int) -> RequestRecord:
        """The leaf, as far as the request got. What the decision settled is written once, for both times."""
        opening = self._opening
        if opening is None:
            opening = self._open_record()
            if self.decision is not None:
                self._opening = opening
        target, usage = self.target, self.usage
        return msgspec.structs.replace(
            opening,
            answer_hash=self.answer_hash,
            routed=self._routed_record(),
            attempts=tuple(self.attempts),
            target=target.name if target else "",
            premises=target.premises if target else "",
            jurisdiction=target.jurisdiction if target else "",
            is_simulated=target.is_simulated if target else False,
            outcome=outcome,
            error=error.code if error else "",
            error_message=safe_message(error) if error else "",
            usage=usage_record(usage) if usage else None,
            cost=self.cost,
            dropped=self.dropped,
            masked=dict(self.masked.counts) if self.masked else {},
            withheld=self.masked.tally.withheld if self.masked else 0,
            foreign=self.masked.tally.foreign if self.masked else 0,
            answer=self._answer_record(),
            kept=bool(self.kept) and outcome == "answered",
            captured=bool(self.captured),
            duration_ms=duration_ms,
            first_token_ms=self.first_token_ms,
            suppressed=self.suppressed,
            conversation=self.memory.conversation.hex() if self.memory else "",
        )

    def closing(
        self,
        settlement: Settlement,
        outcome: Outcome,
        error: YuzuiError | None,
        shown: tuple[KeptAnswer, ...],
        *,
        duration_ms: int,
    ) -> Closing:
        """What the books get when it is over. `shown`: the stand-ins that somebody saw, sealed."""
        caller, request, target = self.caller, self.request, self.target
        if outcome == "answered" and target is not None:
            self.attempts.append(
                AttemptRecord(
                    target=target.name,
                    outcome="ok",
                    detail=FILTERED if self.delivered.is_refused else "",
                    duration_ms=duration_ms,
                    tokens_delivered=self.delivered.pieces,
                )
            )
        return Closing(
            request_id=self.id,
            at_ns=self.at_ns,
            key_id=caller.key_id if caller else "",
            app=caller.app if caller else "",
            team=caller.team if caller else "",
            model=request.model if request else "",
            target=target.name if target else "",
            outcome=outcome,
            window=self.window,
            reserved_nano=self.reserved_nano if self.has_intent else 0,
            spent_nano=settlement.spent_nano,
            is_estimated=settlement.is_estimated or any(one.is_estimated for one in self.others),
            input_tokens=settlement.input_tokens,
            output_tokens=settlement.output_tokens,
            postings=settlement.postings,
            record=write_record(self.record(outcome, error, duration_ms=duration_ms)),
            memory=self.memory,
            kept=(*(self.kept if outcome == "answered" else ()), *self.tail, *self.captured, *shown),
        )

    def _routed_record(self) -> RoutedRecord | None:
        advised = self.decision.advised if self.decision is not None else None
        if advised is None:
            return None
        return RoutedRecord(
            guarantee=advised.kept(self.target.name) if self.target is not None else "",
            rule=advised.rule,
            reference=advised.reference,
            chosen=advised.chosen,
            router=advised.router_sha256,
            epsilon=advised.epsilon,
            delta=advised.delta,
            examples=advised.examples,
            data=advised.data_sha256,
            threshold=advised.threshold,
            gain=None if advised.gain is None else round(advised.gain, 6),
            p_value=None if advised.p_value is None else round(advised.p_value, 6),
            policy=advised.policy,
            signals=dict(advised.signals),
            detail=advised.detail,
        )

    def _answer_record(self) -> AnswerRecord | None:
        found = self.found
        if found is NOTHING_FOUND or found == NOTHING_FOUND:
            return None
        return AnswerRecord(
            noted=dict(found.noted),
            redacted=dict(found.redacted),
            withheld=dict(found.withheld),
            echoed=dict(found.echoed),
            failures=found.failures,
            level=self.lattice.names[self.answer_level] if self.answer_level >= 0 else "",
        )

    def _open_record(self) -> RequestRecord:
        caller, decision, label, request = self.caller, self.decision, self.sensitivity, self.request
        names = self.lattice.names
        refused: dict[str, list[str]] = {}
        for verdict in decision.refused if decision is not None else self.refused:
            refused.setdefault(verdict.reason, []).append(verdict.target)
        return RequestRecord(
            id=self.id,
            at=rfc3339(self.at_ns),
            key_id=caller.key_id if caller else "",
            app=caller.app if caller else "",
            team=caller.team if caller else "",
            dialect=self.dialect,
            operation=request.operation if request else "chat",
            model=request.model if request else "",
            stream=request.stream if request else False,
            request_hash=self.request_hash,
            snapshot=self.snapshot_id,
            sensitivity=names[label.level] if label else "",
            causes=tuple([_cause_record(cause, names) for cause in label.causes]) if label else (),
            findings=label.kinds if label else {},
            rules=label.rules if label else {},
            masked_level=names[self.masking.level] if self.masking else "",
            not_masked=self.not_masked,
            allowed=decision.allowed.listed if decision else (),
            refused={reason: tuple(targets) for reason, targets in refused.items()},
            asked=self._asked_record(),
            policy=decision.policy if decision else "",
            plan=tuple([target.name for target in decision.plan]) if decision else (),
            why=decision.why if decision else "",
            trials=dict(decision.tried.roles) if decision and decision.tried else {},
        )

    def _asked_record(self) -> AskedRecord | None:
        request, decision = self.request, self.decision
        if request is None or not self.input_bound:
            return None
        terms = request.price_terms
        return AskedRecord(
            features=tuple(sorted(request.features)) if request.features else (),
            input_bound=self.input_bound,
            output=bounds.expected_output_tokens(request),
            terms=tuple(sorted({recordable(term) for term in terms})) if terms else (),
            draw=decision.fraction if decision else None,
            blocked=tuple(sorted(decision.blocked)) if decision and decision.blocked else (),
            full=tuple(sorted(decision.full)) if decision and decision.full else (),
        )

    def headers(self, *, is_early: bool = False) -> dict[str, str]:
        """What every answer tells in its headers, as far as it is known; `is_early`: nothing of who answers."""
        # The last two are where the official clients of OpenAI and Anthropic look for it.
        headers = {"x-yuzui-request-id": self.id, "x-request-id": self.id, "request-id": self.id}
        if is_early:
            return headers
        if self.target is not None:
            headers["x-yuzui-target"] = self.target.name
            if self.target.is_simulated:
                headers["x-yuzui-simulated"] = "true"
        if self.sensitivity is not None:
            headers["x-yuzui-sensitivity"] = self.lattice.names[self.sensitivity.level]
        if self.decision is not None:
            headers["x-yuzui-decision"] = self.decision.why
            if self.decision.advised is not None and self.target is not None:
                headers["x-yuzui-guarantee"] = self.decision.advised.kept(self.target.name)
        if self.decision is not None and self.decision.tried is not None:
            roles = self.decision.tried.roles.items()
            if told := ", ".join([f"{name}/{role}" for name, role in roles if role in (ARM, CONTROL)]):
                headers["x-yuzui-trial"] = told
        if self.masked is not None and self.masked.counts:
            headers["x-yuzui-masked"] = _counts(self.masked.counts)
        if news := self.found.news:
            headers["x-yuzui-answer-findings"] = _counts(news)
        if self.found.redacted:
            headers["x-yuzui-answer-redacted"] = _counts(self.found.redacted)
        if self.dropped:
            headers["x-yuzui-dropped"] = ", ".join(self.dropped)
        if self.cost is not None:
            headers["x-yuzui-cost"] = f"{Decimal(self.cost.total) / NANO:f} {self.cost.book_currency}"
        return headers

    def trailer(self, receipt: Receipt) -> dict[str, Any]:  # Any: JSON values
        """What a stream tells at its end, when it is known where the record lies."""
        trailer: dict[str, Any] = {"request_id": self.id, "receipt": show_receipt(receipt)}
        if self.target is not None and self.target.is_simulated:
            trailer["simulated"] = True
        if news := self.found.news:
            trailer["answer_findings"] = news
        if self.found.redacted:
            trailer["answer_redacted"] = dict(self.found.redacted)
        if self.is_opened_early:
            trailer["headers"] = {name: told for name, told in self.headers().items() if name.startswith("x-yuzui-")}
        return trailer


def cost_record(settlement: Settlement, book_currency: str) -> CostRecord | None:
    """None where nothing was consumed, or nobody knows a price."""
    if settlement.usage is None or not settlement.price_version:
        return None
    return CostRecord(
        amount=settlement.amount_nano,
        currency=settlement.currency,
        book=settlement.spent_nano,
        book_currency=book_currency,
        price_version=settlement.price_version,
        rate=settlement.rate,
        factor=show_factor(settlement.factor.factor) if settlement.factor.terms else "1",
        terms=settlement.factor.terms,
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ",".join([f"{kind}={n}" for kind, n in sorted(counts.items())])


def show_receipt(receipt: Receipt) -> str:
    """`<leaf index>:<leaf hash, base64>`: what `yuzui audit prove` proves to a third party."""
    return f"{receipt.index}:{b64encode(receipt.leaf_hash).decode()}"


def speakable(names: tuple[str, ...], spellings: Mapping[str, str]) -> tuple[str, ...]:
    """Names of dropped fields, by the client's `spellings`, as headers and records may hold them: a client may name a
    field like anything at all."""
    if not names:
        return names
    told = dict.fromkeys([spelled(spellings, name) if _DROPPED.fullmatch(name) else "unknown_field" for name in names])
    return tuple(told) if len(told) <= MOST_DROPPED else (*list(told)[:MOST_DROPPED], "and_more")


def safe_message(error: YuzuiError) -> str:
    """The message, if it is certain to hold no content. Messages about a malformed request may quote it, and a target's
    own words may echo the prompt: of those the record keeps the field's name, or nothing but the code."""
    if isinstance(error, InvalidRequest):
        return f"in {error.param}" if error.param and _FIELD.fullmatch(error.param) else ""
    if isinstance(error, UpstreamFault) and not isinstance(error, _OURS):
        return ""
    return error.message[:300]


_OURS = (UpstreamUnreachable, UpstreamTLS, UpstreamRedirect, UpstreamTimeout)
"""Faults whose words are written in io/, never by a target."""

_DROPPED = re.compile(r"(?!.*\d{6})[A-Za-z_$][A-Za-z0-9_.$\[\]-]{0,79}")
"""How fields of APIs are named; six digits in a row are a number, and none of an API."""
_FIELD = re.compile(r"[a-z_]+(\[\d+\]|\.[a-z_]+)*")


def _cause_record(cause: Cause, names: tuple[str, ...]) -> CauseRecord:
    return CauseRecord(source=cause.source, level=names[cause.level], detail=cause.detail)


def usage_record(usage: Usage) -> UsageRecord:
    return UsageRecord(
        input=usage.input_tokens,
        cached_input=usage.cached_input_tokens,
        cache_write=usage.cache_write_tokens,
        cache_write_1h=usage.cache_write_1h_tokens,
        input_audio=usage.input_audio_tokens,
        output=usage.output_tokens,
        reasoning=usage.reasoning_tokens,
        output_audio=usage.output_audio_tokens,
        server_tools=dict(usage.server_tools),
        images=usage.images,
        characters=usage.characters,
        audio_ms=usage.audio_ms,
        searches=usage.searches,
        is_estimated=usage.is_estimated,
        note=usage.note,
    )


def rfc3339(at_ns: int) -> str:
    """UTC with milliseconds: `2026-11-22T08:15:30.123Z`."""
    seconds, rest = divmod(at_ns, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest // 1_000_000:03d}Z"
