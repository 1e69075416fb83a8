"""Fits on `train`, looks at `calib` and `public_test`: everything that the table's rows are computed from."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from routing_bench.corpora import ROOT, Corpus
from yuzui.evaluation.fit import SHARE_UNLIKE, Plan, fit
from yuzui.evaluation.graded import Costs, Graded, hash_of
from yuzui.evaluation.measures import apgr_interval, calls_for
from yuzui.evaluation.promise import cascade_gains, routed_by, thresholds_of
from yuzui.routing.artefact import Policy, read_artefact, write_artefact
from yuzui.routing.learned import Learned
from yuzui.routing.surface import Asked

Floats = npt.NDArray[np.float64]
CACHE = ROOT / ".cache" / "routing-bench"
SEED = 20261126
DECISIONS = 400
PROMPT_BYTES = 2048


def router_for(
    corpus: Corpus, examples: Sequence[Graded], *, wants_cascade: bool, share_unlike: float = SHARE_UNLIKE
) -> Learned:
    """Fitted on `examples`, or read from the cache, whose name holds the hash of the code and of the examples."""
    plan = Plan(
        reference=corpus.reference, candidates=(corpus.candidate,), checks=corpus.checks if wants_cascade else (),
        wants_cascade=wants_cascade, share_unlike=share_unlike,
    )  # fmt: skip  # one thing
    digest = hashlib.sha256(f"{_code()} {hash_of(examples)} {plan}".encode()).hexdigest()[:24]
    path = CACHE / f"{digest}.json"
    if path.is_file():
        return Learned(read_artefact(path.read_bytes()))
    raw = write_artefact(fit(examples, plan))
    CACHE.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return Learned(read_artefact(raw))


@lru_cache(maxsize=1)
def _code() -> str:
    """Hash of what fitting depends on."""
    digest = hashlib.sha256()
    for folder in ("routing", "evaluation"):
        for path in sorted((ROOT / "src" / "yuzui" / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def gains_of(corpus: Corpus, examples: Sequence[Graded]) -> Floats:
    """Reference minus candidate."""
    return np.array(
        [one.answers[corpus.reference.name].score - one.answers[corpus.candidate.name].score for one in examples]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Predicted and true gains of the same examples."""

    predicted: Floats
    gains: Floats
    unlike: float
    """Share that would be turned away; the order does not know of it."""

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        interval = apgr_interval(self.predicted, self.gains, seed=SEED)
        return {
            "apgr": interval.value, "apgr_95": [interval.low, interval.high], "n": len(self.gains),
            "cpt50": calls_for(self.predicted, self.gains, 0.5), "cpt80": calls_for(self.predicted, self.gains, 0.8),
            "unlike": self.unlike, "mean_predicted": float(self.predicted.mean()),
            "mean_gain": float(self.gains.mean()),
        }  # fmt: skip  # one thing


def scored(router: Learned, corpus: Corpus, examples: Sequence[Graded], policy: Policy) -> Scored:
    looks = [router.look(example.asked) for example in examples]
    if policy == "up_front":
        predicted = np.array([look.gains[0] for look in looks])
    else:
        prices = {model.name: model for model in (corpus.reference, corpus.candidate, *corpus.checks)}
        way: Policy = "portable_cascade"
        predicted, _ = cascade_gains(router, examples, looks, way, corpus.candidate.name, Costs(prices))
        if policy == "cascade":
            predicted = _full(router, corpus, examples, looks)
    return Scored(
        predicted=predicted, gains=gains_of(corpus, examples), unlike=float(np.mean([not one.is_like for one in looks]))
    )


def _full(router: Learned, corpus: Corpus, examples: Sequence[Graded], looks: Sequence[Any]) -> Floats:
    """Without turning anybody away: an order of everything."""
    from yuzui.evaluation.fit import evidence_of

    name = corpus.candidate.name
    held = evidence_of(examples, name, [check.name for check in corpus.checks])
    return np.array([
        router.judge(look, name, evidence) for evidence, look in zip(held, looks, strict=True)
    ])  # fmt: skip


def cascade_left_out(corpus: Corpus) -> dict[str, Any]:  # Any: JSON
    """Per group: APGR of the portable cascade that was fitted on `train` of the other groups."""
    from yuzui.evaluation.fit import evidence_of
    from yuzui.evaluation.fit_parts import dense_of
    from yuzui.routing.dense import Dense
    from yuzui.routing.signals import Layout, row_of

    layout, model = Layout(checks=len(corpus.checks)), corpus.candidate.name
    names, nothing = layout.portable_names, np.zeros(0, np.float32)
    held_back = [
        replace(one, samples=()) for one in evidence_of(corpus.examples, model, [one.name for one in corpus.checks])
    ]
    rows = np.array([row_of(layout, one, nothing, 0.0, 0.0)[: len(names)] for one in held_back])
    gains = gains_of(corpus, corpus.examples)
    groups = np.array([one.group for one in corpus.examples])
    is_train = np.array([one.split == "train" for one in corpus.examples])
    found = {}
    for group in np.unique(groups):
        fit_on, held = is_train & (groups != group), ~is_train & (groups == group)
        weights, _ = dense_of(rows[fit_on].astype(np.float64), gains[fit_on], names, seed=0, apart=True)
        dense = Dense(weights, names)
        predicted = np.array([dense.one(row) for row in rows[held]])
        gap = float(gains[held].sum())
        interval = apgr_interval(predicted, gains[held], seed=SEED) if gap > 0 else None
        found[str(group)] = {
            "n": int(held.sum()), "gap": float(gains[held].mean()), "apgr": interval.value if interval else None,
            "apgr_95": [interval.low, interval.high] if interval else None,
        }  # fmt: skip  # one thing
    return found


def costs_of(corpus: Corpus) -> Costs:
    return Costs({model.name: model for model in (corpus.reference, corpus.candidate, *corpus.checks)})


def net_saving(router: Learned, corpus: Corpus, policy: Policy, epsilons: Sequence[float]) -> dict[str, Any]:
    """Certified on `calib`, seen on `test`; and what the test set itself would allow at a loss of one point."""
    from yuzui.evaluation.certify import certify

    thresholds = thresholds_of(router, policy, corpus.candidate.name)
    parts = {
        part: routed_by(router, corpus.part(part), policy, corpus.candidate.name, thresholds, costs_of(corpus))
        for part in ("calib", "test")
    }
    result: dict[str, Any] = {"n_calib": len(parts["calib"].losses), "certified": {}}
    test = parts["test"]
    losses, savings = test.losses.mean(axis=0), 1 - test.costs.sum(axis=0) / test.reference_costs.sum()
    for epsilon in epsilons:
        found = certify(parts["calib"], thresholds, epsilon=epsilon, delta=0.1, seed=SEED)
        place = None if found.best is None else int(np.flatnonzero(thresholds == found.best.threshold)[0])
        result["certified"][f"{epsilon:g}"] = {
            "is_certified": place is not None, "saving_test": 0.0 if place is None else float(savings[place]),
            "loss_test": 0.0 if place is None else float(losses[place]),
            "open_test": 0.0 if place is None else float(test.is_open[:, place].mean()),
        }  # fmt: skip  # one thing
    calib = parts["calib"].losses.mean(axis=0)
    chosen = np.flatnonzero(calib <= 0.01)
    result["at_minus_1pp"] = {
        "test_curve": float(savings[losses <= 0.01].max(initial=0.0)),
        "threshold_of_calib": float(savings[chosen[-1]]) if len(chosen) else 0.0,
        "loss_test": float(losses[chosen[-1]]) if len(chosen) else 0.0,
    }
    return result


def cpu(router: Learned, prompts: Sequence[str]) -> dict[str, float]:
    """Microseconds of CPU per look: over the prompts as they are, and over prompts joined to 2 KB."""
    joined = ["\n".join(prompts[place : place + 40])[:PROMPT_BYTES] for place in range(0, min(len(prompts), 400), 4)]
    return {
        f"{name}_{what}": value
        for name, texts in (("prompts", list(prompts[:DECISIONS])), ("2kb", joined))
        for what, value in _timed(router, texts).items()
    }


def _timed(router: Learned, texts: Sequence[str]) -> dict[str, float]:
    router.look(Asked(text=texts[0]))
    taken = []
    for _ in range(max(1, DECISIONS // len(texts))):
        for text in texts:
            began = time.process_time_ns()
            router.look(Asked(text=text))
            taken.append((time.process_time_ns() - began) / 1e3)
    return {"p50_us": float(np.quantile(taken, 0.5)), "p99_us": float(np.quantile(taken, 0.99))}
