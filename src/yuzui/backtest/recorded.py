"""One audit record as a replay reads it: the parts that a decision, a cost and a latency need, and no more.

Reading a part costs a fraction of reading the whole. What is only compared stays as the bytes of its JSON: records are
written canonically, so equal bytes are equal values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, get_args

import msgspec

from yuzui.audit.record import VERSION, AskedRecord, CauseRecord, CostRecord, RoutedRecord, UsageRecord
from yuzui.core.asides import OWN_OPERATIONS
from yuzui.core.booking import DecisionOutcome
from yuzui.core.errors import ConfigError

_NONE: Final = msgspec.Raw(b"")

NO_REQUEST: Final = frozenset(get_args(DecisionOutcome))
"""Outcomes of leaves that no request stands behind."""
ROUTING_CODES: Final = frozenset(
    (
        "no_permitted_target", "model_not_found", "model_not_allowed", "unsupported_feature", "unknown_price",
        "unknown_price_factor", "context_length_exceeded",
    )
)  # fmt: skip
"""Errors with which routing refuses; others came before it or after it, and no routing changes them."""


class RecordedAttempt(msgspec.Struct, frozen=True, kw_only=True):
    target: str
    outcome: str
    role: str = ""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """Field by field as in `audit.record.RequestRecord`."""

    v: int = 1
    id: str
    at: str
    key_id: str = ""
    app: str = ""
    team: str = ""
    dialect: str = ""
    operation: str = "chat"
    model: str = ""
    sensitivity: str = ""
    causes: msgspec.Raw = _NONE
    findings: msgspec.Raw = _NONE
    rules: msgspec.Raw = _NONE
    masked_level: str = ""
    not_masked: str = ""
    allowed: msgspec.Raw = _NONE
    refused: msgspec.Raw = _NONE
    asked: AskedRecord | None = None
    policy: str = ""
    plan: tuple[str, ...] = ()
    routed: msgspec.Raw = _NONE
    trials: dict[str, str] = {}
    attempts: tuple[RecordedAttempt, ...] = ()
    target: str = ""
    premises: str = ""
    jurisdiction: str = ""
    outcome: str = ""
    error: str = ""
    usage: UsageRecord | None = None
    cost: CostRecord | None = None
    masked: msgspec.Raw = _NONE
    captured: bool = False
    duration_ms: int = 0
    first_token_ms: int = 0
    suppressed: int = 0

    @property
    def is_routed(self) -> bool:
        """Routing decided it, so another configuration may decide it otherwise."""
        if not self.sensitivity or self.operation in OWN_OPERATIONS:
            return False
        if not self.plan:
            return self.error in ROUTING_CODES
        return bool(self.target) or self.outcome not in ("refused", "failed")  # else its money was refused

    @property
    def causes_read(self) -> tuple[CauseRecord, ...]:
        return _CAUSES.decode(self.causes) if self.causes else ()

    @property
    def findings_read(self) -> dict[str, int]:
        return _COUNTS.decode(self.findings) if self.findings else {}

    @property
    def rules_read(self) -> dict[str, int]:
        """Rule with its version → findings."""
        return _COUNTS.decode(self.rules) if self.rules else {}

    @property
    def routed_read(self) -> RoutedRecord | None:
        return _ROUTED.decode(self.routed) if self.routed else None

    @property
    def allowed_read(self) -> tuple[str, ...]:
        return _NAMES.decode(self.allowed) if self.allowed else ()

    @property
    def refused_read(self) -> dict[str, tuple[str, ...]]:
        """Reason → targets."""
        return _REFUSED.decode(self.refused) if self.refused else {}

    @property
    def is_masked(self) -> bool:
        return bool(self.masked) and bytes(self.masked) != b"{}"


_DECODER = msgspec.json.Decoder(Recorded)
_CAUSES = msgspec.json.Decoder(tuple[CauseRecord, ...])
_COUNTS = msgspec.json.Decoder(dict[str, int])
_ROUTED = msgspec.json.Decoder(RoutedRecord)
_NAMES = msgspec.json.Decoder(tuple[str, ...])
_REFUSED = msgspec.json.Decoder(dict[str, tuple[str, ...]])


@dataclass(slots=True)
class Skipped:
    """Records that no replay is made of, by the reason."""

    unreadable: int = 0
    newer: int = 0
    """Of a later version than this one knows."""
    no_request: int = 0
    another_team: int = 0


def read_records(
    leaves: Iterable[bytes], skipped: Skipped, *, since: str = "", until: str = "", team: str | None = None
) -> Iterator[Recorded]:
    """The requests among `leaves`. `since`, `until`: RFC 3339 in UTC as records spell it; "" is no bound."""
    decode = _DECODER.decode
    for leaf in leaves:
        try:
            record = decode(leaf)
        except (msgspec.DecodeError, UnicodeDecodeError):
            skipped.unreadable += 1
            continue
        if record.at < since or (until and record.at >= until):
            continue
        if record.v > VERSION:
            skipped.newer += 1
        elif record.outcome in NO_REQUEST:
            skipped.no_request += 1
        elif team is not None and record.team != team:
            skipped.another_team += 1
        else:
            yield record


def refuse_unreadable(skipped: Skipped) -> None:
    """Raise `ConfigError` when records were not understood: a verdict that leaves some out would be a guess."""
    if skipped.newer:
        raise ConfigError(f"{skipped.newer} records were written by a newer Yuzui; upgrade, then run it again")
    if skipped.unreadable:
        raise ConfigError(
            f"{skipped.unreadable} records cannot be read; run `yuzui audit verify` and `yuzui doctor` first"
        )
