"""Gates: `cost > +5%`, `left_house > 0`, `latency_p95[team=web] > +200ms`. What cannot be decided has failed.

gate    = metric [ "." bound ] [ "[" where { "," where } "]" ] comparison number [ unit ]
where   = "team=" name | "label=" name
bound   = "low" | "high"              an end of the 95 % interval in place of the value; of changes only
comparison = ">" | ">=" | "<" | "<="
unit    = "%" | "pp" | "ms" | "s" | a currency        pp: points of a hundred, of quality
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from yuzui.backtest.report import Counts, GateResult, LatencyChange, Report, SliceReport
from yuzui.core.errors import ConfigError
from yuzui.core.money import NANO

COUNTS: Final = (
    *(name for name in Counts.__struct_fields__ if name != "requests"), "uncounted", "latency_unknown",
)  # fmt: skip
WHOLE: Final = ("assumed", "unknown_places", "by_load", "suppressed", "over_budget")
"""Counts of the whole replay: they have no team and no label."""
CHANGES: Final = ("cost", "quality", "latency_p50", "latency_p95", "first_token_p50", "first_token_p95")
METRICS: Final = (*CHANGES, *COUNTS, *WHOLE)
EXAMPLES: Final = 'such as "cost > +5%", "left_house > 0" or "latency_p95[team=web] > +200ms"'

_GATE = re.compile(
    r"\s*(?P<metric>[a-z0-9_]+)(?:\.(?P<bound>[a-z]+))?\s*(?:\[(?P<where>[^\]]*)\])?\s*"
    r"(?P<comparison>[<>]=?|={1,2}|!=)\s*(?P<number>[+-]?\d+(?:\.\d+)?)\s*(?P<unit>%|[A-Za-z]+)?\s*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    text: str
    metric: str
    bound: str
    team: str | None
    label: str | None
    comparison: str
    number: Decimal
    unit: str


def read_gate(text: str, currency: str) -> Gate:
    """Raise `ConfigError` that says what to write."""
    found = _GATE.fullmatch(text)
    if found is None:
        raise ConfigError(f"--fail-if {text!r} is no gate; write a metric, a comparison and a number, {EXAMPLES}")
    metric, comparison, unit = found["metric"], found["comparison"], found["unit"] or ""
    if metric not in METRICS:
        raise ConfigError(f"--fail-if {text!r}: no metric is named {metric!r}; there are {', '.join(METRICS)}")
    if comparison not in (">", ">=", "<", "<="):
        raise ConfigError(f"--fail-if {text!r}: compare with >, >=, < or <=, not {comparison}")
    bound = found["bound"] or ""
    if bound and (bound not in ("low", "high") or metric not in CHANGES):
        raise ConfigError(f"--fail-if {text!r}: only .low and .high, and only of {', '.join(CHANGES)}")
    if bound and metric not in ("cost", "quality"):
        raise ConfigError(f"--fail-if {text!r}: only cost and quality have an interval of their change")
    team, label = _where(found["where"], text)
    if metric in WHOLE and (team is not None or label is not None):
        raise ConfigError(f"--fail-if {text!r}: {metric} is counted for all requests together; leave [...] out")
    if team is not None and label is not None and metric.startswith(("latency_p", "first_token_p")):
        raise ConfigError(f"--fail-if {text!r}: latencies are told per team or per label, not for both at once")
    _check_unit(metric, bound, unit, found["number"], text, currency)
    return Gate(
        text=text.strip(), metric=metric, bound=bound, team=team, label=label, comparison=comparison,
        number=Decimal(found["number"]), unit=unit,
    )  # fmt: skip


def _where(text: str | None, gate: str) -> tuple[str | None, str | None]:
    known: dict[str, str] = {}
    for part in (text or "").split(","):
        name, is_given, value = part.partition("=")
        if not part.strip() and text is None:
            continue
        if name.strip() not in ("team", "label") or not is_given or name.strip() in known:
            raise ConfigError(f"--fail-if {gate!r}: write [team=NAME], [label=NAME] or [team=NAME,label=NAME]")
        known[name.strip()] = value.strip()
    return known.get("team"), known.get("label")


def _check_unit(metric: str, bound: str, unit: str, number: str, gate: str, currency: str) -> None:
    allowed: tuple[str, ...]
    if metric == "cost":
        allowed = ("%",) if bound else ("%", currency)
    elif metric == "quality":
        allowed = ("%", "pp")
    elif metric in CHANGES:
        allowed = ("%", "ms", "s")
    else:
        allowed = ("", "%")
        if not unit and "." in number:
            raise ConfigError(f"--fail-if {gate!r}: {metric} counts requests; write a whole number, or a share in %")
    if unit not in allowed:
        written = " or ".join(one or "no unit" for one in allowed)
        raise ConfigError(f"--fail-if {gate!r}: the number of {metric} takes {written}, not {unit or 'no unit'}")


def check_gate(gate: Gate, report: Report) -> GateResult:
    """Held against `report`. A gate without data has failed: nobody could tell."""
    if not report.replayed:
        return GateResult(gate=gate.text, has_failed=True, value="no request was replayed")
    found = _slice(gate, report)
    if found is None:
        return GateResult(gate=gate.text, has_failed=True, value="no request has this team or label")
    measured = _measure(gate, found, report)
    if isinstance(measured, str):
        return GateResult(gate=gate.text, has_failed=True, value=measured)
    value, unit = measured
    has_failed = _compare(value, gate.comparison, gate.number)
    return GateResult(gate=gate.text, has_failed=has_failed, value=f"{_shown(value)}{unit}")


def check_gates(gates: Sequence[Gate], report: Report) -> tuple[GateResult, ...]:
    return tuple([check_gate(gate, report) for gate in gates])


def _slice(gate: Gate, report: Report) -> SliceReport | None:
    if gate.team is None and gate.label is None:
        return report.total
    for one in (*report.teams, *report.labels, *report.slices):
        if (one.team, one.label) == (gate.team, gate.label):
            return one
    return None


def _measure(gate: Gate, found: SliceReport, report: Report) -> tuple[Decimal, str] | str:
    """The value with its unit, or why there is none."""
    if gate.metric == "cost":
        return _cost(gate, found, report.currency)
    if gate.metric == "quality":
        if found.quality is None:
            return "no quality data"
        change = getattr(found.quality, gate.bound or "change")
        return "too few examples for an interval" if change is None else (_percent(change), gate.unit)
    if gate.metric in CHANGES:
        return _latency(gate, found)
    count = _whole(gate.metric, report) if gate.metric in WHOLE else _count(gate.metric, found)
    if gate.unit == "%":
        whole = report.replayed if gate.metric in WHOLE else found.requests
        return (Decimal(count) * 100 / whole if whole else Decimal(0)), "%"
    return Decimal(count), ""


def _whole(metric: str, report: Report) -> int:
    match metric:
        case "assumed":
            return max(report.assumed.values(), default=0)
        case "unknown_places":
            return len(report.unknown_places)
        case _:
            return int(getattr(report, metric))


def _count(metric: str, found: SliceReport) -> int:
    return found.cost.uncounted if metric == "uncounted" else int(getattr(found, metric))


def _cost(gate: Gate, found: SliceReport, currency: str) -> tuple[Decimal, str] | str:
    cost = found.cost
    if gate.unit != "%":
        return Decimal(cost.after_nano - cost.before_nano) / NANO, f" {currency}"
    if cost.change is None:
        return "it cost nothing, and would cost something: no percentage says how much more"
    change = getattr(cost, gate.bound or "change")
    return "too few days or hours for an interval" if change is None else (_percent(change), "%")


def _latency(gate: Gate, found: SliceReport) -> tuple[Decimal, str] | str:
    one: LatencyChange = found.latency[gate.metric]
    if one.before is None or one.after is None:
        return "no latency data"
    if gate.unit == "%":
        return "no latency data" if one.change is None else (_percent(one.change), "%")
    difference_ms = Decimal(str(one.after[0])) - Decimal(str(one.before[0]))
    return (difference_ms, "ms") if gate.unit == "ms" else (difference_ms / 1000, "s")


def _percent(change: float) -> Decimal:
    return round(Decimal(str(change)) * 100, 6)  # a float's last digits are no reason to fail


def _compare(value: Decimal, comparison: str, number: Decimal) -> bool:
    match comparison:
        case ">":
            return value > number
        case ">=":
            return value >= number
        case "<":
            return value < number
        case "<=":
            return value <= number
        case _:
            raise ValueError(f"no comparison: {comparison}")  # `read_gate` lets no other through


def _shown(value: Decimal) -> str:
    if value == value.to_integral_value():
        return f"{int(value)}"
    return f"{value.quantize(Decimal('0.000001')).normalize():f}"
