from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from graded_kit import (
    CANDIDATE,
    CHECK,
    JUDGE,
    REFERENCE,
    artefact,
    coding,
    examples,
    fitted,
    fitted_with_judge,
    fitted_with_tests,
    judged,
    run_here,
)
from yuzui.core.errors import ConfigError
from yuzui.evaluation.graded import Costs, Graded
from yuzui.evaluation.promise import MOST_SHOWN, Promise, promise, routed_by, thresholds_of
from yuzui.routing.artefact import Certificate, Policy, Signals, read_artefact, write_artefact
from yuzui.routing.learned import Learned


def costs() -> Costs:
    return Costs({model.name: model for model in (REFERENCE, CANDIDATE, CHECK, JUDGE)})


def asked(policy: Policy, epsilon: float = 0.05) -> Promise:
    return Promise(
        policy=policy,
        epsilon=epsilon,
        delta=0.1,
        made_at="2026-11-26",
        candidate="" if policy == "up_front" else "small",
    )


@pytest.mark.parametrize("policy", ["up_front", "cascade", "portable_cascade"])
def test_a_certificate_says_what_is_promised_and_the_promise_holds_on_new_requests(policy: Policy) -> None:
    router = Learned(artefact())
    certificate = promise(router, examples(1500, 21), asked(policy), costs())
    assert certificate.threshold is not None
    assert certificate.open_share > 0.3
    assert certificate.saving > 0.25
    assert certificate.fitted_sha256 == router.artefact.fitted_sha256
    assert "tokens times price" in certificate.cost_basis
    fresh = examples(1500, 22)
    later = routed_by(router, fresh, policy, "small", np.array([certificate.threshold]), costs())
    assert later.losses.mean() < 0.05 + 0.01
    read = read_artefact(write_artefact(fitted(), (certificate,)))
    assert read.certificates == (certificate,)


def test_a_cascade_promises_more_than_choosing_up_front() -> None:
    router = Learned(artefact())
    up_front, cascade = (
        promise(router, examples(1500, 21), asked(policy, 0.02), costs()) for policy in ("up_front", "cascade")
    )
    assert cascade.open_share > up_front.open_share


def test_too_few_examples_promise_nothing_and_say_how_many_it_would_take() -> None:
    certificate = promise(Learned(artefact()), examples(60, 21), asked("up_front", 0.02), costs())
    assert certificate.threshold is None
    assert certificate.open_share == certificate.saving == 0
    assert any(one.needed and one.needed > 60 for one in certificate.tested)
    assert len(certificate.tested) <= MOST_SHOWN + 2


def test_the_same_examples_give_the_same_certificate() -> None:
    router = Learned(artefact())
    first, second = (promise(router, examples(300, 21), asked("up_front"), costs()) for _ in range(2))
    assert first == second


def test_what_a_choice_does_later_is_what_was_tested() -> None:
    router = Learned(artefact())
    made = examples(200, 23)
    certificate = promise(router, examples(1500, 21), asked("up_front"), costs())
    assert certificate.threshold is not None
    tested = routed_by(router, made, "up_front", "", np.array([certificate.threshold]), costs()).is_open[:, 0]
    chosen = [router.choose(router.look(one.asked), certificate, {"big", "small"}).is_open for one in made]
    assert tested.tolist() == chosen


def test_certifying_on_the_examples_of_the_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="400 of 400 prompts"):
        promise(Learned(artefact()), examples(400, 1), asked("up_front"), costs())


@pytest.mark.parametrize(("epsilon", "delta"), [(0, 0.1), (1, 0.1), (0.02, 0), (0.02, 0.5)])
def test_epsilon_and_delta_must_mean_something(epsilon: float, delta: float) -> None:
    wanted = Promise(policy="up_front", epsilon=epsilon, delta=delta, made_at="")
    with pytest.raises(ConfigError, match="epsilon must lie between"):
        promise(Learned(artefact()), examples(60, 2), wanted, costs())


def test_a_cascade_of_nobody_is_refused() -> None:
    with pytest.raises(ConfigError, match="name one of small"):
        thresholds_of(Learned(artefact()), "cascade", "other")


def test_a_cascade_says_which_signals_its_examples_had_if_they_are_alike() -> None:
    router, plain = Learned(artefact()), examples(60, 21)

    def signals(*, odds: int = 0, samples: int = 0, policy: Policy = "cascade") -> Signals | None:
        changed = []
        for place, example in enumerate(plain):
            answer = replace(
                example.answers["small"], log_probabilities=(-0.5,) if place < odds else (),
                samples=("#### 123", "#### 124") if place < samples else (),
            )  # fmt: skip  # one thing
            changed.append(replace(example, answers={**example.answers, "small": answer}))
        return promise(router, changed, asked(policy), costs()).signals

    assert signals() == Signals(log_probabilities=False, samples=0)
    assert signals(odds=60, samples=60) == Signals(log_probabilities=True, samples=2)
    assert signals(odds=59) is None and signals(samples=1) is None
    assert signals(policy="up_front") is None


def test_an_older_certificate_reads_without_its_signals() -> None:
    certificate = promise(Learned(artefact()), examples(60, 21), asked("cascade"), costs())
    raw = write_artefact(fitted(), (certificate,))
    assert b'"signals":{"log_probabilities":false,"samples":0}' in raw
    older = msgspec.convert(
        {name: value for name, value in msgspec.to_builtins(certificate).items() if name != "signals"}, Certificate
    )
    assert older.signals is None and older == replace(certificate, signals=None)


def test_a_judge_lets_a_cascade_promise_more_and_is_paid_for() -> None:
    router = Learned(read_artefact(write_artefact(fitted_with_judge())))
    some = judged(examples(800, 21), 22)
    up_front, cascade = (promise(router, some, asked(policy, 0.05), costs()) for policy in ("up_front", "cascade"))
    assert cascade.signals == Signals(log_probabilities=False, samples=0, judge="umpire")
    assert cascade.open_share > up_front.open_share + 0.05
    threshold = np.array([2.0])  # everything is kept: what is left are the calls
    dear = routed_by(router, some, "portable_cascade", "small", threshold, costs())
    free = Costs(
        {
            **{model.name: model for model in (REFERENCE, CANDIDATE)},
            "umpire": replace(JUDGE, input_usd=0.0, output_usd=0.0),
        }
    )
    cheap = routed_by(router, some, "portable_cascade", "small", threshold, free)
    assert dear.costs[:, 0] - cheap.costs[:, 0] == pytest.approx(110e-6)


def re_asked(one: Graded) -> Graded:
    """With a judgement from a version that asked in other words."""
    word = one.answers["small"].judged
    assert word is not None
    older = replace(one.answers["small"], judged=replace(word, question="older"))
    return replace(one, answers={**one.answers, "small": older})


@pytest.mark.parametrize(
    ("some", "words"),
    [
        (examples(60, 21), "nobody judged the answer of small"),
        (judged(examples(60, 21), 1, judge="somebody"), "was judged by somebody"),
        (
            [re_asked(one) for one in judged(examples(60, 21), 1)],
            "asked in other words",
        ),
    ],
)
def test_answers_that_nobody_judged_in_the_same_way_certify_nothing(some: list[Graded], words: str) -> None:
    router = Learned(read_artefact(write_artefact(fitted_with_judge())))
    with pytest.raises(ConfigError, match=words):
        promise(router, some, asked("cascade"), costs())


def test_a_judge_that_was_asked_in_older_words_certifies_nothing() -> None:
    fit = fitted_with_judge()
    (one,) = fit.candidates
    assert one.cascade is not None and one.cascade.judge is not None
    older = replace(one, cascade=replace(one.cascade, judge=replace(one.cascade.judge, question="older")))
    router = Learned(read_artefact(write_artefact(replace(fit, candidates=(older,)))))
    with pytest.raises(ConfigError, match="in other words than this version has"):
        promise(router, judged(examples(60, 21), 1), asked("cascade"), costs())


def test_tests_that_are_run_tell_right_code_from_wrong() -> None:
    router = Learned(read_artefact(write_artefact(fitted_with_tests())))
    some = coding(600, 21)
    wanted = dataclasses.replace(asked("cascade", 0.05), run_tests=run_here)
    certificate = promise(router, some, wanted, costs())
    assert certificate.signals == Signals(log_probabilities=False, samples=0, runs_tests=True)
    assert certificate.threshold is not None and certificate.open_share > 0.2
    kept = routed_by(router, some, "cascade", "small", np.array([certificate.threshold]), costs(), run_here).is_open[
        :, 0
    ]
    ran = run_here([(one.prompt, one.answers["small"].text) for one in some])
    passed = np.array([one.count > 0 and one.passed for one in ran])
    assert kept[passed].mean() > 0.9
    assert kept[~passed].mean() < 0.2  # as many as five points let through
    with pytest.raises(ConfigError, match="nothing here runs them"):
        promise(router, some, asked("cascade"), costs())
