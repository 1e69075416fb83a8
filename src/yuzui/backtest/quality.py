"""What graded examples say of moving work from one target to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol

import msgspec

from yuzui.backtest.intervals import Change, mean_change
from yuzui.core.errors import ConfigError

Moves = Mapping[tuple[str, str], int]
"""(target before, target after) → requests; those that stay are under equal names."""


How = Literal["graded", "router", "unmoved"]
"""What a prediction rests on: graded examples; the gains that a learned router predicts; nothing moves."""


class Quality(Protocol):
    """Predicts from whatever was graded."""

    def change(self, moves: Moves) -> Prediction | None:
        """None: nothing was graded on both sides of any move."""
        ...


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """Change of the mean score (0 to 1), over all requests that are answered before and after."""

    how: How
    change: float
    low: float | None
    high: float | None
    examples: int
    """Graded examples, or moved requests whose gain was predicted."""
    unknown: int
    """Moved requests of which it says nothing: they count as unchanged."""


class GradedExamples:
    """Scores by example and model. The mean over the examples stands for the traffic: that is an assumption, and the
    report says so."""

    def __init__(self, examples: Iterable[Mapping[str, float]], models: Mapping[str, str]) -> None:
        """`models`: target → the model behind it, for examples that name models."""
        self._examples = [dict(example) for example in examples]
        self._models = dict(models)

    def change(self, moves: Moves) -> Prediction | None:
        total = sum(moves.values())
        moved = {pair: count for pair, count in moves.items() if pair[0] != pair[1] and count}
        known = {pair: count for pair, count in moved.items() if self._is_graded(pair)}
        if not total or (moved and not known):
            return None
        unknown = sum(moved.values()) - sum(known.values())
        if not known:
            return Prediction(how="unmoved", change=0.0, low=0.0, high=0.0, examples=0, unknown=unknown)
        differences = []
        for example in self._examples:
            scores = [(self._score(example, a), self._score(example, b), count) for (a, b), count in known.items()]
            told = [(after - before) * count for before, after, count in scores if None not in (before, after)]  # type: ignore[operator]  # None was looked for
            if len(told) == len(scores):
                differences.append(sum(told) / total)
        found: Change | None = mean_change(differences)
        if found is None:  # no example has all of them
            return None
        return Prediction(
            how="graded", change=found.change, low=found.low, high=found.high, examples=len(differences),
            unknown=unknown,
        )  # fmt: skip  # one thing

    def _is_graded(self, pair: tuple[str, str]) -> bool:
        return any(
            self._score(example, pair[0]) is not None and self._score(example, pair[1]) is not None
            for example in self._examples
        )

    def _score(self, example: Mapping[str, float], target: str) -> float | None:
        score = example.get(target)
        return example.get(self._models.get(target, "")) if score is None else score


def read_scores(lines: Iterable[bytes], name: str) -> list[dict[str, float]]:
    """JSON lines of graded examples: `{"answers": {MODEL: {"score": 0.5}, OTHER: 1}}` or `{"score:MODEL": 0.5}`, other
    fields beside. Raise `ConfigError`, which names the line."""
    examples = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            row = msgspec.json.decode(line, type=dict[str, Any])  # Any: JSON
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{place} is not one JSON object per line: {error}") from error
        answers = row.get("answers", {})
        if not isinstance(answers, dict):
            raise ConfigError(f"{place}: `answers` must be an object, model → score")
        told = {model: answer.get("score") if isinstance(answer, dict) else answer for model, answer in answers.items()}
        told |= {field[6:]: value for field, value in row.items() if field.startswith("score:") and value is not None}
        if told:
            examples.append({model: _score(score, model, place) for model, score in told.items()})
    if not examples:
        raise ConfigError(f"{name} has no graded examples")
    return examples


def _score(value: object, model: str, place: str) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(f"{place}: the score of {model!r} is {value!r}, not a number from 0 to 1")
    return float(value)
