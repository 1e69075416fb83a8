"""`python -m routing_bench`: measures routing on outcomes of real models; tables, and JSON in bench/results."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from routing_bench import embeddings, page, report
from routing_bench.corpora import ROOT, Corpus, NoData, gsm8k, mmlu, mmlu_pro, zeroeval
from routing_bench.guarantee import guarantee
from routing_bench.measured import SEED, Scored, cascade_left_out, cpu, net_saving, router_for, scored
from routing_bench.workload import workload
from yuzui.evaluation.measures import apgr

Figures = dict[str, Any]  # Any: JSON
PARTS = ("mmlu", "gsm8k", "zeroeval", "mmlu_pro", "unseen", "guarantee", "swebench")
FEW_LABELS = 1500
FEW_SEEDS = 5
EPSILON = 0.02
COUNT = 2000


def main() -> int:
    options = _options()
    parts: dict[str, Callable[[], Figures]] = {
        "mmlu": run_mmlu, "gsm8k": run_gsm8k, "zeroeval": run_zeroeval, "mmlu_pro": run_mmlu_pro,
        "unseen": run_unseen, "guarantee": run_guarantee, "swebench": workload,
    }  # fmt: skip  # one thing
    figures: Figures = {}
    try:
        for name in options.only or parts:
            began = time.process_time()
            figures[name] = parts[name]()
            print(f"{name}: {time.process_time() - began:.0f} s of CPU", file=sys.stderr, flush=True)
        if options.embeddings:
            figures["embeddings"] = embeddings.compare(options.embeddings)
    except NoData as error:
        print(error, file=sys.stderr)
        return 1
    console = Console(soft_wrap=True) if not sys.stdout.isatty() else Console()
    report.show(figures, console)
    if not options.dry:
        _save(figures)
    return 0


def run_mmlu() -> Figures:
    corpus = mmlu()
    router = router_for(corpus, corpus.part("train"), wants_cascade=False)
    figures: Figures = {"up_front": scored(router, corpus, corpus.part("test"), "up_front").as_json()}
    figures["up_front_calib"] = scored(router, corpus, corpus.part("calib"), "up_front").as_json()
    figures["saving"] = net_saving(router, corpus, "up_front", (0.01, 0.02, 0.05))
    figures["cpu"] = cpu(router, [example.prompt for example in corpus.part("test")])
    few = []
    train = corpus.part("train")
    for seed in range(FEW_SEEDS):
        rows = np.random.default_rng(seed).choice(len(train), FEW_LABELS, replace=False)
        small = router_for(corpus, [train[row] for row in rows], wants_cascade=False)
        few.append(scored(small, corpus, corpus.part("test"), "up_front").as_json())
    figures["few_labels"] = {
        "labels": FEW_LABELS, "draws": FEW_SEEDS, "apgr": float(np.mean([one["apgr"] for one in few])),
        "apgr_draws": [one["apgr"] for one in few], "cpt80": float(np.mean([one["cpt80"] for one in few])),
    }  # fmt: skip  # one thing
    return figures


def run_gsm8k() -> Figures:
    plain, checked = gsm8k(is_checked=False), gsm8k(is_checked=True)
    router = router_for(plain, plain.part("train"), wants_cascade=True)
    with_check = router_for(checked, checked.part("train"), wants_cascade=True)
    return {
        "up_front": scored(router, plain, plain.part("test"), "up_front").as_json(),
        "cascade": scored(router, plain, plain.part("test"), "cascade").as_json(),
        "cascade_one_check": scored(with_check, checked, checked.part("test"), "cascade").as_json(),
        "saving": net_saving(router, plain, "cascade", (0.02, 0.05)),
        "saving_one_check": net_saving(with_check, checked, "cascade", (0.02, 0.05)),
        "cpu": cpu(router, [example.prompt for example in plain.part("test")]),
    }


def run_zeroeval() -> Figures:
    corpus = zeroeval()
    router = router_for(corpus, corpus.part("train"), wants_cascade=True)
    test = corpus.part("test")
    return {
        "up_front": scored(router, corpus, test, "up_front").as_json(),
        "cascade": scored(router, corpus, test, "cascade").as_json(),
        "saving": net_saving(router, corpus, "cascade", (0.01, 0.02)),
        "left_out_cascade": _left_out(corpus, "portable_cascade").as_json(),
        "left_out_up_front": _left_out(corpus, "up_front").as_json(),
    }


def _left_out(corpus: Corpus, policy: Any) -> Scored:  # Any: a Policy
    """Each task by a router that was fitted on the others, all pooled."""
    found = []
    for group in sorted({example.group for example in corpus.examples}):
        router = router_for(corpus, corpus.without(group).part("train"), wants_cascade=True)
        found.append(scored(router, corpus, corpus.only(group).part("test"), policy))
    return Scored(
        predicted=np.concatenate([one.predicted for one in found]), gains=np.concatenate([one.gains for one in found]),
        unlike=float(np.mean([one.unlike for one in found])),
    )  # fmt: skip  # one thing


def run_mmlu_pro() -> Figures:
    corpus = mmlu_pro()
    router = router_for(corpus, corpus.part("train"), wants_cascade=True)
    test = corpus.part("test")
    return {
        "up_front": scored(router, corpus, test, "up_front").as_json(),
        "cascade": scored(router, corpus, test, "cascade").as_json(),
        "saving": net_saving(router, corpus, "cascade", (0.01, 0.02, 0.05)),
    }


def run_unseen() -> Figures:
    """Routers outside their domain: what the order is worth, how much is turned away, and the loss that is left.

    The loss is that of the policy at the threshold that was certified at home, with requests that are unlike sent to
    the reference; `raw_loss` is without turning anybody away.
    """
    rows = []
    for home, away, name in _journeys():
        router = router_for(home, home.part("train"), wants_cascade=False)
        examples = away.part("calib", "test")
        looks = [router.look(example.asked) for example in examples]
        gains = np.array([
            one.answers[away.reference.name].score - one.answers[away.candidate.name].score for one in examples
        ])  # fmt: skip
        predicted, is_like = np.array([look.gains[0] for look in looks]), np.array([look.is_like for look in looks])
        threshold = _certified_at_home(router, home)
        opens = predicted <= threshold
        rows.append({
            "journey": name, "n": len(examples), "apgr_raw": apgr(predicted, gains),
            "turned_away": float((~is_like).mean()), "raw_loss": float((gains * opens).mean()),
            "loss": float((gains * (opens & is_like)).mean()), "open": float((opens & is_like).mean()),
        })  # fmt: skip  # one thing
    cascades = {corpus.name: cascade_left_out(corpus) for corpus in (zeroeval(), mmlu_pro())}
    return {"epsilon": EPSILON, "journeys": rows, "cascades": cascades}


def _certified_at_home(router: Any, home: Corpus) -> float:  # Any: a Learned
    from routing_bench.measured import costs_of
    from yuzui.evaluation.certify import certify
    from yuzui.evaluation.promise import routed_by, thresholds_of

    thresholds = thresholds_of(router, "up_front")
    seen = routed_by(router, home.part("calib"), "up_front", home.candidate.name, thresholds, costs_of(home))
    best = certify(seen, thresholds, epsilon=EPSILON, delta=0.1, seed=SEED).best
    return best.threshold if best else -np.inf


def _journeys() -> list[tuple[Corpus, Corpus, str]]:
    """Between domains that the same two models answered: a router knows nothing of other models."""
    words, sums = mmlu(), gsm8k(is_checked=False)
    journeys = [(words, sums, "MMLU → GSM8K"), (sums, words, "GSM8K → MMLU")]
    for whole in (zeroeval(), mmlu_pro()):
        for group in sorted({example.group for example in whole.examples}):
            journeys.append((whole.without(group), whole.only(group), f"{whole.name} without {group} → {group}"))
    return journeys


def run_guarantee() -> Figures:
    rows = []
    for corpus, policy, wants_cascade in (
        (mmlu(), "up_front", False), (gsm8k(is_checked=False), "up_front", True),
        (gsm8k(is_checked=False), "cascade", True),
        (gsm8k(is_checked=True), "cascade", True), (zeroeval(), "up_front", True), (zeroeval(), "cascade", True),
        (mmlu_pro(), "up_front", True), (mmlu_pro(), "cascade", True),
    ):  # fmt: skip
        router = router_for(corpus, corpus.part("train"), wants_cascade=wants_cascade)
        rows.append(guarantee(router, corpus, policy, EPSILON, COUNT))  # type: ignore[arg-type]  # literals of a table
    return {"rows": rows}


def _save(figures: Figures) -> None:
    commit = _output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    facts = {
        "bench": "routing", "date": time.strftime("%Y-%m-%d"), "commit": commit,
        "is_changed_since": bool(_output("git", "-C", str(ROOT), "status", "--porcelain", "--", "src", "bench")),
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "load_average": round(os.getloadavg()[0], 2)},
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("yuzui", "numpy", "scikit-learn", "scipy", "pyarrow")},
        "goals": report.against_goals(figures), "figures": figures,
    }  # fmt: skip  # one thing
    path = ROOT / "bench" / "results" / f"routing-{facts['date']}-{commit}.json"
    path.write_text(json.dumps(report.rounded(facts), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"written: {path.relative_to(ROOT)}")
    if set(PARTS) <= set(figures):
        (ROOT / "docs" / "routing.md").write_text(page.page(facts), encoding="utf-8")
        print("written: docs/routing.md")


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="routing_bench", description=__doc__)
    parser.add_argument(
        "--only", action="append", help="mmlu, gsm8k, zeroeval, mmlu_pro, unseen, guarantee or swebench"
    )
    parser.add_argument("--embeddings", type=Path, help="vectors that `embed.py` made, to compare with ours")
    parser.add_argument("--dry", action="store_true", help="write no result file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
