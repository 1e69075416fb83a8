"""Knows how the two gateways of the bench are configured and started, on one pinned core each run."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rig import BENCH, GATEWAY_CORE, BenchError, Running, find_nginx, free_port, start, wait_for_port

YUZUI = Path(sys.executable).with_name("yuzui")
READY_PATIENCE_S = 60.0


@dataclass(slots=True, kw_only=True)
class Gateway:
    """One running gateway and what a client needs to use it."""

    name: str
    running: Running
    port: int
    keys: Path
    ready_s: float = 0.0


def start_nginx(run: Path, upstream_port: int) -> Gateway:
    port = free_port()
    text = (BENCH / "nginx.conf").read_text()
    for mark, value in {"@RUN@": str(run), "@PORT@": str(port), "@UPSTREAM@": str(upstream_port)}.items():
        text = text.replace(mark, value)
    (run / "nginx.conf").write_text(text)
    keys = run / "nginx.keys"
    keys.write_text("unused\n")
    running = start([find_nginx(), "-p", str(run), "-c", str(run / "nginx.conf")], GATEWAY_CORE, run / "nginx.log")
    wait_for_port(port, running)
    return Gateway(name="nginx", running=running, port=port, keys=keys)


def prepare_yuzui(run: Path, upstream_port: int, *, targets: int = 1) -> None:
    """A configuration with `targets` priced vendor targets and one key with every kind of limit, all of them high."""
    run.mkdir(parents=True, exist_ok=True)
    (run / "yuzui.toml").write_text("\n".join(_target(number, upstream_port) for number in range(targets)))
    made = subprocess.run(
        [YUZUI, "keys", "create", "--app", "bench", "--team", "bench", "--rpm", "100000000", "--tpm", "100000000000",
         "--concurrency", "10000", "--budget", "1000000", "--json",
         "--config", run / "yuzui.toml", "--data-dir", run / "data"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise BenchError(f"`yuzui keys create` failed: {made.stderr}")
    (run / "yuzui.keys").write_text(json.loads(made.stdout)["key"] + "\n")


def _target(number: int, upstream_port: int) -> str:
    return f"""\
[[targets]]
name = "mock/{number:03d}"
provider = "openai"
base_url = "http://127.0.0.1:{upstream_port}/v1"
model = "gpt-4o-mini"
premises = "vendor"
clearance = "internal"
jurisdiction = "US"
price = {{ currency = "USD", input = 0.15, cached_input = 0.075, output = {0.60 + number / 1000:.3f} }}
"""


def start_yuzui(run: Path) -> Gateway:
    """Start it on what `prepare_yuzui` wrote; `ready_s` is the time from the start to its line on standard output."""
    began = time.monotonic()
    running = start(
        [str(YUZUI), "serve", "--config", str(run / "yuzui.toml"), "--data-dir", str(run / "data"), "--port", "0",
         "--json"],
        GATEWAY_CORE, run / "yuzui.log",
    )  # fmt: skip
    assert running.process.stdout is not None
    if not select.select([running.process.stdout], [], [], READY_PATIENCE_S)[0]:
        running.stop()
        raise BenchError(f"Yuzui was not ready after {READY_PATIENCE_S:.0f} s; see {run / 'yuzui.log'}")
    line = running.process.stdout.readline()
    ready_s = time.monotonic() - began
    if not line:
        running.stop()
        raise BenchError(f"Yuzui did not start; see {run / 'yuzui.log'}")
    port = int(json.loads(line)["address"].rpartition(":")[2])
    return Gateway(name="yuzui", running=running, port=port, keys=run / "yuzui.keys", ready_s=ready_s)
