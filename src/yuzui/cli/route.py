"""Knows how a router is made and what is said of it: fitted on graded examples, certified on others, shown."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext, redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from yuzui.cli._checks_routing import told
from yuzui.cli._evaluate_options import JudgeOption, KeyOption, UnsafeCodeOption
from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, check_is_new, data_dir_of, load_config
from yuzui.cli._output import note, say, show_facts, show_table, write_json
from yuzui.cli._route_start import each, given, left_to_certify, show_step
from yuzui.cli._route_words import model_table, reachable, what_now
from yuzui.core.errors import ConfigError

if TYPE_CHECKING:  # numpy and what needs it are imported when a command runs
    from yuzui.evaluation.fit import RunTests
    from yuzui.evaluation.graded import Graded
    from yuzui.routing.artefact import Artefact, Certificate, Policy, Priced

HOW_TESTED = (
    "How: {method}. Loss is the mean of the reference's score less that of who answers, open the share of requests "
    "that a candidate answers, saving that of the cost of always the reference: each as observed on these {examples} "
    "examples, none of them a bound. Bounded is only the loss of a certified threshold, as a mean over requests like "
    "the examples, not for each of them. What it would take: so many that four of five tests pass, were these "
    "observations the truth."
)

app = typer.Typer(no_args_is_help=True, help="Fit a router on graded examples, certify what it may promise, show it.")

ExamplesArgument = Annotated[Path, typer.Argument(metavar="EXAMPLES", help="Graded examples, .jsonl or .parquet.")]
ArtefactArgument = Annotated[Path, typer.Argument(metavar="ARTEFACT", help="The file that `yuzui route fit` wrote.")]
PriceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--price",
        metavar="MODEL=IN/OUT",
        help="US dollars per million tokens; repeatable. 0/0 for a model without one.",
    ),
]


@app.command()
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
    judge: JudgeOption = "",
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
    json: JsonOption = False,
) -> None:
    """From prompts to a certified router: ask and grade, export, fit, certify; each step is shown as a command.

    The same command goes on where it was stopped, and asks only what is new when prompts were added. Exits with 1 when
    nothing can be promised.
    """
    from yuzui.cli import evaluate
    from yuzui.io.example_file import read_examples

    check_can_fit()
    if out.exists() and not force:
        raise ConfigError(f"{out} is there already: name another file with --out, or say --force")
    if not 0 < epsilon < 1 or not 0 < delta < 0.5:
        raise ConfigError(
            "--epsilon must lie between 0 and 1, --delta between 0 and 0.5: 0.05 and 0.1 mean 5 points at 90 %"
        )
    graded = examples.with_suffix(".graded.jsonl")
    with redirect_stdout(sys.stderr) if json else nullcontext():  # of the steps, the promise is the result
        say(f"{reachable(left_to_certify(read_examples(examples)), delta)}.")
        show_step(
            "evaluate", "run", examples, "--models", ",".join(candidate), "--reference-model", reference,
            "--scorer", scorer, *given("--judge", judge), *each("--param", param), *given("--budget", budget or ""),
            *given("--url", url),
        )  # fmt: skip
        evaluate.run(
            examples, ",".join(candidate), [scorer], reference_model=reference, judge=judge, param=param, budget=budget,
            parallel=parallel, unsafe_code=unsafe_code, url=url, key=key, config=config, data_dir=data_dir,
        )  # fmt: skip
        show_step("evaluate", "export", examples.stem, "--scorer", scorer, "--out", graded)
        evaluate.export(examples.stem, graded, scorer=scorer, force=True, config=config, data_dir=data_dir)
        show_step("route", "fit", graded, "--reference", reference, *each("--candidate", candidate),
              "--out", out, *each("--price", price))  # fmt: skip
        fit(graded, reference, candidate, out, price=price, force=force, config=config, data_dir=data_dir)
        show_step("route", "certify", out, graded, "--epsilon", f"{epsilon:g}", "--delta", f"{delta:g}")
    certify(out, graded, epsilon, delta, config=config, data_dir=data_dir, json=json)


@app.command()
def fit(
    examples: ExamplesArgument,
    reference: Annotated[str, typer.Option(metavar="MODEL", help="Whose answers the others are measured by.")],
    candidate: Annotated[
        list[str], typer.Option(metavar="MODEL", help="Who may answer instead, the cheapest first; repeatable.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the artefact goes.")],
    check: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL", help="A second opinion for cascades; repeatable, in this order."),
    ] = None,
    judge: Annotated[
        str, typer.Option(metavar="MODEL", help="Cascades look at what it said of the answers (scorer pointwise).")
    ] = "",
    run_tests: Annotated[
        bool,
        typer.Option("--run-tests", help="Cascades look at the tests in prompts, run in a sandbox with answers' code."),
    ] = False,
    price: PriceOption = None,
    unlike: Annotated[
        float, typer.Option(metavar="SHARE", help="About this share of ordinary requests is turned away as unlike.")
    ] = 0.1,  # as `evaluation.fit.SHARE_UNLIKE`, which takes numpy to import
    cascade: Annotated[
        bool, typer.Option("--cascade/--no-cascade", help="Also fit one, where the examples have the answers' texts.")
    ] = True,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Of what is drawn at random while fitting.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Learn who answers what well. Uses the part `train` of the examples, or half of them where none is named."""
    check_can_fit()
    check_is_new(out, force)
    if not 0 <= unlike < 0.5:
        raise ConfigError("--unlike must lie between 0 and 0.5")
    prices = _prices(price)
    from yuzui.evaluation.fit import Plan
    from yuzui.evaluation.fit import fit as fit_router
    from yuzui.evaluation.graded import split_of
    from yuzui.io.graded_file import read_graded
    from yuzui.io.routing_file import read_routing, write_routing
    from yuzui.routing.artefact import write_artefact

    used = split_of(read_graded(examples), "train")
    plan = Plan(
        reference=_priced(reference, prices), candidates=tuple(_priced(name, prices) for name in candidate),
        checks=tuple(_priced(name, prices) for name in check or ()), wants_cascade=cascade, share_unlike=unlike,
        judge=_priced(judge, prices) if judge else None,
        run_tests=_run_tests(data_dir_of(data_dir)) if run_tests else None,
        seed=seed, made_at=_today(), made_with=_versions(), data_name=examples.name,
    )  # fmt: skip  # one thing
    fitted = fit_router(used, plan, lambda step: note(f"fitting: {step}"))
    write_routing(out, write_artefact(fitted))
    _show(read_routing(out), json, {"router_sha256": _file_hash(out)})


@app.command()
def certify(
    artefact: ArtefactArgument,
    examples: ExamplesArgument,
    epsilon: Annotated[
        float, typer.Option(metavar="LOSS", help="At most so much worse than the reference: 0.02 is two points.")
    ],
    delta: Annotated[float, typer.Option(metavar="RISK", help="The promise may be wrong with this probability: 0.1.")],
    policy: Annotated[str, typer.Option(metavar="NAME", help="up_front, cascade or portable_cascade.")] = "up_front",
    candidate: Annotated[
        str, typer.Option(metavar="MODEL", help="Of a cascade: who answers first. Default: the only one.")
    ] = "",
    price: PriceOption = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Say what may be promised, and write it into the artefact. Uses the part `calib`, or the other half.

    Exits with 1 when nothing can be promised; how many more graded examples it would take is shown in either case.
    """
    _numpy()
    from yuzui.evaluation.graded import Costs, split_of
    from yuzui.evaluation.promise import Promise, promise
    from yuzui.io.graded_file import read_graded
    from yuzui.io.routing_file import read_routing, write_routing
    from yuzui.routing.artefact import write_artefact
    from yuzui.routing.learned import Learned

    read = read_routing(artefact)
    router = Learned(read)
    wanted = Promise(
        policy=_policy(policy), epsilon=epsilon, delta=delta, made_at=_today(), data_name=examples.name,
        candidate="" if policy == "up_front" else candidate or _only(router.candidates),
        run_tests=_run_tests(data_dir_of(data_dir)) if policy != "up_front" and _runs_tests(read) else None,
    )  # fmt: skip  # one thing
    used: list[Graded] = split_of(read_graded(examples), "calib")
    prices = {model.name: model for model in _models(read)} | _prices(price)
    certificate = promise(router, used, wanted, Costs(prices))
    others = tuple(
        one for one in read.certificates if (one.policy, one.candidates) != (certificate.policy, certificate.candidates)
    )
    write_routing(artefact, write_artefact(read.fitted, (*others, certificate)))
    if json:
        write_json(certificate)
    else:
        _show_certificate(certificate)
        if certificate.threshold is None:
            say(what_now(certificate))
            say(f'router_sha256 = "{_file_hash(artefact)}"')
        else:
            for line in ("", *model_table(artefact, read, certificate, _file_hash(artefact))):
                say(line)
    if certificate.threshold is None:
        raise typer.Exit(1)


@app.command()
def status(
    what: Annotated[
        str, typer.Argument(metavar="[WHAT]", help="The file of `yuzui route fit`, or a model of the configuration.")
    ] = "",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Show what an artefact may promise, or how the promise of a model stands after what watching found.

    Of a file: what it was made of, its hash, and which models of the configuration use it. Of a model: audits, losses,
    evidence against the promise, shadows. Without an argument: all models that are guaranteed or shadowed.
    """
    artefact = Path(what)
    if what and artefact.is_file():
        _numpy()
        from yuzui.io.routing_file import read_routing
        from yuzui.routing.learned import Learned

        read = read_routing(artefact)
        Learned(read)  # raises when its parts do not fit this version
        _show(read, json, {"router_sha256": _file_hash(artefact), **_used(artefact, config, data_dir)})
        return
    settings = load_config(config)
    names = frozenset(model.name for model in settings.models if model.demand or model.shadow)
    if what and what not in names:
        raise ConfigError(
            f"there is no file {what}, and no model of that name that is guaranteed or shadowed"
            + (f"; there is {', '.join(sorted(names))}" if names else "")
        )
    if not names:
        raise ConfigError("no model of the configuration is guaranteed or shadowed; name a file of `yuzui route fit`")
    _numpy()
    from yuzui.cli._route_watch import show_models

    show_models(settings, data_dir_of(data_dir), frozenset((what,)) if what else names, json)


@app.command()
def resume(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model whose promise was found broken.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides it.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the audit log keeps it.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Trust a model again whose promise did not hold: its certificate is applied, and a new test begins.

    Recorded in the audit log with the name and the reason. Exits with 1 where it is refused.
    """
    _numpy()
    from yuzui.cli._route_watch import resume_model

    resume_model(load_config(config), data_dir_of(data_dir), model, by, reason, json)


def _file_hash(artefact: Path) -> str:
    return hashlib.sha256(artefact.read_bytes()).hexdigest()


def _used(artefact: Path, config: Path | None, data_dir: Path | None) -> dict[str, str]:
    """`model NAME` → how the configuration's models that name this file stand with it."""
    if config is None and not Path("yuzui.toml").is_file():
        return {}
    from yuzui.io.learned_routers import load_routers, router_path
    from yuzui.wiring import with_prices

    settings = load_config(config)
    mine = [
        model
        for model in settings.models
        if model.demand is not None and router_path(settings, model.demand.router).absolute() == artefact.absolute()
    ]
    if not mine:
        return {}
    settings = with_prices(settings, data_dir_of(data_dir))
    found: dict[str, str] = {}
    for model in mine:
        try:
            found[f"model {model.name}"] = told(
                load_routers(dataclasses.replace(settings, models=(model,)))[model.name]
            )
        except ConfigError as error:
            found[f"model {model.name}"] = f"refused: {error.message}"
    return found


def _show(read: Artefact, json: bool, more: Mapping[str, str] | None = None) -> None:
    """`more`: facts about the file rather than what is in it."""
    fitted = read.fitted
    if json:
        write_json({
            "fitted_sha256": read.fitted_sha256, "made_at": fitted.made_at, "made_with": fitted.made_with,
            "data": replace(fitted.data, prompts=b""), "reference": fitted.reference,
            "unlike": fitted.likeness.share_unlike,
            "candidates": [
                {"model": one.model, "cascade": one.cascade is not None,
                 "checks": one.cascade.checks if one.cascade else [],
                 "judge": one.cascade.judge if one.cascade else None,
                 "runs_tests": one.cascade is not None and one.cascade.runs_tests} for one in fitted.candidates
            ],
            "certificates": read.certificates, **(more or {}),
        })  # fmt: skip
        return
    show_facts({
        "fitted on": f"{fitted.data.examples} examples of {fitted.data.name or '(no name)'}, {fitted.made_at}",
        "data": fitted.data.sha256,
        "reference": f"{fitted.reference.name} (mean score {fitted.data.reference_score:.1%} on these)",
        **{f"candidate {place}": _candidate(read, place) for place in range(len(fitted.candidates))},
        "hash": read.fitted_sha256,
        "made with": ", ".join(f"{name} {number}" for name, number in sorted(fitted.made_with.items())),
        **(more or {}),
    })  # fmt: skip
    if not read.certificates:
        say("nothing is certified: the gateway uses the reference where a guarantee is demanded (yuzui route certify)")
    for certificate in read.certificates:
        say("")
        _show_certificate(certificate)


def _candidate(read: Artefact, place: int) -> str:
    one = read.fitted.candidates[place]
    score = read.fitted.data.candidate_scores.get(one.model.name, 0.0)
    cascade = "no cascade"
    if one.cascade is not None:
        checks = ", ".join(check.name for check in one.cascade.checks)
        words = [f"checked by {checks}"] if checks else []
        words += [f"judged by {one.cascade.judge.model.name}"] if one.cascade.judge is not None else []
        words += ["with tests that are run"] if one.cascade.runs_tests else []
        cascade = f"cascade {', '.join(words)}".rstrip()
    return f"{one.model.name} (mean score {score:.1%} on these); {cascade}"


def _show_certificate(certificate: Certificate) -> None:
    data = certificate.data
    who = " > ".join(certificate.candidates)
    on = f"{data.examples} examples of {data.name or '(no name)'} ({data.sha256[:16]}), {certificate.made_at}"
    if certificate.threshold is None:
        say(
            f"{certificate.policy} of {who}: NOT certified at {certificate.epsilon:.2%}, "
            f"{1 - certificate.delta:.0%}, on {on}"
        )
        say("only the reference is safe.")
    else:
        say(
            f"{certificate.policy} of {who}: at most {certificate.epsilon:.2%} worse than always the reference, "
            f"with confidence {1 - certificate.delta:.0%}, on {on}"
        )
        say(
            f"open share {certificate.open_share:.1%}, observed loss {certificate.loss:+.2%}, saving "
            f"{certificate.saving:.1%} of what the reference alone costs"
        )
    say(f"costs: {certificate.cost_basis}")
    if certificate.policy != "up_front":
        say(f"signals: {_signals(certificate)}")
    rows = [
        (f"{one.threshold:+.4f}", f"{one.open_share:.1%}", f"{one.loss:+.2%}", f"{one.saving:+.1%}",
         "yes" if one.passed else "no", "-" if one.passed else _needed(one.needed, data.examples))
        for one in certificate.tested
    ]  # fmt: skip
    show_table(
        ("threshold", "open", "loss", "saving", "certified", "more examples it would take"),
        rows,
        right=frozenset(range(4)),
    )
    say(HOW_TESTED.format(method=certificate.method, examples=data.examples))


def _signals(certificate: Certificate) -> str:
    found = certificate.signals
    if found is None:
        return "not the same in all examples, or not noted: the gateway cannot serve it (certify again on ones alike)"
    odds = "with" if found.log_probabilities else "without"
    judge = f", judged by {found.judge}" if found.judge else ""
    tests = ", tests in the request are run" if found.runs_tests else ""
    return f"{odds} log-probabilities, {found.samples} more answers of the candidate{judge}{tests}"


def _needed(needed: int | None, examples: int) -> str:
    if needed is None:
        return "none would do: the observed loss is too high"
    return (
        f"about {max(needed - examples, 0)}"
        if needed > examples
        else "enough, were the order luckier or an earlier one passed"
    )


def check_can_fit() -> None:
    """Raise `ConfigError` where what fitting needs is not installed."""
    _numpy()
    try:
        import sklearn  # noqa: F401  # said here, before anything is read
    except ImportError as error:
        raise ConfigError("fitting needs scikit-learn: pip install 'yuzui[routing-fit]'") from error


def _numpy() -> None:
    try:
        import numpy  # noqa: F401
    except ImportError as error:
        raise ConfigError("a learned router needs numpy: pip install 'yuzui[routing]'") from error


def _policy(name: str) -> Policy:
    if name == "up_front":
        return "up_front"
    if name == "cascade":
        return "cascade"
    if name == "portable_cascade":
        return "portable_cascade"
    raise ConfigError(f"--policy must be up_front, cascade or portable_cascade, not {name}")


def _only(candidates: tuple[str, ...]) -> str:
    if len(candidates) == 1:
        return candidates[0]
    raise ConfigError(f"--candidate: say who answers first: {', '.join(candidates)}")


def _prices(given: list[str] | None) -> dict[str, Priced]:
    from yuzui.routing.artefact import Priced

    prices = {}
    for one in given or ():
        name, equals, amounts = one.rpartition("=")
        sent, slash, written = amounts.partition("/")
        try:
            price = Priced(name=name, input_usd=float(sent), output_usd=float(written))
        except ValueError as error:
            raise ConfigError(f"--price {one}: write MODEL=IN/OUT, as in gpt-4o=2.5/10") from error
        amount_in, amount_out = price.input_usd, price.output_usd
        if not name or not equals or not slash or not (amount_in is not None and 0 <= amount_in < 1e6) \
                or not (amount_out is not None and 0 <= amount_out < 1e6):  # fmt: skip
            raise ConfigError(f"--price {one}: write MODEL=IN/OUT, as in gpt-4o=2.5/10")
        prices[name] = price
    return prices


def _priced(name: str, prices: dict[str, Priced]) -> Priced:
    from yuzui.routing.artefact import Priced

    return prices.get(name) or Priced(name=name)


def _models(read: Artefact) -> list[Priced]:
    candidates = read.fitted.candidates
    cascades = [one.cascade for one in candidates if one.cascade is not None]
    checks = [check for one in cascades for check in one.checks]
    judges = [one.judge.model for one in cascades if one.judge is not None]
    return [read.fitted.reference, *(one.model for one in candidates), *checks, *judges]


def _runs_tests(read: Artefact) -> bool:
    return any(one.cascade is not None and one.cascade.runs_tests for one in read.fitted.candidates)


def _run_tests(data_dir: Path) -> RunTests:
    """In the sandbox that a gateway uses. Raise `ConfigError` where there is none."""
    from yuzui.io.code_tests import CodeTests

    tests = CodeTests((data_dir.absolute(), Path.cwd()))
    if problem := tests.problem():
        raise ConfigError(problem)
    return tests.run_all


def _today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("yuzui", "numpy", "scikit-learn"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions
