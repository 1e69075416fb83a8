"""Knows the bench's processes: how they are built, pinned, started, watched and stopped, each by its own process id."""

from __future__ import annotations

import functools
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parent
BUILD = BENCH / "build"
GATEWAY_CORE, LOAD_CORE = "0", "1"
STOP_PATIENCE_S = 20.0
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """The figures cannot be taken; the message says what is missing."""


def build() -> None:
    """Compile the mock upstream and the load generator into bench/build/."""
    BUILD.mkdir(exist_ok=True)
    compiler = shutil.which("gcc") or shutil.which("cc") or _install_gcc()
    for name in ("mock_upstream", "loadgen"):
        source, binary = BENCH / "native" / f"{name}.c", BUILD / name
        if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
            subprocess.run([compiler, "-O2", "-std=gnu11", "-o", binary, source, "-lm"], check=True)


def _install_gcc() -> str:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise BenchError("a C compiler is needed: `apt-get install gcc libc6-dev`")
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", "gcc", "libc6-dev"], check=True)
    return "gcc"


def find_nginx() -> str:
    """nginx of this machine, or Debian's, unpacked into bench/build/: nothing is installed, no service started."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    unpacked = BUILD / "debian" / "usr" / "sbin" / "nginx"
    if found or unpacked.exists():
        return found or str(unpacked)
    if shutil.which("apt-get") is None:
        raise BenchError("nginx is needed to compare with; install it")
    if os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(["apt-get", "download", "-qq", "nginx"], check=True, cwd=BUILD)
    package = max(BUILD.glob("nginx_*.deb"))
    subprocess.run(["dpkg", "-x", package, BUILD / "debian"], check=True)
    return str(unpacked)


@functools.cache
def pinning(core: str) -> tuple[str, ...]:
    """A command's prefix: pinned to `core`, and with real-time priority where that is permitted."""
    prefix: tuple[str, ...] = ()
    if shutil.which("taskset") and len(os.sched_getaffinity(0)) > 1:
        prefix = ("taskset", "-c", core)
    real_time = ("chrt", "-r", "1")
    if shutil.which("chrt") and subprocess.run([*real_time, "true"], capture_output=True, check=False).returncode == 0:
        prefix = (*real_time, *prefix)
    return prefix


@dataclass(slots=True)
class Running:
    """One process that we started, with its children."""

    process: subprocess.Popen[str]

    @property
    def pids(self) -> list[int]:
        """The process and everything below it, parents first."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_text()
                except OSError:
                    continue  # it ended meanwhile
                children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
        found = [self.process.pid]
        for pid in found:
            found += children.get(pid, ())
        return found

    def rss_mb(self) -> float:
        """Resident memory of the tree in MiB: pages shared inside the tree are counted once per process."""
        return sum(_status_kb(pid, "VmRSS") for pid in self.pids) / 1024

    def cpu_s(self) -> float:
        """utime + stime of the tree."""
        ticks = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks * TICK_S

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that does not help; returns when the process is gone."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def _status_kb(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    return 0


def start(command: list[str], core: str, log: Path) -> Running:
    with log.open("a") as errors:
        return Running(
            subprocess.Popen([*pinning(core), *command], stdout=subprocess.PIPE, stderr=errors, text=True, cwd=BUILD)
        )


def wait_for_port(port: int, running: Running, patience_s: float = 10.0) -> None:
    until = time.monotonic() + patience_s
    while True:
        if running.process.poll() is not None:
            raise BenchError(f"what should listen on port {port} ended with code {running.process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise BenchError(f"nothing listens on port {port} after {patience_s} s") from None
            time.sleep(0.02)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def start_mock(*, chunks: int, pace_us: int) -> tuple[Running, int]:
    """The mock upstream and its port."""
    port = free_port()
    running = start([str(BUILD / "mock_upstream"), str(port), str(chunks), str(pace_us)], LOAD_CORE, BUILD / "mock.log")
    wait_for_port(port, running)
    return running, port


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One run of the load generator. `per_second` 0: closed loop."""

    body: Path
    connections: int
    window_s: float
    warmup_s: float = 1.0
    per_second: float = 0.0


def put_load(load: Load, *, port: int, keys: Path, pids: list[int] | None = None) -> dict[str, Any]:  # Any: JSON
    """What native/loadgen.c reports. Raise `BenchError` when a request failed: such figures mean nothing."""
    command = [
        *pinning(LOAD_CORE), str(BUILD / "loadgen"), "-p", str(port), "-b", str(load.body), "-k", str(keys),
        "-c", str(load.connections), "-w", str(load.warmup_s), "-d", str(load.window_s), "-r", str(load.per_second),
    ]  # fmt: skip
    if pids:
        command += ["-P", ",".join(map(str, pids))]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=load.warmup_s + load.window_s + 30
    )
    if done.returncode:
        raise BenchError(f"the load generator failed: {done.stderr.strip()}")
    result: dict[str, Any] = json.loads(done.stdout)
    if not result["ok"] or result["refused"] or result["broken"] or result["streams_cut"]:
        raise BenchError(f"requests failed under load: {done.stdout.strip()}")
    return result
