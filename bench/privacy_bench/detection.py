"""Yuzui's detection as the bench calls it: spans in a text, masked places in a request's body."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Protocol

from privacy_bench.corpora import Span
from yuzui.core.sensitivity import Lattice, SensitivityRules
from yuzui.privacy.catalogue import DEFAULT_LEVELS
from yuzui.privacy.scan import Scanner

Names = Callable[[str], Iterable[Any]]  # Any: something with `start`, `end` and `kind` (or a tuple of these)
"""A recogniser of names, organisations and places: text → spans."""


class Detection(Protocol):
    name: str

    def spans(self, texts: list[str]) -> list[list[Span]]:
        """Findings per text."""
        ...


class Yuzui:
    """The scanner with default rules; `names` adds what a NER model finds."""

    def __init__(self, names: Names | None = None) -> None:
        lattice = Lattice()
        kinds = {kind: lattice.level(level) for kind, level in DEFAULT_LEVELS.items()}
        self.name = "yuzui" if names is None else "yuzui+ner"
        self.scanner = Scanner(SensitivityRules(lattice=lattice, default=1, kinds=kinds))
        self.names = names

    def spans(self, texts: list[str]) -> list[list[Span]]:
        return [self.spans_of(text) for text in texts]

    def spans_of(self, text: str) -> list[Span]:
        result = self.scanner.scan_text(text)
        if result.failures:
            raise RuntimeError(f"a detector broke: {result.failures}")
        found = [Span(one.start, one.end, one.kind) for one in result.findings]
        if self.names is not None:
            found += [_as_span(one) for one in self.names(text)]
        return found

    def masked_places(self, body: dict[str, Any]) -> dict[int, tuple[str, set[int]]]:  # Any: JSON
        """Per string of `body`, by its number in the order of a walk: the string and its masked places."""
        leaves = dict(_strings(body, "$"))
        masked: dict[str, set[int]] = {path: set() for path in leaves}
        result = self.scanner.scan(body)
        for one in result.findings:
            for path in leaves:
                if path == one.path:
                    masked[path].update(range(one.start, one.end))
                elif path.startswith((one.path + "[", one.path + ".")):  # a list of parts that was read as one
                    masked[path].update(range(len(leaves[path])))
        if self.names is not None:
            for path, text in leaves.items():
                for name in self.names(text):
                    span = _as_span(name)
                    masked[path].update(range(span.start, span.end))
        return {number: (leaves[path], masked[path]) for number, path in enumerate(leaves)}


def load_names(reference: str) -> Names:
    """`module:factory`, called without arguments; it returns the recogniser. Raise `ImportError`, `AttributeError`."""
    module, _, factory = reference.partition(":")
    names: Names = getattr(import_module(module), factory)()
    return names


def _as_span(found: Any) -> Span:  # Any: see `Names`
    if isinstance(found, tuple) and not hasattr(found, "start"):
        start, end, kind = found[:3]
        return Span(start, end, str(kind))
    return Span(found.start, found.end, str(getattr(found, "kind", None) or found.type))


def _strings(value: Any, path: str) -> Iterable[tuple[str, str]]:  # Any: JSON
    """(path as `leaves.spell_path` spells it for protocol words, text) of every string."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{path}[{index}]")
