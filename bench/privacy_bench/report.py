"""The figures against the goals, as a table for the screen and as JSON for `bench/results`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

Figures = dict[str, Any]  # Any: JSON, as `__main__.measure` fills it


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One line of the table: what is measured, what it must be, and what others reach."""

    name: str
    read: Callable[[Figures], float]
    least: float | None = None
    most: float | None = None
    others: str = ""
    unit: str = "%"

    def is_met(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def _of(corpus: str, measure: str) -> Callable[[Figures], float]:
    return lambda figures: 100 * figures["corpora"][corpus][measure]


def _structured(measure: str) -> Callable[[Figures], float]:
    return lambda figures: 100 * figures["structured_zh"][measure]


def _person(corpus: str) -> Callable[[Figures], float]:
    return lambda figures: 100 * figures["corpora"][corpus]["types"][_PERSON_TYPES[corpus]]["coverage"]


def _precision(corpus: str) -> Callable[[Figures], float]:
    return lambda figures: 100 * figures["corpora"][corpus]["kinds"]["person"]["precision"]


_PERSON_TYPES = {"multipriv_zh": "PERSON", "cluener": "name", "weibo": "PER.NAM", "resume": "NAME", "msra": "PER"}

GOALS: tuple[Goal, ...] = (
    Goal(name="multipriv_zh ID, phone, mail, address: coverage", read=_structured("coverage"), least=99.5),
    Goal(name="multipriv_zh ID, phone, mail, address: leak", read=_structured("leak"), most=0.5),
    Goal(name="multipriv_zh all kinds: leak", read=_of("multipriv_zh", "leak"), most=0.5, others="62; argus 26"),
    *[
        goal
        for corpus, shown, least, precision, others in (
            ("multipriv_zh", "multipriv_zh", 98, 90, "22"),
            ("cluener", "CLUENER", 91, 80, "20"),
            ("weibo", "Weibo", 86, 62, "15"),
            ("resume", "CV", 98, 95, "21"),
            ("msra", "MSRA", 97, 88, "11"),
        )
        for goal in (
            Goal(name=f"PERSON {shown}: coverage", read=_person(corpus), least=least, others=others),
            Goal(name=f"PERSON {shown}: precision", read=_precision(corpus), least=precision),
        )
    ],
    Goal(name="synth_v2: leak", read=_of("synth_v2", "leak"), most=10, others="32"),
    Goal(name="synth_v2: over", read=_of("synth_v2", "over"), most=3, others="5.7"),
    Goal(name="synth_v2: F2 of letters", read=_of("synth_v2", "f2"), least=90, others="66"),
    Goal(name="multipriv_en: leak", read=_of("multipriv_en", "leak"), most=1, others="16"),
    Goal(name="multipriv_en: over", read=_of("multipriv_en", "over"), most=5, others="7.7"),
    Goal(name="PUPA: coverage", read=_of("pupa", "coverage"), least=75, others="68"),
    Goal(name="PUPA: over", read=_of("pupa", "over"), most=8, others="11"),
    Goal(
        name="TAB PERSON and CODE: coverage",
        read=lambda figures: 100 * figures["tab_person_code"],
        least=95,
        others="86 and 8",
    ),
    Goal(name="CredData: recall", read=lambda figures: 100 * figures["creddata"]["recall"], least=70, others="31"),
    Goal(
        name="CredData: false lines", read=lambda figures: 100 * figures["creddata"]["false_lines"], most=5, others="25"
    ),
    Goal(
        name="clean source: chunks flagged",
        read=lambda figures: 100 * figures["source"]["flagged"] / figures["source"]["chunks"],
        most=5,
        others="95",
    ),
    Goal(
        name="evasion: caught",
        read=lambda figures: 100 * figures["evasion"]["caught"] / figures["evasion"]["cases"],
        least=93,
        others="22",
    ),
    Goal(
        name="evasion: harmless ones flagged",
        read=lambda figures: 100 * len(figures["evasion"]["flagged"]) / figures["evasion"]["harmless"],
        most=100 * 2 / 12,
        others="67",
    ),
    Goal(
        name="CPU English",
        read=lambda figures: figures["speed"]["english"]["us_per_kb"],
        most=60,
        unit="µs/KB",
        others="64,000",
    ),
    Goal(
        name="CPU Chinese",
        read=lambda figures: figures["speed"]["chinese"]["us_per_kb"],
        most=150,
        unit="µs/KB",
        others="64,000",
    ),
    *[
        Goal(
            name=f"32 KB with names, {language}: {said}, p99",
            read=lambda figures, language=language, key=key: figures["names_speed"][language][key],  # type: ignore[misc]
            most=most,
            unit="ms",
            others=others,
        )
        for language in ("english", "chinese")
        for said, key, most, others in (("new", "new_p99_ms", 150, "2,384"), ("known", "known_p99_ms", 2, ""))
    ],
    Goal(
        name="CPU English, ratio to re", read=lambda figures: figures["speed"]["english"]["ratio"], most=0.25, unit=""
    ),
    Goal(
        name="CPU Chinese, ratio to re", read=lambda figures: figures["speed"]["chinese"]["ratio"], most=0.25, unit=""
    ),
)


def against_goals(figures: Figures) -> list[dict[str, Any]]:  # Any: JSON
    """One row per goal that was measured in this run."""
    rows = []
    for goal in GOALS:
        try:
            value = goal.read(figures)
        except KeyError:
            continue  # another corpus was asked for
        rows.append(
            {"goal": goal.name, "value": round(value, 3), "unit": goal.unit, "least": goal.least, "most": goal.most,
             "met": goal.is_met(value), "others": goal.others}
        )  # fmt: skip  # one row, two lines
    return rows


def show(runs: dict[str, Figures], console: Console) -> None:
    """Goals, then every corpus: a column per detector of the run."""
    goals = Table("goal", *runs, "must be", "others on the development data", title="Goals")
    rows = {name: {row["goal"]: row for row in against_goals(figures)} for name, figures in runs.items()}
    for goal in GOALS:
        if not any(goal.name in measured for measured in rows.values()):
            continue
        bound = f"≥ {goal.least:g}" if goal.least is not None else f"≤ {goal.most:.3g}"
        cells = []
        for measured in rows.values():
            row = measured.get(goal.name)
            cells.append(
                "–" if row is None else f"{'[green]' if row['met'] else '[red]'}{row['value']:.4g} {goal.unit}"
            )
        goals.add_row(goal.name, *cells, bound, goal.others)
    console.print(goals)
    for name, figures in runs.items():
        corpora = Table(
            "corpus", "coverage", "typed", "leak", "over", "types below 99 % coverage", title=f"Corpora, {name}"
        )
        for corpus, tally in figures.get("corpora", {}).items():
            worst = [
                f"{kind} {100 * one['coverage']:.1f}" for kind, one in tally["types"].items() if one["coverage"] < 0.99
            ]
            shares = [f"{100 * tally[measure]:.2f}" for measure in ("coverage", "typed", "leak", "over")]
            corpora.add_row(corpus, *shares, ", ".join(worst[:8]))
        console.print(corpora)
