from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cascade_kit import config as cascade_config
from cascade_kit import of_cascade
from guarantee_kit import EASY, certificate, config, write_router
from watch_kit import TESTED
from yuzui.config import read
from yuzui.core.guarantee import Advised
from yuzui.core.watching import WatchState
from yuzui.dialects.openai_chat import DIALECT
from yuzui.io.learned_routers import load_routers
from yuzui.learned_routing import GuaranteedModel
from yuzui.routing.artefact import Certificate
from yuzui.standing import as_it_stands, key_of, promises_of, rests_on, stricter

ALL = frozenset(("house/small", "house/other", "vendor/big"))


def model(folder: Path) -> GuaranteedModel:
    text = config(folder / "r.json", write_router(folder / "r.json", certificate(tested=TESTED)))
    return load_routers(read(text, {"BIG": "k"}, source=None))["support"]


def advised(one: GuaranteedModel) -> Advised:
    request = DIALECT.read_request({"model": "support", "messages": [{"role": "user", "content": EASY}]})
    return one.advice(request).choose(ALL, frozenset())


def test_stricter_thresholds_are_certified_and_open_something() -> None:
    assert stricter(certificate(tested=TESTED)) == (0.29,)
    assert stricter(certificate(threshold=None, tested=TESTED)) == ()


def test_each_certificate_of_a_router_is_a_promise_of_its_own(tmp_path: Path) -> None:
    made = model(tmp_path)
    ((key, found),) = promises_of("support", made)
    assert key.model == "support" and key.router_sha256 == made.demand.router_sha256 and len(key.certificate) == 32
    assert key != key_of("support", made, certificate(threshold=0.29)) and found.threshold == 0.3


def test_a_model_stands_as_its_promise_does(tmp_path: Path) -> None:
    made = model(tmp_path)
    ((key, _),) = promises_of("support", made)
    assert as_it_stands("support", made, {}) is made
    assert as_it_stands("support", made, {key: WatchState()}) is made
    tight = as_it_stands("support", made, {key: WatchState(stage="tightened", threshold=-0.5)})
    assert advised(tight).rule == "reference_better" and advised(tight).threshold == -0.5
    broken = as_it_stands("support", made, {key: WatchState(stage="broken")})
    told = advised(broken)
    assert (told.rule, told.chosen, told.epsilon) == ("promise_broken", "vendor/big", None)
    assert told.kept("vendor/big") == "reference" and told.kept("house/small") == "none"


def test_advice_rests_on_the_threshold_that_is_applied_now(tmp_path: Path) -> None:
    made = model(tmp_path)
    ((_, found),) = promises_of("support", made)
    told = advised(made)
    assert rests_on(told, found, WatchState())
    assert not rests_on(told, found, WatchState(stage="tightened", threshold=0.29)), "given before it was tightened"
    assert rests_on(replace(told, threshold=0.29), found, WatchState(stage="tightened", threshold=0.29))
    assert not rests_on(told, found, WatchState(stage="broken"))
    assert not rests_on(replace(told, epsilon=0.01), found, WatchState())


def cascaded(folder: Path, *more: Certificate) -> GuaranteedModel:
    text = cascade_config(folder / "r.json", write_router(folder / "r.json", of_cascade(tested=TESTED), *more))
    return load_routers(read(text, {"BIG": "k"}, source=None))["support"]


def asked(one: GuaranteedModel) -> Advised:
    request = DIALECT.read_request({"model": "support", "messages": [{"role": "user", "content": EASY}]})
    return one.advice(request).choose(frozenset(("house/small", "house/tiny", "vendor/big")), frozenset())


def test_a_cascade_stands_by_its_own_promise(tmp_path: Path) -> None:
    made = cascaded(tmp_path, certificate())
    (up_front, _), (key, found) = promises_of("support", made)
    assert (found.policy, up_front.model) == ("cascade", key.model) and up_front != key
    told = asked(made)
    assert (told.rule, told.threshold) == ("cascade", 0.2)
    accepted = replace(told, rule="accepted", asks=None, gain=0.1)
    assert rests_on(accepted, found, WatchState()) and not rests_on(
        replace(accepted, policy="up_front"), found, WatchState()
    )
    tight = asked(as_it_stands("support", made, {key: WatchState(stage="tightened", threshold=-0.5)}))
    assert (tight.rule, tight.threshold) == ("cascade", -0.5)
    broken = {key: WatchState(stage="broken")}
    assert asked(as_it_stands("support", made, broken)).rule == "certified", "the other promise holds"
    assert asked(as_it_stands("support", made, {up_front: WatchState(stage="broken")})).rule == "cascade"
    both = asked(as_it_stands("support", made, {**broken, up_front: WatchState(stage="broken")}))
    assert (both.rule, both.chosen) == ("promise_broken", "vendor/big")
    alone = cascaded(tmp_path)
    ((key, _),) = promises_of("support", alone)
    told = asked(as_it_stands("support", alone, {key: WatchState(stage="broken")}))
    assert (told.rule, told.chosen, told.epsilon) == ("promise_broken", "vendor/big", None)
