"""Knows how people label in a terminal: accept, correct or choose, one item after the other, to be continued."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from yuzui.cli._evaluate_options import SUFFIX, names_of, run_file
from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, data_dir_of
from yuzui.cli._output import note, say, show_table, write_json
from yuzui.cli._text import clean
from yuzui.core.errors import ConfigError

if TYPE_CHECKING:
    from yuzui.evaluation.labels import Item, Label

app = typer.Typer()

QUIT, SKIP = "q", "s"
REVIEW: Final = {"a": "accept", "r": "reject", "c": "correct"}
MOST_CHARS: Final = 6_000


@app.command()
def label(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Examples (.jsonl, .parquet), or a run.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who labels. Default: this machine's user.")] = "",
    models: Annotated[
        str, typer.Option("--models", metavar="A[,B]", help="Of a run: one model's answers, or which of two is better.")
    ] = "",
    labels: Annotated[
        Path | None, typer.Option("--labels", metavar="FILE", help="Where labels go. Default: FILE.labels.jsonl.")
    ] = None,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="Say how far the annotators agree, and label nothing.")
    ] = False,
    apply: Annotated[
        Path | None, typer.Option("--apply", metavar="OUT", help="Write the examples with reviewed references here.")
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Review references or answers (accept, reject, correct), or choose the better of two answers, blind.

    Each label is on disk before the next item is shown; what you labelled is not shown again.
    """
    from yuzui.evaluation.labels import pending
    from yuzui.io.label_file import add_label, read_labels

    path = _path(file, data_dir_of(data_dir))
    store = labels or path.with_name(f"{path.name}.labels.jsonl")
    known = read_labels(store)
    if agreement:
        _show_agreement(known, is_json=json)
        return
    if apply is not None:
        _apply(path, known, apply)
        return
    who = by or _user()
    left = pending(_items(path, models, who), known, who)
    for number, item in enumerate(left, 1):
        _show(item, number, len(left))
        found = _ask(item, who)
        if found == QUIT:
            break
        if not isinstance(found, str):
            add_label(store, found)
    else:
        say("nothing is left to label" if not left else "done")
    say(f"labels: {store}")


def _path(file: str, data_dir: Path) -> Path:
    path = Path(file)
    return path if path.suffix in (".jsonl", ".parquet", SUFFIX) else run_file(file, data_dir)


def _items(path: Path, models: str, who: str) -> list[Item]:
    from yuzui.evaluation.labels import answer_items, pair_items, review_items
    from yuzui.io.evaluation_store import EvaluationStore
    from yuzui.io.example_file import read_examples

    if path.suffix != SUFFIX:
        if models:
            raise ConfigError("--models goes with a run; examples have references to review")
        return review_items(read_examples(path))
    with EvaluationStore(path) as store:
        outcomes = store.outcomes()
    named = names_of(models, "--models") if models else outcomes.settings.asked[:2]
    if strangers := [model for model in named if model not in outcomes.settings.asked]:
        raise ConfigError(f"the run has no answers of {strangers[0]}; it has {', '.join(outcomes.settings.asked)}")
    if len(named) > 2:
        raise ConfigError("--models takes one model, or two to compare")
    return answer_items(outcomes, named[0]) if len(named) == 1 else pair_items(outcomes, named[0], named[1], who)


def _show(item: Item, number: int, total: int) -> None:
    say("")
    say(f"── {number} of {total} " + "─" * 40)
    _say_text(item.question)
    for reference in item.references:
        say("── reference ──")
        _say_text(reference)
    for position, (_, text) in enumerate(item.texts, 1):
        say(f"── {position} ──" if len(item.texts) > 1 else "── to review ──")
        _say_text(text)


def _say_text(text: str) -> None:
    shown = text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}\n[… {len(text) - MOST_CHARS} characters more]"
    for line in shown.splitlines() or [""]:
        print(clean(line))


def _ask(item: Item, who: str) -> Label | Literal["q", "s"]:
    """What was said; `q` to stop, `s` to leave it for later. The end of the input stops as well."""
    from yuzui.evaluation.labels import TIE, Label

    now = datetime.now(UTC).isoformat(timespec="seconds")
    if item.kind == "pairwise":
        choices = {"1": item.texts[0][0], "2": item.texts[1][0], "t": TIE}
        answer = _key("1, 2, t (tie), s (skip), q (quit)", [*choices, SKIP, QUIT])
        if answer in (QUIT, SKIP):
            return "q" if answer == QUIT else "s"
        return Label(item=item.id, kind="pairwise", by=who, label=choices[answer], at=now)
    answer = _key("a (accept), r (reject), c (correct), s (skip), q (quit)", [*REVIEW, SKIP, QUIT])
    if answer in (QUIT, SKIP):
        return "q" if answer == QUIT else "s"
    text = _line("what is right: ") if answer == "c" else ""
    if answer == "c" and not text:
        return "s"
    return Label(item=item.id, kind="review", by=who, label=REVIEW[answer], text=text, at=now)


def _key(prompt: str, allowed: Sequence[str]) -> str:
    while True:
        answer = _line(f"{prompt}: ")
        if answer.lower() in allowed:
            return answer.lower()
        note(f"write one of {', '.join(allowed)}")


def _line(prompt: str) -> str:
    """A line of the terminal; `q` at its end."""
    sys.stdout.write(prompt)
    sys.stdout.flush()
    line = sys.stdin.readline()
    return line.strip() if line else QUIT


def _show_agreement(known: Sequence[Label], *, is_json: bool) -> None:
    from yuzui.evaluation.agreement import krippendorffs_alpha, pairwise_kappas, units_of
    from yuzui.evaluation.labels import Kind, by_annotator

    if not known:
        raise ConfigError("there are no labels yet")
    found: list[dict[str, object]] = []
    kinds: tuple[Kind, ...] = ("review", "pairwise")
    for kind in kinds:
        given = by_annotator(known, kind)
        if not given:
            continue
        alpha = krippendorffs_alpha(units_of(given))
        kappas = [
            {"left": left, "right": right, "items": count, "kappa": kappa}
            for (left, right), (count, kappa) in pairwise_kappas(given).items()
        ]
        labelled = {who: len(items) for who, items in given.items()}
        found.append({"kind": kind, "labelled": labelled, "alpha": alpha, "kappas": kappas})
        if not is_json:
            say(f"{kind}: " + ", ".join([f"{who} {count}" for who, count in sorted(labelled.items())]))
            say(f"Krippendorff's alpha (nominal): {_number(alpha)}")
            rows = [
                (left, right, str(count), _number(kappa))
                for (left, right), (count, kappa) in pairwise_kappas(given).items()
            ]
            if rows:
                show_table(("annotator", "annotator", "items", "Cohen's kappa"), rows, right=frozenset((2, 3)))
    if is_json:
        write_json(found)


def _number(value: float | None) -> str:
    return "not defined (too few items, or only one label)" if value is None else f"{value:.3f}"


def _apply(path: Path, known: Sequence[Label], out: Path) -> None:
    from yuzui.evaluation.labels import corrected
    from yuzui.io.example_file import read_examples, write_examples

    if out.exists():
        raise ConfigError(f"{out} is there already: name another file")
    kept, changed, rejected = corrected(read_examples(path), known)
    write_examples(out, kept)
    say(f"{len(kept)} examples in {out}: {changed} corrected, {rejected} rejected and left out")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:  # no name in this system's list of users
        raise ConfigError("--by NAME: say who labels") from error
