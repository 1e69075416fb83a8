"""JSON schemas in the subset that the vendor's structured output enforces.

What the subset lacks (`minimum`, `pattern`, `maxItems`, …) moves into the description, where the model may still follow
it, and is reported; closing an open object only narrows what may be answered, so it needs no report.

Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs (read 2026-11-22), and what the
vendor's own client library sends (`anthropic` 2.12.0, `lib/_parse/_transform.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KEPT = frozenset({"type", "enum", "const", "title", "description", "required", "$ref", "default"})
_OF_SCHEMAS = frozenset({"properties", "$defs", "definitions"})
_LISTS = {"anyOf": "anyOf", "allOf": "allOf", "oneOf": "anyOf"}  # `oneOf` is not in the subset, `anyOf` is
_STRING_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)


def enforceable(schema: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:  # Any: a JSON schema
    """`schema` in the enforced subset, and the keywords that became mere hints."""
    hints: set[str] = set()
    return _translate(schema, hints), frozenset(hints)


def _translate(schema: Mapping[str, Any], hints: set[str]) -> dict[str, Any]:  # Any: a JSON schema
    out: dict[str, Any] = {}
    unsaid: list[str] = []
    for key, value in schema.items():
        if key in _KEPT:
            out[key] = value
        elif key in _OF_SCHEMAS and isinstance(value, Mapping):
            out[key] = {name: _either(part, hints) for name, part in value.items()}
        elif key in _LISTS and isinstance(value, list):
            out[_LISTS[key]] = [_either(part, hints) for part in value]
        elif key in ("items", "additionalProperties") and (isinstance(value, Mapping | bool)):
            out[key] = _either(value, hints)
        elif _is_enforced(key, value):
            out[key] = value
        elif key != "$schema":  # a dialect's name constrains nothing
            unsaid.append(f"{key}: {value}")
            hints.add(key)
    if out.get("type") == "object" and out.get("additionalProperties", True) is True:
        out["additionalProperties"] = False
    if unsaid:
        said = out.get("description", "")
        out["description"] = f"{said}\n({'; '.join(unsaid)})".lstrip("\n")
    return out


def _is_enforced(key: str, value: object) -> bool:
    """Whether `key` is of the subset with this value only."""
    if key == "minItems":
        return value in (0, 1)
    return key == "format" and isinstance(value, str) and value in _STRING_FORMATS


def _either(part: object, hints: set[str]) -> object:
    """A schema may also be a bare `true` or `false`."""
    return _translate(part, hints) if isinstance(part, Mapping) else part
