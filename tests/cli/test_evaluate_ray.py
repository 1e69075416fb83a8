"""A run on a real Ray: the same results as on one machine, one purse, each answer once though workers are killed.

Runs where Ray is installed: `make ray-test`. What can be said without it is said in the tests of its parts.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from yuzui.cli._evaluate_ray import Ray
from yuzui.core.errors import ConfigError
from yuzui.io.database import DATABASE_NAME
from yuzui.io.evaluation_store import EvaluationStore

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: make ray-test")
CONFIG = """
[sensitivity.names]
enabled = false
[[targets]]
name = "own/a"
provider = "scripted"
model = "scripted-echo"
premises = "own"
price = "free"
[[targets]]
name = "vendor/b"
provider = "scripted"
model = "scripted-words-5"
premises = "vendor"
clearance = "internal"
price = { currency = "USD", input = 1.0, output = 4.0 }
"""
MINE = """
import time
def slow(example, answer):
    time.sleep(0.02)
    return len(answer) % 2
"""
CARD = "4111 1111 1111 1111"


def test_a_cluster_needs_a_gateway_that_it_reaches() -> None:
    with pytest.raises(ConfigError, match="needs --url"):
        Ray.read(False, "10.0.0.1:6379", "")
    assert Ray.read(False, "10.0.0.1:6379", "http://10.0.0.2:8080").is_wanted
    assert not Ray.read(False, "", "").is_wanted


def test_without_it_there_are_no_workers(tmp_path: Path) -> None:
    with Ray.read(False, "", "").workers("", "", (), 1, is_unsafe=False, hidden=tmp_path) as workers:
        assert workers is None and "ray" not in sys.modules


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "yuzui.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "mine.py").write_text(MINE, "utf-8")
    (tmp_path / "home").mkdir()
    return tmp_path


def write_examples(place: Path, count: int) -> None:
    with (place / "work.jsonl").open("w", encoding="utf-8") as file:
        for number in range(count):
            prompt = f"print({number})" + (f" # card {CARD}" if number % 5 == 0 else "")
            row = {"prompt": prompt, "reference": f"[simulated vendor] {prompt}", "tests": "assert True"}
            file.write(json.dumps(row) + "\n")


def command(place: Path, name: str, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "yuzui", "evaluate", "run", "work.jsonl", "--run", name, "--models", "own/a",
        "--reference-model", "vendor/b", "--param", "max_tokens=50", "--data-dir", "data", "--json", *more,
    ]  # fmt: skip


def environment(place: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(place / "home"), "TMPDIR": "/tmp"}  # its sockets want short paths


def run(place: Path, name: str, *more: str) -> tuple[int, dict[str, Any]]:
    found = subprocess.run(
        command(place, name, *more), cwd=place, env=environment(place), capture_output=True, text=True, timeout=300
    )
    assert found.returncode in (0, 1) and found.stdout, found.stderr
    return found.returncode, json.loads(found.stdout)


def results_of(place: Path, name: str) -> tuple[dict[Any, Any], dict[Any, Any]]:
    with EvaluationStore(place / "data" / "evaluation" / f"{name}.sqlite3") as store:
        found = store.outcomes()
    results = {
        key: (one.outcome, one.code, one.text, one.cost_nano, one.input_tokens, one.output_tokens, one.sensitivity)
        for key, one in found.results.items()
    }
    return results, dict(found.grades)


def booked(place: Path) -> int:
    """Requests in the gateway's books."""
    with sqlite3.connect(f"file:{place / 'data' / DATABASE_NAME}?mode=ro", uri=True) as database:
        return int(database.execute("SELECT count(*) FROM request").fetchone()[0])


@needs_ray
def test_the_results_are_those_of_one_machine(place: Path) -> None:
    write_examples(place, 30)
    scorers = ["--scorer", "exact", "--scorer", "chrf", "--scorer", "mine:slow", "--scorer", "code"]
    scorers += ["--scorer", "pairwise", "--judge", "own/a", "--unsafe-code"]
    here, told_here = run(place, "here", *scorers)
    there, told_there = run(place, "there", *scorers, "--ray", "--budget", "1")
    assert here == there == 0
    assert told_here["asked"] == told_there["asked"] == 60 and told_there["not_permitted"] == 6
    assert told_here["spent_nano"] == told_there["spent_nano"] > 0
    assert results_of(place, "here") == results_of(place, "there")
    assert not (place / "home" / ".ray").exists(), "no token may be left behind"
    again, told = run(place, "there", *scorers, "--ray")
    assert again == 0 and (told["asked"], told["judged"], told["graded"]) == (0, 0, 0)


@needs_ray
def test_one_purse_for_all_workers(place: Path) -> None:
    write_examples(place, 60)
    code, told = run(place, "small", "--scorer", "exact", "--ray", "--budget", "0.003", "--parallel", "8")
    assert code == 1 and told["stopped"] == "the next call could exceed the budget"
    assert 0 < told["spent_nano"] <= 3_000_000


@needs_ray
@pytest.mark.skipif(sys.platform != "linux", reason="workers are found in /proc")
def test_killed_workers_and_a_killed_run_leave_each_answer_once(place: Path) -> None:
    write_examples(place, 400)
    more = ["--scorer", "mine:slow", "--ray", "--parallel", "8"]
    store = place / "data" / "evaluation" / "many.sqlite3"
    with (place / "log").open("w") as log:
        process = subprocess.Popen(
            command(place, "many", *more), cwd=place, env=environment(place), stdout=log, stderr=log
        )
        await_kept(store, 40, process)
        workers = [pid for pid, name in children_of(process.pid) if "EvaluationWorker" in name]
        assert workers
        os.kill(workers[0], signal.SIGKILL)  # one worker; the run goes on
        await_kept(store, kept(store) + 40, process)
        process.kill()  # and the run itself; its gateway and its Ray end with it
        process.wait()
    before = kept(store)
    deadline = time.monotonic() + 60
    while True:
        found = subprocess.run(
            command(place, "many", *more),
            cwd=place,
            env=environment(place),
            capture_output=True,
            text=True,
            timeout=300,
        )
        if found.returncode == 0 or time.monotonic() > deadline:
            break
        assert "another gateway runs" in found.stderr, found.stderr
        time.sleep(0.5)
    told = json.loads(found.stdout)
    assert told["asked"] == 800 - before
    results, grades = results_of(place, "many")
    assert len(results) == 800 and all(one[0] in ("answered", "not_permitted") for one in results.values())
    assert len(grades) == sum(one[0] == "answered" for one in results.values())
    assert 800 <= booked(place) <= 800 + 3 * 8, "only what was under way may have been asked twice"


def kept(store: Path) -> int:
    try:
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
            return int(database.execute("SELECT count(*) FROM calls").fetchone()[0])
    except sqlite3.OperationalError:  # not there yet
        return 0


def await_kept(store: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while kept(store) < count:
        assert process.poll() is None and time.monotonic() < deadline, "the run ended early, or hangs"
        time.sleep(0.05)


def children_of(pid: int) -> list[tuple[int, str]]:
    """(pid, command line) of every process below `pid`."""
    parents: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                status = (folder / "stat").read_text().rpartition(")")[2].split()
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:  # it ended meanwhile
                continue
            parents[int(folder.name)] = (int(status[1]), words)
    found, front = [], [pid]
    while front:
        front = [one for one, (parent, _) in parents.items() if parent in front]
        found += [(one, parents[one][1]) for one in front]
    return found
