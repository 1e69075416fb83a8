from __future__ import annotations

from pathlib import Path

import pytest

from yuzui.config import read
from yuzui.config_documents import DocumentTable
from yuzui.core.documents import DocumentRules
from yuzui.core.errors import ConfigError

HEAD = "[embedded]\nenabled = true\n"


def test_without_the_table_no_document_is_read() -> None:
    assert read(HEAD, {}, source=None).documents == DocumentRules(enabled=False)


def test_the_table_turns_it_on_and_sets_bounds() -> None:
    rules = read(f"{HEAD}[sensitivity.documents]\nmax_pages = 5\n", {}, source=None).documents
    assert rules == DocumentRules(enabled=True, max_pages=5)
    assert not rules.trust_ocr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("max_pages = 0", "sensitivity.documents.max_pages"),
        ("maxpages = 1", "did you mean 'max_pages'"),
        ("trust_ocr = 1", "trust_ocr"),
    ],
)
def test_a_wrong_value_is_told_with_its_place(line: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(f"{HEAD}[sensitivity.documents]\n{line}\n", {}, source=None)


def test_every_key_is_documented_and_has_the_default_of_the_rules() -> None:
    page = (Path(__file__).parent.parent / "docs" / "reference" / "configuration.md").read_text("utf-8")
    section = page.partition("sensitivity.documents")[2]
    table, rules = DocumentTable(), DocumentRules(enabled=True)
    for name in DocumentTable.__struct_fields__:
        assert f"`{name}`" in section, name
        assert getattr(table, name) == getattr(rules, name)
