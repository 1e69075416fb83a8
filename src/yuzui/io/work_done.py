"""Knows what work the books tell of: tokens by model, team and target, how much they vary, and the busiest hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple, cast

import msgspec

from yuzui.core.money import convert_nano
from yuzui.io.label_store import Read
from yuzui.io.recovery import UNKNOWN_TARGET

NS_PER_HOUR: Final = 3_600_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRow:
    """Requests that wrote tokens. What wrote none (embeddings, refusals, failures) is in no row."""

    model: str
    team: str
    target: str
    requests: int
    input_tokens: int
    output_tokens: int
    output_squares: float
    """Sum of the squares of each request's output tokens: how much they vary."""
    spent_nano: int
    """Book currency."""
    others_nano: int = 0
    """Of it: paid to other targets, which a cascade asked beside the one that answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkDone:
    rows: tuple[WorkRow, ...]
    busiest_hour: int
    """Requests in it; hours begin at full hours, UTC."""
    first_ns: int = 0
    """When the first of them came in, and the last; 0 where there is none."""
    last_ns: int = 0


class OtherCalls(NamedTuple):
    """What requests of one model and team, answered by `target`, paid to `paid`, which is another target."""

    model: str
    team: str
    target: str
    paid: str
    spent_nano: int


_WHERE: Final = (
    "FROM request WHERE at_ns >= ?1 AND at_ns < ?2 AND output_tokens > 0 "
    "AND (?3 = '[]' OR model IN (SELECT value FROM json_each(?3))) "
    "AND (?4 = '[]' OR team IN (SELECT value FROM json_each(?4)))"
)


def work_done(execute: Read, since_ns: int, until_ns: int, models: Sequence[str], teams: Sequence[str]) -> WorkDone:
    """From `since_ns` up to but not including `until_ns`, in the order of the names."""
    bindings = (since_ns, until_ns, _json(models), _json(teams))
    rows = execute(
        "SELECT model, team, target, count(*), sum(input_tokens), sum(output_tokens), "
        f"total(output_tokens * 1.0 * output_tokens), sum(spent) {_WHERE} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        bindings,
    )
    others: dict[tuple[str, str, str], int] = {}
    for call in other_calls(execute, since_ns, until_ns):
        key = (call.model, call.team, call.target)
        others[key] = others.get(key, 0) + call.spent_nano
    busiest = execute(
        f"SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n {_WHERE} GROUP BY at_ns / {NS_PER_HOUR})", bindings
    )
    bounds = execute(f"SELECT coalesce(min(at_ns), 0), coalesce(max(at_ns), 0) {_WHERE}", bindings)
    return WorkDone(
        rows=tuple(
            [
                WorkRow(
                    model=r[0], team=r[1], target=r[2], requests=r[3], input_tokens=r[4], output_tokens=r[5],
                    output_squares=r[6], spent_nano=r[7], others_nano=others.get((r[0], r[1], r[2]), 0),
                )
                for r in cast(list[tuple[str, str, str, int, int, int, float, int]], rows)
            ]
        ),
        busiest_hour=cast(int, busiest[0][0]),
        first_ns=cast(int, bounds[0][0]),
        last_ns=cast(int, bounds[0][1]),
    )  # fmt: skip


def other_calls(execute: Read, since_ns: int, until_ns: int) -> list[OtherCalls]:
    """Of requests from `since_ns` up to but not including `until_ns`; book currency, each posting at its own rate."""
    rows = execute(
        "SELECT r.model, r.team, r.target, substr(p.account, 8), -p.amount_nano, p.rate, count(*) "
        "FROM request r JOIN posting p USING (seq) WHERE r.at_ns >= ? AND r.at_ns < ? AND p.account LIKE 'target:%' "
        "AND p.account NOT IN ('target:' || r.target, ?) GROUP BY 1, 2, 3, 4, 5, 6",
        (since_ns, until_ns, UNKNOWN_TARGET),
    )
    return [
        OtherCalls(model, team, target, paid, count * convert_nano(amount, Decimal(rate)))
        for model, team, target, paid, amount, rate, count in cast(list[tuple[str, str, str, str, int, str, int]], rows)
    ]


def _json(names: Sequence[str]) -> str:
    return msgspec.json.encode(list(names)).decode()
