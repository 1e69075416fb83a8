"""Knows where the figures come from: machine, versions, commit, and how fast the disk under the books answers."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rig import BENCH, GATEWAY_CORE, find_nginx, pinning

PACKAGES = ("yuzui", "uvicorn", "uvloop", "httptools", "pyreqwest", "msgspec", "apsw", "cryptography")
MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs"})


def describe(folder: Path) -> dict[str, Any]:  # Any: JSON
    """Everything that a reader needs to judge the figures; `folder` is where the books will lie."""
    cpu = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    file_system = file_system_of(folder)
    return {
        "cpu": cpu.group(1) if cpu else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory.group(1)) / 1024**2, 1) if memory else None,
        "kernel": platform.release(),
        "is_virtual": "hypervisor" in Path("/proc/cpuinfo").read_text(),
        "file_system": file_system,
        "is_on_disk": file_system not in MEMORY_FILE_SYSTEMS,
        "fdatasync_us": fdatasync_us(folder),
        "load_average_before": os.getloadavg()[0],
        "pinning": " ".join(pinning(GATEWAY_CORE)) or "none",
        "python": platform.python_version(),
        "nginx": _output([find_nginx(), "-v"]).rpartition("/")[2],
        "packages": {name: _version(name) for name in PACKAGES},
    }


def commit() -> tuple[str, bool]:
    """(short commit, whether tracked files under src/ differ from it)"""
    short = _output(["git", "-C", str(BENCH.parent), "rev-parse", "--short", "HEAD"])
    changed = _output(["git", "-C", str(BENCH.parent), "status", "--porcelain", "--", "src"])
    return short, bool(changed)


def file_system_of(folder: Path) -> str:
    """The type in /proc/mounts of the mount that `folder` lies on."""
    best = ("", "unknown")
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        if folder.resolve().is_relative_to(mount) and len(mount) >= len(best[0]):
            best = (mount, kind)
    return best[1]


def fdatasync_us(folder: Path, times: int = 100) -> float:
    """Median microseconds to make 4 KiB durable in `folder`."""
    path, taken = folder / "sync.probe", []
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    path.unlink()
    return round(statistics.median(taken) * 1e6, 1)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip()
