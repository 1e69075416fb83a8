from __future__ import annotations

from dataclasses import replace as changed

import numpy as np
import pytest
from msgspec.structs import replace

from graded_kit import (
    CANDIDATE,
    JUDGE,
    PLAN,
    REFERENCE,
    examples,
    fitted,
    fitted_with_judge,
    fitted_with_tests,
    judged,
    run_here,
)
from yuzui.core.errors import ConfigError
from yuzui.evaluation.fit import FEWEST_EXAMPLES, Plan, fit
from yuzui.evaluation.fit_parts import Floats, bag, dense_of, folds, mix_of, out_of_fold, rarity_of, weighed
from yuzui.evaluation.graded import Graded, GradedAnswer
from yuzui.evaluation.judge_words import POINTWISE
from yuzui.routing.artefact import Artefact, Priced, write_artefact
from yuzui.routing.dense import Dense
from yuzui.routing.learned import Learned
from yuzui.routing.surface import Asked
from yuzui.routing.text_encoder import weigh

SMALL = Plan(reference=REFERENCE, candidates=(CANDIDATE,), bits=10, dimensions=8, wants_cascade=False)


def test_fitting_is_the_same_twice() -> None:
    made = examples(80, 4)
    assert write_artefact(fit(made, SMALL)) == write_artefact(fit(made, SMALL))


def test_what_was_fitted_on_is_in_the_artefact() -> None:
    facts = fitted().data
    assert facts.examples == 400
    assert facts.name == "made by rule"
    assert facts.reference_score == pytest.approx(0.95, abs=0.05)
    assert facts.candidate_scores["small"] == pytest.approx(0.63, abs=0.08)
    assert fitted().made_with == {"yuzui": "0"}


def test_thresholds_ascend_and_the_last_lets_everything_through() -> None:
    thresholds = np.array(fitted().thresholds)
    assert np.all(np.diff(thresholds) > 0)
    assert thresholds[-1] > 1


def test_a_cascade_is_fitted_only_where_every_answer_has_its_text() -> None:
    made = examples(80, 4)
    plan = Plan(reference=REFERENCE, candidates=(CANDIDATE,), bits=10, dimensions=8)
    assert fit(made, plan).candidates[0].cascade is not None
    answers = {**made[0].answers, "small": GradedAnswer(score=1.0)}
    assert fit([replace(made[0], answers=answers), *made[1:]], plan).candidates[0].cascade is None


@pytest.mark.parametrize("score", [0.0, 1.0, 0.5])
def test_models_that_are_always_alike_can_be_fitted(score: float) -> None:
    made = [
        replace(example, group="", answers={"big": GradedAnswer(score=1.0), "small": GradedAnswer(score=score)})
        for example in examples(60, 4)
    ]
    router = Learned(Artefact(fitted=fit(made, SMALL), fitted_sha256=""))
    assert router.look(Asked(text=made[0].prompt)).gains[0] == pytest.approx(1 - score, abs=0.02)


def test_scores_between_right_and_wrong_count_by_their_share() -> None:
    made = [
        replace(example, answers={"big": GradedAnswer(score=0.9), "small": GradedAnswer(score=0.8 if example.group == "easy" else 0.2)})
        for example in examples(200, 4)
    ]  # fmt: skip
    router = Learned(Artefact(fitted=fit(made, SMALL), fitted_sha256=""))
    gains = {
        group: np.mean([router.look(e.asked).gains[0] for e in made if e.group == group]) for group in ("easy", "hard")
    }
    assert gains["easy"] == pytest.approx(0.1, abs=0.08)
    assert gains["hard"] == pytest.approx(0.7, abs=0.08)


def test_several_candidates_have_a_gain_each() -> None:
    plan = Plan(
        reference=REFERENCE,
        candidates=(CANDIDATE, replace(CANDIDATE, name="tiny")),
        bits=10,
        dimensions=8,
        wants_cascade=False,
    )
    look = Learned(Artefact(fitted=fit(examples(80, 4), plan), fitted_sha256="")).look(Asked(text="What is it?"))
    assert len(look.gains) == 2
    assert look.gains[1] > look.gains[0]  # nobody graded the check above zero


@pytest.mark.parametrize("text", ["", "same"])
def test_prompts_that_are_empty_or_all_alike_can_be_fitted(text: str) -> None:
    made = [replace(example, prompt=text) for example in examples(60, 4)]
    assert np.isfinite(Learned(Artefact(fitted=fit(made, SMALL), fitted_sha256="")).look(Asked(text="other")).gains[0])


def test_what_cannot_be_fitted_is_said_before_anything_is_fitted() -> None:
    with pytest.raises(ConfigError, match=f"at least {FEWEST_EXAMPLES}"):
        fit(examples(FEWEST_EXAMPLES - 1, 1), SMALL)
    with pytest.raises(ConfigError, match="each once"):
        fit(examples(60, 1), replace_candidates(()))
    with pytest.raises(ConfigError, match="each once"):
        fit(examples(60, 1), replace_candidates((REFERENCE,)))
    with pytest.raises(ConfigError, match="no answer of small"):
        fit([Graded(prompt="p", answers={"big": GradedAnswer(score=1)})] * 60, SMALL)


def replace_candidates(candidates: tuple[Priced, ...]) -> Plan:
    return changed(SMALL, candidates=candidates)


def test_each_row_is_predicted_once_by_a_fit_that_never_saw_it() -> None:
    for fitted_rows, held in folds(23, 1):
        assert not set(fitted_rows) & set(held)
        assert len(fitted_rows) + len(held) == 23
    assert out_of_fold(23, 1, lambda rows, held: held.astype(float)).tolist() == list(range(23))


def test_a_mixture_has_no_negative_weight_and_keeps_the_mean() -> None:
    generator = np.random.default_rng(2)
    gains = generator.normal(0.2, 1, 300)
    parts = np.column_stack((gains + generator.normal(0, 1, 300), -gains, np.zeros(300)))
    mix, constant = mix_of(parts, gains)
    assert mix[0] > 0
    assert mix[1] == mix[2] == 0
    assert (parts @ np.array(mix) + constant).mean() == pytest.approx(gains.mean())
    assert mix_of(np.zeros((5, 2)), np.ones(5)) == ((0.0, 0.0), 1.0)


def test_bags_are_weighed_as_the_encoder_weighs_them() -> None:
    texts = [example.prompt for example in examples(30, 6)]
    counts = bag(texts, 10)
    rarity = rarity_of(counts)
    matrix = weighed(counts, rarity).toarray()
    for row, text in zip(matrix, texts, strict=True):
        buckets, weights = weigh(text, 10, rarity)
        assert np.allclose(row[buckets], weights, atol=1e-5)
        assert np.count_nonzero(row) == len(buckets)
    assert PLAN.bits == 12


def wins_and_noise(seed: int, count: int) -> tuple[Floats, Floats]:
    """What the reference wins follows from three numbers taken together; the candidate wins a fifth of the rest, whatever
    the numbers are."""
    generator = np.random.default_rng(seed)
    rows = generator.random((count, 6)).astype(np.float32).astype(np.float64)
    wins = generator.random(count) < np.where((rows[:, 0] > 0.5) & (rows[:, 1] > 0.5) & (rows[:, 2] > 0.5), 0.5, 0.02)
    return rows, np.where(wins, 1.0, np.where(generator.random(count) < 0.2, -1.0, 0.0))


def test_wins_that_can_be_foreseen_are_learned_better_apart_from_those_that_cannot() -> None:
    names = tuple("abcdef")
    errors: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(2):
        rows, gains = wins_and_noise(seed, 700)
        fresh, _ = wins_and_noise(100 + seed, 700)
        strong = (fresh[:, 0] > 0.5) & (fresh[:, 1] > 0.5) & (fresh[:, 2] > 0.5)
        expected = np.where(strong, 0.5 - 0.5 * 0.2, 0.02 - 0.98 * 0.2)
        for apart, found in errors.items():
            dense = Dense(dense_of(rows, gains, names, seed=0, apart=apart)[0], names)
            told = np.array([dense.one(row.astype(np.float32)) for row in fresh])
            found.append(float(np.mean((told - expected) ** 2)))
    assert np.mean(errors[True]) < np.mean(errors[False])


def test_what_is_learned_apart_decides_as_it_did_out_of_fold() -> None:
    # Arrays that decide are those of the fitted parts: on the fitted rows they predict about what was predicted out of fold.
    rows, gains = wins_and_noise(7, 700)
    weights, out = dense_of(rows, gains, tuple("abcdef"), seed=0, apart=True)
    dense = Dense(weights, tuple("abcdef"))
    inside = np.array([dense.one(row.astype(np.float32)) for row in rows])
    assert np.corrcoef(inside, out)[0, 1] > 0.8
    assert out.mean() == pytest.approx(gains.mean(), abs=0.01)


def test_a_cascade_is_fitted_with_a_judge_only_where_it_judged_every_answer_alike() -> None:
    plan = changed(PLAN, checks=(), judge=JUDGE)
    with pytest.raises(ConfigError, match=r"nobody judged the answer of small.*--scorer pointwise --judge umpire"):
        fit(examples(60, 4), plan)
    cascade = fitted_with_judge().candidates[0].cascade
    assert cascade is not None and cascade.judge is not None and not cascade.runs_tests
    assert (cascade.judge.model, cascade.judge.question) == (JUDGE, POINTWISE)


def test_who_asks_for_a_cascades_signals_is_told_where_there_can_be_none() -> None:
    made = judged(examples(80, 4), 1)
    answers = {**made[0].answers, "small": replace(made[0].answers["small"], text="")}
    some = [replace(made[0], answers=answers), *made[1:]]
    for plan in (changed(PLAN, checks=(), judge=JUDGE), PLAN, changed(PLAN, checks=(), run_tests=run_here)):
        with pytest.raises(ConfigError, match="1 of 80 answers of small have no text"):
            fit(some, plan)


def test_a_fit_without_judge_and_tests_is_written_as_it_always_was() -> None:
    """Else its hash would change, and certificates of older versions would belong to no fit."""
    raw = write_artefact(fitted())
    assert b'"judge"' not in raw and b'"runs_tests"' not in raw
    assert b'"runs_tests":true' in write_artefact(fitted_with_tests())
