"""`yuzui scan` as people and hooks use it: what it prints, and how it exits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from yuzui.cli.main import app
from yuzui.privacy.catalogue import version_of

from .conftest import Run

MAIL = "bob@example.com"
MOBILE = "13800138000"


@pytest.fixture
def tree(tmp_path: Path, run: Run) -> Path:
    """The folder in which `run` runs."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(f'MAIL = "{MAIL}"\n', "utf-8")
    (tmp_path / "src" / "clean.py").write_text("x = 1\n", "utf-8")
    (tmp_path / "b.json").write_text(json.dumps({"text": MOBILE}), "utf-8")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xfe")
    (tmp_path / "link").symlink_to("b.json")
    return tmp_path


def pipe(data: bytes, *args: str) -> Result:
    return CliRunner().invoke(app, ["scan", "-", *args], input=data, prog_name="yuzui")


def test_findings_exit_1_and_tell_place_kind_level_and_the_line_without_the_value(tree: Path, run: Run) -> None:
    result = run("scan", ".")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "b.json:1:11: cn_mobile (confidential), 11 characters at $.text",
        '    {"text": "‹cn_mobile›"}',
        "src/a.py:1:9: email (confidential), 15 characters",
        '    MAIL = "‹email›"',
        "2 findings in 2 of 3 files (0.0 MB), 1 not readable, 1 skipped (1 symbolic link)",
    ]
    assert result.stderr == "logo.png: not readable: binary\n"


def test_clean_files_exit_0(tree: Path, run: Run) -> None:
    result = run("scan", "src/clean.py")
    assert (result.exit_code, result.stdout) == (0, "0 findings in 1 file (0.0 MB)\n")


@pytest.mark.parametrize(
    ("options", "code", "shows"),
    [
        (["--fail-on", "restricted"], 0, True),
        (["--fail-on", "confidential"], 1, True),
        (["--fail-on", "email"], 1, True),
        (["--fail-on", "jwt"], 0, True),
        (["--fail-on", "never"], 0, True),
        (["--min-level", "restricted"], 0, False),
        (["--kinds", "email,jwt"], 1, True),
        (["--kinds", "jwt"], 0, False),
    ],
)
def test_levels_and_kinds_decide_what_is_reported_and_what_fails(
    tree: Path, run: Run, options: list[str], code: int, shows: bool
) -> None:
    result = run("scan", "src", *options)
    assert (result.exit_code, "‹email›" in result.stdout) == (code, shows)


def test_unreadable_files_fail_only_if_they_are_to(tree: Path, run: Run) -> None:
    assert run("scan", "logo.png").exit_code == 0
    assert run("scan", "logo.png", "--fail-on", "unreadable").exit_code == 1


@pytest.mark.parametrize(
    "args",
    [["scan"], ["scan", "nowhere"], ["scan", ".", "--min-level", "huge"], ["scan", ".", "--kinds", "emial"],
     ["scan", ".", "--fail-on", "sometimes"], ["scan", ".", "--config", "none.toml"], ["scan", ".", "--format", "xml"]],
)  # fmt: skip
def test_wrong_use_exits_2(tree: Path, run: Run, args: list[str]) -> None:
    result = run(*args)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("show", "has"), [("place", ""), ("line", "‹email›"), ("masked", "bo•••••••••••om"), ("value", MAIL)]
)
@pytest.mark.parametrize("format", ["text", "json"])
def test_a_value_is_shown_only_when_it_is_asked_for(tree: Path, run: Run, show: str, has: str, format: str) -> None:
    shown = run("scan", "src", "--show", show, "--format", format).stdout
    assert has in shown
    assert (MAIL in shown) is (show == "value")


def test_json_has_places_in_lines_characters_and_bytes(tree: Path, run: Run) -> None:
    (tree / "b.json").write_text(json.dumps({"text": f"电 {MOBILE}"}, ensure_ascii=False), "utf-8-sig")
    told = json.loads(run("scan", "b.json", "logo.png", "--json").stdout)
    assert told["findings"] == [{
        "file": "b.json", "kind": "cn_mobile", "level": "confidential", "rule": "cn_mobile/digits",
        "version": version_of("cn_mobile"), "confidence": 0.9,
        "evidence": [{"fact": "shape"}, {"fact": "list", "detail": "mobile_segments"}], "path": "$.text", "line": 1, "column": 13, "end_line": 1,
        "end_column": 24, "start": 12, "end": 23, "byte_start": 17, "byte_end": 28, "length": 11,
        "shown": '{"text": "电 ‹cn_mobile›"}',
    }]  # fmt: skip
    assert told["unreadable"] == [{"file": "logo.png", "reason": "binary"}]
    assert told["summary"]["kinds"] == {"cn_mobile": 1}
    assert json.loads(run("scan", "src/clean.py", "--json").stdout)["findings"] == []


def test_sarif_names_rules_regions_and_what_was_not_read(tree: Path, run: Run) -> None:
    told = json.loads(run("scan", ".", "--format", "sarif").stdout)
    one = told["runs"][0]
    assert told["version"] == "2.1.0"
    assert {result["ruleId"] for result in one["results"]} <= {rule["id"] for rule in one["tool"]["driver"]["rules"]}
    region = one["results"][1]["locations"][0]["physicalLocation"]
    assert region["artifactLocation"]["uri"] == "src/a.py"
    assert (region["region"]["startLine"], region["region"]["startColumn"], region["region"]["endColumn"]) == (1, 9, 24)
    assert "logo.png" in one["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert one["results"][1]["properties"] == {
        "confidence": 1.0, "rule": f"email/plain@{version_of('email')}", "evidence": [{"fact": "shape"}],
    }  # fmt: skip  # as it is written
    assert MAIL not in json.dumps(told)


def test_why_says_rule_version_and_evidence_and_no_value(tree: Path, run: Run) -> None:
    told = run("scan", "src/a.py", "--why", "--show", "place").stdout.splitlines()
    assert told[1] == f"    rule email/plain@{version_of('email')}, confidence 1.00: shape"
    assert not any(MAIL in line for line in told)
    assert "rule email" not in run("scan", "src/a.py").stdout


def test_standard_input_has_a_name_whose_ending_counts(run: Run) -> None:
    text = f'{{"text": "{MAIL}"}}\n'.encode()
    result = pipe(text * 2, "--stdin-name", "log.jsonl")
    assert result.exit_code == 1
    assert "log.jsonl:2:11: email (confidential), 15 characters at $.text" in result.stdout
    assert pipe(b"").exit_code == 0


def test_own_words_and_levels_of_the_configuration_count(tree: Path, run: Run) -> None:
    (tree / "yuzui.toml").write_text(
        "[embedded]\nenabled = true\n[sensitivity]\n[[sensitivity.terms]]\nkind = \"project\"\nterms = [\"Bluebird\"]\n"
        "[sensitivity.kinds]\nemail = \"public\"\n", "utf-8",
    )  # fmt: skip
    (tree / "src" / "plan.md").write_text("about bluebird", "utf-8")
    shown = run("scan", "src", "--min-level", "internal").stdout
    assert "src/plan.md:1:7: project (restricted), 8 characters" in shown
    assert "email" not in shown


def test_what_a_file_holds_cannot_drive_the_terminal(tree: Path, run: Run) -> None:
    (tree / "e.txt").write_text(f"\x1b[31m{MAIL}\u202e", "utf-8")
    shown = run("scan", "e.txt", "--fail-on", "never").stdout
    assert "\x1b" not in shown and "\u202e" not in shown and "\\x1b" in shown


def test_a_detector_that_breaks_fails_the_check(tree: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from yuzui.privacy.scan import Scanner, ScanResult

    monkeypatch.setattr(Scanner, "scan_text", lambda self, text: ScanResult(failures=("email",)))
    result = run("scan", "src/clean.py")
    assert result.exit_code == 1
    assert "src/clean.py: not readable: a detector failed (email)" in result.stderr
