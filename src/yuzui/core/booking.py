"""What the pipeline hands to the books: an intent before the upstream call, a closing after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from yuzui.core.caller import BudgetPeriod

Outcome = Literal["answered", "refused", "failed", "aborted", "unknown"]
TextKind = Literal["prints", "forms"]
DecisionOutcome = Literal[
    "declassified", "vault_opened", "vault_erased", "promise_tightened", "promise_broken", "promise_resumed",
    "trial_stopped", "trial_resumed",
]  # fmt: skip
"""No request, but what a named person did, or what watching or a trial's own rule found, in the same log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A reservation, durable before anything is sent. `window` is "" when the caller has no budget."""

    request_id: str
    at_ns: int
    key_id: str
    window: str
    cap_nano: int
    reserved_nano: int
    """Upper bound in nano-units of the book currency."""
    record: bytes
    """JSON: what is known at this point; becomes the record of an `unknown` outcome if we die before closing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One leg of a double entry: debit `account` by `amount_nano`, negative for credits. A request's legs sum to 0."""

    account: str
    """`spend:<key_id>` for the caller's side, `target:<name>` for what we owe the target."""
    amount_nano: int
    currency: str
    price_version: str
    rate: str = "1"
    """Decimal text: book currency per unit of `currency`, with which the budget was charged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How a request ended; durable before the last byte reaches the client. Exactly one per request id."""

    request_id: str
    at_ns: int
    key_id: str
    app: str
    team: str
    model: str
    target: str
    outcome: Outcome | DecisionOutcome
    window: str
    reserved_nano: int
    spent_nano: int
    """Book currency."""
    is_estimated: bool
    input_tokens: int
    output_tokens: int
    postings: tuple[Posting, ...]
    record: bytes
    """Canonical JSON: the audit leaf."""
    memory: Learnt | None = None
    lowered: Lowered | None = None
    kept: tuple[KeptAnswer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What conversation memory keeps of one request. No text: keyed hashes, and what only its key opens."""

    conversation: bytes
    """16 bytes: a scope's tag and, in it, a conversation's."""
    level: int
    """Index of the label."""
    hashes: tuple[bytes, ...] = ()
    """24 bytes each: what brings the label back when it comes back whole."""
    texts: tuple[tuple[TextKind, bytes], ...] = ()
    """`prints`: fingerprints of a text, end to end; `forms`: sealed variants of originals."""
    masked: int | None = None
    """Index of the level under masking; None: the same."""
    told: Learnt | None = None
    """What has another level than this, or counts otherwise under masking: said by who saw more than the mask, or asked
    before an answer that holds more than the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOrder:
    """A named person's wish to lower what is remembered of a conversation."""

    id: str
    at_ns: int
    scope: str
    """Whose conversation it is; "" where nobody knows any more."""
    conversation: bytes
    """As in `Learnt`."""
    to_level: str
    """Its name: ranks change with the configuration."""
    by: str
    os_user: str
    """Who the operating system says it was."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """A label order, carried out by the closing that records it."""

    order_id: str
    conversation: bytes
    level: int
    """Index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultOrder:
    """A named person's wish to see what stand-ins stand for, or to have it erased. Holds no original."""

    id: str
    at_ns: int
    action: Literal["open", "erase"]
    scope: str
    """Whose stand-ins they are."""
    tokens: tuple[str, ...]
    """The stand-ins, each of them in the vault."""
    request_id: str
    """Of the request that they were read from; "" where they were named."""
    conversation: str
    """As in `Learnt`, hex; "" where none was named."""
    by: str
    os_user: str
    """Who the operating system says it was."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOrder:
    """That the arm of a trial gets nothing any more, or its share again."""

    id: str
    at_ns: int
    action: Literal["stop", "resume"]
    model: str
    name: str
    arm: str
    """Target name."""
    by: str
    """"" where the gateway's own comparison stopped it: that is in force before its leaf is written."""
    os_user: str
    """Who the operating system says it was."""
    reason: str

    @property
    def trial_id(self) -> str:
        """See `Trial.id`."""
        return f"{self.model}\n{self.name}\n{self.arm}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """An answer or a conversation that its client may ask for again, and continue, until `expires_ns`."""

    scope: str
    """Whose it is: nobody else finds it."""
    id: str
    level: str
    """Name of the sensitivity level of its conversation: what continues it is at least as sensitive."""
    expires_ns: int
    content: bytes
    """Encrypted."""
    names: tuple[str, ...] = ()
    """Other names under which it is found: those of its items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Where the audit leaf of a request lies: the client can ask for an inclusion proof with it."""

    index: int
    leaf_hash: bytes
    """SHA-256(0x00 || leaf), RFC 6962 section 2.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A virtual key as stored; the secret itself is never stored."""

    id: str
    key_hash: bytes
    app: str
    team: str
    floor: str
    models: tuple[str, ...] | None
    own_only: bool
    forbidden_jurisdictions: tuple[str, ...]
    requests_per_minute: int
    tokens_per_minute: int
    concurrency: int
    budget_nano: int | None
    budget_period: BudgetPeriod
    created_ns: int
    expires_ns: int | None = None
    revoked_ns: int | None = None
    rotated_from: str = ""
    may_mask: bool = True
