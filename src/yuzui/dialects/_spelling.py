"""Which spellings of a field are the field: those of its API, and nothing that only looks like them.

Servers differ in how they read names. Go's JSON reader ignores case and takes the last of `max_tokens` and
`Max_Tokens`; other readers ignore underscores. A look-alike of a field that is checked here would be a second field
there, beside limits, model and roles, so it is refused. Names that look like no known one are left alone.

Source: https://pkg.go.dev/encoding/json#Unmarshal ("preferring exact matches but also accepting case-insensitive
matches"), 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import inspect

from yuzui.core.errors import InvalidRequest

_NESTED: Final = frozenset({dict, list})
_NOTHING: Final[Mapping[str, Iterable[str]]] = {}
_MOST_SHOWN_CHARS: Final = 64
_Place: TypeAlias = "tuple[_Place, str | int] | None"


def fold(name: str) -> str:
    """A field's name as readers take it that ignore case and underscores."""
    return name.casefold().replace("_", "")


class Fields:
    """The names of one object's fields, and of the objects inside it."""

    __slots__ = ("_inside", "_known", "_spelled")

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._spelled: dict[str, str] = {}
        self._inside: dict[str, Fields] = {}

    @classmethod
    def of(cls, wire: type[msgspec.Struct], also: Mapping[str, Iterable[str]] = _NOTHING) -> Fields:
        """Those of `wire` and of the structs inside it; `also`: others, by where they stand ("": at the top)."""
        found = _read((wire,), {})
        for place, names in also.items():
            (found._inside[place] if place else found)._add(names)
        return found

    def _add(self, names: Iterable[str]) -> None:
        self._known |= frozenset(names)
        self._spelled = {fold(name): name for name in sorted(self._known)}

    def check(self, body: Mapping[str, Any]) -> None:  # Any: checked JSON
        """Raise `InvalidRequest` for a name in `body`, at any depth, that is no field and folds to one."""
        waiting: list[tuple[Any, Fields, _Place]] = [(body, self, None)]  # Any: as above; it runs for every request
        while waiting:
            value, fields, place = waiting.pop()
            if type(value) is list:
                for index, item in enumerate(value):
                    if type(item) in _NESTED:
                        waiting.append((item, fields, (place, index)))
                continue
            if not value.keys() <= fields._known:
                fields._refuse_look_alikes(value, place)
            inside = fields._inside
            if inside:
                for name, item in value.items():
                    if type(item) in _NESTED and name in inside:
                        waiting.append((item, inside[name], (place, name)))

    def _refuse_look_alikes(self, value: Mapping[str, Any], place: _Place) -> None:  # Any: as above
        for name in value:
            if name not in self._known and (meant := self._spelled.get(fold(name))) is not None:
                raise _look_alike((place, name), meant)


@cache
def fields_of(wire: type[msgspec.Struct]) -> Fields:
    """`Fields.of(wire)`, made once."""
    return Fields.of(wire)


def refuse_look_alike(name: str, known: Iterable[str]) -> None:
    """Raise `InvalidRequest` for a `name` that is none of the `known` ones and folds to one."""
    spelled = {fold(one): one for one in known}
    meant = spelled.get(fold(name))
    if meant is not None and name not in spelled.values():
        raise _look_alike((None, name), meant)


def _look_alike(place: tuple[_Place, str], meant: str) -> InvalidRequest:
    path = _show((place[0], place[1][:_MOST_SHOWN_CHARS]))
    return InvalidRequest(f"`{path}` is no field of this API, only looks like one; send `{meant}`", param=path)


def _read(wires: tuple[type, ...], seen: dict[tuple[type, ...], Fields]) -> Fields:
    """One `Fields` for all `wires`: which of them an object is depends on its values."""
    if wires in seen:
        return seen[wires]
    found = seen[wires] = Fields()
    inside: dict[str, list[type]] = {}
    for wire in wires:
        info = inspect.type_info(wire)
        assert isinstance(info, inspect.StructType)
        if info.tag_field:
            found._add((info.tag_field,))
        for field in info.fields:
            found._add((field.encode_name,))
            inside.setdefault(field.encode_name, []).extend(_structs(field.type))
    found._inside = {name: _read(tuple(dict.fromkeys(kinds)), seen) for name, kinds in inside.items() if kinds}
    return found


def _structs(kind: inspect.Type) -> list[type]:
    match kind:
        case inspect.StructType():
            return [kind.cls]
        case inspect.UnionType():
            return [found for one in kind.types for found in _structs(one)]
        case inspect.ListType():
            return _structs(kind.item_type)
        case inspect.Metadata():
            return _structs(kind.type)
        case _:
            return []


def _show(place: _Place) -> str:
    path = ""
    while place is not None:
        place, step = place
        path = f"[{step}]{path}" if isinstance(step, int) else f".{step}{path}"
    return path.removeprefix(".")
