"""Starts, watches, restarts and stops the one worker process that serves the embedded model.

The gateway never waits for it: `start` returns at once, `endpoint` is None until the model is loaded.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from yuzui.core.errors import UpstreamUnreachable
from yuzui.engine.protocol import WorkerReport, WorkerSettings
from yuzui.io.child_process import end_process, to_its_end

State = Literal["stopped", "starting", "ready", "restarting", "failed"]

WORKER_COMMAND: Final = (sys.executable, "-P", "-m", "yuzui.engine.worker")
"""-P: the current folder must not be able to stand in for a library."""
_PASSED_ON: Final = frozenset(
    (
        "PATH",
        "HOME",
        "TMPDIR",
        "TEMP",
        "TMP",
        "LANG",
        "SYSTEMROOT",
        "WINDIR",
        "USERPROFILE",
        "LOCALAPPDATA",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "PYTHONPATH",
        "PYTHONHOME",
        "VIRTUAL_ENV",
    )
)
_PASSED_ON_PREFIXES: Final = ("LC_", "CUDA_", "GGML_", "HIP_", "ROCR_", "VK_")
_STDERR_LINES: Final = 12
_LINE_CHARS: Final = 300


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the worker answers right now. Both change with every restart: ask again for every request."""

    url: str
    """Base URL of the OpenAI-compatible API, `http://127.0.0.1:PORT/v1`."""
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    state: State
    last_error: str = ""
    """Why the latest worker ended or did not start; stays visible after a successful restart."""
    restarts: int = 0
    """Workers started after the first."""
    pid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds, and counts of what is tolerated."""

    load_s: float = 600.0
    first_backoff_s: float = 1.0
    most_backoff_s: float = 60.0
    stable_s: float = 30.0
    """A worker that was ready this long starts the count of failures anew."""
    failures_until_failed: int = 5
    health_interval_s: float = 5.0
    health_timeout_s: float = 5.0
    health_misses: int = 3
    stop_s: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """How one worker's life ended."""

    reason: str
    ready_s: float
    is_permanent: bool = False


class EngineSupervisor:
    """Keeps one worker alive for `settings`. Use on one event loop.

    After `failures_until_failed` short lives in a row the state is `failed` with the reason in `last_error`; it still
    tries again every `most_backoff_s`, as memory or a file may come back, unless the reason is permanent.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        patience: Patience = Patience(),
        command: Sequence[str] = WORKER_COMMAND,
        on_change: Callable[[EngineStatus], None] | None = None,
    ) -> None:
        self._settings = settings
        self._patience = patience
        self._command = tuple(command)
        self._on_change = on_change
        self._status = EngineStatus(state="stopped")
        self._endpoint: Endpoint | None = None
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def status(self) -> EngineStatus:
        return self._status

    def endpoint(self) -> Endpoint | None:
        """Where to send requests, or None while no worker is ready."""
        return self._endpoint

    def start(self) -> None:
        """Begin to load the model beside the caller; return at once. Starting twice changes nothing."""
        if self._task is None or self._task.done():
            self._set(EngineStatus(state="starting"))
            # A task of its own and no TaskGroup: it lives from here to stop(), across the whole run of the gateway.
            self._task = asyncio.get_running_loop().create_task(self._supervise(), name="engine-supervisor")

    async def stop(self) -> None:
        """End the worker and wait for its end. Safe to call at any time, also twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        self._endpoint = None
        self._set(replace(self._status, state="stopped", pid=None))

    async def wait_ready(self, timeout_s: float) -> Endpoint:
        """The endpoint, as soon as there is one. Raise `UpstreamUnreachable` at the timeout, or once it has failed."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    if self._endpoint is not None:
                        return self._endpoint
                    if self._status.state in ("failed", "stopped"):
                        break
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass  # told below, with the state it was in
        raise UpstreamUnreachable(
            f"the embedded model is {self._status.state}"
            + (f": {self._status.last_error}" if self._status.last_error else "")
        )

    async def __aenter__(self) -> EngineSupervisor:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # ── one life after the other ──

    async def _supervise(self) -> None:
        failures, restarts = 0, 0
        while True:
            try:
                ending = await self._live_once()
            except OSError as error:
                ending = _Ending(reason=f"the worker cannot be started: {error}", ready_s=0.0)
            failures = 1 if ending.ready_s >= self._patience.stable_s else failures + 1
            has_failed = ending.is_permanent or failures >= self._patience.failures_until_failed
            self._set(
                EngineStatus(
                    state="failed" if has_failed else "restarting", last_error=ending.reason, restarts=restarts
                )
            )
            if ending.is_permanent:
                return
            await asyncio.sleep(backoff_s(failures, self._patience))
            restarts += 1
            self._set(replace(self._status, restarts=restarts))

    async def _live_once(self) -> _Ending:
        """Start a worker and stay with it to its end, however that comes."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=worker_environment(os.environ),
        )
        self._set(replace(self._status, pid=process.pid))
        tail: collections.deque[str] = collections.deque(maxlen=_STDERR_LINES)
        errors = asyncio.create_task(_keep_tail(process.stderr, tail), name="engine-stderr")
        try:
            return await self._watch(process, tail, errors)
        finally:
            self._endpoint = None
            await to_its_end(_end(process, errors, self._patience.stop_s))

    async def _watch(
        self, process: asyncio.subprocess.Process, tail: collections.deque[str], errors: asyncio.Task[None]
    ) -> _Ending:
        key = secrets.token_urlsafe(32)
        try:
            report = await self._introduce(process, key)
        except TimeoutError:
            return _Ending(reason=f"the model was not loaded within {self._patience.load_s:g} s", ready_s=0.0)
        if report is None:
            await process.wait()
            await errors  # its last words
            said = " | ".join(tail)
            return _Ending(reason=describe_exit(process.returncode) + (f": {said}" if said else ""), ready_s=0.0)
        if report.error or not report.url:
            return _Ending(
                reason=report.error or "the worker reported no address", ready_s=0.0, is_permanent=report.is_permanent
            )
        loop = asyncio.get_running_loop()
        since = loop.time()
        self._endpoint = Endpoint(report.url + "/v1", key)
        self._set(replace(self._status, state="ready"))
        reason = await self._until_it_ends(process, report.url)
        self._endpoint = None
        return _Ending(reason=reason, ready_s=loop.time() - since)

    async def _introduce(self, process: asyncio.subprocess.Process, key: str) -> WorkerReport | None:
        """Hand over the settings, wait for the report; None when the worker ended without one."""
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None and stdout is not None  # both are pipes, see create_subprocess_exec
        line = msgspec.json.encode(msgspec.structs.replace(self._settings, api_key=key)) + b"\n"
        async with asyncio.timeout(self._patience.load_s):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died early: its exit code says why
                stdin.write(line)
                await stdin.drain()
            answer = await stdout.readline()
        if not answer:
            return None
        try:
            return msgspec.json.decode(answer, type=WorkerReport)
        except msgspec.DecodeError:
            return WorkerReport(error="the worker's report is not JSON")

    async def _until_it_ends(self, process: asyncio.subprocess.Process, url: str) -> str:
        """Ask for its health now and then; return why this worker is no longer any good."""
        patience, misses = self._patience, 0
        while True:
            try:
                async with asyncio.timeout(patience.health_interval_s):
                    await process.wait()
                return describe_exit(process.returncode)
            except TimeoutError:
                pass  # still alive, as hoped
            if await is_healthy(url, patience.health_timeout_s):
                misses = 0
                continue
            misses += 1
            if misses >= patience.health_misses and process.returncode is None:
                return f"the worker did not answer {misses} health checks and was ended"

    def _set(self, status: EngineStatus) -> None:
        if status == self._status:
            return
        self._status = status
        self._changed.set()
        if self._on_change is not None:
            self._on_change(status)


def backoff_s(failures: int, patience: Patience) -> float:
    """Seconds before the next attempt after `failures` in a row (at least 1): doubling, bounded."""
    return min(patience.most_backoff_s, patience.first_backoff_s * 2.0 ** min(failures - 1, 30))


def worker_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a worker may know of our environment: paths and device settings, no vendor's key."""
    return {
        name: value
        for name, value in environ.items()
        if name.upper() in _PASSED_ON or name.upper().startswith(_PASSED_ON_PREFIXES)
    }


def describe_exit(code: int | None) -> str:
    """An exit code in words; a negative one is the signal that ended the process."""
    if code is None:
        return "the worker still runs"
    if code in (-4, 0xC000001D - 0x1_0000_0000, 0xC000001D):  # SIGILL; STATUS_ILLEGAL_INSTRUCTION on Windows
        return f"the worker met an instruction that this processor lacks (exit code {code}); the engine needs AVX2"
    if code < 0:
        try:
            return f"the worker was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"the worker was ended by signal {-code}"
    return f"the worker ended with exit code {code}"


async def is_healthy(url: str, timeout_s: float) -> bool:
    """Whether `GET /health` at `url` answers 200 in time. A busy worker does: HTTP has threads of its own."""
    place = urlsplit(url)
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
            writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            await writer.drain()
            status_line = await reader.readline()
        return status_line.split(b" ")[1:2] == [b"200"]
    except (OSError, TimeoutError, ValueError):
        return False
    finally:
        if writer is not None:
            writer.close()


async def _keep_tail(stream: asyncio.StreamReader | None, tail: collections.deque[str]) -> None:
    """Read stderr so that the worker never blocks on it; remember the end, bounded in lines and in length."""
    assert stream is not None  # a pipe, see create_subprocess_exec
    rest = b""
    while chunk := await stream.read(4096):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[-_LINE_CHARS:]
        tail.extend(line[:_LINE_CHARS].decode("utf-8", "replace").strip() for line in lines if line.strip())
    if rest.strip():
        tail.append(rest.decode("utf-8", "replace").strip())


async def _end(process: asyncio.subprocess.Process, errors: asyncio.Task[None], stop_s: float) -> None:
    """Return when the process is gone, and nothing of what it said is read any more."""
    await end_process(process, stop_s)
    errors.cancel()
    await asyncio.wait([errors])
