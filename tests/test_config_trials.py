"""What a trial must say, and what is told when it does not."""

from __future__ import annotations

import pytest

from guarantee_kit import config as guaranteed
from yuzui.config import Config, read
from yuzui.core.errors import ConfigError
from yuzui.core.trial import Rollback, Trial

TOML = """
[trials]
operators = ["Ann Lee"]

[[targets]]
name = "house/old"
provider = "vllm"
model = "old"
base_url = "http://127.0.0.1:1/v1"
price = "free"

[[targets]]
name = "house/new"
provider = "vllm"
model = "new"
base_url = "http://127.0.0.1:2/v1"
price = "free"

[[models]]
name = "assistant"
candidates = ["house/old"]

[[models.trials]]
name = "next"
arm = "house/new"
percent = 5
"""


def load(text: str) -> Config:
    return read(text, {"BIG": "x"}, source=None)


def test_a_trial_is_read_with_its_defaults() -> None:
    loaded = load(TOML)
    (model,) = loaded.models
    assert model.trials == (Trial(model="assistant", name="next", arm="house/new", percent=5.0),)
    assert model.trials[0].rollback == Rollback(
        alpha=0.01, failures_ratio=1.0, first_token_ratio=1.25, failure_rate=0.0, first_token_ms=0, failures_in_a_row=10
    )
    assert loaded.trials.operators == ("Ann Lee",)


def test_an_audience_needs_no_percentage_and_an_ab_trial_compares_only_if_told() -> None:
    text = TOML.replace("percent = 5", 'kind = "ab"\nkeys = ["k"]\nteams = ["t"]\napps = ["a"]')
    (trial,) = load(text).models[0].trials
    assert trial.percent == 100 and [set(one) for one in (trial.keys, trial.teams, trial.apps)] == [{"k"}, {"t"}, {"a"}]
    assert (trial.rollback.alpha, trial.rollback.failures_in_a_row) == (0.0, 10)
    (trial,) = load(text + "rollback = { alpha = 0.05, first_token_ratio = 0 }\n").models[0].trials
    assert trial.rollback == Rollback(alpha=0.05, first_token_ratio=0)


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('arm = "house/new"', 'arm = "house/newer"', r"trials\[0\].arm: no target is named 'house/newer'; did you"),
        ("percent = 5", "", r"trials\[0\].percent: say of how many requests"),
        ("percent = 5", "percent = 101", r"trials\[0\].percent"),
        ("percent = 5", "percents = 5", r"trials\[0\].percents: unknown key; did you mean 'percent'"),
        ('name = "next"', 'name = "a/b"', r"trials\[0\].name: 'a/b' stands in a header"),
        ('name = "next"', 'name = ""', r"trials\[0\].name"),
        ("percent = 5", 'percent = 5\nkind = "c"', r"trials\[0\].kind: .*ab, canary"),
        ("percent = 5", "percent = 5\nrollback = { alpha = 2 }", r"trials\[0\].rollback.alpha"),
        ("percent = 5", "percent = 5\nrollback = { first_token_ratio = 0.5 }", r"first_token_ratio: 1 or more"),
        ("percent = 5", "percent = 5\noutside_guarantee = true", r"outside_guarantee: only policy = \"guaranteed\""),
        (
            "percent = 5", 'percent = 5\n[[models.trials]]\nname = "next"\narm = "house/old"\npercent = 1',
            r"trials\[1\].name: 'next' is used twice",
        ),
        ('candidates = ["house/old"]', 'candidates = ["house/old"]\nfallback = false', r"with fallback = false"),
        ('operators = ["Ann Lee"]', 'operators = [" "]', r"trials.operators\[0\]"),
        ('operators = ["Ann Lee"]', 'operator = ["x"]', r"trials.operator: unknown key"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(was: str, becomes: str, says: str) -> None:
    assert was in TOML
    with pytest.raises(ConfigError, match=says):
        load(TOML.replace(was, becomes))


def test_a_model_that_promises_a_quality_takes_an_arm_only_when_told_so() -> None:
    text = guaranteed("r.json", "a" * 64) + '\n[[models.trials]]\nname = "n"\narm = "house/other"\npercent = 5\n'
    with pytest.raises(ConfigError, match="nothing is promised of what the arm answers"):
        load(text)
    (model,) = load(text + "outside_guarantee = true\n").models
    assert model.trials[0].arm == "house/other"
