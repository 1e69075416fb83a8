"""Findings in files: line, column, bytes, JSON path, and a line that shows no value."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from yuzui.cli._scan_places import Coding, Found, Reading, scan_pieces
from yuzui.cli._scan_tree import DAMAGED
from yuzui.config import read
from yuzui.core.sensitivity import Finding, Place, SensitivityRules
from yuzui.privacy.scan import Scanner, ScanResult

MAIL = "bob@example.com"
MOBILE = "13800138000"
UTF8 = Coding()

Find = Callable[..., tuple[list[Found], Reading]]


@pytest.fixture(scope="module")
def rules() -> SensitivityRules:
    return read("", {}, source=None).sensitivity


@pytest.fixture(scope="module")
def scanner(rules: SensitivityRules) -> Scanner:
    return Scanner(rules)


@pytest.fixture
def find(scanner: Scanner, rules: SensitivityRules) -> Find:
    def run(text: str, name: str = "a.txt", coding: Coding = UTF8) -> tuple[list[Found], Reading]:
        reading = Reading()
        return list(scan_pieces(scanner, rules, [text], name, coding, reading)), reading

    return run


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "gb18030"])
def test_lines_columns_characters_and_bytes(find: Find, encoding: str) -> None:
    text = f"一行\r\n电话 {MOBILE}，邮箱 {MAIL}\nlast"
    coding = Coding(encoding=encoding, mark_bytes=3)
    found, reading = find(text, coding=coding)
    assert reading.form == "text"
    data = b"..." + text.encode(encoding)
    for one, kind, value in zip(found, ("cn_mobile", "email"), (MOBILE, MAIL), strict=True):
        assert (one.kind, one.value, one.length) == (kind, value, len(value))
        assert text[one.start : one.end] == value
        assert data[one.byte_start : one.byte_end].decode(encoding) == value
        assert text.split("\n")[one.line - 1][one.column - 1 : one.end_column - 1] == value
        assert one.end_line == one.line == 2


def test_bytes_that_are_not_of_the_encoding_keep_the_places(find: Find) -> None:
    data = b"\xff\xfe caf\xc3\xa9 " + MAIL.encode()
    found, _ = find(data.decode("utf-8", DAMAGED), coding=Coding(errors=DAMAGED))
    assert [data[one.byte_start : one.byte_end] for one in found] == [MAIL.encode()]


def test_the_line_shows_no_value_also_of_findings_beside_it(find: Find) -> None:
    found, _ = find(f"to {MAIL}, or {MOBILE} please")
    assert {one.shown for one in found} == {"to ‹email›, or ‹cn_mobile› please"}
    found, _ = find(f"{'x ' * 400}{MAIL} {'y ' * 20}{MOBILE}{' z' * 400}\n")
    assert all(MAIL not in one.shown and MOBILE not in one.shown and len(one.shown) < 200 for one in found)


def test_a_value_that_was_found_once_is_hidden_wherever_it_stands(find: Find) -> None:
    found, _ = find(f"{MAIL} and glued to-{MAIL}-----BEGIN nothing")
    assert found and not any(MAIL in one.shown for one in found)


def test_many_values_in_a_row_are_all_hidden(find: Find) -> None:
    values = [f"person{n}@example.com" for n in range(3000)]
    found, _ = find(" ".join(values))
    assert [one.value for one in found] == values
    assert not any("person" in one.shown for one in found)


def test_json_is_walked_with_paths_and_read_as_text_where_names_stand_beside_values(find: Find) -> None:
    body = {"messages": [{"role": "user", "content": f'say "{MAIL}"\n'}], "login": {"password": "hunter2secretX9"}}
    text = json.dumps(body, indent=1)
    found, reading = find(text, "a.json")
    assert reading.form == "json"
    assert [(one.kind, one.path, one.value) for one in found] == [
        ("email", "$.messages[0].content", MAIL), ("password", "$.#1.#0", "hunter2secretX9")
    ]  # fmt: skip
    assert [text.split("\n")[one.line - 1].index(one.value) + 1 for one in found] == [one.column for one in found]


def test_a_list_at_the_top_and_json_in_strings_have_paths(find: Find) -> None:
    found, reading = find(json.dumps([{"arguments": json.dumps({"to": MAIL, "q": '"'})}, {"content": MOBILE}]), "x")
    assert reading.form == "json"
    assert [(one.path, one.value) for one in found] == [("$[0].arguments", MAIL), ("$[1].content", MOBILE)]


def test_each_line_of_jsonl_is_walked(find: Find) -> None:
    lines = [json.dumps({"text": f"né {MAIL}"}), "", "{broken " + MAIL, json.dumps({"a": [1, MOBILE]})]
    found, reading = find("\n".join(lines), "a.jsonl")
    assert reading.form == "jsonl"
    assert [(one.line, one.path, one.value) for one in found] == [
        (1, "$.text", MAIL), (3, "", MAIL), (4, "$.#0[1]", MOBILE)
    ]  # fmt: skip


def test_json_with_comments_or_two_meanings_is_read_as_text(find: Find) -> None:
    for text in (f'{{\n// c\n"a": "{MAIL}"}}', f'{{"a": "{MAIL}", "a": 1}}', "[" * 90 + f'"{MAIL}"' + "]" * 90):
        found, reading = find(text, "a.json")
        assert (reading.form, [one.value for one in found]) == ("text", [MAIL])


def test_parts_that_nobody_reads_are_told(find: Find) -> None:
    body = {"messages": [{"content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}]}
    _, reading = find(json.dumps(body), "a.json")
    assert reading.unscannable == ("image_url",)


def test_what_a_name_says_of_its_value_is_shown_at_the_value(
    rules: SensitivityRules, scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk may know a value by its name alone: then it has all of the string, and the text has the value."""
    text = '{"x": "to bob@example.com, please"}'
    path = (("", "$"), ".#0")
    whole = Finding(kind="email", detector="email", start=0, end=26, path="$.#0", place=Place(path, "whole"))
    monkeypatch.setattr(Scanner, "scan", lambda self, body: ScanResult(findings=(whole,)))
    found = list(scan_pieces(scanner, rules, [text], "a.json", UTF8, Reading()))
    assert [(one.value, one.path) for one in found] == [(MAIL, "$.#0")]
    monkeypatch.setattr(Scanner, "scan_text", lambda self, body: ScanResult(unscannable=("encoded",)))
    reading = Reading()
    found = list(scan_pieces(scanner, rules, [text], "a.json", UTF8, reading))
    assert [one.value for one in found] == ['"to bob@example.com, please"']
    assert reading.unscannable == ("encoded",)
