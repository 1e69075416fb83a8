"""The table [capture] and the terms of targets are read, with defaults that keep nothing and use nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from yuzui.config import Config, read
from yuzui.core.errors import ConfigError

TARGETS = """
[[targets]]
name = "own/a"
provider = "scripted"
model = "m"
premises = "own"
price = "free"
[[targets]]
name = "vendor/b"
provider = "scripted"
model = "m"
price = "free"
"""


def load(text: str) -> Config:
    return read(TARGETS + text, {}, source=Path("x"))


def test_defaults() -> None:
    config = load("")
    assert config.capture.apps == frozenset()
    assert [target.answer_use for target in config.targets] == ["train", "none"]


def test_what_the_file_says() -> None:
    config = load(
        '[capture]\napps = ["support"]\nshare = 0.1\nmax_level = "public"\nmasked = false\nretention_days = 7\n'
    )
    rules = config.capture
    assert (rules.apps, rules.share, rules.max_level, rules.masked, rules.retention_days) == (
        frozenset(("support",)), 0.1, 0, False, 7,
    )  # fmt: skip
    assert load('[capture]\napps = ["x"]\n').capture.max_level == config.sensitivity.default


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[capture]\nmax_level = "secret"\n', "capture.max_level: no such level"),
        ("[capture]\nshare = 0\n", "capture.share"),
        ("[capture]\nretention_days = 0\n", "capture.retention_days"),
        ('[capture]\napp = ["x"]\n', "capture"),
        (
            '[[targets]]\nname = "c"\nprovider = "scripted"\nmodel = "m"\nanswer_use = "sell"\n',
            "none of none, evaluate, train",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_key(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert said in caught.value.message
