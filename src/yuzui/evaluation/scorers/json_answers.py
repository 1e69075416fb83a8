"""Answers that are JSON: against the schema that was asked for, and field by field against the right value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from yuzui.core.json_schema import Schema
from yuzui.evaluation.examples import Example
from yuzui.evaluation.json_values import field_score, find_json
from yuzui.evaluation.scorers._contract import Answer, Grade, Need, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaScorer:
    """1 where the answer fits the schema of the example's `response_format`."""

    name: str

    def problem(self, example: Example) -> str:
        return "" if schema_of(example) is not None else "its response_format has no JSON schema"

    def needs(self, example: Example, answer: Answer, reference: Answer | None) -> tuple[Need, ...]:
        return ()

    def grade(self, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        try:
            value = find_json(answer.text)
        except ValueError:
            return Grade(score=0.0, detail={"why": "not JSON"})
        problem = Schema(schema_of(example)).problem(value)
        return Grade(score=float(not problem), detail={"why": problem} if problem else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldScorer:
    """F1 over the fields of the right value."""

    name: str
    text: str = "same"
    """`normalised`: case, punctuation and articles of texts do not count."""

    def problem(self, example: Example) -> str:
        return "" if example.references else "it has no reference"

    def needs(self, example: Example, answer: Answer, reference: Answer | None) -> tuple[Need, ...]:
        return ()

    def grade(self, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        try:
            value = find_json(answer.text)
            is_loose = self.text == "normalised"
            return Grade(score=max([field_score(value, _value(one), is_loose=is_loose) for one in example.references]))
        except ValueError:
            return Grade(score=0.0, detail={"why": "not JSON"})


def schema_of(example: Example) -> Any:  # Any: JSON values
    """The schema that the answer was asked to fit, or None."""
    inner = (example.response_format or {}).get("json_schema")
    return inner.get("schema") if isinstance(inner, dict) else None


def _value(reference: Any) -> Any:  # Any: JSON values
    """A right value may stand in the file as JSON, or as a text that is JSON (Parquet has no free values)."""
    if isinstance(reference, str):
        try:
            return msgspec.json.decode(reference)
        except msgspec.DecodeError:
            return reference
    return reference
