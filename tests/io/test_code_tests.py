"""Tests that a request brings, really run in the sandbox; without walls only that it says so."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from yuzui.config import load
from yuzui.core.errors import ConfigError
from yuzui.core.guarantee import TestsRun
from yuzui.evaluation.scorers._contract import Told
from yuzui.io.code_tests import LIMITS, CodeTests, places_of
from yuzui.io.sandbox import Sandbox

QUESTION = "Write double(x).\n>>> double(2)\n4\n>>> double(3)\n6\n"


def answer(body: str) -> str:
    return f"```python\ndef double(x):\n    {body}\n```"


SECRETS = """
[[targets]]
name = "a"
provider = "openai"
model = "m"
clearance = "internal"
api_key = {{ file = "{}" }}

[[targets]]
name = "b"
provider = "azure_openai"
model = "m"
base_url = "https://b.example/v1"
clearance = "internal"
jurisdiction = "EU"
auth = {{ kind = "entra_id", tenant_id = "t", client_id = "c", client_secret = {{ file = "{}" }} }}
"""

walls = pytest.mark.skipif(
    sys.platform != "linux" or bool(CodeTests().problem()), reason="this machine gives no walls for strangers' code"
)


@walls
def test_code_is_run_with_the_tests_of_the_request() -> None:
    found = CodeTests().run_all([
        (QUESTION, answer("return 2 * x")),
        (QUESTION, answer("return x + 2")),
        (QUESTION, "I do not know."),
        ("Write double(x).", answer("return 2 * x")),
        (QUESTION, answer("raise SystemExit(0)")),
        (QUESTION, answer("import os; os._exit(0)")),
    ])  # fmt: skip
    none, failed = TestsRun(), TestsRun(count=2)
    assert found == [TestsRun(count=2, passed=True), failed, none, none, failed, failed]


@walls
def test_what_does_not_end_has_not_passed() -> None:
    assert CodeTests().run_all([(QUESTION, answer("while True: pass"))]) == [TestsRun(count=2)]


@walls
def test_a_program_reads_nothing_that_is_hidden_and_reaches_nobody(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret")
    tests = CodeTests((tmp_path,))
    reads = answer(f"open({str(tmp_path / 'key')!r}).read(); return 2 * x")
    calls = answer("import socket; socket.create_connection(('127.0.0.1', 9), 1); return 2 * x")
    assert tests.run_all([(QUESTION, reads), (QUESTION, calls)]) == [TestsRun(count=2)] * 2


@walls
def test_a_secret_that_the_configuration_names_is_hidden_wherever_it_lies_also_after_a_reload(tmp_path: Path) -> None:
    with TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        keys = [folder / "first", folder / "second"]
        for key in keys:
            key.write_text("secret")
            key.chmod(0o644)  # so that walls alone keep it, whoever runs this
        (tmp_path / "yuzui.toml").write_text(SECRETS.format(*keys), "utf-8")
        config = load(tmp_path / "yuzui.toml", {})
        assert config.secret_files == tuple(keys)
        assert places_of(config) == (tmp_path, *keys)
        reads = [(QUESTION, answer(f"assert open({str(key)!r}).read(); return 2 * x")) for key in keys]
        tests = CodeTests()
        assert [one.passed for one in tests.run_all(reads)] == [True, True]
        tests.hide(places_of(config))
        assert [one.passed for one in tests.run_all(reads)] == [False, False]


def test_nothing_is_known_where_a_program_could_not_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sandbox, "run", lambda self, source: Told(ok=False, why="no_sandbox", is_fault=True))
    tests = CodeTests()
    assert asyncio.run(tests.run(QUESTION, answer("return 2 * x"))) is None
    assert asyncio.run(tests.run(QUESTION, "no code")) == TestsRun()
    monkeypatch.setattr(Sandbox, "check", lambda self: None)
    with pytest.raises(ConfigError, match="1 of 2 programs could not be started"):
        tests.run_all([(QUESTION, answer("return 2 * x")), (QUESTION, "no code")])


def test_who_has_no_walls_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Sandbox) -> None:
        raise ConfigError("the sandbox for code needs Linux")

    monkeypatch.setattr(Sandbox, "check", refuse)
    assert CodeTests().problem() == "the sandbox for code needs Linux"
    with pytest.raises(ConfigError, match="needs Linux"):
        CodeTests().run_all([])


def test_so_many_at_once_and_no_more_after_the_end() -> None:
    tests = CodeTests(at_once=3)
    pool = tests._pool
    assert isinstance(pool, ThreadPoolExecutor) and pool._max_workers == 3
    tests.close()
    with pytest.raises(RuntimeError):
        pool.submit(int)
    assert LIMITS.wall_s <= 10


def test_endless_programs_of_one_client_keep_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = threading.Event()

    def runs(self: CodeTests, question: str, answer: str) -> TestsRun:
        if answer == "endless":
            ends.wait(30)
        return TestsRun(count=1, passed=True)

    monkeypatch.setattr(CodeTests, "_run", runs)
    monkeypatch.setattr("yuzui.io.code_tests.PATIENCE_S", 0.1)
    tests = CodeTests(at_once=1)

    async def story() -> None:
        async with asyncio.timeout(20):
            endless = asyncio.create_task(tests.run(QUESTION, "endless"))
            gone = asyncio.create_task(tests.run(QUESTION, "endless"))
            await asyncio.sleep(0)
            gone.cancel()
            assert await tests.run(QUESTION, "other") is None
            endless.cancel()  # its client left, and it goes on
            assert await tests.run(QUESTION, "other") is None
            ends.set()
            while await tests.run(QUESTION, "other") is None:
                pass
            assert tests._pool._work_queue.empty()

    asyncio.run(story())
