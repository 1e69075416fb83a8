"""From a fitted router and calibration examples to a certificate: what it may promise, and what it cannot yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from yuzui.core.errors import ConfigError
from yuzui.evaluation.certify import METHOD, Findings, Floats, Routed, RuleFacts, cascade, certify, route
from yuzui.evaluation.fit import RunTests, data_facts, evidence_of
from yuzui.evaluation.graded import Costs, Graded, check_apart, check_examples
from yuzui.evaluation.judge_words import POINTWISE
from yuzui.routing.artefact import Certificate, Policy, Signals, Tested
from yuzui.routing.learned import Learned, Look

MOST_SHOWN: Final = 12
"""Thresholds that a certificate keeps besides its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What is asked for."""

    policy: Policy
    epsilon: float
    delta: float
    made_at: str
    candidate: str = ""
    """Of a cascade: who answers first."""
    data_name: str = ""
    run_tests: RunTests | None = None
    """Where the cascade was fitted with tests."""


def promise(router: Learned, examples: Sequence[Graded], wanted: Promise, costs: Costs) -> Certificate:
    """Test `wanted` on `examples`, which fitting must not have seen. Raise `ConfigError` when it cannot be tested."""
    if not 0 < wanted.epsilon < 1 or not 0 < wanted.delta < 0.5:
        raise ConfigError(
            "epsilon must lie between 0 and 1, delta between 0 and 0.5: 0.02 and 0.1 mean 2 points at 90 %"
        )
    check_examples(examples, [router.reference, *router.candidates])
    check_apart("this router", examples, router.artefact.fitted.data.prompts)
    thresholds = thresholds_of(router, wanted.policy, wanted.candidate)
    routed = routed_by(router, examples, wanted.policy, wanted.candidate, thresholds, costs, wanted.run_tests)
    facts = data_facts(examples, wanted.data_name, [router.reference, *router.candidates])
    seed = int(facts.sha256[:8], 16)
    findings = certify(routed, thresholds, epsilon=wanted.epsilon, delta=wanted.delta, seed=seed)
    best = findings.best
    names = router.candidates if wanted.policy == "up_front" else (wanted.candidate,)
    return Certificate(
        policy=wanted.policy, candidates=names, epsilon=wanted.epsilon, delta=wanted.delta, method=METHOD, data=facts,
        seed=seed, made_at=wanted.made_at, fitted_sha256=router.artefact.fitted_sha256,
        threshold=best.threshold if best else None, loss=best.loss if best else 0.0,
        open_share=best.open_share if best else 0.0, saving=best.saving if best else 0.0,
        tested=_selection(findings), cost_basis=costs.basis,
        signals=None if wanted.policy == "up_front" else _signals(router, examples, wanted.candidate),
    )  # fmt: skip  # one thing


def thresholds_of(router: Learned, policy: Policy, candidate: str = "") -> Floats:
    """Fixed when the router was fitted. Raise `ConfigError` for a cascade that was not fitted."""
    fitted = router.artefact.fitted
    if policy == "up_front":
        return np.array(fitted.thresholds)
    if candidate not in router.candidates:
        raise ConfigError(
            f"{candidate or 'nobody'} is no candidate of this router: name one of {', '.join(router.candidates)}"
        )
    weights = fitted.candidates[router.candidates.index(candidate)].cascade
    if weights is None:
        raise ConfigError(f"{candidate} was fitted without a cascade: the examples need the texts of its answers")
    return np.array(weights.full_thresholds if policy == "cascade" else weights.portable_thresholds)


def routed_by(
    router: Learned, examples: Sequence[Graded], policy: Policy, candidate: str, thresholds: Floats, costs: Costs,
    run_tests: RunTests | None = None,
) -> Routed:  # fmt: skip
    """What every threshold would have done; what is unlike the fitted examples goes to the reference, as later."""
    looks = [router.look(example.asked) for example in examples]
    reference = np.array([costs.of(example, router.reference) for example in examples])
    best = np.array([example.answers[router.reference].score for example in examples])
    if policy == "up_front":
        gains = np.array([look.gains if look.is_like else [np.inf] * len(look.gains) for look in looks])
        paid = np.array([[costs.of(example, name) for name in router.candidates] for example in examples])
        scores = np.array([[example.answers[name].score for name in router.candidates] for example in examples])
        return route(gains, thresholds, paid, best[:, None] - scores, reference)
    predicted, paid = cascade_gains(router, examples, looks, policy, candidate, costs, run_tests)
    scores = np.array([example.answers[candidate].score for example in examples])
    return cascade(predicted, thresholds, paid, best - scores, reference)


def cascade_gains(
    router: Learned, examples: Sequence[Graded], looks: Sequence[Look], policy: Policy, candidate: str, costs: Costs,
    run_tests: RunTests | None = None,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Per example: the predicted gain of the reference over the candidate's answer, and what finding it out costs."""
    weights = router.cascade_of(candidate)
    assert weights is not None  # thresholds_of said so
    checks, judge = [check.name for check in weights.checks], weights.judge
    if weights.runs_tests and run_tests is None:
        raise ConfigError(f"the cascade of {candidate} was fitted with tests that are run: nothing here runs them")
    if judge is not None and judge.question != POINTWISE:
        raise ConfigError("its judge was asked in other words than this version has: fit it again")
    held = evidence_of(
        examples, candidate, checks, judge=judge.model.name if judge is not None else "",
        run_tests=run_tests if weights.runs_tests else None,
    )  # fmt: skip  # one thing
    gains, paid = np.zeros(len(examples)), np.zeros(len(examples))
    for place, (example, look, evidence) in enumerate(zip(examples, looks, held, strict=True)):
        gains[place] = router.judge(look, candidate, evidence, is_portable=policy == "portable_cascade")
        paid[place] = costs.of(example, candidate) * (1 + len(evidence.samples))
        paid[place] += sum(costs.of(example, check) for check in checks)
        if judge is not None:
            paid[place] += costs.of_judging(example, candidate)
    if policy == "cascade":
        gains = np.where([look.is_like for look in looks], gains, np.inf)
    return gains, paid


def _signals(router: Learned, examples: Sequence[Graded], candidate: str) -> Signals | None:
    """What every answer of `candidate` came with; None where they differ. An empty text has no tokens."""
    answers = [example.answers[candidate] for example in examples]
    told = {bool(answer.log_probabilities) for answer in answers if answer.text}
    samples = {len(answer.samples) for answer in answers}
    weights = router.cascade_of(candidate)
    if len(told) > 1 or len(samples) != 1 or weights is None:
        return None
    return Signals(
        log_probabilities=told == {True}, samples=samples.pop(), runs_tests=weights.runs_tests,
        judge=weights.judge.model.name if weights.judge is not None else "",
    )  # fmt: skip  # one thing


def _selection(findings: Findings) -> tuple[Tested, ...]:
    """The certified threshold, the one after it, and others spread over the grid."""
    rules = findings.rules
    passed = sum(rule.passed for rule in rules)
    places = {round(place) for place in np.linspace(0, len(rules) - 1, MOST_SHOWN)} | {
        max(0, passed - 1),
        min(passed, len(rules) - 1),
    }
    return tuple(_tested(rules[place]) for place in sorted(places))


def _tested(rule: RuleFacts) -> Tested:
    return Tested(
        threshold=rule.threshold, passed=rule.passed, loss=round(rule.loss, 6), open_share=round(rule.open_share, 6),
        saving=round(rule.saving, 6), needed=rule.needed,
    )  # fmt: skip  # one thing
