"""The smallest value that satisfies a JSON schema, for the simulated vendor; every string says that it is simulated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MAX_DEPTH: Final = 12

Schema = Mapping[str, Any]  # Any: JSON values


def sample(schema: Schema, text: str) -> Any:  # Any: a JSON value of the schema's type
    """A value for `schema`; strings are `text` where the schema leaves them free.

    Understands what structured outputs allow: types, enum, const, properties, items, anyOf/oneOf/allOf, local `$ref`;
    formats and patterns it ignores.
    """
    return _sample(schema, text, schema, MAX_DEPTH)


def _sample(schema: Any, text: str, root: Schema, depth: int) -> Any:  # Any: JSON values; `true` is a schema too
    if not isinstance(schema, Mapping) or depth == 0:
        return None
    if "$ref" in schema:
        return _sample(_resolve(str(schema["$ref"]), root), text, root, depth - 1)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return _sample(schema[choice][0], text, root, depth - 1)
    match _kind(schema):
        case "object":
            properties = schema.get("properties") or {}
            wanted = schema.get("required") or list(properties)
            return {name: _sample(properties.get(name, {}), text, root, depth - 1) for name in wanted}
        case "array":
            return [_sample(schema.get("items", {}), text, root, depth - 1)] * max(1, int(schema.get("minItems", 1)))
        case "string":
            return text[: schema.get("maxLength", len(text))]
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return True
        case _:
            return None


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    return str(kind or ("object" if "properties" in schema else "null"))


def _resolve(reference: str, root: Schema) -> Any:  # Any: whatever stands there
    found: Any = root
    for name in reference.removeprefix("#").strip("/").split("/"):
        if name:
            found = found.get(name) if isinstance(found, Mapping) else None
    return found
