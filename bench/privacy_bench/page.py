"""Writes docs/privacy.md: the figures of the last whole run, and those of our own corpus, measured anew each time.

`python -m privacy_bench.page` writes it from bench/results/privacy.json without measuring the large corpora again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from origin import RESULTS, ROOT

from privacy_bench import own
from privacy_bench.corpora import GROUP_OF_TYPE
from privacy_bench.detection import Yuzui
from privacy_bench.measures import ALIKE, Tally
from privacy_bench.report import GOALS, Figures, Goal

RESULT = "privacy"
PAGE = ROOT / "docs" / "privacy.md"
TEMPLATE = Path(__file__).with_name("page.md.in")
COLUMNS = {"yuzui+ner": "with names", "yuzui": "patterns alone", "presidio": "Presidio"}
FEW = 20  # findings of a kind below which a share says nothing
Json = dict[str, Any]  # Any: JSON


def main() -> int:
    write(load(RESULT))
    return 0


def load(name: str) -> Json:
    result: Json = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return result


def write(result: Json) -> None:
    PAGE.write_text(render(result, measure_own()), encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}", file=sys.stderr)


def measure_own() -> Figures:
    """Patterns on the corpus that is part of the project: needs no data and no extra."""
    detection, tally = Yuzui(), Tally()
    rows = own.rows()
    for row, found in zip(rows, detection.spans([row.text for row in rows]), strict=True):
        tally.add(row, found)
    return tally.as_json()


def render(result: Json, ours: Figures) -> str:
    """The page. `result`: what `__main__` saved."""
    runs: Mapping[str, Figures] = result["runs"]
    tables = {
        "goals": _goals(runs),
        "corpora": _corpora(runs),
        "recall": _recall(runs["yuzui+ner"]["corpora"]),
        "precision": _precision(runs["yuzui+ner"]["corpora"]),
        "own": _own(ours),
        "origin": _origin(result),
        "proofs": _proofs(),
    }
    page = TEMPLATE.read_text("utf-8")
    for name, table in tables.items():
        page = page.replace(f"<!-- {name} -->", table)
    return page


def _origin(result: Json) -> str:
    machine = result["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in result["packages"].items())
    changed = " with uncommitted changes" if result["is_changed_since"] else ""
    return (
        f"{result['at'][:10]}, commit {result['commit']}{changed}, {machine['cpu']}, {machine['cores']} virtual "
        f"cores, Python {result['python']}, {packages}; load average {machine['load_average']}."
    )


def _goals(runs: Mapping[str, Figures]) -> str:
    rows = []
    for goal in GOALS:
        values = [_value(goal, runs.get(name, {})) for name in COLUMNS]
        if values[0] is None:
            continue
        bound = f"≥ {goal.least:g}" if goal.least is not None else f"≤ {goal.most:.3g}"
        cells = [_cell(goal, value, is_ours=at < 2) for at, value in enumerate(values)]
        rows.append((goal.name, f"{bound} {goal.unit}".strip(), *cells, goal.others))
    return _table(("measure", "goal", *COLUMNS.values(), "others, published"), rows)


def _value(goal: Goal, figures: Figures) -> float | None:
    try:
        return goal.read(figures)
    except KeyError:
        return None  # not asked of this detector


def _cell(goal: Goal, value: float | None, *, is_ours: bool) -> str:
    if value is None:
        return "–"
    shown = f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
    return f"**{shown}**" if is_ours and not goal.is_met(value) else shown


def _corpora(runs: Mapping[str, Figures]) -> str:
    names = [name for name in COLUMNS if name in runs]
    rows = []
    for corpus in runs["yuzui+ner"]["corpora"]:
        shares = [
            " / ".join(
                [f"{100 * runs[name]['corpora'][corpus][measure]:.1f}" for measure in ("coverage", "leak", "over")]
            )
            for name in names
        ]
        rows.append((corpus, *shares))
    return _table(("corpus", *[COLUMNS[name] for name in names]), rows)


def _recall(corpora: Mapping[str, Figures]) -> str:
    """Per label of a corpus: how many entities, how many covered, how many also named rightly."""
    rows = [
        (corpus, label, str(one["entities"]), _percent(one["coverage"]), _percent(one["typed"]))
        for corpus, figures in corpora.items()
        for label, one in figures["types"].items()
        if one["entities"] >= FEW
    ]
    return _table(("corpus", "label there", "entities", "covered %", "and of that kind %"), rows)


def _precision(corpora: Mapping[str, Figures]) -> str:
    """Of our kinds, in the corpora that label such things at all: elsewhere every finding would count as false."""
    rows = []
    for corpus, figures in corpora.items():
        groups = {GROUP_OF_TYPE.get(label.upper(), label.lower()) for label in figures["types"]}
        rows += [
            (corpus, f"`{kind}`", str(one["found"]), _percent(one["precision"]))
            for kind, one in figures["kinds"].items()
            if one["found"] >= FEW and groups.intersection((kind, *ALIKE.get(kind, ())))
        ]
    return _table(("corpus", "kind", "found", "precision %"), rows)


def _own(figures: Figures) -> str:
    rows = [
        (f"`{kind}`", str(one["entities"]), _percent(one["typed"]), _precision_of(figures, kind))
        for kind, one in sorted(figures["types"].items())
    ]
    whole = ("all", str(sum(one["entities"] for one in figures["types"].values())), _percent(figures["typed"]), "")
    return _table(("kind", "values", "recall %", "precision %"), [*rows, whole])


def _precision_of(figures: Figures, kind: str) -> str:
    found = figures["kinds"].get(kind)
    return "–" if found is None else _percent(found["precision"])


def _proofs() -> str:
    """What other programs of bench/ measured last, one row for each result that is there."""
    rows = []
    for name, read in _PROOFS.items():
        if (RESULTS / f"{name}.json").is_file():
            one = load(name)
            rows.append((*read(one), f"{one['at'][:10]}, {one['commit']}"))
    return _table(("measure", "goal", "measured", "when, commit"), rows)


_PROOFS: dict[str, Callable[[Json], tuple[str, str, str]]] = {
    "canaries": lambda one: (
        "generated conversations with marked values, refused where nobody may see them: marks that a vendor received",
        "0",
        f"{len(one['leaks'])} of {one['marked_requests']:,}",
    ),
    "canaries-masked": lambda one: (
        "the same, masked",
        "0",
        f"{len(one['leaks'])} of {one['marked_requests']:,} ({one['vendor_requests']:,} requests reached one)",
    ),
    "faults": lambda one: (
        f"injected faults, at {one['positions']} places of every dialect: raw bytes that a vendor received",
        "0 over ≥ 200",
        f"{len(one['leaks'])} over {one['faults']:,}, in {one['happened']:,} requests",
    ),
    "stand-ins": lambda one: (
        f"stand-ins in {one['turns']} turns over {one['processes']} restarted processes: stable; alike between tenants",
        "100 %; 0",
        f"{100 * (1 - one['changed'] / one['shown']):.4g} % of {one['shown']:,}; "
        f"{one['equal_across_tenants']} of {one['others']}",
    ),
    "restore": lambda one: (
        "cuts of a stream that restore to the same text; µs of CPU per delta",
        "all; ≤ 5",
        f"{one['exact']:,} of {one['cuts']:,}; {one['us_per_delta']}",
    ),
}
"""Result file → what to say of it: measure, goal, figure."""


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
