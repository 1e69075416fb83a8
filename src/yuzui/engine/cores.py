"""How many cores this process may really use, and whether they can run the engine at all."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(cpu_max: Path = CPU_MAX) -> int:
    """Cores in this process's affinity mask, bounded by the container's CPU quota (cgroup v2) where there is one."""
    if sys.platform == "linux":
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    try:
        quota, period = cpu_max.read_text("ascii").split()
        if quota != "max":
            cores = min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        pass  # no cgroup v2 here, or not in its documented form: the affinity mask stands
    return max(1, cores)


def engine_threads(asked: int, cores: int) -> int:
    """`asked`, or one less than `cores`: with every core taken, two busy threads wait for each other at each layer."""
    return asked if asked > 0 else max(1, cores - 1)


def missing_cpu_feature(cpuinfo: Path = CPUINFO, machine: str | None = None) -> str:
    """The instruction set that the engine's wheel needs and this processor lacks; empty if none, or if unknown.

    Known only on x86-64 Linux; elsewhere the worker's exit code tells (an illegal instruction ends it).
    """
    if (machine or platform.machine()).lower() not in ("x86_64", "amd64"):
        return ""
    try:
        text = cpuinfo.read_text("utf-8", errors="replace")
    except OSError:
        return ""
    flags = next((line.partition(":")[2].split() for line in text.splitlines() if line.startswith("flags")), None)
    if flags is None or "avx2" in flags:
        return ""
    return "AVX2"
