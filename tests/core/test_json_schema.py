"""A schema says what is wrong, and fetches nothing."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from yuzui.core.errors import ConfigError
from yuzui.core.json_schema import Schema


def test_a_schema_says_what_is_wrong_and_where() -> None:
    schema = Schema(
        {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}, "required": ["a"]}
    )
    assert schema.problem({"a": [1]}) == ""
    assert schema.problem({"a": [1, "x"]}).startswith("$.a[1]:")
    assert "required" in schema.problem({})


@pytest.mark.parametrize(
    "schema", [{"type": "foo"}, {"$ref": "https://example.com/schema.json"}, {"$ref": "file:///etc/passwd"}]
)
def test_what_is_no_schema_and_what_lies_elsewhere_are_refused(schema: Any) -> None:
    with pytest.raises(ConfigError, match="no JSON schema"):
        Schema(schema)


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    with pytest.raises(ConfigError, match=r"yuzui\[evaluation\]"):
        Schema({})
