"""The table `[answers]`: which action a kind gets, and which mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from yuzui.config import read
from yuzui.core.errors import ConfigError
from yuzui.privacy.answer_scan import AnswerRules

TARGET = '[[targets]]\nname = "t"\nprovider = "vllm"\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "m"\nprice = "free"\n'


def answers(text: str = "", more: str = "") -> AnswerRules:
    return read(f"[answers]\n{text}\n{more}\n{TARGET}", {}, source=Path("t.toml")).answers


def test_findings_are_noted_unless_something_else_is_wanted() -> None:
    rules = answers()
    assert set(rules.actions.values()) == {"note"} and rules.otherwise == "note"
    assert rules.is_on and not rules.acts
    assert not answers('action = "off"').is_on


def test_a_kind_has_its_own_action_or_that_of_the_highest_level_up_to_its_own() -> None:
    rules = answers(
        'action = "off"\nlevels = { confidential = "redact", restricted = "refuse" }\n'
        'kinds = { email = "note", api_key = "redact" }'
    )
    assert rules.action("uuid") == "off"  # internal
    assert rules.action("phone") == "redact"
    assert rules.action("password") == "refuse"
    assert rules.action("email") == "note"
    assert rules.action("api_key") == "redact"
    assert rules.action("a kind that nobody knows") == "refuse"
    assert answers('levels = { confidential = "redact" }').action("password") == "redact"


def test_the_operators_own_words_are_waited_for_as_long_as_they_are() -> None:
    term = '[[sensitivity.terms]]\nkind = "project"\nterms = ["Operation Deep Blue River"]'
    assert answers('kinds = { project = "redact" }', term).reach == len("Operation Deep Blue River") + 1
    pattern = '[[sensitivity.patterns]]\nkind = "ticket"\nregex = "T-[0-9]+"'
    assert answers("", pattern).reach > answers().reach


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('action = "block"', "answers.action: 'block' is no action; known are note, off, redact, refuse"),
        ('action = "notes"', "did you mean 'note'?"),
        ('levels = { secret = "redact" }', "answers.levels.secret: no such level"),
        ('levels = { restricted = "redacted" }', "answers.levels.restricted: 'redacted' is no action"),
        ('kinds = { emails = "redact" }', "answers.kinds.emails: no detector finds 'emails'; did you mean 'email'?"),
        ('kind = { email = "redact" }', "answers.kind: unknown key; did you mean 'kinds'?"),
        ("action = 1", "answers.action"),
    ],
)
def test_a_mistake_is_named(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        answers(text)
    assert words in raised.value.message
