"""Which certificate is applied, what a request is for a learned router, and what follows for who may answer it."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from graded_kit import fitted, fitted_with_judge, fitted_with_tests
from guarantee_kit import EASY, HARD, STRANGE, certificate, config
from yuzui.config import read
from yuzui.core.chat import (
    AudioPart,
    ChatRequest,
    ImagePart,
    Meaning,
    Message,
    ResponseFormat,
    TextPart,
    ToolResultPart,
    ToolSpec,
)
from yuzui.core.errors import ConfigError, InvalidRequest
from yuzui.core.guarantee import Advised, Asks, Said
from yuzui.core.target import Target, VirtualModel
from yuzui.evaluation.judge_words import POINTWISE
from yuzui.learned_routing import LONG_BYTES, UNTOLD, GuaranteedModel, Here, advise, asked_of, make_guaranteed, unread
from yuzui.routing.artefact import Artefact, Certificate, Fitted, Signals, hash_of
from yuzui.routing.own_text import Answered
from yuzui.routing.signals import Evidence
from yuzui.routing.surface import Asked

CONFIG = read(config("r.json", "a" * 64), {"BIG": "x"}, source=Path("yuzui.toml"))
(MODEL,) = CONFIG.models
EVERYBODY = frozenset(MODEL.candidates)
NOBODY: frozenset[str] = frozenset()


def make(
    *certificates: Certificate, model: VirtualModel = MODEL, targets: tuple[Target, ...] = CONFIG.targets,
    fit: Fitted | None = None,
) -> GuaranteedModel:  # fmt: skip
    one = fit or fitted()
    assert model.demand is not None
    return make_guaranteed(
        model, model.demand, Artefact(fitted=one, fitted_sha256=hash_of(one), certificates=certificates), targets,
        Here(judge_question=POINTWISE),
    )  # fmt: skip  # one thing


def said(*messages: Message, **more: object) -> Meaning:
    return msgspec.structs.replace(Meaning(messages=messages), **more)


def user(text: str) -> Message:
    return Message(role="user", parts=(TextPart(text=text),))


def request(text: str = EASY, **more: object) -> ChatRequest:
    one = ChatRequest(dialect="d", model="support", body={}, read_meaning=lambda _: said(user(text)))
    return msgspec.structs.replace(one, **more)


def advised(
    model: GuaranteedModel, text: str = EASY, permitted: frozenset[str] = EVERYBODY, masked: frozenset[str] = NOBODY
) -> Advised:
    return model.advice(request(text)).choose(permitted, masked)


# ---- which certificate is applied -----------------------------------------------------------------------------------


def test_the_certificate_decides_between_candidate_and_reference() -> None:
    model = make(certificate())
    easy, hard, strange = advised(model), advised(model, HARD), advised(model, STRANGE)
    assert (easy.rule, easy.chosen, easy.kept("house/small")) == ("certified", "house/small", "certified")
    assert easy.gain is not None and easy.gain <= 0.3 and easy.p_value is not None and easy.p_value > 0.02
    assert (easy.epsilon, easy.delta, easy.threshold) == (0.02, 0.1, 0.3)
    assert easy.examples == fitted().data.examples and easy.router_sha256 == "a" * 64
    assert (hard.rule, hard.chosen) == ("reference_better", "vendor/big")
    assert (strange.rule, strange.chosen) == ("unlike", "vendor/big")
    assert strange.p_value is not None and strange.p_value < 0.02


@pytest.mark.parametrize(
    ("certificates", "says"),
    [
        ((), "nothing is certified"),
        ((certificate(policy="cascade"),), "only cascade is certified, not up_front"),
        ((certificate(epsilon=0.03),), "certified for 0.03 at 0.9, but 0.02 at 0.9 is demanded"),
        ((certificate(delta=0.2),), "certified for 0.02 at 0.8, but"),
        ((certificate(candidates=("small", "medium")),), "what is certified is about small, medium"),
        ((certificate(threshold=None),), "could certify no threshold"),
    ],
)
def test_without_a_certificate_that_is_good_enough_the_reference_answers_everything(
    certificates: tuple[Certificate, ...], says: str
) -> None:
    model = make(*certificates)
    assert model.certificate is None and says in model.problem
    found = advised(model)
    assert (found.rule, found.chosen, found.epsilon, found.gain) == ("no_certificate", "vendor/big", None, None)
    assert found.detail == model.problem


def test_a_stronger_certificate_is_good_enough_and_the_first_good_one_is_taken() -> None:
    weak, strong = certificate(epsilon=0.5), certificate(epsilon=0.01, delta=0.05)
    assert make(weak, strong).certificate == strong


def test_other_prices_than_those_of_the_examples_end_the_certificate() -> None:
    other = read(config("r.json", "a" * 64, price="8"), {"BIG": "x"}, source=Path("yuzui.toml")).targets
    model = make(certificate(), targets=other)
    assert model.certificate is None
    assert "vendor/big costs 8/30 USD per million tokens, not 10/30" in model.problem


def test_models_that_are_no_targets_of_the_model_are_refused() -> None:
    fit = msgspec.structs.replace(fitted(), reference=msgspec.structs.replace(fitted().reference, name="huge"))
    with pytest.raises(ConfigError, match="huge is neither the name nor the model of a candidate; there are"):
        make(fit=fit)
    twice = tuple(replace(one, model="small") if one.name == "house/other" else one for one in CONFIG.targets)
    with pytest.raises(ConfigError, match=r"small is the model of house/small, house/other"):
        make(targets=twice)
    with pytest.raises(ConfigError, match="was made against vendor/big as reference, not house/small"):
        make(model=replace(MODEL, reference="house/small"))


def test_a_target_is_meant_by_its_own_name_before_its_model() -> None:
    names = {"house/other": "small", "house/small": "x"}
    targets = tuple(replace(one, name=names.get(one.name, one.name)) for one in CONFIG.targets)
    model = make(certificate(), model=replace(MODEL, candidates=("small", "x", "vendor/big")), targets=targets)
    assert model.targets["small"] == "small"


# ---- who may answer -------------------------------------------------------------------------------------------------


def test_a_candidate_that_may_not_answer_gives_way_to_the_reference() -> None:
    found = advised(make(certificate()), permitted=EVERYBODY - {"house/small"})
    assert (found.rule, found.chosen) == ("not_permitted", "vendor/big")
    assert found.kept("house/other") == "none"


def test_a_candidate_that_would_see_stand_ins_was_not_tested_on_them() -> None:
    found = advised(make(certificate()), masked=frozenset({"house/small"}))
    assert (found.rule, found.chosen) == ("not_permitted", "vendor/big")


@pytest.mark.parametrize("certificates", [(certificate(),), ()])
def test_nothing_is_promised_where_the_reference_may_not_answer(certificates: tuple[Certificate, ...]) -> None:
    found = advised(make(*certificates), permitted=EVERYBODY - {"vendor/big"})
    assert (found.rule, found.chosen, found.order) == ("not_permitted", "", ())
    assert {found.kept(name) for name in EVERYBODY - {"vendor/big"}} == {"none"}


# ---- what is looked at ----------------------------------------------------------------------------------------------


def test_what_the_user_asks_is_the_last_text_of_the_user() -> None:
    found = asked_of(
        said(
            Message(role="system", parts=(TextPart(text="be kind"),)),
            user("first"),
            Message(role="assistant", parts=(TextPart(text="answer"),)),
            user("second"),
            Message(role="tool", parts=(ToolResultPart(call_id="1", parts=()),)),
            tools=(ToolSpec(name="t", parameters={"type": "object"}),),
            response_format=ResponseFormat(kind="json_schema", schema={"type": "array"}),
        )
    )
    assert found is not None
    assert (found.text, found.turns, found.system_characters, found.earlier_characters) == ("second", 2, 7, 11)
    assert (found.tools, found.has_tool_results, found.has_images) == (1, True, False)
    assert found.schema_characters == len('{"type":"object"}{"type":"array"}')


@pytest.mark.parametrize(
    "meaning",
    [
        said(),
        said(Message(role="user", parts=(ImagePart(url="https://x/y.png"),))),
        said(Message(role="user", parts=(TextPart(text="hear"), AudioPart(data="", media_type="audio/wav")))),
    ],
)
def test_what_nobody_can_look_into_is_unlike_the_examples(meaning: Meaning) -> None:
    assert asked_of(meaning) is None
    found = make(certificate()).advice(request(read_meaning=lambda _: meaning)).choose(EVERYBODY, NOBODY)
    assert (found.rule, found.chosen, found.p_value) == ("unlike", "vendor/big", None)


def test_what_only_a_lane_can_say_goes_to_the_reference() -> None:
    def fails(_: object) -> Meaning:
        raise InvalidRequest("no")

    found = make(certificate()).advice(request(read_meaning=fails)).choose(EVERYBODY, NOBODY)
    assert (found.rule, found.chosen) == ("unlike", "vendor/big")


def test_a_certificate_is_about_chats() -> None:
    found = make(certificate()).advice(request(operation="embeddings")).choose(EVERYBODY, NOBODY)
    assert (found.rule, found.chosen, found.epsilon) == ("no_certificate", "vendor/big", None)


def test_a_long_request_is_looked_at_beside_the_event_loop() -> None:
    seen: list[int] = []

    def meaning(_: object) -> Meaning:
        seen.append(threading.get_ident())
        return said(user(EASY))

    async def story() -> None:
        models = {"support": make(certificate())}
        assert await advise(models, request(read_meaning=meaning), LONG_BYTES) is not None
        assert await advise(models, request(read_meaning=meaning), LONG_BYTES + 1) is not None
        assert await advise(models, request(model="auto", read_meaning=meaning), 10) is None

    asyncio.run(story())
    assert seen[0] == threading.get_ident() and seen[1] != threading.get_ident() and len(seen) == 2


def test_of_a_request_without_its_text_the_reference_is_the_answer() -> None:
    models = {"support": make(certificate())}
    advice = unread(models, "support")
    assert advice is not None
    found = advice.choose(EVERYBODY, NOBODY)
    assert (found.rule, found.chosen, found.epsilon) == ("no_certificate", "vendor/big", None)
    assert unread(models, "auto") is None


# ---- cascades -------------------------------------------------------------------------------------------------------

WITH = read(
    config("r.json", "a" * 64).replace('["house/other", "house/small"', '["house/small"').replace('model = "other"', 'model = "tiny"')
    + '[models.cascade]\nstreaming = "hold"\nchecks = ["house/other"]\n',
    {"BIG": "x"}, source=Path("yuzui.toml"),
)  # fmt: skip
(CASCADED,) = WITH.models
KNOWN = Signals(log_probabilities=False, samples=0)


def cascade(**changes: object) -> Certificate:
    return certificate(**{"policy": "cascade", "threshold": 0.2, "signals": KNOWN, **changes})  # type: ignore[arg-type]  # fields


def made(
    *certificates: Certificate, model: VirtualModel = CASCADED, targets: tuple[Target, ...] = WITH.targets
) -> GuaranteedModel:
    return make(*certificates, model=model, targets=targets)


def with_rules(**changes: object) -> VirtualModel:
    assert CASCADED.demand is not None and CASCADED.demand.cascade is not None
    rules = replace(CASCADED.demand.cascade, **changes)  # type: ignore[arg-type]  # fields of CascadeRules
    return replace(CASCADED, demand=replace(CASCADED.demand, cascade=rules))


def test_a_cascade_says_what_it_asks() -> None:
    model = made(cascade(signals=Signals(log_probabilities=True, samples=99)))
    assert (model.certificate, model.cascade_problem, model.shortfall) == (None, "", "")
    assert model.asks == Asks(policy="cascade", checks=("house/other",), samples=16, log_probabilities=True)
    everybody = frozenset({"house/small", "house/other", "vendor/big"})
    found = advised(model, permitted=everybody)
    assert (found.rule, found.chosen, found.policy, found.asks) == ("cascade", "house/small", "cascade", model.asks)
    assert found.order == ("house/small", "vendor/big") and found.kept("house/small") == "none"
    assert advised(model, STRANGE, everybody).rule == "unlike"
    assert advised(model, permitted=everybody - {"house/other"}).rule == "not_permitted"
    assert advised(model, masked=frozenset({"house/other"}), permitted=everybody).rule == "not_permitted"
    assert advised(model, permitted=frozenset({"house/small", "house/other"})).chosen == ""


def test_the_kinds_that_are_accepted_are_tried_in_their_order() -> None:
    both = (cascade(), cascade(policy="portable_cascade"))
    first, second = made(*both).asks, made(*both, model=with_rules(accepts=("portable_cascade", "cascade"))).asks
    assert first is not None and second is not None
    assert (first.policy, second.policy) == ("cascade", "portable_cascade")
    lone = made(cascade(epsilon=0.5), cascade(policy="portable_cascade")).asks
    assert lone is not None and lone.policy == "portable_cascade"


@pytest.mark.parametrize(
    ("certificates", "accepts", "says"),
    [
        ((certificate(),), ("cascade",), "only up_front is certified, not cascade"),
        ((cascade(signals=None),), ("cascade",), "do not all come with the same log-probabilities and samples"),
        ((cascade(threshold=None),), ("cascade",), "could certify no threshold"),
        ((cascade(),), ("portable_cascade",), "only cascade is certified, not portable_cascade"),
    ],
)
def test_a_cascade_that_cannot_be_served_says_why(
    certificates: tuple[Certificate, ...], accepts: tuple[str, ...], says: str
) -> None:
    model = made(*certificates, model=with_rules(accepts=accepts))
    assert model.cascade is None and says in model.cascade_problem == model.shortfall
    expected = "certified" if certificates[0].policy == "up_front" else "no_certificate"
    assert advised(model, permitted=frozenset({"house/small", "vendor/big"})).rule == expected


def test_log_probabilities_must_be_had_and_prices_of_checks_must_be_the_same() -> None:
    mute = tuple(replace(one, features=one.features - {"logprobs"}) for one in WITH.targets)
    model = made(cascade(signals=Signals(log_probabilities=True, samples=0)), targets=mute)
    assert "which house/small does not give here" in model.cascade_problem
    dear = tuple(
        replace(one, premises="vendor", price=WITH.targets[2].price) if one.name == "house/other" else one
        for one in WITH.targets
    )
    assert "house/other costs 10/30" in made(cascade(), targets=dear).cascade_problem


def test_second_opinions_must_be_named() -> None:
    with pytest.raises(ConfigError, match=r"models.support.cascade.checks: tiny is neither .*; there are none"):
        made(cascade(), model=with_rules(checks=()))


JUDGED = Signals(log_probabilities=False, samples=0, judge="umpire")


def judging(
    *, question: str = POINTWISE, targets: tuple[Target, ...] = WITH.targets, **rules: object
) -> GuaranteedModel:
    """A cascade that was fitted with a judge, whose target here is house/other."""
    fit = fitted_with_judge()
    (one,) = fit.candidates
    assert one.cascade is not None and one.cascade.judge is not None
    judge = msgspec.structs.replace(one.cascade.judge, question=question)
    weights = msgspec.structs.replace(one.cascade, judge=judge)
    fit = msgspec.structs.replace(fit, candidates=(msgspec.structs.replace(one, cascade=weights),))
    named = tuple(replace(one, model="umpire") if one.name == "house/other" else one for one in targets)
    wanted = certificate(fit, policy="cascade", threshold=0.2, signals=JUDGED)
    return make(wanted, model=with_rules(**{"checks": (), "judge": "house/other", **rules}), targets=named, fit=fit)


def test_a_judge_is_asked_for_and_must_see_the_request_as_it_is() -> None:
    model = judging()
    assert model.asks == Asks(policy="cascade", judge="house/other")
    everybody = frozenset({"house/small", "house/other", "vendor/big"})
    assert advised(model, permitted=everybody).rule == "cascade"
    assert advised(model, permitted=everybody - {"house/other"}).rule == "not_permitted"
    assert advised(model, masked=frozenset({"house/other"}), permitted=everybody).rule == "not_permitted"
    advice = model.advice(request())
    assert advice.question == EASY
    likely, unlikely = (advice.judge(Said(text="It is so. #### 123", judged=word)) for word in (0.9, 0.1))
    assert likely.gain < unlikely.gain and likely.signals["judged"] == 0.9


def test_a_judge_that_is_not_as_it_was_is_not_served() -> None:
    assert "name that target in cascade.judge" in judging(judge="").cascade_problem
    assert "in other words than this version has" in judging(question="older").cascade_problem
    dear = tuple(
        replace(one, premises="vendor", price=WITH.targets[2].price) if one.name == "house/other" else one
        for one in WITH.targets
    )
    assert "house/other costs 10/30" in judging(targets=dear).cascade_problem
    with pytest.raises(
        ConfigError, match=r"models.support.cascade.judge: umpire is neither .* of the judge; there are house/small"
    ):
        judging(judge="house/small")


def test_tests_are_run_only_where_the_operator_and_the_machine_allow_it() -> None:
    fit = fitted_with_tests()
    signals = Signals(log_probabilities=False, samples=0, runs_tests=True)
    wanted = certificate(fit, policy="cascade", threshold=0.2, signals=signals)
    artefact = Artefact(fitted=fit, fitted_sha256=hash_of(fit), certificates=(wanted,))

    def made_with(problem: str, **rules: object) -> GuaranteedModel:
        model = with_rules(checks=(), **rules)
        assert model.demand is not None
        return make_guaranteed(model, model.demand, artefact, WITH.targets, Here(tests_problem=lambda: problem))

    assert made_with("", run_tests=True).asks == Asks(policy="cascade", runs_tests=True)
    assert "allow it with cascade.run_tests" in made_with("").cascade_problem
    assert "no walls" in made_with("no walls", run_tests=True).cascade_problem


@pytest.mark.parametrize(
    ("more", "streaming", "is_cascaded"),
    [
        ({}, "hold", True),
        ({"stream": True}, "hold", True),
        ({"stream": True}, "up_front", False),
        ({}, "up_front", True),
        ({"n": 2}, "hold", False),
        ({"features": frozenset({"web_search"})}, "hold", False),
        ({"features": frozenset({"server_tools"})}, "hold", False),
    ],
)
def test_which_requests_are_cascaded(more: dict[str, Any], streaming: str, is_cascaded: bool) -> None:
    model = made(cascade(), certificate(), model=with_rules(streaming=streaming))
    found = model.advice(request(**more)).choose(frozenset({"house/small", "house/other", "vendor/big"}), NOBODY)
    assert found.rule == ("cascade" if is_cascaded else "certified")


def test_forms_are_not_promised_where_nobody_can_verify_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yuzui.learned_routing.find_spec", lambda name: None)
    model = made(cascade(), certificate())
    meaning = msgspec.structs.replace(said(user(EASY)), tools=(ToolSpec(name="f"),))
    with_tools = request(read_meaning=lambda _: meaning)
    everybody = frozenset({"house/small", "house/other", "vendor/big"})
    assert model.advice(with_tools).choose(everybody, NOBODY).asks is None
    assert model.advice(request()).choose(everybody, NOBODY).asks is not None


def test_an_answer_is_judged_as_the_router_judges_it_and_its_number_stays_unsaid() -> None:
    model = made(cascade())
    advice = model.advice(request())
    judged = advice.judge(Said(text="It is so. #### 123", checks=("The answer is 123",)))
    look = model.learned.look(Asked(text=EASY))
    answered = Answered(question=EASY, text="It is so. #### 123")
    assert judged.gain == model.learned.judge(look, "small", Evidence(answered=answered, checks=["The answer is 123"]))
    assert judged.is_kept and judged.signals["agree_share"] == 1.0
    assert not UNTOLD & judged.signals.keys()
    with pytest.raises(ConfigError, match="no cascade"):
        model.advice(request(operation="embeddings")).judge(Said(text="x"))
