"""Code of strangers, run where it can do no harm: on Linux behind walls of the kernel, elsewhere not at all.

`is_unsafe` runs it with time and size limits only, as this very user. What holds where is in docs/how-to/evaluate.md.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from yuzui.core.errors import ConfigError
from yuzui.evaluation.scorers._contract import Told

WORKER: Final = Path(__file__).with_name("sandbox_worker.py")
START_S: Final = 20.0  # the machine may be busy; the program's own time begins when the walls stand
MOST_OUTPUT_BYTES: Final = 64 * 1024
POLL_S: Final = 0.02
_HIDDEN: Final = (Path("/proc"), Path("/sys"), Path("/run"), Path("/var/run"))
"""The last two: where containers and services find their secrets, and where the sockets of others lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    wall_s: float = 15.0
    cpu_s: int = 10
    memory_bytes: int = 512 * 1024 * 1024
    """Address space of each process."""
    processes: int = 8
    """At once, threads included."""
    file_bytes: int = 8 * 1024 * 1024
    """Of one file."""
    folder_bytes: int = 32 * 1024 * 1024
    """Of all files together; they lie in memory."""


class Sandbox:
    """`hidden`: folders and files that the program shall not even read, besides the user's home and temporary ones."""

    def __init__(self, *, is_unsafe: bool = False, limits: Limits | None = None, hidden: Sequence[Path] = ()) -> None:
        self._is_unsafe = is_unsafe
        self._limits = limits or Limits()
        self._places = (*_home(), Path(tempfile.gettempdir()), *_HIDDEN, *hidden)

    def check(self) -> None:
        """Raise `ConfigError` where this system has no walls, and nobody said to go without."""
        if self._is_unsafe:
            if os.name != "posix":
                raise ConfigError("running code needs Linux (or, with --unsafe-code, macOS): there are no limits here")
            return
        if sys.platform != "linux":
            raise ConfigError(
                "the sandbox for code needs Linux; on this system say --unsafe-code to run it as yourself, or run the "
                "evaluation in a Linux container"
            )
        told = self.run("")
        if not told.ok:
            raise ConfigError(
                f"the sandbox for code does not work here ({told.text or told.why}): allow unprivileged user "
                "namespaces (Linux 5.12 or later), or say --unsafe-code to run code as yourself"
            )

    def run(self, source: str) -> Told:
        """The end of `source`; `ok` only if all of it was run. Blocks for `limits.wall_s` at most, and a little."""
        nonce = secrets.token_hex(16)
        with tempfile.TemporaryDirectory(prefix="yuzui-code-") as folder:
            Path(folder).chmod(0o755)  # user 0 becomes somebody else in there
            inside = Path(folder) / "inside"
            inside.mkdir()
            inside.chmod(0o755)
            with (Path(folder) / "output").open("w+b") as output:
                return self._watch(source, nonce, inside, output)

    def _watch(self, source: str, nonce: str, inside: Path, output: IO[bytes]) -> Told:
        reading, writing = os.pipe()
        limits = self._limits
        job = {
            "source": source, "nonce": nonce, "folder": str(inside), "report": writing, "walls": not self._is_unsafe,
            # Looked at anew for each program: what was not there may have come, and links may point elsewhere.
            "hidden": _hideable(self._places), "files": [str(one.resolve()) for one in self._places if one.is_file()],
            "cpu_s": limits.cpu_s, "memory_bytes": limits.memory_bytes,
            "processes": limits.processes, "file_bytes": limits.file_bytes, "folder_bytes": limits.folder_bytes,
        }  # fmt: skip
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-B", str(WORKER)], stdin=subprocess.PIPE, stdout=output, stderr=output,
                pass_fds=(writing,), start_new_session=True, env={"LANG": "C.UTF-8"},
            )  # fmt: skip
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        os.set_blocking(reading, False)
        try:
            assert process.stdin is not None  # we asked for a pipe
            with suppress(BrokenPipeError):  # it says why on its line, or by its status
                process.stdin.write(json.dumps(job).encode() + b"\n")
                process.stdin.close()
            said, is_late = self._await(process, reading)
        finally:
            _end(process)
            os.close(reading)
        output.seek(0)
        text = output.read(MOST_OUTPUT_BYTES).decode("utf-8", "replace")
        return _told(said.decode("utf-8", "replace"), nonce, process.returncode, text, is_late=is_late)

    def _await(self, process: subprocess.Popen[bytes], reading: int) -> tuple[bytes, bool]:
        """What stood on its line, and whether its time was over."""
        said = b""
        deadline = time.monotonic() + START_S
        has_begun = False
        while True:
            ended = process.poll() is not None
            with suppress(BlockingIOError):
                said += os.read(reading, 1024)
            if not has_begun and said.startswith(b"+"):
                has_begun = True
                deadline = time.monotonic() + self._limits.wall_s
            if ended:
                return said, False
            if time.monotonic() >= deadline:
                return said, True
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLL_S)


def _home() -> list[Path]:
    try:
        return [Path.home()]
    except RuntimeError:  # a user without a name and without HOME, as in some containers, has none
        return []


def _hideable(folders: Sequence[Path]) -> dict[str, list[str]]:
    """Those that are there, without those that lie in another one; and what of each the interpreter needs."""
    needed = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent}
    needed |= {one.resolve() for one in needed} | {Path(sys.executable).parent}  # which may be a folder of links
    found: dict[Path, list[str]] = {}
    for folder in sorted({one.resolve() for one in folders}):
        if folder == Path("/") or not folder.is_dir() or any(folder.is_relative_to(one) for one in found):
            continue
        if any(folder.is_relative_to(need) for need in needed):
            continue  # a part of the interpreter
        inner = sorted(need for need in needed if need.is_relative_to(folder))
        found[folder] = [
            str(one) for one in inner if not any(one != other and one.is_relative_to(other) for other in inner)
        ]
    return {str(folder): kept for folder, kept in found.items()}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Its session goes, and with the process that is 1 inside everything that is left there."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _told(said: str, nonce: str, status: int, text: str, *, is_late: bool) -> Told:
    if not said.startswith("+") or "-" in said:
        return Told(ok=False, why="no_sandbox", text=said.lstrip("+-") or text[-300:], is_fault=True)
    if said[1:] == nonce and status == 0:
        return Told(ok=True, text=text)
    if is_late or status in (128 + signal.SIGXCPU, 128 + signal.SIGKILL, -signal.SIGKILL):
        return Told(ok=False, why="timeout", text=text)
    if "MemoryError" in text[-2000:]:
        return Told(ok=False, why="memory", text=text)
    return Told(ok=False, why="exception" if status == 1 else f"status {status}", text=text)
