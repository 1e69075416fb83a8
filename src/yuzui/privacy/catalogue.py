"""Every detector there is, found by listing `detectors/`, the levels they suggest, and the versions of their rules."""

from __future__ import annotations

import pkgutil
import re
from functools import lru_cache
from hashlib import blake2b
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from typing import Final

from yuzui import __version__
from yuzui.privacy import detectors
from yuzui.privacy.detectors._contract import Detector

_DATA: Final = re.compile(r'"(\w+\.txt)"')
_IMPORT: Final = re.compile(r"^from (yuzui\.privacy(?:\.\w+)+) import", re.MULTILINE)


def load_detectors() -> dict[str, Detector]:
    """File name → its `DETECTOR`. Files that begin with an underscore are not detectors."""
    found: dict[str, Detector] = {}
    for module in sorted(pkgutil.iter_modules(detectors.__path__), key=lambda entry: entry.name):
        if module.name.startswith("_"):
            continue
        detector = import_module(f"{detectors.__name__}.{module.name}").DETECTOR
        if not isinstance(detector, Detector):
            raise TypeError(f"privacy/detectors/{module.name}.py: DETECTOR must be a Detector")
        found[module.name] = detector
    return found


def version_of(detector: str) -> str:
    """Of the rules in `detectors/<detector>.py`."""
    return source_version(f"{detectors.__name__}.{detector}")


@lru_cache(maxsize=256)
def source_version(*modules: str) -> str:
    """Eight hexadecimal digits of a hash over the source of modules, of all of `privacy/` that they import, and of the
    lists (`….txt`) that they name.

    So nobody has to remember to count up: who changes a pattern, a list, a checksum or the look around a value makes
    another version of each rule that has to do with it. Without sources (an installation of nothing but bytecode) it
    is the version of the package.
    """
    sources: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in sources:
            continue
        source = _source_of(name)
        if source is None:
            return __version__
        sources[name] = source
        waiting += _IMPORT.findall(source)
        for data in _DATA.findall(source):
            sources[data] = files(name.rpartition(".")[0]).joinpath(data).read_text("utf-8")
    digest = blake2b(digest_size=4)
    for name in sorted(sources):
        digest.update(f"{name}\0{sources[name]}\0".encode())
    return digest.hexdigest()


@lru_cache(maxsize=256)
def _source_of(module: str) -> str | None:
    spec = find_spec(module)
    get_source = getattr(spec.loader, "get_source", None) if spec is not None else None
    source = get_source(module) if get_source is not None else None
    return source if isinstance(source, str) else None


DEFAULT_LEVELS: dict[str, str] = {
    kind: level for detector in load_detectors().values() for kind, level in detector.levels.items()
}
"""Built-in finding kind → name of one of the four default levels (`core.sensitivity.DEFAULT_LEVELS`). Where an operator
defines other levels, the rank decides, not the name."""
