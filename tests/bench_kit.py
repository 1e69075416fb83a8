"""Loads modules of bench/, which is no package of ours."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

BENCH = str(Path(__file__).parent.parent / "bench")


def load(name: str) -> Any:  # Any: mypy does not look into bench/
    """The module `name`, as a program in bench/ would import it."""
    if BENCH not in sys.path:
        sys.path.insert(0, BENCH)
    return importlib.import_module(name)
