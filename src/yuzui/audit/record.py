"""The audit leaf: everything about one request except its content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from yuzui.core.usage import Usage

VERSION = 2
"""2: what routing was asked (`asked`), and the place of `target`. Records of version 1 read as ever, without them."""
MAX_RECORD_BYTES = 65_535
"""What an entry of the log can hold: C2SP tlog-tiles puts a uint16 length before each."""


class CauseRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    source: str
    level: str
    detail: str = ""


class UsageRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    input_audio: int = 0
    output: int = 0
    reasoning: int = 0
    output_audio: int = 0
    server_tools: dict[str, int] = {}
    """Tool → calls."""
    images: int = 0
    characters: int = 0
    audio_ms: int = 0
    searches: int = 0
    is_estimated: bool = False
    note: str = ""

    def as_usage(self) -> Usage:
        """What was charged for, without how it was known."""
        return Usage(
            input_tokens=self.input,
            cached_input_tokens=self.cached_input,
            cache_write_tokens=self.cache_write,
            cache_write_1h_tokens=self.cache_write_1h,
            input_audio_tokens=self.input_audio,
            output_tokens=self.output,
            reasoning_tokens=self.reasoning,
            output_audio_tokens=self.output_audio,
            server_tools=tuple(self.server_tools.items()),
            images=self.images,
            characters=self.characters,
            audio_ms=self.audio_ms,
            searches=self.searches,
        )


class CostRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Nano-units: `amount` in `currency` (the price list's), `book` in the book currency at `rate`."""

    amount: int
    currency: str
    book: int
    book_currency: str
    price_version: str
    rate: str = "1"
    factor: str = "1"
    """What `terms` made of the price of a token: `1.75`, `5/3`."""
    terms: tuple[str, ...] = ()
    """Tiers and the like that are not the list price's: `service_tier=priority`."""
    others: int = 0
    """Nano-units of the book currency: of the other calls that the request took, as its `attempts` tell them. They are
    not in `amount` and `book`."""

    @property
    def total(self) -> int:
        """Nano-units of the book currency: all that the request cost."""
        return self.book + self.others


AT_ITS_SIDE: Final = frozenset(("sample", "check", "judge"))
"""Roles of those who are asked about an answer, and never instead of who gives it."""


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    target: str
    outcome: str
    """`ok`, `escalated` (a cascade did not accept the answer), `aborted`, or an error's code."""
    role: str = ""
    """Of a call that was not to answer the client: `candidate` (its answer was not accepted, or broke off after it was
    begun), `sample`, `check`, `judge`. Its usage and cost follow; those of the answer are the record's own."""
    detail: str = ""
    upstream_status: int = 0
    duration_ms: int = 0
    tokens_delivered: int = 0
    usage: UsageRecord | None = None
    cost: CostRecord | None = None


def first_tried(attempts: Sequence[AttemptRecord]) -> AttemptRecord | None:
    """That of the target that was to answer first; what a cascade asked at its side may have ended before it."""
    return next((one for one in attempts if one.role not in AT_ITS_SIDE), None)


class AskedRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What routing was asked beside the label and the caller: enough to decide again, and nothing that was said."""

    features: tuple[str, ...] = ()
    """What a target must be able to do, in order."""
    input_bound: int = 0
    """The most tokens that the text can be."""
    output: int = 0
    """Tokens that routing expected of the answer."""
    terms: tuple[str, ...] = ()
    """Price terms that the client asked for, in order; a word that no vendor has is `?`."""
    draw: float | None = None
    """In [0, 1), where the order was drawn."""
    blocked: tuple[str, ...] = ()
    """Permitted targets that were left alone after failures."""
    full: tuple[str, ...] = ()
    """Targets of the plan whose queue had no room."""


class AnswerRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was found in an answer, by kind: finding kind → count."""

    noted: dict[str, int] = {}
    """It went to the client as it was."""
    redacted: dict[str, int] = {}
    withheld: dict[str, int] = {}
    """Because of these the answer was refused."""
    echoed: dict[str, int] = {}
    """The client had said them itself."""
    failures: tuple[str, ...] = ()
    """Why it could not be searched."""
    level: str = ""
    """Level name that the answer has because of what was noted, or could not be searched."""


class DeclassificationRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who lowered the label of a conversation, and why."""

    by: str
    """The name that was given, one of those who may."""
    os_user: str = ""
    """Who the operating system says gave it."""
    reason: str = ""
    from_level: str = ""
    to_level: str = ""


class VaultRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who looked into the vault, or erased from it, and why. Stand-ins, never what they stand for."""

    by: str
    """The name that was given, one of those who may."""
    os_user: str = ""
    """Who the operating system says gave it."""
    reason: str = ""
    stand_ins: tuple[str, ...] = ()
    request: str = ""
    """The request that they were read from; "" where they were named."""


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who stopped the arm of a trial, or let it go on, and why."""

    name: str
    arm: str
    """Target name."""
    by: str = ""
    """The name that was given, one of those who may; "" for the trial's own rule."""
    os_user: str = ""
    """Who the operating system says gave it."""
    reason: str = ""


class RoutedRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a learned router said, and what may be said of the answer. Numbers and names, never text."""

    guarantee: str = ""
    """certified: a candidate answered under the certificate; reference: the reference itself did; none: neither.
    "" where nobody was asked."""
    rule: str
    """What decided: certified | reference_better | unlike | no_certificate | not_permitted | accepted | escalated, or
    `cascade` where it ended before the candidate's answer was judged."""
    reference: str
    chosen: str = ""
    router: str
    """SHA-256 of the artefact's file."""
    epsilon: float | None = None
    delta: float | None = None
    examples: int | None = None
    data: str = ""
    """SHA-256 of the examples that certified."""
    threshold: float | None = None
    gain: float | None = None
    """Predicted, of the reference over the candidate."""
    p_value: float | None = None
    """How ordinary the request is among the examples."""
    policy: str = ""
    """Of the certificate: up_front | cascade | portable_cascade; "" without one, and in records before cascades."""
    signals: dict[str, float] = {}
    """Of a cascade: what it looked at in the answer, but for what the answer could be read from."""
    detail: str = ""


class WatchRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What watching found of a promise, or that somebody trusts it again. Figures are of the test that led here."""

    router: str
    """SHA-256 of its file."""
    certificate: str
    epsilon: float | None = None
    alpha: float | None = None
    threshold: float | None = None
    """That is applied from now on; None: the certificate's best, or none at all where the promise is broken."""
    seen: int = 0
    audited: int = 0
    mean_loss: float | None = None
    log_wealth: float | None = None
    by: str = ""
    os_user: str = ""
    reason: str = ""


class RequestRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One leaf per admitted or refused request. Hashes are keyed (BLAKE2b-256, hex): content is not guessable."""

    v: int = VERSION
    id: str
    at: str
    """RFC 3339, UTC, milliseconds."""
    key_id: str = ""
    app: str = ""
    team: str = ""
    dialect: str = ""
    operation: str = "chat"
    """Of a request of the gateway's own: judge | audit | audit_judge | shadow."""
    part_of: str = ""
    """Of such a one: the id of the client's request that it is about."""
    model: str = ""
    """What the client asked for."""
    stream: bool = False
    request_hash: str = ""
    answer_hash: str = ""
    snapshot: str = ""
    """Which configuration decided."""
    sensitivity: str = ""
    """Level name."""
    causes: tuple[CauseRecord, ...] = ()
    findings: dict[str, int] = {}
    """Finding kind → count."""
    rules: dict[str, int] = {}
    """Rule that found something, with its version → findings: `cn_resident_id/18@9c1d02ab`."""
    masked_level: str = ""
    """Level name once masked, where it can be; "" otherwise."""
    not_masked: str = ""
    """Why it cannot be masked, where that could have mattered: rules and kinds, no content."""
    allowed: tuple[str, ...] = ()
    refused: dict[str, tuple[str, ...]] = {}
    """Reason → target names."""
    asked: AskedRecord | None = None
    """None: the request did not get as far as routing, or the record is of version 1."""
    policy: str = ""
    plan: tuple[str, ...] = ()
    why: str = ""
    routed: RoutedRecord | None = None
    """None: no learned router was asked."""
    trials: dict[str, str] = {}
    """Trial → `arm`, `control`, or why the request counts for neither: a reason of `refused`, `left_alone`, `same`,
    `budget`."""
    attempts: tuple[AttemptRecord, ...] = ()
    target: str = ""
    """Who answered; "" when nobody did."""
    premises: str = ""
    """Of `target`, when it was asked: own | vendor."""
    jurisdiction: str = ""
    """Likewise; "" also where the operator gave none."""
    is_simulated: bool = False
    outcome: str = ""
    """answered | refused | failed | aborted | unknown; declassified, vault_opened, vault_erased, promise_tightened,
    promise_broken, promise_resumed, trial_stopped, trial_resumed where no request stands behind the leaf."""
    error: str = ""
    """The stable code, when there was one."""
    error_message: str = ""
    usage: UsageRecord | None = None
    cost: CostRecord | None = None
    dropped: tuple[str, ...] = ()
    masked: dict[str, int] = {}
    """Finding kind → findings for which `target` saw stand-ins; empty: it saw the request as it was."""
    withheld: int = 0
    """Stand-ins that stayed in the answer, because they would have reached a host that is not listed."""
    foreign: int = 0
    """What looks like a stand-in in the answer and was never issued."""
    answer: AnswerRecord | None = None
    """None: nothing was found in it, or nobody looked."""
    kept: bool = False
    """The answer lies in the books, encrypted, until its time is over or its key deletes it."""
    captured: bool = False
    """The request, and perhaps its answer, lies in the books as an example for evaluation, encrypted."""
    duration_ms: int = 0
    first_token_ms: int = 0
    suppressed: int = 0
    """So many refusals of this kind came right before and are only counted: a flood must not flood the disk."""
    conversation: str = ""
    """What memory calls the conversation, where it keeps a label for it: two keyed hashes, hex."""
    declassified: DeclassificationRecord | None = None
    watch: WatchRecord | None = None
    vault: VaultRecord | None = None
    trial: TrialRecord | None = None
    shortened: bool = False
    """Texts or lists were cut to fit `MAX_RECORD_BYTES`: a client chose an enormous model name, or the like."""


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(RequestRecord)


def write_record(record: RequestRecord) -> bytes:
    """Canonical JSON, at most `MAX_RECORD_BYTES`: the bytes that are hashed into the log.

    A record that is too long is shortened and says so; it is never refused, because a client must not be able to send
    something that cannot be recorded.
    """
    data = _encoder.encode(record)
    return data if len(data) <= MAX_RECORD_BYTES else _shorten(record)


def read_record(data: bytes) -> RequestRecord:
    """Raise `msgspec.DecodeError` when `data` is not a record."""
    return _decoder.decode(data)


_NEVER_SHORTENED = frozenset(
    ("id", "at", "key_id", "request_hash", "answer_hash", "snapshot", "conversation")
)  # ours, and short


def _shorten(record: RequestRecord) -> bytes:
    # At a limit of 16 even six-byte JSON escapes in every text of every list stay far below the bound.
    for limit in (1024, 128, 16):
        fields = {
            name: value if name in _NEVER_SHORTENED else _cut(value, limit)
            for name, value in msgspec.to_builtins(record).items()
        }
        data = _encoder.encode(msgspec.convert({**fields, "shortened": True}, RequestRecord))
        if len(data) <= MAX_RECORD_BYTES:
            return data
    raise ValueError(f"record {record.id[:80]!r} has an identifier or a hash that is too long for the audit log")


def _cut(value: Any, limit: int) -> Any:  # Any: JSON values of any shape
    if isinstance(value, str):
        return value if len(value) <= limit else value[:limit] + "…"
    if isinstance(value, dict):
        return {_cut(key, limit): _cut(item, limit) for key, item in list(value.items())[:limit]}
    if isinstance(value, list | tuple):
        return [_cut(item, limit) for item in value[:limit]]
    return value
