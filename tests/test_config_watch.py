from __future__ import annotations

import pytest

from guarantee_kit import config
from yuzui.config import read
from yuzui.core.errors import ConfigError
from yuzui.core.target import VirtualModel

BASE = config("r.json", "a" * 64)
WATCH = 'watch = { share = 0.05, budget = 2.5, grade = "exact" }\n'
SHADOW = 'shadow = { target = "house/other", share = 0.1, budget = 1 }\n'


def model(more: str, text: str = BASE) -> VirtualModel:
    return read(text + more, {"BIG": "k"}, source=None).models[0]


def test_nothing_is_watched_unless_the_file_says_so() -> None:
    assert model("").watch is None and model("").shadow is None


def test_defaults_are_the_careful_ones() -> None:
    watch = model(WATCH).watch
    assert watch is not None
    assert (watch.share, watch.budget_nano, watch.max_level, watch.alpha) == (0.05, 2_500_000_000, 0, 0.01)
    assert (watch.on_broken, watch.app, watch.verdict, watch.deadline_ms) == ("reference", "watch", 0.5, 60_000)
    shadow = model(SHADOW).shadow
    assert shadow is not None and (shadow.target, shadow.max_level, shadow.app) == ("house/other", 0, "shadow")


def test_a_level_is_named_as_the_lattice_has_it() -> None:
    watch = model(WATCH.replace("share", 'max_level = "internal", share')).watch
    assert watch is not None and watch.max_level == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("0.05", "1.5", r"models\[0\].watch.share"),
        ("2.5", "0", r"models\[0\].watch.budget"),
        ('"exact"', '"exactly"', r"grade: 'exactly' compares no two answers; did you mean 'exact'"),
        ('"exact"', '"code"', "compares no two answers"),
        ('"exact"', '"pairwise"', "needs the target that judges"),
        ('"exact"', '"exact", judge = "vendor/big"', "asks a judge; leave it out"),
        ('"exact"', '"pairwise", judge = "vendor/bog"', "did you mean 'vendor/big'"),
        ('"exact"', '"pairwise", judge = "vendor/big", max_level = "confidential"', "may not see all that max_level"),
        ('"exact"', '"exact", max_level = "secret"', "no such level"),
        ('"exact"', '"exact", on_broken = "panic"', "on_broken"),
        ('"exact"', '"exact", shar = 1', "shar"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        model(WATCH.replace(old, new))


def test_only_a_promise_can_be_watched() -> None:
    text = BASE.partition("policy = ")[0]
    with pytest.raises(ConfigError, match='only policy = "guaranteed" promises'):
        model(WATCH, text)


@pytest.mark.parametrize(("old", "new", "said"), [
    ("house/other", "house/othr", "did you mean"),
    ('share = 0.1, ', "", "share"),
    ('share', 'max_level = "restricted", share', ""),
])  # fmt: skip
def test_a_shadow_must_be_a_target_that_may_see_what_it_is_sent(old: str, new: str, said: str) -> None:
    changed = SHADOW.replace(old, new)
    if not said:  # house/other is our own and may see everything
        assert model(changed).shadow is not None
        changed, said = changed.replace("house/other", "vendor/big"), "may not see"
    with pytest.raises(ConfigError, match=said):
        model(changed)


def test_a_model_without_a_promise_may_have_a_shadow() -> None:
    text = BASE.partition("policy = ")[0]
    assert model(SHADOW, text).shadow is not None
