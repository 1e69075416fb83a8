"""A worker that dies, hangs or never comes up: the supervisor's patience, against stand-ins that start in no time."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.errors import UpstreamUnreachable
from yuzui.engine.protocol import WorkerSettings
from yuzui.engine.supervisor import (
    EngineStatus,
    EngineSupervisor,
    Patience,
    State,
    backoff_s,
    describe_exit,
    worker_environment,
)

HASTY = Patience(
    load_s=10, first_backoff_s=0.01, most_backoff_s=0.02, stable_s=30, failures_until_failed=3,
    health_interval_s=0.05, health_timeout_s=0.3, health_misses=2, stop_s=0.5,
)  # fmt: skip
WORKER = """
import http.server, json, os, sys, threading
mode = sys.argv[1]
settings = json.loads(sys.stdin.readline())
assert settings["api_key"]
if mode == "dies":
    print("out of memory, said the engine", file=sys.stderr)
    sys.exit(7)
if mode in ("refuses", "refuses for good"):
    print(json.dumps({"error": "no such model", "is_permanent": mode == "refuses for good"}), flush=True)
    sys.exit(3)
if mode == "babbles":
    print("hello", flush=True)
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if mode == "is ill" else 200)
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Health)
threading.Thread(target=server.serve_forever, daemon=True).start()
if mode != "babbles":
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}"}), flush=True)
if mode == "ignores the end":
    threading.Event().wait()
sys.stdin.read()
os._exit(0)
"""


class Watched:
    """A supervisor of a stand-in worker, and every status that it went through."""

    def __init__(self, mode: str, folder: Path, patience: Patience = HASTY) -> None:
        script = folder / "worker.py"
        script.write_text(WORKER)
        self.seen: list[EngineStatus] = []
        self._moved = asyncio.Event()
        self.supervisor = EngineSupervisor(
            WorkerSettings(model_path="m", alias="m"), patience=patience,
            command=(sys.executable, str(script), mode), on_change=self._note,
        )  # fmt: skip

    def _note(self, status: EngineStatus) -> None:
        self.seen.append(status)
        self._moved.set()

    async def until(self, condition: Callable[[EngineStatus], bool]) -> EngineStatus:
        async with asyncio.timeout(20):
            while not (met := [status for status in self.seen if condition(status)]):
                self._moved.clear()
                await self._moved.wait()
        return met[0]

    def states(self) -> list[State]:
        return [status.state for status in self.seen]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_starts_at_once_and_is_ready_when_the_worker_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        watched = Watched("works", tmp_path)
        watched.supervisor.start()
        assert watched.supervisor.endpoint() is None
        assert watched.supervisor.status.state == "starting"
        endpoint = await watched.supervisor.wait_ready(10)
        assert endpoint.url.endswith("/v1") and len(endpoint.api_key) >= 32
        assert endpoint.api_key not in repr(endpoint)
        pid = watched.supervisor.status.pid
        assert pid is not None and is_running(pid)
        await watched.supervisor.stop()
        assert not is_running(pid)
        assert watched.supervisor.endpoint() is None
        assert watched.states() == ["starting", "starting", "ready", "stopped"]
        await watched.supervisor.stop()  # twice changes nothing

    asyncio.run(story())


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_worker_is_replaced_at_another_place_with_another_key(tmp_path: Path) -> None:
    async def story() -> None:
        watched = Watched("works", tmp_path)
        async with watched.supervisor as supervisor:
            first = await supervisor.wait_ready(10)
            assert supervisor.status.pid is not None
            os.kill(supervisor.status.pid, signal.SIGKILL)
            await watched.until(lambda status: status.state == "ready" and status.restarts == 1)
            second = await supervisor.wait_ready(10)
            assert second.api_key != first.api_key
            assert "SIGKILL" in supervisor.status.last_error

    asyncio.run(story())


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_hung_worker_is_ended_and_replaced(tmp_path: Path) -> None:
    async def story() -> None:
        watched = Watched("works", tmp_path)
        async with watched.supervisor as supervisor:
            await supervisor.wait_ready(10)
            hung = supervisor.status.pid
            assert hung is not None
            os.kill(hung, signal.SIGSTOP)
            ended = await watched.until(lambda status: status.state == "restarting")
            assert "health checks" in ended.last_error
            await watched.until(lambda status: status.state == "ready" and status.restarts >= 1)
            assert not is_running(hung)

    asyncio.run(story())


def test_a_worker_that_answers_ill_is_replaced(tmp_path: Path) -> None:
    async def story() -> None:
        watched = Watched("is ill", tmp_path)
        async with watched.supervisor:
            await watched.until(lambda status: status.restarts == 1 and status.state == "ready")

    asyncio.run(story())


def test_a_crash_loop_becomes_failed_with_the_last_words_visible_and_still_tries(tmp_path: Path) -> None:
    async def story() -> None:
        watched = Watched("dies", tmp_path)
        async with watched.supervisor as supervisor:
            failed = await watched.until(lambda status: status.state == "failed")
            assert "exit code 7" in failed.last_error and "out of memory" in failed.last_error
            with pytest.raises(UpstreamUnreachable, match="out of memory"):
                await supervisor.wait_ready(10)
            await watched.until(lambda status: status.restarts >= 4)
            assert watched.states()[:1] == ["starting"]

    asyncio.run(story())


def test_a_permanent_refusal_is_not_tried_again(tmp_path: Path) -> None:
    async def story() -> None:
        watched = Watched("refuses for good", tmp_path)
        async with watched.supervisor as supervisor:
            failed = await watched.until(lambda status: status.state == "failed")
            assert failed.last_error == "no such model"
            assert failed.restarts == 0
            with pytest.raises(UpstreamUnreachable):
                await supervisor.wait_ready(10)

    asyncio.run(story())


@pytest.mark.parametrize(("mode", "reason"), [("babbles", "not JSON"), ("refuses", "no such model")])
def test_a_worker_that_reports_nothing_usable_is_a_failure(tmp_path: Path, mode: str, reason: str) -> None:
    async def story() -> None:
        watched = Watched(mode, tmp_path)
        async with watched.supervisor:
            assert reason in (await watched.until(lambda status: status.state == "failed")).last_error

    asyncio.run(story())


def test_a_worker_that_ignores_the_end_of_its_stdin_is_terminated(tmp_path: Path) -> None:
    async def story() -> None:
        watched = Watched("ignores the end", tmp_path)
        async with watched.supervisor as supervisor:
            await supervisor.wait_ready(10)
            pid = supervisor.status.pid
        assert pid is not None and not is_running(pid)

    asyncio.run(story())


def test_a_command_that_does_not_exist_is_a_failure_and_not_a_crash(tmp_path: Path) -> None:
    async def story() -> None:
        supervisor = EngineSupervisor(
            WorkerSettings(model_path="m", alias="m"), patience=replace(HASTY, failures_until_failed=1),
            command=(str(tmp_path / "none"),),
        )  # fmt: skip
        async with supervisor:
            with pytest.raises(UpstreamUnreachable, match="cannot be started"):
                await supervisor.wait_ready(10)

    asyncio.run(story())


@pytest.mark.parametrize("mode", ["dies", "works"])
def test_stopping_at_any_moment_leaves_no_process(tmp_path: Path, mode: str) -> None:
    async def story(changes: int) -> None:
        watched = Watched(mode, tmp_path)
        watched.supervisor.start()
        await watched.until(lambda _: len(watched.seen) >= changes)
        await watched.supervisor.stop()
        assert not [status.pid for status in watched.seen if status.pid and is_running(status.pid)]

    for changes in range(1, 4 if mode == "works" else 8):
        asyncio.run(story(changes))


def test_waiting_ends_at_the_timeout(tmp_path: Path) -> None:
    async def story() -> None:
        watched = Watched("works", tmp_path)
        async with watched.supervisor as supervisor:
            with pytest.raises(UpstreamUnreachable, match="is starting"):
                await supervisor.wait_ready(0.0)

    asyncio.run(story())


@given(st.integers(1, 10_000))
def test_the_wait_doubles_and_is_bounded(failures: int) -> None:
    patience = Patience()
    assert 1.0 <= backoff_s(failures, patience) <= backoff_s(failures + 1, patience) <= 60.0
    assert [backoff_s(n, patience) for n in (1, 2, 3, 7)] == [1, 2, 4, 60]


def test_no_vendor_key_reaches_the_worker() -> None:
    given_names = {"PATH": "p", "OPENAI_API_KEY": "k", "HF_TOKEN": "t", "LC_ALL": "C", "CUDA_VISIBLE_DEVICES": "0"}
    assert sorted(worker_environment(given_names)) == ["CUDA_VISIBLE_DEVICES", "LC_ALL", "PATH"]


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (3, "exit code 3"), (-9, "SIGKILL"), (-4, "AVX2"), (0xC000001D, "AVX2"), (-99, "signal 99"),
     (None, "still runs")],
)  # fmt: skip
def test_exit_codes_are_told_in_words(code: int | None, words: str) -> None:
    assert words in describe_exit(code)
