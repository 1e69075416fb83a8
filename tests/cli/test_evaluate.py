"""From a file of examples to a report, through a real gateway: asked, graded, stopped, killed, continued, exported."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import Result

from gateway_kit import gateway
from yuzui.cli._evaluate_options import load_function, names_of, read_parameters, run_file
from yuzui.core.errors import ConfigError
from yuzui.evaluation.judge_words import POINTWISE
from yuzui.io.graded_file import read_graded

from .conftest import Run

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
CARD = "4111 1111 1111 1111"


@pytest.fixture
def place(run: Run, tmp_path: Path) -> Path:
    """A folder with a configuration and twelve examples, each fourth with what a vendor may not see."""
    (tmp_path / "yuzui.toml").write_text(CONFIG, "utf-8")
    with (tmp_path / "work.jsonl").open("w", encoding="utf-8") as file:
        for number in range(12):
            prompt = f"Say {number}" + (f" to card {CARD}" if number % 4 == 0 else "")
            reference = f"[simulated vendor] {prompt}" if number != 1 else "nothing"
            tag = "low" if number < 6 else "high"
            file.write(json.dumps({"id": f"e{number}", "prompt": prompt, "reference": reference, "tags": [tag]}) + "\n")
    return tmp_path


def evaluate(run: Run, *more: str) -> tuple[int, dict[str, object]]:
    found = run("evaluate", "run", "work.jsonl", "--models", "own/a", "--reference-model", "vendor/b", "--scorer", "exact",
                "--data-dir", "data", "--json", "--param", "max_tokens=20", *more)  # fmt: skip
    assert found.exit_code in (0, 1), found.output
    return found.exit_code, json.loads(found.stdout)


def test_a_run_its_report_and_its_export(run: Run, place: Path) -> None:
    code, told = evaluate(run, "--scorer", "chrf", "--budget", "1")
    assert code == 0 and (told["asked"], told["not_permitted"], told["failed"]) == (24, 3, 0)
    assert isinstance(told["spent_nano"], int) and told["spent_nano"] > 0
    # The books of the gateway say the same.
    spent = json.loads(run("costs", "--data-dir", "data", "--json").stdout)
    assert str(told["spent_nano"]) in json.dumps(spent)

    again, told = evaluate(run, "--scorer", "chrf")
    assert again == 0 and told["asked"] == 0

    markdown = run("evaluate", "report", "work", "--data-dir", "data").stdout
    assert "| own/a | own (open) | 0.917" in markdown and "## Slice: low (6 examples)" in markdown
    assert run("evaluate", "report", "work", "--data-dir", "data").stdout == markdown  # the seed fixes it
    page = place / "report.html"
    assert (
        run(
            "evaluate", "report", "work", "--data-dir", "data", "--format", "html", "--lang", "zh", "--out", page
        ).exit_code
        == 0
    )
    assert "开放模型与封闭模型" in page.read_text("utf-8") and page.stat().st_mode & 0o077 == 0
    facts = json.loads(run("evaluate", "report", "work", "--data-dir", "data", "--format", "json").stdout)
    assert facts["summary"]["slices"][0]["models"][1]["not_permitted"] == 3

    graded = place / "graded.jsonl"
    found = run("evaluate", "export", "work", "--scorer", "exact", "--out", graded, "--data-dir", "data")
    assert (
        found.exit_code == 0 and "9 graded examples" in found.stdout and "e0: vendor/b: not permitted" in found.stderr
    )
    row = json.loads(graded.read_text("utf-8").splitlines()[0])
    assert row["id"] == "e1" and row["answers"]["own/a"]["score"] == 0 and row["answers"]["vendor/b"]["cost_usd"] > 0
    assert "several scorers" in run("evaluate", "export", "work", "--out", "x.jsonl", "--data-dir", "data").stderr
    assert "is there already" in run("evaluate", "export", "work", "--out", graded, "--data-dir", "data").stderr


def test_a_budget_stops_the_run_before_it_is_exceeded(run: Run, place: Path) -> None:
    code, told = evaluate(run, "--budget", "0.0025", "--parallel", "1")
    assert code == 1 and told["stopped"] == "the next call could exceed the budget"
    assert isinstance(told["spent_nano"], int) and 0 < told["spent_nano"] <= 2_500_000


@pytest.mark.parametrize(
    "kills_all", [True, pytest.param(False, marks=pytest.mark.skipif(sys.platform != "linux", reason="prctl"))]
)
def test_killed_and_continued_nothing_is_asked_twice(run: Run, place: Path, kills_all: bool) -> None:
    """`kill -9` in the middle of a run: the next run asks what is missing and nothing else."""
    with (place / "many.jsonl").open("w", encoding="utf-8") as file:
        for number in range(400):
            file.write(json.dumps({"prompt": f"Say {number}", "reference": "x"}) + "\n")
    command = [
        "evaluate",
        "run",
        "many.jsonl",
        "--models",
        "own/a",
        "--scorer",
        "exact",
        "--data-dir",
        "data",
        "--json",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "yuzui", *command], cwd=place, stdout=subprocess.DEVNULL, start_new_session=True
    )
    store = place / "data" / "evaluation" / "many.sqlite3"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and kept(store) < 20:
        time.sleep(0.05)
    if kills_all:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()  # its gateway is told by the kernel, and lets go of the folder
    process.wait()
    before = kept(store)  # a last commit may be in the log and not yet in its index
    assert 20 <= before < 400
    found = json.loads(continued(run, command).stdout)
    assert before <= found["kept_before"] <= before + 1 and found["asked"] == 400 - found["kept_before"]
    facts = json.loads(run("evaluate", "report", "many", "--data-dir", "data", "--format", "json").stdout)
    assert (
        facts["summary"]["missing"] == 0
        and facts["summary"]["slices"][0]["models"][0]["scores"]["exact"]["count"] == 400
    )


def continued(run: Run, command: list[str]) -> Result:
    """Once the folder is free."""
    deadline = time.monotonic() + 60
    while True:
        found = run(*command)
        if found.exit_code == 0 or time.monotonic() > deadline:
            return found
        assert "another gateway runs" in found.stderr
        time.sleep(0.2)


def kept(store: Path) -> int:
    try:
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
            return int(database.execute("SELECT count(*) FROM calls").fetchone()[0])
    except sqlite3.OperationalError:  # not there yet
        return 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--models", "nobody", "--scorer", "exact"], "the gateway lists no model 'nobody'"),
        (["--models", "own/a", "--scorer", "pairwise"], "needs --judge"),
        (["--models", "own/a", "--scorer", "pairwise", "--judge", "own/a"], "needs --reference-model"),
        (["--models", "own/a", "--scorer", "code"], "--scorer code fits no example: it has no `tests`"),
        (["--models", ",", "--scorer", "exact"], "names no model"),
        (["--models", "own/a", "--scorer", "exact", "--param", "model=x"], "not the run's to say"),
        (["--models", "own/a", "--scorer", "exact", "--url", "http://127.0.0.1:9", "--budget", "1"], "book currency"),
        (["--models", "own/a", "--scorer", "exact", "--url", "http://127.0.0.1:9"], "no gateway answers"),
    ],
)
def test_what_cannot_run_is_said_before_anything_is_asked(run: Run, place: Path, options: list[str], said: str) -> None:
    found = run("evaluate", "run", "work.jsonl", "--data-dir", "data", *options)
    assert found.exit_code == 2 and said in found.stderr


def test_clean(run: Run, tmp_path: Path) -> None:
    rows = [{"id": "a", "prompt": "Same", "split": "train"}, {"id": "b", "prompt": "same", "split": "test"},
            {"id": "c", "prompt": "x" * 300}, {"id": "d", "prompt": "Other one"}]  # fmt: skip
    (tmp_path / "raw.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    found = run(
        "evaluate", "clean", "raw.jsonl", "--out", "clean.jsonl", "--max-chars", "100", "--removed", "gone.jsonl"
    )
    assert found.exit_code == 0 and "leak" in found.stdout and "too_long" in found.stdout
    assert [json.loads(line)["id"] for line in (tmp_path / "clean.jsonl").read_text().splitlines()] == ["b", "d"]
    assert [json.loads(line)["reason"] for line in (tmp_path / "gone.jsonl").read_text().splitlines()] == [
        "leak",
        "too_long",
    ]
    assert "is there already" in run("evaluate", "clean", "raw.jsonl", "--out", "clean.jsonl").stderr
    told = json.loads(run("evaluate", "clean", "raw.jsonl", "--out", "clean.jsonl", "--force", "--json").stdout)
    assert told["kept"] == 3 and told["removed"][0]["line"] == 1


def test_a_function_of_ones_own_and_a_judge_with_people(run: Run, place: Path) -> None:
    (place / "mine.py").write_text("def even(example, answer):\n    return len(answer) % 2 == 0\n", "utf-8")
    code, told = evaluate(run, "--scorer", "mine:even", "--scorer", "pairwise", "--judge", "own/a")
    assert code == 0 and told["judged"] == 18
    # The scripted judge repeats the question, whose last verdict in it is the prompt's own example: a tie.
    labels = place / "labels.jsonl"
    labels.write_text("", "utf-8")
    found = (
        json.loads(run("evaluate", "bias", "work", "--labels", labels, "--data-dir", "data", "--json").stdout)
        if judged(run)
        else {}
    )
    assert found == {} or found["labelled"] == 0


def judged(run: Run) -> bool:
    return run("evaluate", "bias", "work", "--labels", "labels.jsonl", "--data-dir", "data").exit_code == 0


def test_what_a_judge_says_of_each_answer_is_exported_beside_the_score(run: Run, place: Path) -> None:
    asked = [json.loads(line) for line in (place / "work.jsonl").read_text("utf-8").splitlines()]
    for number, one in enumerate(asked):
        one["prompt"] += ' {"right": 35}' if number else ""  # the scripted judge repeats what it is shown
    (place / "work.jsonl").write_text("\n".join([json.dumps(one) for one in asked]), "utf-8")
    code, told = evaluate(run, "--scorer", "pointwise", "--judge", "own/a")
    assert code == 0 and int(str(told["judged"])) > 0
    done = run("evaluate", "export", "work", "--out", "g.jsonl", "--data-dir", "data")
    assert done.exit_code == 0, done.stderr
    found = read_graded(place / "g.jsonl")
    words = [one.answers["own/a"].judged for one in found if one.id != "e0"]
    assert words and {(word.score, word.by, word.question) for word in words if word} == {(0.35, "own/a", POINTWISE)}
    assert all(word is not None and word.input_tokens for word in words)
    assert all(one.answers["own/a"].judged is None for one in found if one.id == "e0")
    alone = run("evaluate", "export", "work", "--scorer", "pointwise", "--out", "h.jsonl", "--data-dir", "data")
    assert alone.exit_code == 0
    assert read_graded(place / "h.jsonl")[0].answers["own/a"].judged is None


def test_names_parameters_and_functions() -> None:
    assert run_file("a", Path("d")) == Path("d/evaluation/a.sqlite3")
    assert run_file("./a.sqlite3", Path("d")) == Path("a.sqlite3") and run_file("x/a", Path("d")) == Path("x/a")
    assert read_parameters(["temperature=0.5", "stop=[1]", "effort=low"]) == {
        "temperature": 0.5,
        "stop": [1],
        "effort": "low",
    }
    assert names_of(" a, b,a", "--models") == ("a", "b")
    assert load_function("os.path", "basename")("x/y") == "y"
    for module, name in (("no_such_module_here", "f"), ("os.path", "no_such")):
        with pytest.raises(ConfigError, match="--scorer"):
            load_function(module, name)
    with pytest.raises(ConfigError, match="name=value"):
        read_parameters(["temperature"])


def test_kept_requests_become_examples(run: Run, tmp_path: Path) -> None:
    import msgspec

    from yuzui.capturing import PREFIX, Captured
    from yuzui.io.archive import BookArchive
    from yuzui.io.books import SqliteBooks
    from yuzui.io.secrets import load_secrets

    data = tmp_path / "data"
    data.mkdir()
    books = SqliteBooks.open(data, exclusive=True)
    archive = BookArchive(books, load_secrets(data).archive_key, lambda: 30.0)
    for number, (answer, why) in enumerate((("hi", ""), (None, "terms"))):
        one = Captured(request_id=f"req_{number}", at_ns=number, app="shop", model="m", target="t", level="internal",
                       messages=[{"role": "user", "content": f"q{number}"}], answer=answer, answer_use="evaluate",
                       why_no_answer=why)  # fmt: skip
        row = archive.wrap(scope=PREFIX + "shop", id=one.request_id, level="internal", content=msgspec.json.encode(one),
                           at_ns=time.time_ns())  # fmt: skip
        assert row is not None
        books.keep_answer(row)
    books.stop()
    found = run("evaluate", "captured", "--app", "shop", "--out", "kept.jsonl", "--data-dir", data)
    assert found.exit_code == 0 and "2 examples" in found.stdout and "without an answer: 1 (terms)" in found.stderr
    rows = [json.loads(line) for line in (tmp_path / "kept.jsonl").read_text("utf-8").splitlines()]
    assert [row.get("references") for row in rows] == [["hi"], None]
    told = run(
        "evaluate",
        "captured",
        "--app",
        "shop",
        "--out",
        "kept.jsonl",
        "--data-dir",
        data,
        "--force",
        "--use",
        "train",
        "--json",
    )
    assert json.loads(told.stdout)["with_references"] == 0
    assert (
        "is kept; see [capture]"
        in run("evaluate", "captured", "--app", "x", "--out", "y.jsonl", "--data-dir", data).stderr
    )
    assert (
        "is there already"
        in run("evaluate", "captured", "--app", "shop", "--out", "kept.jsonl", "--data-dir", data).stderr
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
def test_code_in_answers_is_run_behind_walls(run: Run, place: Path) -> None:
    from yuzui.io.sandbox import Sandbox

    try:
        Sandbox().check()
    except ConfigError:
        pytest.skip("no user namespaces for us on this system")
    rows = [{"prompt": f"# {number}", "tests": "assert True"} for number in range(3)]
    (place / "code.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    found = run(
        "evaluate", "run", "code.jsonl", "--models", "own/a", "--scorer", "code", "--data-dir", "data", "--json"
    )
    told = json.loads(found.stdout)
    assert found.exit_code == 0 and (told["graded"], told["faults"]) == (3, {})
    facts = json.loads(run("evaluate", "report", "code", "--data-dir", "data", "--json").stdout)
    assert (
        facts["summary"]["slices"][0]["models"][0]["scores"]["code"]["value"] == 0
    )  # the script's words are no Python


@pytest.mark.engine
def test_a_real_open_model_is_measured(run: Run, tmp_path: Path) -> None:
    embedded = CONFIG.replace(
        '[[targets]]\nname = "own/a"', '[embedded]\nenabled = true\n[[targets]]\nname = "own/a"', 1
    )
    (tmp_path / "yuzui.toml").write_text(embedded, "utf-8")
    rows = [{"prompt": f"What is the capital of {land}? Answer in one word.", "reference": town}
            for land, town in (("France", "Paris"), ("Italy", "Rome"), ("Japan", "Tokyo"))]  # fmt: skip
    (tmp_path / "towns.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    found = run("evaluate", "run", "towns.jsonl", "--models", "own/smollm2-135m", "--scorer", "contains", "--param", "temperature=0",
                "--param", "max_tokens=24", "--data-dir", "data", "--json")  # fmt: skip
    assert found.exit_code == 0, found.output
    facts = json.loads(run("evaluate", "report", "towns", "--data-dir", "data", "--json").stdout)
    (model,) = facts["summary"]["slices"][0]["models"]
    assert model["answered"] == 3 and model["output_tokens"] > 0 and model["scores"]["contains"]["value"] > 0


def test_a_running_gateway_its_key_and_its_budget(run: Run, place: Path) -> None:
    """What the key may not name is not listed for it, and a spent key stops the run by name; what is paid is kept."""
    command = ("evaluate", "run", "work.jsonl", "--scorer", "exact", "--data-dir", "runs", "--parallel", "1", "--json",
               "--param", "max_tokens=20")  # fmt: skip

    async def story() -> tuple[Result, Result, Result]:
        async with gateway(CONFIG) as running:
            limited = running.add_key(seed=1, id="key_a", app="a", models=("own/a",))
            poor = running.add_key(seed=2, id="key_b", app="b", budget_nano=1_300_000)
            there = ("--url", running.base_url, "--key")
            return (
                await asyncio.to_thread(run, *command, "--models", "vendor/b", *there, limited),
                await asyncio.to_thread(run, *command, "--models", "own/a", *there, limited, "--budget", "1 USD"),
                await asyncio.to_thread(run, *command, "--models", "vendor/b", "--run", "poor", *there, poor),
            )

    unlisted, free, spent = asyncio.run(story())
    assert unlisted.exit_code == 2 and "lists no model 'vendor/b' for this key" in unlisted.stderr
    assert free.exit_code == 0 and json.loads(free.stdout)["spent_nano"] == 0
    told = json.loads(spent.stdout)
    assert spent.exit_code == 1 and told["stopped"].startswith("vendor/b: ") and 0 < told["spent_nano"] <= 1_300_000
