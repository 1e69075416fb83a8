"""The audit leaf: everything about one request except its content."""

from __future__ import annotations

import msgspec

VERSION = 1


class CauseRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    source: str
    level: str
    detail: str = ""


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    target: str
    outcome: str
    detail: str = ""
    upstream_status: int = 0
    duration_ms: int = 0
    tokens_delivered: int = 0


class UsageRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    is_estimated: bool = False
    note: str = ""


class CostRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Nano-units: `amount` in `currency` (the price list's), `book` in the book currency at `rate`."""

    amount: int
    currency: str
    book: int
    book_currency: str
    price_version: str
    rate: str = "1"


class RequestRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One leaf per admitted or refused request. Hashes are keyed (BLAKE2b-256, hex): content cannot be guessed from them."""

    v: int = VERSION
    id: str
    at: str
    """RFC 3339, UTC, milliseconds."""
    key_id: str = ""
    app: str = ""
    team: str = ""
    dialect: str = ""
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
    allowed: tuple[str, ...] = ()
    refused: dict[str, tuple[str, ...]] = {}
    """Reason → target names."""
    policy: str = ""
    plan: tuple[str, ...] = ()
    why: str = ""
    attempts: tuple[AttemptRecord, ...] = ()
    target: str = ""
    """Who answered; "" when nobody did."""
    is_simulated: bool = False
    outcome: str = ""
    """answered | refused | failed | aborted | unknown."""
    error: str = ""
    """The stable code, when there was one."""
    error_message: str = ""
    usage: UsageRecord | None = None
    cost: CostRecord | None = None
    dropped: tuple[str, ...] = ()
    duration_ms: int = 0
    first_token_ms: int = 0
    suppressed: int = 0
    """So many refusals of this kind came right before and are only counted: a flood must not become a flood of writes."""


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(RequestRecord)


def write_record(record: RequestRecord) -> bytes:
    """Canonical JSON: the bytes that are hashed into the log."""
    return _encoder.encode(record)


def read_record(data: bytes) -> RequestRecord:
    """Raise `msgspec.DecodeError` when `data` is not a record."""
    return _decoder.decode(data)
