"""Where figures come from: date, commit, machine, versions. One form for every small result in bench/results."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"


def describe(packages: Iterable[str] = ("yuzui",)) -> dict[str, Any]:  # Any: JSON
    """`is_changed_since`: whether files under src/ differ from `commit`."""
    cpu = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "is_changed_since": bool(_git("status", "--porcelain", "--", "src")),
        "machine": {
            "cpu": cpu.group(1) if cpu else platform.processor(),
            "cores": os.cpu_count(),
            "load_average": round(os.getloadavg()[0], 2),
        },
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in packages},
    }


def save(name: str, result: Mapping[str, Any]) -> Path:  # Any: JSON
    """Write `result` as bench/results/<name>.json; the one before is in git."""
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _git(*command: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *command], capture_output=True, text=True, check=True).stdout.strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
