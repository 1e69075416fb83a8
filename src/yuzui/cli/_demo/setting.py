"""Knows where the demo happens: a configuration with an own and a vendor target, and the real gateway on it."""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from yuzui.core.errors import ConfigError, GatewayFault
from yuzui.providers.catalogue import load_rows

OWN_MODEL = "smollm2-135m"
OWN = f"own/{OWN_MODEL}"
SIMULATED = "vendor/simulated"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0
LOG_TAIL_CHARS = 600
PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """The closed side of the demo."""

    target: str
    provider: str
    model: str
    key_variable: str = ""
    """Empty: simulated."""

    @property
    def is_simulated(self) -> bool:
        return not self.key_variable


def choose_vendor(environ: Mapping[str, str]) -> Vendor:
    """The first vendor whose usual key variable is set, else the simulated one."""
    for name, row in load_rows().items():
        if row.premises == "vendor" and row.key_env and environ.get(row.key_env) and row.base_url and row.models:
            model = row.models[0]
            return Vendor(target=f"{name}/{model}", provider=name, model=model, key_variable=row.key_env)
    return Vendor(target=SIMULATED, provider="scripted", model="scripted")


def write_draft(vendor: Vendor) -> str:
    """Another configuration, to hold against what the demo recorded: the vendor comes first, and sees e-mail addresses
    and phone numbers only as stand-ins."""
    own_first = f'candidates = [{_toml(OWN)}, {_toml(vendor.target)}]\npolicy = "own_first"'
    vendor_first = f'candidates = [{_toml(vendor.target)}, {_toml(OWN)}]\npolicy = "pinned"'
    masking = '[masking]\nkinds = ["email", "phone", "cn_mobile"]\n'
    _, rest = write_config(vendor).replace(own_first, vendor_first).split("\n", 1)
    return f"# A draft for `yuzui backtest`: what if the vendor came first?\n{rest}\n{masking}"


def write_config(vendor: Vendor) -> str:
    """The demo's yuzui.toml. The simulated vendor's price is made up, so that its cost is something to look at."""
    extra = (
        f"api_key = {{ env = {_toml(vendor.key_variable)} }}"
        if vendor.key_variable
        else 'jurisdiction = "US"\nprice = { currency = "USD", input = 1.0, output = 4.0 }   # made up for the demo'
    )
    return f"""# The demo's configuration; `yuzui init` writes one of your own.
[embedded]
enabled = true
model = {_toml(OWN_MODEL)}
clearance = "restricted"
context_tokens = 4096

# The same story with and without the extra: what it tells is found by patterns.
[sensitivity.names]
enabled = false

[[targets]]
name = {_toml(vendor.target)}
provider = {_toml(vendor.provider)}
model = {_toml(vendor.model)}
premises = "vendor"
clearance = "internal"
{extra}

[[models]]
name = "assistant"
candidates = [{_toml(OWN)}, {_toml(vendor.target)}]
policy = "own_first"
"""


def _toml(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's for the names that stand here."""
    return msgspec.json.encode(text).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The gateway while it runs."""

    address: str
    process: subprocess.Popen[bytes]


@contextmanager
def gateway(config: Path | None, data_dir: Path, log: Path) -> Iterator[Running]:
    """`python -m yuzui serve` on a free loopback port; stopped on the way out, however that comes.

    On Linux it is also told to stop when we are killed: else it would hold the data folder.
    """
    command = [sys.executable, "-m", "yuzui", "serve", *(["--config", str(config)] if config else []), "--data-dir",
               str(data_dir),
               "--host", "127.0.0.1", "--port", "0", "--json"]  # fmt: skip
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=dict(os.environ), preexec_fn=_stop_with_us()
        )
        try:
            yield Running(address=_wait_for_address(process, log), process=process)
        finally:
            _stop(process)


def _stop_with_us() -> Callable[[], None] | None:
    """What the child does before it becomes the gateway; None where the system knows no such thing."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    lines: queue.Queue[bytes] = queue.Queue()
    out = process.stdout
    assert out is not None  # we asked for a pipe
    threading.Thread(target=lambda: lines.put(out.readline()), daemon=True).start()
    try:
        line = lines.get(timeout=START_TIMEOUT_S)
    except queue.Empty as error:
        raise GatewayFault(f"the gateway was not ready after {START_TIMEOUT_S:.0f} s; see {log}") from error
    if not line:
        said = log.read_text("utf-8", errors="replace")[-LOG_TAIL_CHARS:].strip()
        raise ConfigError(f"the gateway did not start: {said or 'it said nothing'}")
    return str(msgspec.json.decode(line)["address"])


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_TIMEOUT_S)
    if process.stdout is not None:
        process.stdout.close()
