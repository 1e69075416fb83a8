from __future__ import annotations

import json

from yuzui.audit.merkle import leaf_hash
from yuzui.audit.record import write_record

from .conftest import ANSWERED, REFUSED, Run, Used


def test_the_story_has_findings_verdicts_cost_and_receipt(run: Run, used: Used) -> None:
    shown = run("explain", ANSWERED, "--data-dir", used.folder).stdout
    leaf = leaf_hash(write_record(used.records[ANSWERED])).hex()
    for words in (
        "app shop, team web", "2 email", "own/a", "vendor/b: its clearance is below", "0.0000015 USD", "10 in, 5 out",
        "entry 0 of the audit log", leaf,
    ):  # fmt: skip
        assert words in shown, words


def test_what_is_stored_cannot_drive_the_terminal(run: Run, used: Used) -> None:
    shown = run("explain", REFUSED, "--data-dir", used.folder).stdout
    assert "\x1b" not in shown
    assert "\\x1b[31mmay" in shown


def test_json_has_every_field_and_the_receipt(run: Run, used: Used) -> None:
    told = json.loads(run("explain", ANSWERED, "--data-dir", used.folder, "--json").stdout)
    assert told["id"] == ANSWERED
    assert told["findings"] == {"email": 2}
    assert told["attempts"] == []
    assert told["receipt"]["index"] == 0


def test_an_unknown_request_exits_1_and_prints_nothing_to_parse(run: Run, used: Used) -> None:
    result = run("explain", "req_nobody", "--data-dir", used.folder, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"not in the books of {used.folder}" in result.stderr
