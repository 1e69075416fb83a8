"""Trials on the command line: looked at, reported on, stopped and resumed, beside a running gateway and without one."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from fault_upstream import Call, FaultUpstream, completion
from gateway_kit import gateway
from yuzui.io.books import SqliteBooks

from .conftest import Run

CONFIG = """
[trials]
operators = ["Ann Lee"]

[[targets]]
name = "house/old"
provider = "vllm"
model = "old"
base_url = "{old}"
price = "free"

[[targets]]
name = "house/new"
provider = "vllm"
model = "new"
base_url = "{new}"
price = "free"

[[models]]
name = "assistant"
candidates = ["house/old"]

[[models.trials]]
name = "next"
arm = "house/new"
percent = 50
"""
WHO = ("--by", "Ann Lee", "--reason", "Case 7.")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "yuzui.toml"
    path.write_text(CONFIG.format(old="http://127.0.0.1:1/v1", new="http://127.0.0.1:2/v1"), "utf-8")
    return path


def used(tmp_path: Path, count: int = 12) -> dict[str, str]:
    """A folder in which a gateway has answered; request id → side."""
    sides: dict[str, str] = {}

    async def sick(call: Call) -> None:
        await call.json({"error": {"message": "down"}}, status="503 Service Unavailable")

    async def main() -> None:
        async with FaultUpstream(lambda call: call.json(completion("ok"))) as old, FaultUpstream(sick) as new:
            text = CONFIG.format(old=old.base_url, new=new.base_url)
            async with gateway(text, {}, data_dir=tmp_path / "data") as running:
                for number in range(count):
                    reply = await running.client().chat.completions.with_raw_response.create(
                        model="assistant", messages=[{"role": "user", "content": f"Question {number}"}]
                    )
                    side = reply.headers.get("x-yuzui-trial", "/none").partition("/")[2]
                    sides[reply.headers["x-yuzui-request-id"]] = side

    asyncio.run(main())
    return sides


def test_status_and_report_tell_what_happened(run: Run, tmp_path: Path, config: Path) -> None:
    sides = used(tmp_path)
    arms = [id for id, side in sides.items() if side == "arm"]
    assert arms and "control" in sides.values()
    options = ("--config", config, "--data-dir", tmp_path / "data")
    shown = json.loads(run("trial", "status", "--json", *options).stdout)
    assert len(shown) == 1 and not shown[0]["is_stopped"]
    assert (shown[0]["arm_requests"], shown[0]["arm_failures"]) == (len(arms), len(arms))
    assert shown[0]["evidence"]["failures"]["wealth"] > 1
    assert "assistant/next" in run("trial", "status", *options).stdout
    grades = tmp_path / "grades.jsonl"
    grades.write_text("".join(f'{{"request": "{id}", "score": 0.5, "by": "u"}}\n' for id in sides), "utf-8")
    told = run("trial", "report", "next", "--grades", grades, *options).stdout
    assert f"| requests | {len(arms)} |" in told and "| first target failed | 100.00%" in told
    assert "| quality (grades, 0 to 1) | 0.500" in told and "How it was computed" in told
    assert "试验组" in run("trial", "report", "assistant/next", "--lang", "zh", *options).stdout
    found = json.loads(run("trial", "report", "next", "--json", *options).stdout)
    assert found["arm"]["answered_elsewhere"] == len(arms)
    told = run("explain", arms[0], *options).stdout
    assert "next: arm" in told


def test_a_named_person_stops_and_resumes_without_a_gateway(run: Run, tmp_path: Path, config: Path) -> None:
    SqliteBooks.open(tmp_path / "data", exclusive=False).stop()
    options = ("--config", config, "--data-dir", tmp_path / "data")
    done = json.loads(run("trial", "stop", "next", *WHO, "--json", *options).stdout)
    assert done["leaf_index"] == 0 and done["action"] == "stop"
    shown = run("trial", "status", *options).stdout
    assert "stopped" in shown and "Case 7." in shown
    assert "already" in run("trial", "stop", "next", *WHO, *options).output
    told = run("explain", done["id"], *options).stdout
    assert "Ann Lee" in told and "assistant/next, arm house/new" in told
    doctor = json.loads(run("doctor", "--json", *options).stdout)
    (check,) = [one for one in doctor["checks"] if one["name"] == "trial assistant/next"]
    assert check["verdict"] == "warn" and "yuzui trial resume next" in check["fix"]
    assert "resumed; entry 1" in run("trial", "resume", "next", *WHO, *options).stdout
    shown = json.loads(run("trial", "status", "--json", *options).stdout)
    assert not shown[0]["is_stopped"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("stop", "next", "--by", "Eve", "--reason", "x"), "not one of trials.operators"),
        (("stop", "next", "--by", "Ann Lee", "--reason", " "), "a reason has"),
        (("stop", "none", *WHO), "no trial is called 'none'; there are: assistant/next"),
        (("resume", "next", *WHO), "not stopped already"),
        (("report", "next", "--since", "1d", "--until", "2d"), "--until must be after"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, tmp_path: Path, config: Path, args: tuple[str, ...], says: str) -> None:
    SqliteBooks.open(tmp_path / "data", exclusive=False).stop()
    result = run("trial", *args, "--config", config, "--data-dir", tmp_path / "data")
    assert result.exit_code == 2 and says in " ".join(result.output.split())


def test_grades_that_are_none_are_told_with_their_line(run: Run, tmp_path: Path, config: Path) -> None:
    SqliteBooks.open(tmp_path / "data", exclusive=False).stop()
    grades = tmp_path / "g.jsonl"
    grades.write_text('{"request": "r", "score": 1}\n{"request": "r", "score": 2}\n', "utf-8")
    result = run("trial", "report", "next", "--grades", grades, "--config", config, "--data-dir", tmp_path / "data")
    assert result.exit_code == 2 and "line 2" in result.output


def test_a_running_gateway_obeys_within_a_second(run: Run, tmp_path: Path, config: Path) -> None:
    async def main() -> None:
        async with FaultUpstream(lambda call: call.json(completion("ok"))) as place:
            text = CONFIG.format(old=place.base_url, new=place.base_url).replace("percent = 50", "percent = 100")
            async with gateway(text, {}, data_dir=tmp_path / "data") as running:

                async def ask() -> str:
                    reply = await running.client().chat.completions.with_raw_response.create(
                        model="assistant", messages=[{"role": "user", "content": "Hi"}]
                    )
                    return reply.headers["x-yuzui-target"]

                assert await ask() == "house/new"
                options = ("--config", config, "--data-dir", tmp_path / "data")
                result = await asyncio.to_thread(run, "trial", "stop", "next", *WHO, *options)
                assert result.exit_code == 0, result.output
                deadline = time.monotonic() + 10
                while await ask() != "house/old":
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)

    asyncio.run(main())
