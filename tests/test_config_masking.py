"""What a file may say of masking: kinds that exist, people with names, and models that only narrow."""

from __future__ import annotations

from pathlib import Path

import pytest

from yuzui.config import Config, read
from yuzui.core.errors import ConfigError

TARGET = '[[targets]]\nname = "own/a"\nprovider = "scripted"\nmodel = "m"\npremises = "own"\nprice = "free"\n'
KINDS = '[masking]\nkinds = ["email", "phone"]\n'
MODEL = '[[models]]\nname = "assistant"\ncandidates = ["own/a"]\n'


def config(text: str) -> Config:
    return read(text, {}, source=Path("test.toml"))


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ("", None),
        ('masking = "on"\n', None),
        ('masking = "off"\n', frozenset()),
        ('masked_kinds = ["email"]\n', frozenset({"email"})),
    ],
)
def test_a_model_masks_all_of_the_operators_kinds_or_fewer(said: str, kinds: frozenset[str] | None) -> None:
    (model,) = config(KINDS + TARGET + MODEL + said).models
    assert model.masked_kinds == kinds


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('masked_kinds = ["bank_card"]', "models[0].masked_kinds: 'bank_card' is not one of masking.kinds"),
        ("masked_kinds = []", 'write masking = "off"'),
        ('masking = "off"\nmasked_kinds = ["email"]', "leave one of the two out"),
        ('masking = "maybe"', "models[0].masking"),
        ("masking = false", "models[0].masking"),
    ],
)
def test_a_model_that_would_mask_more_is_refused(said: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(KINDS + TARGET + MODEL + said)
    assert words in caught.value.message


def test_without_kinds_of_its_own_the_deployment_masks_nothing_for_a_model_either() -> None:
    with pytest.raises(ConfigError, match=r"is not one of masking\.kinds"):
        config(TARGET + MODEL + 'masked_kinds = ["email"]')


def test_those_who_may_open_the_vault_have_names() -> None:
    assert config(KINDS + 'openers = ["Ann Lee"]\n' + TARGET).masking.openers == ("Ann Lee",)
    assert config(KINDS + TARGET).masking.openers == ()
    with pytest.raises(ConfigError, match=r"masking.openers\[1\]"):
        config(KINDS + 'openers = ["Ann Lee", " "]\n' + TARGET)
