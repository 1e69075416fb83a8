from __future__ import annotations

import json

import pytest

from yuzui.cli._output import console, progress_bar, say, show_facts, show_table, write_json


def test_json_is_all_that_stands_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"a": [1, "中"]})
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"a": [1, "中"]}
    assert shown.endswith("}\n")


def test_a_table_neutralises_what_it_shows_and_has_no_colour_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("name", "n"), [("\x1b[31mevil\n[bold]x", "12")], right=frozenset({1}), styles={"12": "bold red"})
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\\x1b[31mevil\\x0a[bold]x" in shown


def test_an_id_is_never_broken_over_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("id", "words"), [("key_" + "0" * 28, "many words " * 30)], whole=frozenset({0}))
    assert "key_" + "0" * 28 in capsys.readouterr().out


def test_no_color_is_respected_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert console().no_color


def test_lines_for_people_are_cleaned(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x07b")
    show_facts({"root": "ab", "key": "\x1b"})
    assert capsys.readouterr().out == "a\\x07b\nroot  ab\nkey   \\x1b\n"


@pytest.mark.parametrize("is_shown", [True, False])
def test_progress_goes_to_standard_error_only(is_shown: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("model", is_shown=is_shown) as progress:
        progress("fetch", 1, 2)
        progress("fetch", 2, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("model" in captured.err) is is_shown
