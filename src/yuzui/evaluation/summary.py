"""What a run says of its models: quality, cost, latency, refusals, per slice, each against the reference, paired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from yuzui.core.money import NANO
from yuzui.evaluation.bootstrap import Draws, Interval, Method, interval, percentile
from yuzui.evaluation.calls import Result
from yuzui.evaluation.outcomes import ALL, Outcomes, Premises

MOST_WORST: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How intervals are made; it stands in the report."""

    level: float = 0.95
    redraws: int = 2_000
    method: Method = "bca"
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """One model in one slice."""

    model: str
    premises: Premises
    asked: int
    answered: int
    not_permitted: int
    failed: int
    scores: dict[str, Interval]
    """Scorer → mean score of its graded answers; a scorer without any is not there."""
    ungraded: dict[str, dict[str, int]]
    """Scorer → why an answer has no score → how many; `not graded` where nobody said why."""
    cost: Interval | None
    """Mean per answer, in units of `currency`; None where the gateway told no cost."""
    cost_total: float
    currency: str
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """`model` minus `other` on the examples that both have a score for."""

    model: str
    other: str
    scorer: str
    difference: Interval
    better: int
    same: int
    worse: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    name: str
    """Empty: all examples."""
    examples: int
    models: list[ModelFacts]
    against: list[Against]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    place: int
    example: str
    model: str
    scorer: str
    score: float
    reference_score: float | None
    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenClosed:
    """The best own model beside the best vendor's, by one scorer."""

    scorer: str
    own: str
    vendor: str
    difference: Interval
    """Own minus vendor."""
    cost_share: float | None
    """Mean cost of own over that of the vendor's; None where one is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    slices: list[Slice]
    """The first is all examples."""
    open_closed: list[OpenClosed]
    worst: list[Worst]
    judge_cost: float
    judge_calls: int
    currency: str
    missing: int
    """Answers that the run has not asked for yet."""
    how: How


def summarise(outcomes: Outcomes, how: How, draws: Draws, judged: Sequence[Result] = ()) -> Summary:
    """`judged`: every question to the judge, for what it cost."""
    settings = outcomes.settings
    slices = [_slice(outcomes, name, how, draws) for name in (ALL, *outcomes.slices())]
    whole = slices[0]
    pairs = [(place, model) for place in outcomes.places() for model in settings.asked]
    return Summary(
        slices=slices,
        open_closed=_open_closed(outcomes, whole, how, draws),
        worst=_worst(outcomes),
        judge_cost=sum(result.cost_nano or 0 for result in judged) / NANO,
        judge_calls=len(judged),
        currency=next((facts.currency for facts in whole.models if facts.currency), ""),
        missing=sum(pair not in outcomes.results for pair in pairs),
        how=how,
    )


def _slice(outcomes: Outcomes, name: str, how: How, draws: Draws) -> Slice:
    settings, places = outcomes.settings, outcomes.places(name)
    against = []
    if settings.reference_model:
        for model in settings.asked:
            for scorer in settings.scorers:
                found = _against(outcomes, model, settings.reference_model, scorer, places, how, draws)
                if model != settings.reference_model and found is not None:
                    against.append(found)
    models = [_facts(outcomes, model, places, how, draws) for model in settings.asked]
    return Slice(name=name, examples=len(places), models=models, against=against)


def _facts(outcomes: Outcomes, model: str, places: Sequence[int], how: How, draws: Draws) -> ModelFacts:
    results = list(outcomes.results_of(model, places))
    answered = [result for result in results if result.outcome == "answered"]
    costs = [result.cost_nano / NANO for result in answered if result.cost_nano is not None]
    times = [float(result.latency_ms) for result in answered]
    scores = {scorer: outcomes.scores(model, scorer, places) for scorer in outcomes.settings.scorers}
    return ModelFacts(
        model=model,
        premises=outcomes.premises(model),
        asked=len(results),
        answered=len(answered),
        not_permitted=sum(result.outcome == "not_permitted" for result in results),
        failed=sum(result.outcome == "failed" for result in results),
        scores={scorer: _interval(found, how, draws) for scorer, found in scores.items() if found},
        ungraded={
            scorer: missing
            for scorer in outcomes.settings.scorers
            if (missing := _ungraded(outcomes, model, scorer, places))
        },
        cost=_interval(costs, how, draws) if costs else None,
        cost_total=sum(costs),
        currency=next((result.currency for result in answered if result.currency), ""),
        latency_p50_ms=percentile(times, 0.5) if times else None,
        latency_p95_ms=percentile(times, 0.95) if times else None,
        input_tokens=sum(result.input_tokens for result in answered),
        output_tokens=sum(result.output_tokens for result in answered),
    )


def _ungraded(outcomes: Outcomes, model: str, scorer: str, places: Sequence[int]) -> dict[str, int]:
    if scorer.startswith("pairwise") and model == outcomes.settings.reference_model:
        return {}  # it is what the others are compared with
    found: Counter[str] = Counter()
    for place in places:
        result = outcomes.results.get((place, model))
        if result is not None and result.outcome == "answered" and outcomes.score(place, model, scorer) is None:
            grade = outcomes.grades.get((place, model, scorer))
            found["not graded" if grade is None else str(grade.detail.get("why", "not graded"))] += 1
    return dict(found)


def _against(
    outcomes: Outcomes, model: str, other: str, scorer: str, places: Sequence[int], how: How, draws: Draws
) -> Against | None:
    differences = outcomes.differences(model, other, scorer, places)
    if not differences:
        return None
    return Against(
        model=model,
        other=other,
        scorer=scorer,
        difference=_interval(differences, how, draws),
        better=sum(one > 0 for one in differences),
        same=sum(one == 0 for one in differences),
        worse=sum(one < 0 for one in differences),
    )


def _open_closed(outcomes: Outcomes, whole: Slice, how: How, draws: Draws) -> list[OpenClosed]:
    found = []
    for scorer in outcomes.settings.scorers:
        best = {}
        for premises in ("own", "vendor"):
            sided = [facts for facts in whole.models if facts.premises == premises and scorer in facts.scores]
            if sided:
                best[premises] = max(sided, key=lambda facts: facts.scores[scorer].value)
        if len(best) < 2:
            continue
        own, vendor = best["own"], best["vendor"]
        differences = outcomes.differences(own.model, vendor.model, scorer, outcomes.places())
        if differences:
            is_known = own.cost is not None and vendor.cost is not None and vendor.cost.value > 0
            share = own.cost.value / vendor.cost.value if is_known and own.cost and vendor.cost else None
            found.append(
                OpenClosed(
                    scorer=scorer,
                    own=own.model,
                    vendor=vendor.model,
                    difference=_interval(differences, how, draws),
                    cost_share=share,
                )
            )
    return found


def _worst(outcomes: Outcomes) -> list[Worst]:
    """Where models lose most against the reference; without one, what scored least."""
    settings = outcomes.settings
    found: list[tuple[float, Worst]] = []
    for (place, model, scorer), grade in outcomes.grades.items():
        if grade.score is None or model not in settings.models or scorer not in settings.scorers:
            continue
        theirs = outcomes.score(place, settings.reference_model, scorer) if settings.reference_model else None
        if settings.reference_model and theirs is None and not scorer.startswith("pairwise"):
            continue  # the reference has no answer there: nobody knows what was lost
        if scorer.startswith("pairwise"):
            theirs = 0.5
        loss = (1.0 if theirs is None else theirs) - grade.score
        example, result = outcomes.examples[place], outcomes.results.get((place, model))
        if loss <= 0 or result is None:
            continue
        worst = Worst(
            place=place, example=example.id or f"#{place + 1}", model=model, scorer=scorer, score=grade.score,
            reference_score=theirs, question=example.last_question, answer=result.text,
        )  # fmt: skip  # one thing
        found.append((loss, worst))
    found.sort(key=lambda pair: (-pair[0], pair[1].place, pair[1].model, pair[1].scorer))
    return [worst for _, worst in found[:MOST_WORST]]


def _interval(values: Sequence[float], how: How, draws: Draws) -> Interval:
    return interval(values, draws, level=how.level, redraws=how.redraws, method=how.method)
