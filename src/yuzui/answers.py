"""What becomes of an answer on its way to the client: searched, and redacted or withheld where the operator wants it.

Where findings are only noted nothing is changed and nothing waits: the answer is searched once, when it is complete and
before the books hear of it. Where they are redacted or refused it is searched as it comes, behind the target's codec
and in front of masking, which puts back what is the client's own.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Final

from typing_extensions import override

from yuzui.audit.record import AttemptRecord
from yuzui.core.answers import Answer
from yuzui.core.chat import ChatRequest, ChatResponse, StreamChunk
from yuzui.core.errors import AnswerWithheld, UnsupportedFeature
from yuzui.core.target import Target
from yuzui.exchange import Delivered, Exchange
from yuzui.masking import LANE_ONLY, MaskedRequest, off_the_lane, wants_json
from yuzui.privacy.answer_scan import NOTHING_FOUND, AnswerFindings, Assessor, Said, StandIns, search
from yuzui.privacy.redact import NotSearched, Refused
from yuzui.privacy.redact_answer import AnswerRedactor
from yuzui.providers._contract import Codec, Decoder, WireRequest, WrappedCodec, WrappedDecoder
from yuzui.world import Snapshot, World

log = logging.getLogger("yuzui")

INLINE_CHARS: Final = 32 * 1024  # longer answers are searched in a thread
INLINE_BYTES: Final = 8 * 1024  # of an answer that is read in steps, which costs more
LARGE_REQUEST: Final = 256 * 1024  # tokens at most, which is about the bytes of its text
DEADLINE_S: Final = 20.0
OPERATIONS: Final = frozenset(("chat", "completions"))
"""Others say what the client gave them, in another form: that is noted, and handed on as it is."""


class Listener:
    """One per request. `begin` with each attempt; `finish` once its answer is complete, or broken off."""

    def __init__(self, snapshot: Snapshot, world: World, exchange: Exchange) -> None:
        self._scanner = snapshot.scanner
        self._config = snapshot.config
        self._rules = snapshot.config.answers
        self._telemetry = world.telemetry
        self._clock = world.clock
        self._exchange = exchange
        self._assessor: Assessor | None = None
        self._redactor: AnswerRedactor | None = None
        self._heard: Delivered | None = None
        """What the target said, before it was changed: that is what it is paid for."""
        self._told: Delivered | None = None
        """What the client is told, before originals are put back; None: they are not, so it is what was delivered."""
        self._withheld: dict[str, int] = {}
        self._failures: tuple[str, ...] = ()
        self._searching: asyncio.Future[AnswerFindings] | None = None
        self._began = 0.0
        self._is_finished = False

    @property
    def is_on(self) -> bool:
        return self._rules.is_on

    # ---- on its way --------------------------------------------------------------------------------------------------

    async def begin(self, codec: Codec, request: ChatRequest, masked: MaskedRequest | None) -> Codec:
        """`codec`, or one that reads answers with what is to be redacted gone; inside of masking's."""
        self._heard = self._told = self._redactor = self._assessor = None
        self._began = self._clock.monotonic()
        if not self._rules.is_on:
            return codec
        stand_ins = StandIns(masked.originals.matcher, masked.surrogates) if masked else None
        self._assessor = assessor = Assessor(self._rules, request.body, stand_ins)
        acts = self._rules.acts and request.operation in OPERATIONS
        if not acts and masked is None:
            return codec
        self._heard = Delivered()
        self._told = Delivered(texts={}) if masked else None
        if acts:
            if self._is_large:
                await asyncio.to_thread(assessor.prepare)
            self._redactor = AnswerRedactor(self._scanner.scan_text, assessor, is_json=wants_json(request))
        return ListeningCodec(codec, self, changes=acts)

    async def read(self, codec: Codec, body: bytes, wire: WireRequest) -> Answer:
        """The whole answer. Raise `AnswerWithheld`, and what the codec raises."""
        if self._redactor is None or len(body) <= INLINE_BYTES:
            return codec.read_response(body, wire)
        reading = asyncio.to_thread(codec.read_response, body, wire)
        try:
            return await asyncio.wait_for(reading, DEADLINE_S)
        except TimeoutError as error:
            if self._heard is not None and self._heard.usage is None:  # it was not even understood yet
                self._heard.characters, self._heard.pieces = len(body), 1
            raise self._not_searched("timeout") from error

    def hear_whole(self, answer: Answer) -> Answer:
        if self._heard is not None:
            self._heard.count_response(answer)
        if not isinstance(answer, ChatResponse):
            return answer
        if self._redactor is not None:
            try:
                answer = self._redactor.rewrite(answer)
            except (NotSearched, Refused) as reason:
                if self._heard is not None and self._heard.usage is not None:
                    self._heard.pieces = 0  # what it says of itself is complete, and needs no estimate
                raise self._withhold(reason) from reason
        if self._told is not None:
            self._told.count_response(answer)
        return answer

    def hear(self, chunks: list[StreamChunk], *, is_complete: bool) -> list[StreamChunk]:
        _count(chunks, self._heard)
        if self._redactor is not None:
            try:
                chunks = [told for chunk in chunks for told in self._redactor.feed(chunk)]
                if is_complete:
                    chunks += self._redactor.close()
            except (NotSearched, Refused) as reason:
                raise self._withhold(reason) from reason
        _count(chunks, self._told)
        return chunks

    def _withhold(self, reason: NotSearched | Refused) -> AnswerWithheld:
        if isinstance(reason, NotSearched):
            return self._not_searched(str(reason))
        kind = str(reason)
        self._withheld = {kind: 1}
        return AnswerWithheld(
            f"the answer holds a finding of kind {kind!r}, and the operator refuses answers that do; it was paid for "
            "all the same"
        )

    def _not_searched(self, reason: str) -> AnswerWithheld:
        self._failures = (reason,)
        log.warning("answer_not_searched", extra={"fields": {"request_id": self._exchange.id, "reason": reason}})
        return AnswerWithheld(
            "the answer could not be searched for what must not be handed on, so the rest of it is withheld; give the "
            "request id to the operator",
            code="answer_not_searched",
            status=500,
        )

    @property
    def _is_large(self) -> bool:
        """Whether it takes long to read the request once more."""
        return self._exchange.input_bound > LARGE_REQUEST

    # ---- at its end --------------------------------------------------------------------------------------------------

    async def finish(self) -> None:
        """Search what the client is told, and put what was found into the exchange. Never raises; a second call after a
        cancelled one goes on where that was."""
        if self._is_finished or self._assessor is None:
            return
        said = self._said()
        if not self._is_large and sum([len(one.text) for one in said]) <= INLINE_CHARS:
            self._conclude(search(self._scanner, said, self._assessor))
            return
        if self._searching is None:
            self._searching = asyncio.ensure_future(asyncio.to_thread(search, self._scanner, said, self._assessor))
        try:
            found = await asyncio.wait_for(asyncio.shield(self._searching), DEADLINE_S)
        except TimeoutError:
            found = AnswerFindings(failures=("timeout",))
        self._conclude(found)

    def finish_now(self) -> None:
        """The same where nobody can wait: a long answer then counts as one that could not be searched."""
        if self._is_finished or self._assessor is None:
            return
        said = self._said()
        if sum([len(one.text) for one in said]) <= INLINE_CHARS:
            self._conclude(search(self._scanner, said, self._assessor))
        else:
            self._conclude(AnswerFindings(failures=("no_time",)))

    def _said(self) -> list[Said]:
        told = self._told if self._told is not None else self._exchange.delivered
        texts = [(kind, "".join(pieces)) for (_, kind, _), pieces in (told.texts or {}).items()]
        return [Said(text=text, is_json=kind == "call" or _may_be_json(text)) for kind, text in texts]

    def _conclude(self, found: AnswerFindings) -> None:
        self._is_finished = True
        exchange = self._exchange
        if found is NOTHING_FOUND and self._redactor is None and not self._failures:
            exchange.found, exchange.answer_level, exchange.answer_masked_level = NOTHING_FOUND, -1, -1
            return  # most answers
        redacted = dict(self._redactor.redactions.redacted) if self._redactor is not None else {}
        exchange.found = found = replace(
            found, redacted=redacted, withheld=self._withheld, failures=self._failures + found.failures
        )
        rules = self._config.sensitivity
        exchange.answer_level = found.level(rules)
        exchange.answer_masked_level = found.level(rules, without=self._config.masking.masking.kinds)
        if self._heard is not None and self._redactor is not None:
            delivered = exchange.delivered
            delivered.characters, delivered.pieces = self._heard.characters, self._heard.pieces
            delivered.usage = delivered.usage or self._heard.usage
            delivered.told_terms = delivered.told_terms or self._heard.told_terms
        target = exchange.target.name if exchange.target else ""
        for action, counts in (
            ("note", found.noted), ("redact", found.redacted), ("refuse", found.withheld), ("echoed", found.echoed),
        ):  # fmt: skip
            for kind, count in counts.items():
                self._telemetry.answer_finding(target, kind, action, count)
        if found.failures:
            self._telemetry.answer_finding(target, "", "failure", 1)

    def note_attempt(self, target: Target, error: AnswerWithheld) -> None:
        """The target did its work: what became of it is ours."""
        self._exchange.attempts.append(
            AttemptRecord(
                target=target.name,
                outcome=error.code,
                duration_ms=int((self._clock.monotonic() - self._began) * 1000),
                tokens_delivered=self._exchange.delivered.pieces,
            )
        )


def _count(chunks: list[StreamChunk], by: Delivered | None) -> None:
    if by is not None:
        for chunk in chunks:
            by.count(chunk)


def _may_be_json(text: str) -> bool:
    """Whether it has escapes that a reader of JSON would undo."""
    return "\\" in text and text.lstrip()[:1] in ("{", "[")


class ListeningCodec(WrappedCodec):
    """A codec whose answers are heard. `changes`: so no lane, for what the target sends never goes on as it is."""

    def __init__(self, codec: Codec, listener: Listener, *, changes: bool) -> None:
        super().__init__(codec, "" if changes else codec.dialect)
        self._listener = listener
        self._changes = changes

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        if self._changes and (lost := sorted(request.features & LANE_ONLY)):
            raise UnsupportedFeature(
                f"answers are redacted here before they are handed on, which {lost[0]!r} does not survive; leave it out"
            )
        return super().write_request(request, target, output_cap=output_cap)

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Answer:
        return self._listener.hear_whole(self._codec.read_response(body, self._known(wire)))

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return ListeningDecoder(self._codec.decoder(self._known(wire)), self._listener)

    def _known(self, wire: WireRequest | None) -> WireRequest | None:
        return off_the_lane(wire) if self._changes else wire


class ListeningDecoder(WrappedDecoder):
    def __init__(self, decoder: Decoder, listener: Listener) -> None:
        super().__init__(decoder)
        self._listener = listener

    @override
    def feed(self, data: bytes) -> list[StreamChunk]:
        chunks = self._decoder.feed(data)
        return self._listener.hear(chunks, is_complete=self._decoder.is_complete)
