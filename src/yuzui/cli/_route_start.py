"""Knows the way from a file of prompts to a certified router: the steps of four commands, each shown as it is taken."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yuzui.cli._evaluate_options import KeyOption, UnsafeCodeOption
from yuzui.cli._options import ConfigOption, DataDirOption
from yuzui.cli._output import say
from yuzui.cli._route_words import reachable
from yuzui.core.errors import ConfigError

if TYPE_CHECKING:
    from yuzui.evaluation.examples import Example


def start(
    examples: Annotated[Path, typer.Argument(metavar="EXAMPLES", help="Prompts, .jsonl or .parquet.")],
    reference: Annotated[str, typer.Option(metavar="MODEL", help="Who answers now: the others are measured by it.")],
    candidate: Annotated[
        list[str], typer.Option(metavar="MODEL", help="Who may answer instead, the cheapest first; repeatable.")
    ],
    scorer: Annotated[str, typer.Option(metavar="NAME[:OPTION=…]", help="How answers are graded.")],
    epsilon: Annotated[
        float, typer.Option(metavar="LOSS", help="At most so much worse than the reference: 0.05 is five points.")
    ],
    delta: Annotated[float, typer.Option(metavar="RISK", help="The promise may be wrong with this probability.")] = 0.1,
    judge: Annotated[str, typer.Option(metavar="MODEL", help="Who judges, for pairwise and rubric.")] = "",
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="Sent with each request; repeat.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="AMOUNT", help="Stop before asking costs more: 5.00.")
    ] = None,
    price: Annotated[
        list[str] | None,
        typer.Option(
            "--price", metavar="MODEL=IN/OUT", help="US dollars per million tokens, where books are not in USD."
        ),
    ] = None,
    parallel: Annotated[int, typer.Option("--parallel", min=1, max=256, help="Calls at once, at most.")] = 4,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the router goes.")] = Path("router.json"),
    unsafe_code: UnsafeCodeOption = False,
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Of a running gateway. Default: one is started for the run.")
    ] = "",
    key: KeyOption = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a router that is there.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """From prompts to a certified router: ask and grade, export, fit, certify; each step is shown as a command.

    The same command goes on where it was stopped, and asks only what is new when prompts were added. Exits with 1 when
    nothing can be promised.
    """
    from yuzui.cli import evaluate
    from yuzui.io.example_file import read_examples

    route = importlib.import_module("yuzui.cli.route")  # the group that this is a command of: it imports this module
    route.check_can_fit()
    if out.exists() and not force:
        raise ConfigError(f"{out} is there already: name another file with --out, or say --force")
    if not 0 < epsilon < 1 or not 0 < delta < 0.5:
        raise ConfigError(
            "--epsilon must lie between 0 and 1, --delta between 0 and 0.5: 0.05 and 0.1 mean 5 points at 90 %"
        )
    say(f"{reachable(_left_to_certify(read_examples(examples)), delta)}.")
    graded = examples.with_suffix(".graded.jsonl")

    _show(
        "evaluate", "run", examples, "--models", ",".join(candidate), "--reference-model", reference,
        "--scorer", scorer, *_given("--judge", judge), *_each("--param", param), *_given("--budget", budget or ""),
    )  # fmt: skip
    evaluate.run(
        examples, ",".join(candidate), [scorer], reference_model=reference, judge=judge, param=param, budget=budget,
        parallel=parallel, unsafe_code=unsafe_code, url=url, key=key, config=config,
        data_dir=data_dir,
    )  # fmt: skip
    _show("evaluate", "export", examples.stem, "--scorer", scorer, "--out", graded)
    evaluate.export(examples.stem, graded, scorer=scorer, force=True, config=config, data_dir=data_dir)
    _show("route", "fit", graded, "--reference", reference, *_each("--candidate", candidate),
          "--out", out, *_each("--price", price))  # fmt: skip
    route.fit(graded, reference, candidate, out, price=price, force=force, config=config, data_dir=data_dir)
    _show("route", "certify", out, graded, "--epsilon", f"{epsilon:g}", "--delta", f"{delta:g}")
    route.certify(out, graded, epsilon, delta, config=config, data_dir=data_dir)


def _left_to_certify(examples: Sequence[Example]) -> int:
    """How many of them fitting will not see."""
    from yuzui.evaluation.graded import Graded, split_of
    from yuzui.evaluation.graded_rows import SPLITS

    are_named = all(example.split in SPLITS for example in examples)
    drawn = [Graded(prompt=one.last_question, answers={}, split=one.split if are_named else "") for one in examples]
    return len(split_of(drawn, "calib"))


def _show(*words: str | Path) -> None:
    say("")
    say(f"$ yuzui {shlex.join([str(word) for word in words])}")


def _given(option: str, value: str) -> tuple[str, ...]:
    return (option, value) if value else ()


def _each(option: str, values: list[str] | None) -> list[str]:
    return [word for value in values or () for word in (option, value)]
