"""The figures against the goals, as a table for the screen and as JSON for `bench/results`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

Figures = dict[str, Any]  # Any: JSON, as `__main__` fills it


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One line of the table: what is measured, what it must be, what was known before, its interval if it has one."""

    name: str
    read: Callable[[Figures], float]
    least: float | None = None
    most: float | None = None
    anchor: str = ""
    interval: Callable[[Figures], list[float]] | None = None

    def is_met(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def _at(*path: str) -> Callable[[Figures], Any]:
    def read(figures: Figures) -> Any:  # Any: JSON
        value: Any = figures
        for key in path:
            value = value[key]
        return value

    return read


def _apgr(name: str, *path: str, least: float, anchor: str) -> Goal:
    return Goal(name=name, read=_at(*path, "apgr"), interval=_at(*path, "apgr_95"), least=least, anchor=anchor)


def _away(figures: Figures) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = figures["unseen"]["journeys"]
    return rows


def best_informed(figures: Figures) -> list[dict[str, Any]]:
    """Of each set the policy that looks at most before it decides: known before anything is measured."""
    rows: list[dict[str, Any]] = figures["guarantee"]["rows"]
    by_set: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row["set"].removesuffix(", one check")
        known = by_set.get(name)
        if known is None or _looks(row) > _looks(known):
            by_set[name] = row
    return list(by_set.values())


def _looks(row: dict[str, Any]) -> tuple[bool, bool]:
    return row["set"].endswith("one check"), row["policy"] == "cascade"


GOALS: tuple[Goal, ...] = (
    _apgr("MMLU up front: APGR", "mmlu", "up_front", least=0.70, anchor="0.603"),
    Goal(name="MMLU up front: CPT80", read=_at("mmlu", "up_front", "cpt80"), most=54, anchor="70.3"),
    Goal(
        name="MMLU, 1,500 labels, mean of 5 draws: APGR", read=_at("mmlu", "few_labels", "apgr"), least=0.64,
        anchor="0.603",
    ),
    Goal(name="decision, 2 KB: p50, µs of CPU", read=_at("mmlu", "cpu", "2kb_p50_us"), most=500),
    Goal(name="decision, 2 KB: p99, µs of CPU", read=_at("mmlu", "cpu", "2kb_p99_us"), most=2000),
    _apgr("GSM8K up front: APGR", "gsm8k", "up_front", least=0.62, anchor="0.622, an 8B model"),
    Goal(name="GSM8K up front: p99, µs of CPU", read=_at("gsm8k", "cpu", "prompts_p99_us"), most=2000),
    _apgr("GSM8K cascade, no extra call: APGR", "gsm8k", "cascade", least=0.74, anchor="0.622"),
    _apgr("GSM8K cascade, one small check: APGR", "gsm8k", "cascade_one_check", least=0.88, anchor="0.622"),
    _apgr("ZeroEval cascade, in domain: APGR", "zeroeval", "cascade", least=0.86, anchor="up front 0.67"),
    _apgr("ZeroEval cascade, task left out: APGR", "zeroeval", "left_out_cascade", least=0.80, anchor="up front 0.32"),
    _apgr("MMLU-Pro cascade: APGR", "mmlu_pro", "cascade", least=0.75, anchor="0.729"),
    Goal(
        name="MMLU-Pro cascade: net saving at -1 pp, on the test curve",
        read=lambda figures: 100 * figures["mmlu_pro"]["saving"]["at_minus_1pp"]["test_curve"], least=28,
    ),
    Goal(
        name="the same by the threshold that `calib` would choose",
        read=lambda figures: 100 * figures["mmlu_pro"]["saving"]["at_minus_1pp"]["threshold_of_calib"], least=28,
    ),
    Goal(
        name="the same certified on `calib` at 1 pp",
        read=lambda figures: 100 * figures["mmlu_pro"]["saving"]["certified"]["0.01"]["saving_test"], least=28,
    ),
    Goal(
        name="unseen domains up front: worst loss after fallback where APGR < 0.50, pp",
        read=lambda figures: 100 * max((row["loss"] for row in _away(figures) if row["apgr_raw"] < 0.5), default=0.0),
        most=2.0,
    ),
    Goal(
        name="unseen domains by the portable cascade: least APGR",
        read=lambda figures: min(
            row["apgr"] for groups in figures["unseen"]["cascades"].values() for row in groups.values()
            if row["apgr"] is not None
        ),
        least=0.50,
    ),
    Goal(
        name="guarantee, 200 redraws: most violations, %",
        read=lambda figures: 100 * max(row["ours"]["violations"] for row in figures["guarantee"]["rows"]), most=10,
        anchor="naive 34-60",
    ),
    Goal(
        name="guarantee: least certified share of the best possible, every set and policy, %",
        read=lambda figures: 100 * min(row["ours"]["of_best"] for row in figures["guarantee"]["rows"]), least=80,
    ),
    Goal(
        name="guarantee: the same, every set by the policy that looks at most (with check, cascade, up front), %",
        read=lambda figures: 100 * min(row["ours"]["of_best"] for row in best_informed(figures)), least=80,
    ),
    Goal(
        name="SWE-bench Verified, against the strongest on the deciding half: mean loss, pp",
        read=lambda figures: 100 * figures["swebench"]["by_half"]["chosen_and_routed"]["loss"], most=1.0,
    ),
    Goal(
        name="the same: saving, %",
        read=lambda figures: 100 * figures["swebench"]["by_half"]["chosen_and_routed"]["saving"], least=85,
    ),
    Goal(
        name="SWE-bench Verified, against the strongest on all tasks (hindsight): mean loss, pp",
        read=lambda figures: 100 * figures["swebench"]["hindsight"]["chosen_and_routed"]["loss"], most=1.0,
    ),
    Goal(
        name="the same, hindsight: saving, %",
        read=lambda figures: 100 * figures["swebench"]["hindsight"]["chosen_and_routed"]["saving"], least=85,
    ),
    Goal(
        name="SWE-bench Verified: certified at 2 pp (0: honestly not)",
        read=lambda figures: float(figures["swebench"]["certified_at_2pp"]), most=0,
    ),
)  # fmt: skip  # a table


def against_goals(figures: Figures) -> list[dict[str, Any]]:
    """One row per goal that was measured in this run."""
    rows = []
    for goal in GOALS:
        try:
            value = goal.read(figures)
        except KeyError:
            continue  # another part was asked for
        interval = goal.interval(figures) if goal.interval else None
        rows.append({
            "goal": goal.name, "value": value, "interval_95": interval, "least": goal.least, "most": goal.most,
            "met": goal.is_met(value), "anchor": goal.anchor,
        })  # fmt: skip  # one thing
    return rows


def show(figures: Figures, console: Console) -> None:
    """Goals, then the guarantee and the unseen domains row by row."""
    table = Table("measure", "anchor", "goal", "measured", "95 % interval", "met", title="Figures to reach")
    for row in against_goals(figures):
        goal = f">= {row['least']:g}" if row["least"] is not None else f"<= {row['most']:g}"
        interval = " to ".join(f"{bound:.3f}" for bound in row["interval_95"]) if row["interval_95"] else ""
        table.add_row(row["goal"], row["anchor"], goal, f"{row['value']:.4g}", interval, "yes" if row["met"] else "NO")
    console.print(table)
    if "guarantee" in figures:
        _show_guarantee(figures["guarantee"]["rows"], console)
    if "unseen" in figures:
        away = Table(
            "from → to", "n", "APGR raw", "turned away", "open", "loss without", "loss with", title="Unseen domains"
        )
        for row in figures["unseen"]["journeys"]:
            away.add_row(row["journey"], str(row["n"]), f"{row['apgr_raw']:.3f}", f"{row['turned_away']:.1%}",
                         f"{row['open']:.1%}", f"{row['raw_loss']:+.2%}", f"{row['loss']:+.2%}")  # fmt: skip
        console.print(away)
    for name, row in figures.get("embeddings", {}).items():
        console.print(f"{name}: {row}")


def _show_guarantee(rows: list[dict[str, Any]], console: Console) -> None:
    table = Table("set", "policy", "best possible", "ours: broken", "of the best", "growth bets: broken", "of the best",
                  "normal: broken", "of the best", "naive: broken",
                  title="Promise of 2 pp at 90 %, n = 2,000, 200 redraws")  # fmt: skip
    for row in rows:
        table.add_row(row["set"], row["policy"], f"{row['best_open']:.1%}", f"{row['ours']['violations']:.1%}",
                      f"{row['ours']['of_best']:.1%}", f"{row['growth']['violations']:.1%}",
                      f"{row['growth']['of_best']:.1%}", f"{row['normal']['violations']:.1%}",
                      f"{row['normal']['of_best']:.1%}", f"{row['naive']['violations']:.1%}")  # fmt: skip
    console.print(table)


def rounded(value: Any) -> Any:  # Any: JSON
    """Floats with six digits after the point."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    return value
