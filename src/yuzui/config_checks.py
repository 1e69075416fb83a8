"""How a table of yuzui.toml is checked: every message names the TOML path and the nearest thing that would be right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar, get_args, get_type_hints

import msgspec

from yuzui.core.errors import ConfigError


def near(word: str, known: Mapping[str, object] | set[str] | Sequence[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(sorted(known))}"


_RENAMED: Final = {"address": "postal_address"}


def near_kind(kind: str, known: Mapping[str, object]) -> str:
    """Likewise of a finding's kind; what had another name is told by its own."""
    return f"; it is called {_RENAMED[kind]!r} now" if kind in _RENAMED else near(kind, known)


T = TypeVar("T")


def convert(table: object, kind: type[T], path: str) -> T:
    try:
        return msgspec.convert(table, kind, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(str(error), kind, path)) from error


def convert_all(tables: Sequence[object], kind: type[T], path: str) -> list[T]:
    return [convert(table, kind, f"{path}[{position}]") for position, table in enumerate(tables)]


def refuse_unknown(table: Mapping[str, object], kind: type, path: str) -> None:
    """For the dataclasses of core/, which know nothing of TOML and would ignore what they do not know."""
    known = getattr(kind, "__dataclass_fields__", {})
    for key in table:
        if key not in known:
            raise ConfigError(f"{path}.{key}: unknown key{near(key, known)}")


def _explain(message: str, kind: type, path: str) -> str:
    """msgspec's message with the TOML path in front and, for an unknown key, the nearest known one."""
    text, _, where = message.partition(" - at `$")
    inner = where.rstrip("`").lstrip(".")
    unknown = re.search(r"unknown field `([^`]*)`", text)
    if unknown:
        key = unknown.group(1)
        full = ".".join(part for part in (path, inner, key) if part)
        fields = list(getattr(kind, "__struct_fields__", ()))
        return f"{full}: unknown key{near(key, fields)}"
    full = ".".join(part for part in (path, inner) if part)
    if text.startswith("Invalid enum value"):
        words = _words_of(get_type_hints(kind).get(inner.partition("[")[0]))
        text += f"; it is one of {', '.join(sorted(words))}"
    return f"{full}: {text[:1].lower()}{text[1:]}" if full else text


def _words_of(hint: object) -> set[str]:
    """Every word of the Literals in a type."""
    inner = get_args(hint)
    return {word for word in inner if isinstance(word, str)} | {
        word for part in inner if not isinstance(part, str) for word in _words_of(part)
    }


def check_name(name: str, path: str) -> None:
    if not name or len(name) > 128 or not name.isprintable() or name != name.strip():
        raise ConfigError(f"{path}: {name!r} is not a usable name (1 to 128 printable characters)")
