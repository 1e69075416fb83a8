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


def test_a_copy_of_the_body_is_compared_and_findings_are_shown_in_it(run: Run, used: Used) -> None:
    copy = used.folder.parent / "copy.json"
    copy.write_text('{"messages": [{"role": "user", "content": "to bob@example.com"}]}', "utf-8")
    result = run("explain", ANSWERED, "--data-dir", used.folder, "--body", copy)
    assert result.exit_code == 0  # this record has no hash: nobody can say that it is another
    assert "In place" in result.stdout and "to ‹email›" in result.stdout and "bob@" not in result.stdout
    told = json.loads(run("explain", ANSWERED, "--data-dir", used.folder, "--body", copy, "--json").stdout)
    assert told["body"]["is_same"] is None
    assert told["body"]["findings"][0]["path"] == "$.messages[0].content"
    assert run("explain", ANSWERED, "--data-dir", used.folder, "--body", "nowhere.json").exit_code == 2
