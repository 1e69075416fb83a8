"""What a gateway under test offers, and how processes and installations are kept apart from the project's own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache" / "conformance"
KEY = "a-key-for-the-matrix"
"""The vendors' key and, where a gateway wants one, its own: nothing real."""
STOP_PATIENCE_S = 20.0


class GatewayError(Exception):
    """The gateway cannot be tried; the message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a client reaches one provider through a gateway."""

    model: str
    thinking_model: str
    headers: dict[str, str] = field(default_factory=dict)
    thinking_headers: dict[str, str] = field(default_factory=dict)
    """What is sent besides where thoughts are asked for."""


@dataclass(slots=True, kw_only=True)
class Running:
    base_url: str
    dialects: dict[str, str]
    """Client dialect → prefix of its paths."""
    routes: dict[str, Route]
    not_offered: dict[tuple[str, str], str] = field(default_factory=dict)
    """(dialect, provider) → why; `*` stands for all."""
    key: str = KEY
    process: subprocess.Popen[bytes] | None = None

    def why_not(self, dialect: str, provider: str) -> str:
        """The reason why a pair is not offered; empty when it is."""
        for pair in ((dialect, provider), (dialect, "*"), ("*", provider)):
            if pair in self.not_offered:
                return self.not_offered[pair]
        if dialect not in self.dialects:
            return "it has no such path"
        return "" if provider in self.routes else "it has no such provider, or none that can be pointed elsewhere"

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Gateway(Protocol):
    name: str
    version: str
    notes: tuple[str, ...]
    """How it is configured and why: for the report."""

    def install(self) -> None:
        """Into `CACHE`, pinned; nothing when it is there."""
        ...

    def start(self, upstream: str, folder: Path) -> Running:
        """On loopback, with everything it writes below `folder`. `upstream`: the fake upstream's address."""
        ...


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def launch(
    command: list[str], *, port: int, folder: Path, env: dict[str, str], patience_s: float
) -> subprocess.Popen[bytes]:
    """Start `command`, its output in `folder`, and wait until `port` listens."""
    with (folder / "output.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=clean_env() | env, cwd=folder)
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        if process.poll() is not None:
            raise GatewayError(f"it ended with code {process.returncode}; see {folder / 'output.log'}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return process
        time.sleep(0.1)
    process.kill()
    raise GatewayError(f"nothing listens after {patience_s:.0f} s; see {folder / 'output.log'}")


def clean_env() -> dict[str, str]:
    """Of ours only what a program needs to run: no vendor's key, no proxy in front of loopback."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"NO_PROXY": "127.0.0.1,localhost"}


def python_venv(name: str, packages: list[str]) -> Path:
    """A venv of its own below `CACHE`, with pinned `packages`; its Python."""
    folder = CACHE / name
    python, done = folder / "bin" / "python", folder / "installed.txt"
    wanted = "\n".join(packages)
    if not done.is_file() or done.read_text() != wanted:
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)
        done.write_text(wanted)
    return python
