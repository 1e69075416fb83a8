"""From graded examples to a fitted router: the words, what can be counted, and, where there are answers, the cascade.

Everything that is fitted on a prediction is fitted on one that its example had no part in (five folds), so mixtures are
calibrated and thresholds mean the same later as they do here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from yuzui.core.errors import ConfigError
from yuzui.core.guarantee import TestsRun
from yuzui.evaluation.fit_parts import (
    Floats,
    Matrix,
    Rows,
    bag,
    dense_of,
    mix_of,
    out_of_fold,
    projection_of,
    rarity_of,
    weighed,
)
from yuzui.evaluation.graded import Graded, check_examples, check_judged, hash_of, prompts_of
from yuzui.evaluation.judge_words import POINTWISE
from yuzui.routing import learned, surface
from yuzui.routing.artefact import (
    Artefact,
    CandidateWeights,
    CascadeWeights,
    DataFacts,
    Fitted,
    JudgeFacts,
    Priced,
)
from yuzui.routing.likeness import LikenessWeights, distances_of, oddness_of
from yuzui.routing.own_text import Answered
from yuzui.routing.signals import Evidence, Layout, row_of
from yuzui.routing.tensors import pack, unpack
from yuzui.routing.text_encoder import EncoderWeights, softmax
from yuzui.routing.up_front import UpFrontWeights

FEWEST_EXAMPLES: Final = 50
SHARE_UNLIKE: Final = 0.1
"""Of ordinary requests: what it costs at home is little, because odd ones are rarely worth opening, and abroad it turns
more than half away (bench/routing_bench)."""
MOST_RANKED: Final = 2000
"""Examples of each half that later requests are ranked among."""
WAVES: Final = 256
THRESHOLDS: Final = 50
"""Fewer would waste traffic between two of them; more would only add thresholds whose loss is next to epsilon."""
LEAST_OF_A_TOPIC: Final = 8
TOPIC_PRIOR: Final = 40.0
"""Examples that the mean gain of all topics counts for in a topic's own."""


RunTests = Callable[[Sequence[tuple[str, str]]], list[TestsRun]]
"""Of (prompt, answer) each: what became of the tests that the prompt brings. Raise `ConfigError` where they cannot be
run at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to fit."""

    reference: Priced
    candidates: tuple[Priced, ...]
    checks: tuple[Priced, ...] = ()
    judge: Priced | None = None
    """Whose word about each candidate's answer cascades look at; the examples hold it."""
    run_tests: RunTests | None = None
    """None: cascades do without tests."""
    wants_cascade: bool = True
    """Where every example has the text of the candidate's answer."""
    share_unlike: float = SHARE_UNLIKE
    bits: int = 15
    dimensions: int = 64
    seed: int = 0
    made_at: str = ""
    made_with: Mapping[str, str] = field(default_factory=dict)
    data_name: str = ""


def fit(examples: Sequence[Graded], plan: Plan, told: Callable[[str], None] = lambda step: None) -> Fitted:
    """Fit on `examples`; `told` hears of each step. Raise `ConfigError` for examples that cannot be used."""
    names = [plan.reference.name, *(candidate.name for candidate in plan.candidates)]
    if len(set(names)) != len(names) or len(names) < 2:
        raise ConfigError("name one reference and at least one candidate, each once")
    check_examples(examples, [*names, *(check.name for check in plan.checks)])
    if len(examples) < FEWEST_EXAMPLES:
        raise ConfigError(f"{len(examples)} examples to fit on are too few: grade at least {FEWEST_EXAMPLES}")
    told("words")
    text = _Text(examples, plan)
    counted = np.array([surface.surface(example.asked) for example in examples], np.float64)
    strong = _scores(examples, plan.reference.name)
    candidates: list[CandidateWeights] = []
    predicted: list[Floats] = []
    for candidate in plan.candidates:
        told(f"gain over {candidate.name}")
        weights, gains = _up_front(text, counted, strong, _scores(examples, candidate.name), plan.seed)
        candidates.append(CandidateWeights(model=candidate, up_front=weights))
        predicted.append(gains)
    told("likeness")
    likeness = _likeness(text, counted, plan)
    fitted = Fitted(
        made_at=plan.made_at, made_with=dict(plan.made_with),
        data=replace(data_facts(examples, plan.data_name, names), prompts=prompts_of(examples)),
        reference=plan.reference, candidates=tuple(candidates), encoder=text.weights, likeness=likeness,
        thresholds=_grid(np.min(predicted, axis=0)),
    )  # fmt: skip  # one thing
    if not plan.wants_cascade:
        return fitted
    router = learned.Learned(Artefact(fitted=fitted, fitted_sha256=""))
    looks = [router.look(example.asked) for example in examples]
    for place, fitted_candidate in enumerate(candidates):
        model = fitted_candidate.model.name
        silent = sum(not example.answers[model].text for example in examples)
        if silent and (plan.checks or plan.judge is not None or plan.run_tests is not None):
            raise ConfigError(
                f"{silent} of {len(examples)} answers of {model} have no text, so no cascade can look at second "
                "opinions, judges or tests: leave these examples out, or say --no-cascade and nothing of these"
            )
        if not silent:
            told(f"cascade of {model}")
            gains = strong - _scores(examples, model)
            cascade = _cascade(examples, model, looks, predicted[place], gains, plan)
            candidates[place] = replace(fitted_candidate, cascade=cascade)
    return replace(fitted, candidates=tuple(candidates))


def data_facts(examples: Sequence[Graded], name: str, models: Sequence[str]) -> DataFacts:
    """`models`: the reference first."""
    means = {model: round(float(_scores(examples, model).mean()), 6) for model in models}
    return DataFacts(
        sha256=hash_of(examples), examples=len(examples), name=name, reference_score=means[models[0]],
        candidate_scores={model: means[model] for model in models[1:]},
    )  # fmt: skip  # one thing


def answered_of(example: Graded, model: str) -> Answered:
    answer = example.answers[model]
    return Answered(
        question=example.prompt, text=answer.text, wants_json=example.schema_characters > 0 and not example.tools,
        was_cut=answer.was_cut, log_probabilities=answer.log_probabilities,
    )  # fmt: skip  # one thing


def evidence_of(
    examples: Sequence[Graded], model: str, checks: Sequence[str], *, judge: str = "",
    run_tests: RunTests | None = None,
) -> list[Evidence]:  # fmt: skip
    """Of each answer of `model`, as a served cascade gathers it. Raise `ConfigError` for examples that lack it."""
    check_examples(examples, checks)
    if judge:
        check_judged(examples, model, judge, POINTWISE)
    tested = run_tests([(one.prompt, one.answers[model].text) for one in examples]) if run_tests is not None else None
    found = []
    for place, example in enumerate(examples):
        own = example.answers[model]
        found.append(Evidence(
            answered=answered_of(example, model), checks=[example.answers[check].text for check in checks],
            samples=own.samples, judged=own.judged.score if judge and own.judged is not None else None,
            tests=tested[place] if tested is not None else None,
        ))  # fmt: skip  # one thing
    return found


def _scores(examples: Sequence[Graded], model: str) -> Floats:
    return np.array([example.answers[model].score for example in examples], np.float64)


def _grid(predicted: Floats) -> tuple[float, ...]:
    """Quantiles of what was predicted out of fold, ascending, and one beyond them that every request is under."""
    inner = np.unique(np.quantile(predicted, np.arange(1, THRESHOLDS) / THRESHOLDS))
    return (*(float(value) for value in inner), 2.0)


class _Text:
    """The examples' words: bags, dense vectors, topics."""

    def __init__(self, examples: Sequence[Graded], plan: Plan) -> None:
        counts = bag([example.prompt for example in examples], plan.bits)
        rarity = rarity_of(counts)
        self.bags: Matrix = weighed(counts, rarity)
        projection = pack(projection_of(self.bags, plan.dimensions, plan.seed), "int8")
        raw = self.bags @ unpack(projection)
        self.energy: Floats = np.linalg.norm(raw, axis=1)
        self.vectors: Floats = np.where(self.energy[:, None] > 1e-6, raw / np.maximum(self.energy[:, None], 1e-6), 0.0)
        self.groups = _groups(examples)
        self.topics = _topics(self.vectors, self.groups) if self.groups is not None else None
        self.weights = EncoderWeights(
            bits=plan.bits, rarity=pack(rarity, "float16"), projection=projection,
            topics=pack(self.topics, "float32") if self.topics is not None else None,
        )  # fmt: skip  # one thing


def _groups(examples: Sequence[Graded]) -> npt.NDArray[np.intp] | None:
    """A number per example; groups with too few examples are one. None where there is nothing to tell apart."""
    names, inverse, counts = np.unique([example.group for example in examples], return_inverse=True, return_counts=True)
    kept = np.flatnonzero((counts >= LEAST_OF_A_TOPIC) & (names != ""))
    if len(kept) < 2:
        return None
    numbers = np.full(len(names), len(kept))
    numbers[kept] = np.arange(len(kept))
    result: npt.NDArray[np.intp] = np.unique(numbers[inverse], return_inverse=True)[1]
    return result


def _topics(vectors: Floats, groups: npt.NDArray[np.intp]) -> Floats:
    """(dimensions + 1) x topics."""
    from sklearn.linear_model import LogisticRegression

    model: Any = LogisticRegression(C=30.0, max_iter=300).fit(vectors, groups)  # Any: scikit-learn carries no types
    if len(model.classes_) == 2:
        weights = np.vstack((-model.coef_ / 2, model.coef_ / 2))
        constants = np.concatenate((-model.intercept_ / 2, model.intercept_ / 2))
    else:
        weights, constants = model.coef_, model.intercept_
    return np.vstack((weights.T, constants))


def _topic_gains(groups: npt.NDArray[np.intp], gains: Floats, topics: int) -> Floats:
    mean = gains.mean()
    counts = np.bincount(groups, minlength=topics)
    result: Floats = (np.bincount(groups, gains, minlength=topics) + TOPIC_PRIOR * mean) / (counts + TOPIC_PRIOR)
    return result


def _up_front(text: _Text, counted: Floats, strong: Floats, weak: Floats, seed: int) -> tuple[UpFrontWeights, Floats]:
    """One candidate's weights, and the gains that they predict out of fold."""
    from sklearn.linear_model import Ridge

    gains = strong - weak
    count, dimensions = text.vectors.shape
    generator = np.random.default_rng(seed)
    waves = generator.normal(0.0, np.sqrt(2.0), (dimensions, WAVES)).astype(np.float16)
    phases = generator.uniform(0, 2 * np.pi, WAVES).astype(np.float32)
    raised = np.cos(text.vectors @ waves.astype(np.float64) + phases)

    def words(fit: Rows, held: Rows) -> Floats:
        predicted: Floats = Ridge(alpha=10.0).fit(text.bags[fit], gains[fit]).predict(text.bags[held])
        return predicted

    def chances(fit: Rows, held: Rows) -> Floats:
        return _chance(text.bags, strong, fit, held) - _chance(text.bags, weak, fit, held)

    def wave(fit: Rows, held: Rows) -> Floats:
        predicted: Floats = Ridge(alpha=100.0).fit(raised[fit], gains[fit]).predict(raised[held])
        return predicted

    def topic(fit: Rows, held: Rows) -> Floats:
        if text.groups is None:
            return np.zeros(len(held))
        weights = _topics(text.vectors[fit], text.groups[fit])
        present = np.unique(text.groups[fit])
        means = _topic_gains(text.groups[fit], gains[fit], int(text.groups.max()) + 1)[present]
        logits = text.vectors[held] @ weights[:-1] + weights[-1]
        return np.array([softmax(row) @ means for row in logits])

    parts = [out_of_fold(count, seed, part) for part in (words, chances, wave, topic)]
    dense, by_counts = dense_of(counted, gains, surface.NAMES, seed=seed)
    predictions = np.column_stack([*parts, by_counts])
    mix, constant = mix_of(predictions, gains)
    everyone = np.arange(count)
    linear = Ridge(alpha=10.0).fit(text.bags, gains)
    logits = [_logit(text.bags, scores, everyone) for scores in (strong, weak)]
    wavy = Ridge(alpha=100.0).fit(raised, gains)
    topics = text.topics.shape[1] if text.topics is not None else 0
    weights = UpFrontWeights(
        words=pack(np.column_stack([linear.coef_, *(coefficients for coefficients, _ in logits)]), "float16"),
        words_intercepts=(float(linear.intercept_), logits[0][1], logits[1][1]),
        waves=pack(waves, "float16"), phases=pack(phases, "float32"), heights=pack(wavy.coef_, "float32"),
        waves_intercept=float(wavy.intercept_),
        topic_gains=pack(
            _topic_gains(text.groups, gains, topics) if text.groups is not None else np.zeros(0), "float32"
        ),
        counts=dense, mix=(mix[0], mix[1], mix[2], mix[3], mix[4]), constant=constant,
    )  # fmt: skip  # one thing
    return weights, predictions @ np.array(mix) + constant


def _logit(bags: Matrix, scores: Floats, fit: Rows) -> tuple[Floats, float]:
    """A logistic model of scores in [0, 1]: each example counts as right by its score and as wrong by the rest."""
    from scipy.sparse import vstack
    from sklearn.linear_model import LogisticRegression

    some = scores[fit]
    if np.all((some == 0) | (some == 1)):
        rows, labels, shares = bags[fit], some, np.ones(len(some))
    else:
        rows = vstack((bags[fit], bags[fit]))
        labels = np.concatenate((np.ones(len(fit)), np.zeros(len(fit))))
        shares = np.concatenate((some, 1 - some))
    if len(np.unique(labels[shares > 0])) < 2:  # always right, or never
        chance = min(max(float(some.mean()), 0.5 / (len(some) + 1)), 1 - 0.5 / (len(some) + 1))
        return np.zeros(bags.shape[1]), float(np.log(chance / (1 - chance)))
    model = LogisticRegression(C=1.0, max_iter=200).fit(rows, labels, sample_weight=shares)
    return model.coef_[0], float(model.intercept_[0])


def _chance(bags: Matrix, scores: Floats, fit: Rows, held: Rows) -> Floats:
    coefficients, constant = _logit(bags, scores, fit)
    chances: Floats = 1 / (1 + np.exp(-np.clip(bags[held] @ coefficients + constant, -30, 30)))
    return chances


def _likeness(text: _Text, counted: Floats, plan: Plan) -> LikenessWeights:
    """Distances are measured between two halves, each against the other, so that no example is near itself."""
    generator = np.random.default_rng(plan.seed + 1)
    order = generator.permutation(len(counted))
    halves = (order[: len(order) // 2], order[len(order) // 2 :])
    measured = []
    for here, there in (halves, halves[::-1]):
        projection = projection_of(text.bags[here], text.vectors.shape[1], plan.seed)
        raw = text.bags @ projection
        lengths = np.linalg.norm(raw, axis=1)
        vectors = raw / np.maximum(lengths[:, None], 1e-6)
        centre, scale, whitening = _shape(counted[here])
        rows = there[:MOST_RANKED]
        topics = _shares(vectors, text.groups, here, rows)
        for row, shares in zip(rows, topics, strict=True):
            measured.append(distances_of(
                counted[row].astype(np.float32), float(lengths[row]), shares, centre=centre, scale=scale,
                whitening=whitening,
            ))  # fmt: skip
    centre, scale, whitening = _shape(counted)
    ranks = np.sort(np.array(measured, np.float32), axis=0)
    columns = list(ranks.T)
    return LikenessWeights(
        names=surface.NAMES, centre=pack(centre, "float32"), scale=pack(scale, "float32"),
        whitening=pack(whitening, "float32"), distances=pack(ranks, "float32"), share_unlike=plan.share_unlike,
        oddness=pack(np.sort([oddness_of(columns, one) for one in measured]), "float32"),
    )  # fmt: skip  # one thing


def _shares(
    vectors: Floats, groups: npt.NDArray[np.intp] | None, fit_on: Rows, rows: Rows
) -> list[npt.NDArray[np.float32]]:
    """Each row's chances of belonging to each topic, as the examples of `fit_on` tell; empty ones without topics."""
    if groups is None:
        return [np.zeros(0, np.float32)] * len(rows)
    if len(np.unique(groups[fit_on])) < 2:
        return [np.ones(1, np.float32)] * len(rows)
    weights = _topics(vectors[fit_on], groups[fit_on])
    return [softmax(row).astype(np.float32) for row in vectors[rows] @ weights[:-1] + weights[-1]]


def _shape(counted: Floats) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Centre, scale and whitening of what can be counted; what never varied has a small scale: varying is odd."""
    centre, scale = counted.mean(axis=0), np.maximum(counted.std(axis=0), 0.02)
    deviations = (counted - centre) / scale
    correlation = 0.8 * (deviations.T @ deviations) / len(counted) + 0.2 * np.eye(counted.shape[1])
    values, vectors = np.linalg.eigh(correlation)
    whitening = vectors @ np.diag(1 / np.sqrt(np.maximum(values, 0.05))) @ vectors.T
    return centre.astype(np.float32), scale.astype(np.float32), whitening.astype(np.float32)


def _cascade(
    examples: Sequence[Graded], model: str, looks: Sequence[learned.Look], predicted: Floats, gains: Floats, plan: Plan
) -> CascadeWeights:
    """`predicted`: up front, out of fold; a later request's own prediction takes its place."""
    judge = plan.judge
    layout = Layout(checks=len(plan.checks), is_judged=judge is not None, runs_tests=plan.run_tests is not None)
    checks = [check.name for check in plan.checks]
    held = evidence_of(examples, model, checks, judge=judge.name if judge else "", run_tests=plan.run_tests)
    rows = np.array([
        row_of(layout, evidence, look.surface, float(gain), look.p_value)
        for evidence, look, gain in zip(held, looks, predicted, strict=True)
    ], np.float64)  # fmt: skip
    portable = layout.portable_names
    full_weights, full = dense_of(rows, gains, layout.names, seed=plan.seed, apart=True)
    portable_weights, carried = dense_of(rows[:, : len(portable)], gains, portable, seed=plan.seed, apart=True)
    return CascadeWeights(
        checks=plan.checks, full=full_weights, portable=portable_weights, full_thresholds=_grid(full),
        portable_thresholds=_grid(carried), runs_tests=plan.run_tests is not None,
        judge=JudgeFacts(model=judge, question=POINTWISE) if judge is not None else None,
    )  # fmt: skip  # one thing
