from __future__ import annotations

from dataclasses import replace

from yuzui.cli._scan_places import Found
from yuzui.cli._why import evidence_as_json, other_versions, spell_why
from yuzui.core.sensitivity import Fact

FOUND = Found(
    kind="person", level=2, detector="names", rule="names/latin", version="1f0c93ab",
    evidence=(Fact("model", "latin 1f0c93ab", 0.93), Fact("encoded", "base64")), confidence=0.93, path="", line=1,
    column=1, end_line=1, end_column=4, start=0, end=3, byte_start=0, byte_end=3, shown="‹person›", value="Ada",
)  # fmt: skip  # many fields


def test_the_reasons_are_one_line_for_people() -> None:
    assert spell_why(FOUND) == "rule names/latin@1f0c93ab, confidence 0.93: model latin 1f0c93ab 0.93, encoded base64"
    assert spell_why(replace(FOUND, evidence=(), version="")) == "rule names/latin, confidence 0.93"


def test_programs_get_facts_with_what_each_has() -> None:
    assert evidence_as_json((*FOUND.evidence, Fact("wrong_checksum"))) == [
        {"fact": "model", "detail": "latin 1f0c93ab", "score": 0.93}, {"fact": "encoded", "detail": "base64"},
        {"fact": "wrong_checksum"},
    ]  # fmt: skip  # one fact, one object


def test_versions_are_compared_where_a_rule_found_something_in_both() -> None:
    assert other_versions({"names/latin@1f0c93ab": 1, "iban@2": 1}, [FOUND]) == []
    assert other_versions({"names/latin@00000000": 4}, [FOUND]) == ["names/latin@00000000"]
    assert other_versions({}, [FOUND]) == []
