from __future__ import annotations

from guarantee_kit import certificate, config
from watch_kit import WATCH
from yuzui.cli._watch_facts import Seen, as_json, facts_of, how, shadow_facts
from yuzui.config import read
from yuzui.core.watching import PromiseKey, ShadowState, WatchState

SETTINGS = read(config("r.json", "a" * 64) + WATCH, {"BIG": "k"}, source=None)


def seen(**state: object) -> Seen:
    return Seen(
        key=PromiseKey(model="support", router_sha256="a" * 64, certificate="b" * 32), certificate=certificate(),
        rules=SETTINGS.models[0].watch, state=WatchState(**state), log_wealth=0.0,  # type: ignore[arg-type]  # a test's own
    )  # fmt: skip  # one thing


def test_before_anything_was_seen_no_figure_is_shown() -> None:
    facts = facts_of(seen(), SETTINGS)
    assert facts["mean loss"] == "nothing seen yet" and facts["evidence"] == "wealth 1 of 100"
    assert facts["watched"] == "100.0% of the requests up to public, compared by exact, for 100 USD a day at most"
    assert as_json(seen())["loss"] is None


def test_a_tightened_promise_tells_both_thresholds() -> None:
    facts = facts_of(seen(stage="tightened", threshold=0.29), SETTINGS)
    assert facts["threshold"] == "+0.2900 in the place of +0.3000"
    assert as_json(seen(stage="tightened", threshold=0.29))["threshold"] == 0.29


def test_how_it_was_computed_names_the_promise_and_the_risk() -> None:
    assert "at most 0.02 worse" in how(seen()) and "probability 0.01" in how(seen())


def test_a_shadow_that_never_answered_shows_no_averages() -> None:
    facts = shadow_facts("house/new", ShadowState(asked=2, failed={"upstream_timeout": 2}), SETTINGS)
    assert list(facts) == ["shadow house/new"] and "100.0% failed" in facts["shadow house/new"]
