"""Google's own schemas (a subset of OpenAPI's) as JSON schemas, and what a schema must say to be enforced elsewhere.

Google's `Schema` writes types in capitals, `nullable` instead of a type `null`, sizes as numbers in strings, and the
order of properties apart. Source: `google-genai` 3.6.1, types.py `Schema`, and
https://ai.google.dev/api/caching#Schema (2026-11-26).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]  # Any: JSON values

_TYPES: Final = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
_SIZES: Final = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_MACHINE_FORMATS: Final = frozenset({"enum", "int32", "int64", "float", "double"})
"""What `format` says of Google's own types; JSON schema has no such formats, and some vendors refuse unknown ones."""
_NAMES: Final[Mapping[str, str]] = {
    "any_of": "anyOf",
    "one_of": "oneOf",
    "all_of": "allOf",
    "additional_properties": "additionalProperties",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
    "property_ordering": "propertyOrdering",
    "prefix_items": "prefixItems",
    "unique_items": "uniqueItems",
    "defs": "$defs",
    "ref": "$ref",
}
"""Proto spellings, and names that JSON schema spells otherwise."""
_STRICT: Final = frozenset(
    {
        "$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum", "format", "items", "maximum",
        "maxItems", "minimum", "minItems", "pattern", "properties", "required", "title", "type",
    }
)  # fmt: skip
"""Keywords that OpenAI's strict mode takes: https://developers.openai.com/api/docs/guides/structured-outputs."""


def json_schema(schema: Mapping[str, Any]) -> Schema:  # Any: as above
    """`schema`, in Google's spelling or in JSON schema's, as a JSON schema."""
    out: Schema = {}
    is_nullable = False
    order: object = None
    for name, value in schema.items():
        key = _NAMES.get(name, name)
        if key == "type":
            _write_type(out, value)
        elif key == "nullable":
            is_nullable = bool(value)
        elif key == "propertyOrdering":
            order = value
        elif key == "example":
            out["examples"] = [value]
        elif key == "format":
            if not isinstance(value, str) or value not in _MACHINE_FORMATS:
                out[key] = value
        elif key in _SIZES and isinstance(value, str) and value.isdecimal() and len(value) < 19:
            out[key] = int(value)
        elif key == "$ref" and isinstance(value, str):
            out[key] = value.replace("#/defs/", "#/$defs/", 1)
        else:
            out[key] = _part(key, value)
    if is_nullable:
        _allow_null(out)
    if isinstance(order, list) and isinstance(out.get("properties"), dict):
        properties = out["properties"]
        first = [name for name in order if isinstance(name, str) and name in properties]
        out["properties"] = {name: properties[name] for name in dict.fromkeys([*first, *properties])}
    return out


def _write_type(out: Schema, value: object) -> None:
    if isinstance(value, list):
        out["type"] = [item.lower() if isinstance(item, str) else item for item in value]
    elif isinstance(value, str) and value.lower() in _TYPES:
        out["type"] = value.lower()
    elif value not in (None, "TYPE_UNSPECIFIED"):
        out["type"] = value


def _part(key: str, value: object) -> object:
    if key in ("properties", "$defs") and isinstance(value, dict):
        return {name: json_schema(part) if isinstance(part, dict) else part for name, part in value.items()}
    if key in ("anyOf", "oneOf", "allOf", "prefixItems") and isinstance(value, list):
        return [json_schema(part) if isinstance(part, dict) else part for part in value]
    if key in ("items", "additionalProperties") and isinstance(value, dict):
        return json_schema(value)
    return value


def _allow_null(out: Schema) -> None:
    kind = out.get("type")
    if isinstance(kind, str):
        out["type"] = [kind, "null"] if kind != "null" else kind
    elif isinstance(out.get("anyOf"), list):
        out["anyOf"] = [*out["anyOf"], {"type": "null"}]
    if isinstance(out.get("enum"), list) and None not in out["enum"]:
        out["enum"] = [*out["enum"], None]


def enforceable(schema: Schema) -> Schema | None:
    """`schema` with its objects closed, where the strictest vendor would hold a model to it as well; else None.

    Google holds its models to any schema; others only to those that leave nothing open. Closing an object narrows what
    may be answered and breaks nobody's reader; requiring what was optional would change what is asked for.
    """
    if not _STRICT.issuperset(schema):
        return None
    out = dict(schema)
    properties = schema.get("properties", {})
    if "properties" in schema or schema.get("type") == "object":
        required = schema.get("required", [])
        if not isinstance(properties, dict) or not isinstance(required, list):
            return None
        if schema.get("additionalProperties", False) is not False or not all(name in required for name in properties):
            return None
        out["additionalProperties"] = False
    for key in schema.keys() & {"properties", "$defs", "items", "anyOf"}:
        out[key] = _enforceable_parts(key, schema[key])
        if out[key] is None:
            return None
    return out


def _enforceable_parts(key: str, value: object) -> object:
    """The schemas of one keyword; None if one of them is not enforceable."""
    if key == "items":
        return enforceable(value) if isinstance(value, dict) else None
    if key == "anyOf":
        if not isinstance(value, list):
            return None
        parts = [enforceable(part) if isinstance(part, dict) else None for part in value]
        return None if None in parts else parts
    if not isinstance(value, dict):
        return None
    named = {name: enforceable(part) if isinstance(part, dict) else None for name, part in value.items()}
    return None if None in named.values() else named
