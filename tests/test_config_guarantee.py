"""What a model must say to demand a guarantee, and what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from guarantee_kit import config
from yuzui.config import Config, read
from yuzui.core.errors import ConfigError
from yuzui.core.guarantee import CascadeRules, Demand

GOOD = config("r.json", "a" * 64)


def load(text: str) -> Config:
    return read(text, {"BIG": "x"}, source=Path("conf/yuzui.toml"))


def test_the_demand_is_read() -> None:
    (model,) = load(GOOD).models
    assert model.demand == Demand(router="r.json", router_sha256="a" * 64, loss=0.02, confidence=0.9)
    assert (model.policy, model.reference) == ("guaranteed", "vendor/big")


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('router = "r.json"\n', "", r"models\[0\].router: policy = \"guaranteed\" needs the file"),
        ("a" * 64, "a" * 63, r"models\[0\].router_sha256: write the SHA-256 of the file r.json, 64 characters"),
        ("a" * 64, "A" * 64, r"models\[0\].router_sha256: write the SHA-256"),
        ("guarantee = { loss = 0.02, confidence = 0.9 }\n", "", r"models\[0\].guarantee: say what must be promised"),
        ("loss = 0.02, ", "", r"models\[0\].guarantee: .*loss"),
        ("loss = 0.02", "loss = 2", r"models\[0\].guarantee.loss"),
        ("loss = 0.02", "lost = 0.02", r"models\[0\].guarantee.lost: unknown key; did you mean 'loss'"),
        ("confidence = 0.9", "confidence = 0.1", r"models\[0\].guarantee.confidence"),
        ('reference = "vendor/big"\n', "", r"models\[0\].reference: .*name one of the model's candidates"),
        ('"house/small", "vendor/big"]', '"house/small"]', r"models\[0\].reference: .*house/other, house/small"),
        ('policy = "guaranteed"', 'policy = "cheapest"', r"models\[0\].router: only policy = \"guaranteed\" uses it"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named(was: str, becomes: str, says: str) -> None:
    assert was in GOOD
    with pytest.raises(ConfigError, match=says):
        load(GOOD.replace(was, becomes))


CASCADE = """
[models.cascade]
streaming = "hold"
checks = ["house/other"]
"""


def test_a_cascade_is_read_and_its_second_opinions_are_no_candidates() -> None:
    text = GOOD.replace('["house/other", "house/small"', '["house/small"')
    (model,) = load(text + CASCADE).models
    assert model.demand is not None
    assert model.demand.cascade == CascadeRules(streaming="hold", checks=("house/other",))
    assert (model.candidates, model.checks) == (("house/small", "vendor/big"), ("house/other",))
    (model,) = load(GOOD + CASCADE).models
    assert model.checks == ()  # they are judged as candidates already


def test_a_judge_and_tests_that_may_be_run_are_read() -> None:
    text = GOOD.replace('["house/other", "house/small"', '["house/small"')
    more = CASCADE.replace('checks = ["house/other"]', 'judge = "house/other"\nrun_tests = true')
    (model,) = load(text + more).models
    assert model.demand is not None
    assert model.demand.cascade == CascadeRules(streaming="hold", judge="house/other", run_tests=True)
    assert model.checks == ("house/other",)
    both = CascadeRules(streaming="hold", checks=("a", "b"), judge="b")
    assert both.beside == ("a", "b")
    with pytest.raises(ConfigError, match=r"models\[0\].cascade.judge: no target that chats .* 'house/other'"):
        load(text + more.replace('judge = "house/other"', 'judge = "house/othr"'))


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('streaming = "hold"\n', "", r"models\[0\].cascade.streaming: say what becomes of streamed answers"),
        ('"hold"', '"never"', r"models\[0\].cascade.streaming"),
        ("checks", "check", r"models\[0\].cascade.check: unknown key; did you mean 'checks'"),
        ('["house/other"]', '["house/othr"]', r"models\[0\].cascade.checks: no target that chats .* did you mean 'house/other'"),
        ('["house/other"]', '["house/other", "house/other"]', r"cascade.checks: write each name once"),
        ('streaming = "hold"', 'streaming = "hold"\naccepts = []', r"models\[0\].cascade.accepts"),
        ('streaming = "hold"', 'streaming = "hold"\naccepts = ["up_front"]', r"models\[0\].cascade.accepts"),
        ('streaming = "hold"', 'streaming = "hold"\ntimeout_s = 0', r"models\[0\].cascade.timeout_s"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_cascade_is_named(was: str, becomes: str, says: str) -> None:
    assert was in CASCADE
    with pytest.raises(ConfigError, match=says):
        load(GOOD + CASCADE.replace(was, becomes))


def test_a_cascade_without_a_guarantee_is_refused() -> None:
    plain = """
[[targets]]
name = "house/other"
provider = "vllm"
model = "other"
base_url = "http://127.0.0.1:1/v1"
price = "free"

[[models]]
name = "support"
candidates = ["house/other"]
"""
    with pytest.raises(ConfigError, match=r"models\[0\].cascade: only policy = \"guaranteed\" uses it"):
        load(plain + "cascade = {}\n")
