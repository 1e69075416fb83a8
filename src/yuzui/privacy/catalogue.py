"""Every detector there is, found by listing `detectors/`, and the levels they suggest."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from yuzui.privacy import detectors
from yuzui.privacy.detectors._contract import Detector


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


DEFAULT_LEVELS: dict[str, str] = {
    kind: level for detector in load_detectors().values() for kind, level in detector.levels.items()
}
"""Built-in finding kind → name of one of the four default levels (`core.sensitivity.DEFAULT_LEVELS`). Where an operator
defines other levels, the rank decides, not the name."""
