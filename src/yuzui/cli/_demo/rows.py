"""Knows how what a client saw and what the books recorded become one checked row, and how rows are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from yuzui.audit.record import RequestRecord
from yuzui.cli._demo.cast import Seen
from yuzui.cli._demo.scenes import Expected
from yuzui.cli._story import why_sensitive
from yuzui.cli._text import show_money, show_ms

TITLES = ("#", "request", "sensitivity: why", "may go to", "went to: why", "tokens", "cost", "time", "")
NUMBERS = frozenset({0, 5, 6, 7})
WIDE_COLUMNS = 100
"""Narrower terminals break words in nine columns: they get the table without tokens and time."""
LEFT_OUT_WHEN_NARROW = frozenset({5, 7})
STYLES = {"ok": "green", "FAIL": "bold red"}
POLICY_WORDS = {"own_first": "first choice", "pinned": "by name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    title: str
    seen: Seen
    record: RequestRecord | None
    """None: the books have no record, which is a problem of its own."""
    problems: tuple[str, ...]
    """How it differs from what was expected; empty when it behaved."""


def judge(title: str, seen: Seen, record: RequestRecord | None, expected: Expected, own: str) -> Row:
    """Compare what happened with what had to happen."""
    problems = list(seen.problems)
    if seen.code != expected.code:
        problems.append(f"expected {expected.code or 'an answer'}, got {seen.code or f'status {seen.status}'}")
    if record is None:
        problems.append("the books have no record of it")
    else:
        problems += _compare(record, expected, own)
    return Row(title=title, seen=seen, record=record, problems=tuple(problems))


def _compare(record: RequestRecord, expected: Expected, own: str) -> list[str]:
    problems: list[str] = []
    where = _where(record, own)
    if where != expected.where:
        problems.append(f"expected {expected.where}, went {where}")
    if expected.sensitivity and record.sensitivity != expected.sensitivity:
        problems.append(f"expected {expected.sensitivity}, was {record.sensitivity or 'not labelled'}")
    if expected.finding and expected.finding not in record.findings:
        problems.append(f"{expected.finding} was not found")
    if expected.cause and expected.cause not in {cause.source for cause in record.causes}:
        problems.append(f"{expected.cause} is not among the causes")
    if record.error != expected.code:
        problems.append(f"the record says {record.error or 'answered'}")
    return problems


def _where(record: RequestRecord, own: str) -> str:
    if not record.target or record.outcome != "answered":
        return "nowhere"
    return "own" if record.target == own else "vendor"


def cells(number: int, row: Row, own: str) -> tuple[str, ...]:
    """One line of the table, as texts."""
    record = row.record
    if record is None:
        return (str(number), row.title, "", "", "", "", "", show_ms(row.seen.elapsed_ms), "FAIL")
    label = record.sensitivity or "-"
    why = why_sensitive(record)
    return (
        str(number),
        row.title,
        f"{label}: {why}" if why else label,
        _may_go(record, own),
        _went(record, own),
        f"{record.usage.input}+{record.usage.output}" if record.usage else "-",
        _cost(record),
        show_ms(row.seen.elapsed_ms),
        "FAIL" if row.problems else "ok",
    )


def fit(lines: Sequence[tuple[str, ...]], width: int) -> tuple[list[tuple[str, ...]], frozenset[int]]:
    """Titles and `lines` as they fit `width` columns, and the positions of what stands to the right."""
    left_out = LEFT_OUT_WHEN_NARROW if width < WIDE_COLUMNS else frozenset()
    kept = [position for position in range(len(TITLES)) if position not in left_out]
    fitting = [tuple(line[position] for position in kept) for line in (TITLES, *lines)]
    return fitting, frozenset(kept.index(position) for position in NUMBERS - left_out)


def _may_go(record: RequestRecord, own: str) -> str:
    if not record.sensitivity:
        return "-"
    if not record.allowed:
        return "nobody" if record.error == "no_permitted_target" else "-"
    return ", ".join("own" if target == own else "vendor" for target in sorted(record.allowed))


def _went(record: RequestRecord, own: str) -> str:
    """Both sides are introduced by name above the table; what a script answered never looks like a model's answer."""
    if record.outcome != "answered":
        return f"{record.outcome}: {record.error}"
    side = "own" if record.target == own else "SIMULATED vendor" if record.is_simulated else record.target
    if "lacks_feature" in record.refused:
        return f"{side}: own cannot do it"
    if "clearance" in record.refused:
        return f"{side}: only one cleared"
    if record.model == side:
        return f"{side}: by name"
    return f"{side}: {POLICY_WORDS.get(record.policy, record.policy)}"


def _cost(record: RequestRecord) -> str:
    if record.cost is None or not record.cost.amount:
        return "0" if record.outcome == "answered" else "-"
    return show_money(record.cost.amount, record.cost.currency)


def as_json(number: int, row: Row) -> dict[str, object]:
    record = row.record
    facts: dict[str, object] = {
        "number": number, "title": row.title, "ok": not row.problems, "problems": row.problems,
        "request_id": row.seen.request_id, "status": row.seen.status, "code": row.seen.code,
        "elapsed_ms": row.seen.elapsed_ms, "streamed_pieces": row.seen.pieces,
    }  # fmt: skip
    if record is not None:
        facts |= {
            "sensitivity": record.sensitivity, "why": why_sensitive(record), "findings": record.findings,
            "allowed": record.allowed, "refused": record.refused, "target": record.target, "decision": record.why,
            "is_simulated": record.is_simulated, "outcome": record.outcome, "usage": record.usage, "cost": record.cost,
        }  # fmt: skip
    return facts
