"""Samples satisfy their schema."""

from __future__ import annotations

import pytest

from yuzui.providers.schema_sample import sample


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "T"),
        ({"type": "string", "maxLength": 0}, ""),
        ({"type": ["null", "integer"], "minimum": 3}, 3),
        ({"type": "number"}, 0),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"enum": ["a", "b"]}, "a"),
        ({"const": 5}, 5),
        ({"anyOf": [{"type": "boolean"}, {"type": "string"}]}, True),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2}, ["T", "T"]),
        ({"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}, {"a": "T"}),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 0}),
        ({"type": "object"}, {}),
        ({"$ref": "#/$defs/p", "$defs": {"p": {"type": "boolean"}}}, True),
        ({"$ref": "#/$defs/missing"}, None),
    ],
)
def test_a_sample_has_the_schemas_type(schema: dict[str, object], value: object) -> None:
    assert sample(schema, "T") == value


def test_a_schema_that_contains_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert sample(node, "T")["next"]["next"] is not None
