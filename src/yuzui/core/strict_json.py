"""JSON as a gateway must read it: one meaning only, or an error that says what to change.

The decoder that policy sees is the decoder whose result is sent on: bodies are always re-serialised from what was
parsed, so there is no second reading of the same bytes (duplicate keys, NaN, lone surrogates) to hide behind.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from yuzui.core.errors import InvalidRequest

MAX_DEPTH = 64

_encoder = msgspec.json.Encoder()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:  # Any: JSON values of any shape
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidRequest(
                    f"the JSON object has the key {key[:64]!r} twice; send each key once",
                    code="duplicate_key",
                    param=key[:64],
                )
            seen.add(key)
    return found


def _no_constant(name: str) -> Any:  # Any: never returns
    raise InvalidRequest(f"{name} is not JSON; send a number or null", code="invalid_json")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise InvalidRequest(f"the number {text[:32]} is out of range", code="invalid_json")
    return value


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)


def read_object(body: bytes) -> dict[str, Any]:  # Any: JSON values of any shape
    """`body` as a JSON object; raise `InvalidRequest` for anything that two parsers could read differently."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            f"the body is not valid UTF-8 (byte {error.start}); send UTF-8", code="invalid_utf8"
        ) from error
    if text.startswith("\ufeff"):
        raise InvalidRequest("the body starts with a byte order mark; send JSON without it", code="invalid_json")
    try:
        value = _decoder.decode(text)
    except InvalidRequest:
        raise
    except RecursionError as error:
        raise InvalidRequest(f"the JSON is nested deeper than {MAX_DEPTH} levels", code="nesting_too_deep") from error
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            f"the body is not valid JSON: {error.msg} at character {error.pos}", code="invalid_json"
        ) from error
    except ValueError as error:  # Python refuses integers beyond 4,300 digits
        raise InvalidRequest("a number in the body has too many digits", code="invalid_json") from error
    if not isinstance(value, dict):
        raise InvalidRequest("the body must be a JSON object", code="invalid_json")
    if b"\\u" in body:  # only an escape can spell half of a pair: the body itself is UTF-8
        _refuse_halves(value)
    return value


def _refuse_halves(value: dict[str, Any]) -> None:  # Any: JSON values of any shape
    """Half of a surrogate pair is no character: no two readers agree on it, and most writers cannot write it."""
    try:
        _encoder.encode(value)
    except UnicodeEncodeError as error:
        path = _path_of_half(value, "$") or "$"
        raise InvalidRequest(
            f"{path} has a lone surrogate, which is no character; send valid Unicode",
            code="invalid_unicode",
            param=path,
        ) from error
    except OverflowError:
        pass  # a number beyond 64 bits: read here, refused where it is written


def _path_of_half(value: Any, path: str) -> str:  # Any: JSON values of any shape
    if isinstance(value, str):
        return "" if _is_whole(value) else path
    if isinstance(value, list):
        return next((found for n, item in enumerate(value) if (found := _path_of_half(item, f"{path}[{n}]"))), "")
    if isinstance(value, dict):
        for key, item in value.items():
            if not _is_whole(key):
                return path
            if found := _path_of_half(item, f"{path}.{key}" if key.isidentifier() else path):
                return found
    return ""


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def write(value: object) -> bytes:
    """Compact UTF-8 JSON; raise `InvalidRequest` for lone surrogates, which have no UTF-8."""
    try:
        return _encoder.encode(value)
    except (UnicodeEncodeError, OverflowError) as error:
        raise InvalidRequest(
            "a string or number in the body cannot be written as JSON (lone surrogate or number out of range)",
            code="invalid_json",
        ) from error
