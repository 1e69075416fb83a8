"""Checks against a JSON schema that nothing is fetched for."""

from __future__ import annotations

from typing import Any, NoReturn

from yuzui.core.errors import ConfigError


class Schema:
    """A JSON Schema, compiled with the library `jsonschema-rs`; a `$ref` elsewhere is an error, never a fetch."""

    def __init__(self, schema: Any) -> None:  # Any: JSON values
        """Raise `ConfigError` for a schema that is none, or where the library is missing."""
        try:
            import jsonschema_rs
        except ImportError as error:
            raise ConfigError(
                "checks against a JSON schema need the package jsonschema-rs: pip install 'yuzui[routing]' or "
                "'yuzui[evaluation]'"
            ) from error
        try:
            self._validator = jsonschema_rs.validator_for(schema, retriever=_refuse)
        except ValueError as error:  # the library's error is one
            raise ConfigError(f"this is no JSON schema: {str(error).splitlines()[0]}") from error

    def problem(self, value: Any) -> str:  # Any: JSON values
        """The first thing that is wrong with `value`, with its place; "" where it fits."""
        for error in self._validator.iter_errors(value):
            place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
            return f"${place}: {error.message}"[:200]
        return ""


def _refuse(uri: str) -> NoReturn:
    raise ValueError("schemas that refer to other documents are not followed")
