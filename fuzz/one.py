"""Fuzzes one check of tests/fuzz_kit.py with coverage as its guide: `one.py NAME CORPUS [libFuzzer options]`."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

with atheris.instrument_imports(include=["yuzui", "fuzz_kit"]):
    import fuzz_kit


def main() -> None:
    name = sys.argv.pop(1)
    check = fuzz_kit.CHECKS[name]
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
