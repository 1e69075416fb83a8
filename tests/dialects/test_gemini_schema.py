"""Google's schemas as JSON schemas, and which of them others enforce."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.dialects.gemini_schema import enforceable, json_schema


@pytest.mark.parametrize(
    ("google", "json"),
    [
        ({"type": "STRING"}, {"type": "string"}),
        ({"type": "TYPE_UNSPECIFIED", "description": "d"}, {"description": "d"}),
        ({"type": "INTEGER", "format": "int64", "nullable": True}, {"type": ["integer", "null"]}),
        ({"type": "STRING", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "STRING", "format": "enum", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": "ARRAY", "items": {"type": "NUMBER"}, "minItems": "1", "max_items": 3}, {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 3}),
        ({"any_of": [{"type": "STRING"}, {"type": "NULL"}], "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "null"}]}),
        (
            {"type": "OBJECT", "properties": {"b": {"type": "STRING"}, "any_of": {"type": "STRING"}}, "propertyOrdering": ["any_of", "gone", "b"]},
            {"type": "object", "properties": {"any_of": {"type": "string"}, "b": {"type": "string"}}},
        ),
        ({"ref": "#/defs/A", "defs": {"A": {"type": "OBJECT"}}}, {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object"}}}),
        ({"type": "STRING", "example": "x"}, {"type": "string", "examples": ["x"]}),
        ({"type": "object", "additionalProperties": {"type": "STRING"}}, {"type": "object", "additionalProperties": {"type": "string"}}),
        ({"type": ["STRING", "null"]}, {"type": ["string", "null"]}),
    ],
)  # fmt: skip
def test_googles_spelling_becomes_json_schema(google: dict[str, Any], json: dict[str, Any]) -> None:
    assert json_schema(google) == json


def test_properties_come_in_the_order_that_the_schema_says() -> None:
    found = json_schema({"properties": {"a": {}, "b": {}, "c": {}}, "property_ordering": ["c", "a"]})
    assert list(found["properties"]) == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("schema", "closed"),
    [
        ({"type": "string"}, {"type": "string"}),
        ({"type": "object"}, {"type": "object", "additionalProperties": False}),
        (
            {"type": "object", "properties": {"a": {"type": "object", "properties": {}}}, "required": ["a"]},
            {"type": "object", "properties": {"a": {"type": "object", "properties": {}, "additionalProperties": False}}, "required": ["a"], "additionalProperties": False},
        ),
        ({"type": "array", "items": {"anyOf": [{"type": "string"}]}}, {"type": "array", "items": {"anyOf": [{"type": "string"}]}}),
        ({"type": "object", "properties": {"a": {}}}, None),
        ({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": True}, None),
        ({"type": "string", "default": "x"}, None),
        ({"oneOf": [{"type": "string"}]}, None),
        ({"items": True}, None),
        ({"anyOf": {}}, None),
        ({"$defs": {"A": {"type": "object", "properties": {"x": {}}}}}, None),
        ({"properties": [], "required": "a"}, None),
    ],
)  # fmt: skip
def test_only_what_leaves_nothing_open_is_enforceable(schema: dict[str, Any], closed: dict[str, Any] | None) -> None:
    assert enforceable(schema) == closed


NAMES = st.sampled_from(
    ["type", "properties", "items", "anyOf", "required", "nullable", "enum", "format", "propertyOrdering", "$defs", "minItems", "additionalProperties", "x"]
)  # fmt: skip
SCHEMAS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["STRING", "object", "1"]) | st.lists(st.text(max_size=3), max_size=2),
    lambda inner: st.dictionaries(NAMES, inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=15,
)  # fmt: skip


@given(schema=st.dictionaries(NAMES, SCHEMAS, max_size=5))
def test_no_schema_is_too_strange(schema: dict[str, Any]) -> None:
    found = json_schema(schema)
    assert "nullable" not in found and "propertyOrdering" not in found
    closed = enforceable(found)
    assert closed is None or closed.keys() >= found.keys()
