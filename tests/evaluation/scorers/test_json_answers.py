"""JSON answers against the schema that was asked for, and against the right value."""

from __future__ import annotations

from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer
from yuzui.evaluation.scorers.json_answers import FieldScorer, SchemaScorer, schema_of

FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "name": "x",
        "schema": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
    },
}


def answer(text: str) -> Answer:
    return Answer(model="m", text=text)


def test_schema() -> None:
    scorer, example = SchemaScorer(name="json_schema"), Example(prompt="q", response_format=FORMAT)
    assert scorer.problem(example) == "" and scorer.needs(example, answer(""), None) == ()
    assert scorer.grade(example, answer('{"a": 1}'), ()).score == 1
    bad = scorer.grade(example, answer('{"a": "1"}'), ())
    assert bad.score == 0 and bad.detail["why"].startswith("$.a:")
    assert scorer.grade(example, answer("a: 1"), ()).detail == {"why": "not JSON"}
    assert scorer.problem(Example(prompt="q", response_format={"type": "json_object"}))
    assert schema_of(Example(prompt="q", response_format={"json_schema": 3})) is None


def test_fields_with_references_as_json_and_as_text_of_it() -> None:
    scorer = FieldScorer(name="json_fields")
    for reference in ({"a": 1, "b": "X"}, '{"a": 1, "b": "X"}'):
        example = Example(prompt="q", references=[reference])
        assert scorer.problem(example) == "" and scorer.needs(example, answer(""), None) == ()
        assert scorer.grade(example, answer('{"a": 1, "b": "x"}'), ()).score == 0.5
        loose = FieldScorer(name="json_fields:text=normalised", text="normalised")
        assert loose.grade(example, answer('{"a": 1, "b": "x"}'), ()).score == 1
    assert scorer.grade(Example(prompt="q", references=[{"a": 1}]), answer("no"), ()).score == 0
    assert scorer.problem(Example(prompt="q"))
