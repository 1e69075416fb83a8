"""Decisions end to end: sovereignty first, then the plan; and what no way of asking can change."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing_kit import CHEAP, DEAR, FREE, HOUSE, FakeClock, labelled, price
from yuzui.core.caller import Constraints
from yuzui.core.chat import Feature
from yuzui.core.decision import Decision
from yuzui.core.errors import (
    NoPermittedTarget,
    NotAllowed,
    NotFound,
    UnsupportedFeature,
    UpstreamUnreachable,
    YuzuiError,
)
from yuzui.core.sensitivity import Lattice, Sensitivity
from yuzui.core.target import Target, VirtualModel
from yuzui.routing.allowed import BOUND_SLACK
from yuzui.routing.health import Health, Watch
from yuzui.routing.policies.catalogue import policy_names
from yuzui.routing.router import MOST_TRIES, Router

RATES = {"USD": Decimal(1), "CNY": Decimal("0.14")}
NONE: frozenset[Feature] = frozenset()
ANYONE = Constraints()
WELL = Health()
ASSISTANT = VirtualModel(name="assistant", candidates=(HOUSE.name, CHEAP.name), policy="own_first")
MIXED = [HOUSE, CHEAP, DEAR]


def make_router(targets: list[Target] | None = None, models: list[VirtualModel] | None = None) -> Router:
    return Router(MIXED if targets is None else targets, models or [], Lattice(), rates=RATES)


def decide(
    router: Router,
    model: str,
    level: int = 1,
    *,
    sensitivity: Sensitivity | None = None,
    constraints: Constraints = ANYONE,
    allowed_models: frozenset[str] | None = None,
    features: frozenset[Feature] = NONE,
    input_tokens: int = 400,
    output_tokens: int = 200,
    health: Health = WELL,
    fraction: float = 0.5,
) -> Decision:
    return router.decide(
        model,
        sensitivity=sensitivity or labelled(level),
        constraints=constraints,
        allowed_models=allowed_models,
        features=features,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        health=health,
        fraction=fraction,
    )


def plan(decision: Decision) -> list[str]:
    return [target.name for target in decision.plan]


@pytest.mark.parametrize(
    ("model", "level", "expected"),
    [
        ("auto", 1, [HOUSE.name, CHEAP.name, DEAR.name]),
        ("auto", 3, [HOUSE.name]),
        ("own", 3, [HOUSE.name]),
        ("vendor", 1, [CHEAP.name, DEAR.name]),
        ("assistant", 0, [HOUSE.name, CHEAP.name]),
        ("assistant", 2, [HOUSE.name]),
        (DEAR.name, 1, [DEAR.name]),
        ("gpt-4o", 1, [DEAR.name]),
    ],
)
def test_the_label_and_the_name_make_the_plan(model: str, level: int, expected: list[str]) -> None:
    assert plan(decide(make_router(models=[ASSISTANT]), model, level)) == expected


@pytest.mark.parametrize("model", ["vendor", CHEAP.name, DEAR.name, "gpt-4o", "deepseek-chat"])
@pytest.mark.parametrize("level", [2, 3])
def test_naming_a_vendor_does_not_bypass_the_label(model: str, level: int) -> None:
    with pytest.raises(NoPermittedTarget) as caught:
        decide(make_router(), model, level)
    assert (caught.value.status, caught.value.code) == (403, "no_permitted_target")
    assert {verdict.reason for verdict in caught.value.refused} == {"clearance"}


def test_a_failing_own_target_does_not_open_the_way_to_a_vendor() -> None:
    sick = Health(blocked=frozenset({HOUSE.name}), in_flight={HOUSE.name: 10**6})
    decision = decide(make_router(), "auto", 3, health=sick)
    assert plan(decision) == [HOUSE.name]
    assert "last resort" in decision.why


def test_the_callers_floor_counts_even_when_the_label_is_lower() -> None:
    decision = decide(make_router(), "auto", 0, constraints=Constraints(floor=3))
    assert (plan(decision), decision.level) == ([HOUSE.name], 3)


def test_the_reason_is_told_in_one_line() -> None:
    decision = decide(make_router(models=[ASSISTANT]), "assistant", 2)
    assert decision.why == "own_first: house/qwen (own, free); refused for clearance: deepseek/chat"
    assert decide(make_router(), "vendor").why == (
        "pinned: deepseek/chat (vendor, 1/2 USD per million); next openai/gpt"
    )
    simulated = replace(CHEAP, name="scripted/vendor", is_simulated=True, price=FREE)
    assert decide(make_router([simulated]), "auto").why == "own_first: scripted/vendor (vendor, free, simulated)"


def test_a_blocked_target_is_left_out_while_another_is_well() -> None:
    decision = decide(make_router(), "auto", health=Health(blocked=frozenset({HOUSE.name})))
    assert plan(decision) == [CHEAP.name, DEAR.name]
    assert HOUSE.name in decision.allowed
    assert decision.why.endswith("left alone after failures: house/qwen")


def test_without_fallback_the_plan_is_the_first_choice_even_when_it_is_sick() -> None:
    strict = replace(ASSISTANT, may_fall_back=False)
    decision = decide(make_router(models=[strict]), "assistant", health=Health(blocked=frozenset({HOUSE.name})))
    assert (plan(decision), decision.may_fall_back) == ([HOUSE.name], False)


def test_a_half_open_target_is_planned_for_by_one_request_at_a_time() -> None:
    clock = FakeClock()
    watch = Watch(clock=clock, jitter=lambda: 1.0)
    router = make_router()
    for _ in range(5):
        watch.started(HOUSE.name)
        watch.failed(HOUSE.name, UpstreamUnreachable("refused"))
        watch.finished(HOUSE.name)
    clock.now_s += 5
    firsts = [plan(decide(router, "auto", health=watch.health()))[0] for _ in range(10)]
    assert firsts == [HOUSE.name, *[CHEAP.name] * 9]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("cheapest", ["b", "c", "a"]),
        ("fastest", ["c", "a", "b"]),
        ("own_first", ["c", "a", "b"]),
        ("pinned", ["a", "b", "c"]),
        ("weighted", ["b", "c", "a"]),
    ],
)
def test_every_policy_orders_the_plan(policy: str, expected: list[str]) -> None:
    targets = [
        replace(DEAR, name="a", model="ma"),
        replace(CHEAP, name="b", model="mb", price=price(1, 1, "CNY")),
        replace(HOUSE, name="c", model="mc", price=price(1, 1)),
    ]
    model = VirtualModel(name="m", candidates=("a", "b", "c"), policy=policy, weights={"a": 1, "b": 5, "c": 2})
    health = Health(latency_ms={"a": 300.0, "b": 900.0, "c": 100.0})
    assert plan(decide(make_router(targets, [model]), "m", health=health)) == expected


def test_a_prompt_that_cannot_fit_goes_past_the_small_context() -> None:
    small = replace(HOUSE, context_tokens=1000)
    router = make_router([small, CHEAP])
    assert plan(decide(router, "auto", input_tokens=1000 * BOUND_SLACK)) == [HOUSE.name, CHEAP.name]
    decision = decide(router, "auto", input_tokens=1001 * BOUND_SLACK)
    assert plan(decision) == [CHEAP.name]
    assert [verdict.reason for verdict in decision.refused] == ["context_too_small"]


def test_the_bytes_of_an_inline_image_do_not_count_as_a_long_prompt() -> None:
    router = make_router([replace(HOUSE, context_tokens=1000)])
    decision = decide(router, "auto", features=frozenset({"images"}), input_tokens=5_000_000)
    assert plan(decision) == [HOUSE.name]


def test_a_missing_feature_is_hinted_at_only_within_the_keys_names() -> None:
    plain = replace(CHEAP, features=NONE)
    router = make_router([plain, HOUSE])
    tools: frozenset[Feature] = frozenset({"tools"})
    with pytest.raises(UnsupportedFeature, match="house/qwen"):
        decide(router, plain.name, features=tools)
    with pytest.raises(UnsupportedFeature) as caught:
        decide(router, plain.name, features=tools, allowed_models=frozenset({plain.name}))
    assert HOUSE.name not in str(caught.value)


def test_what_the_key_may_not_write_is_refused_before_anything_is_weighed() -> None:
    with pytest.raises(NotAllowed):
        decide(make_router(), CHEAP.name, 3, allowed_models=frozenset({"auto"}))
    with pytest.raises(NotFound):
        decide(make_router(), "ghost", 3)


def test_a_remembered_judgement_is_never_served_to_another_label_or_caller() -> None:
    router = make_router()
    for _ in range(3):
        assert plan(decide(router, "auto", 1))[1:] == [CHEAP.name, DEAR.name]
        assert plan(decide(router, "auto", 3)) == [HOUSE.name]
        assert plan(decide(router, "auto", 1, constraints=Constraints(own_only=True))) == [HOUSE.name]
        no_us = Constraints(forbidden_jurisdictions=frozenset({"US"}))
        assert plan(decide(router, "auto", 1, constraints=no_us)) == [HOUSE.name, CHEAP.name]


def test_the_list_of_models_can_be_narrowed_to_a_key() -> None:
    router = make_router()
    assert [entry["id"] for entry in router.models()] == [
        "auto", "own", "vendor", HOUSE.name, CHEAP.name, DEAR.name,
    ]  # fmt: skip
    assert [entry["id"] for entry in router.models(frozenset({"own", CHEAP.name}))] == ["own", CHEAP.name]


def test_the_list_shows_only_what_some_request_of_the_key_may_reach() -> None:
    router = make_router()

    def listed(constraints: Constraints, level: int = 0) -> dict[str, object]:
        shown = router.models(None, constraints, level=level)
        return {str(entry["id"]): entry["yuzui"]["candidates"] for entry in shown}  # type: ignore[index]  # JSON

    assert listed(Constraints(own_only=True)) == {key: [HOUSE.name] for key in ("auto", "own", HOUSE.name)}
    assert listed(Constraints(floor=3)) == listed(Constraints(), level=3) == listed(Constraints(own_only=True))
    assert listed(Constraints(forbidden_jurisdictions=frozenset({"US"}))) == {
        "auto": [HOUSE.name, CHEAP.name], "own": [HOUSE.name], "vendor": [CHEAP.name], HOUSE.name: [HOUSE.name],
        CHEAP.name: [CHEAP.name],
    }  # fmt: skip
    careless = replace(CHEAP, name="careless", retains_data=True, trains_on_data=True)
    router = make_router([careless])
    assert not listed(Constraints())
    assert not listed(Constraints(allow_training=True, allow_retention=False))
    assert set(listed(Constraints(allow_training=True))) == {"auto", "vendor", "careless"}


def test_five_hundred_targets_give_a_short_plan_with_the_best_first_and_follow_the_epoch() -> None:
    targets = [replace(DEAR, name=f"t{index:03}", model=f"m{index}") for index in range(500)]
    model = VirtualModel(name="quick", candidates=tuple(target.name for target in targets), policy="fastest")
    router = make_router(targets, [model])
    latency = {target.name: 1000.0 - index for index, target in enumerate(targets)}
    decision = decide(router, "quick", health=Health(latency_ms=latency, epoch=1))
    assert plan(decision) == [f"t{index:03}" for index in range(499, 499 - MOST_TRIES, -1)]
    turned = {name: -value for name, value in latency.items()}
    assert plan(decide(router, "quick", health=Health(latency_ms=turned, epoch=2)))[0] == "t000"
    blocked = frozenset(f"t{index:03}" for index in range(490, 500))
    sick = Health(latency_ms=latency, epoch=3, blocked=blocked)
    assert plan(decide(router, "quick", health=sick))[0] == "t489"


# ---- properties -----------------------------------------------------------------------------------------------------

PLACES = st.sampled_from(["CN", "US", "DE", ""])
SOME_FEATURES: tuple[Feature, ...] = ("tools", "images", "json_schema")
FEATURES = st.frozensets(st.sampled_from(SOME_FEATURES), max_size=2)
CONSTRAINTS = st.builds(
    Constraints,
    floor=st.integers(0, 3),
    own_only=st.booleans(),
    forbidden_jurisdictions=st.frozensets(st.sampled_from(["CN", "US"]), max_size=2),
    allow_retention=st.booleans(),
    allow_training=st.booleans(),
)


@st.composite
def cities(draw: st.DrawFn) -> tuple[list[Target], list[VirtualModel]]:
    targets = [
        replace(
            draw(st.sampled_from([HOUSE, CHEAP, DEAR])),
            name=f"t{index}",
            clearance=draw(st.integers(0, 3)),
            jurisdiction=draw(PLACES),
            retains_data=draw(st.booleans()),
            trains_on_data=draw(st.booleans()),
            features=draw(FEATURES),
            context_tokens=draw(st.sampled_from([0, 100])),
            price=draw(st.sampled_from([FREE, price(1, 2), None])),
            max_concurrency=draw(st.integers(0, 1)),
        )
        for index in range(draw(st.integers(1, 12)))
    ]
    names = [target.name for target in targets]
    models = [
        VirtualModel(
            name=f"m{index}",
            candidates=tuple(draw(st.lists(st.sampled_from(names), min_size=1, unique=True))),
            policy=draw(st.sampled_from(policy_names())),
            may_fall_back=draw(st.booleans()),
        )
        for index in range(draw(st.integers(0, 3)))
    ]
    return targets, models


@settings(max_examples=200, deadline=None)
@given(city=cities(), data=st.data())
def test_no_decision_ever_leaves_the_allowed_set_and_the_same_facts_decide_the_same(
    city: tuple[list[Target], list[VirtualModel]], data: st.DataObject
) -> None:
    targets, models = city
    router, fresh = make_router(targets, models), make_router(targets, models)
    names = st.sampled_from([target.name for target in targets])
    for _ in range(4):
        model = data.draw(
            st.sampled_from(["auto", "own", "vendor", "gpt-4o", *[m.name for m in models], targets[0].name])
        )
        level = data.draw(st.integers(0, 3))
        constraints = data.draw(CONSTRAINTS)
        features = data.draw(FEATURES)
        health = Health(
            latency_ms=data.draw(st.dictionaries(names, st.floats(0, 1e4))),
            in_flight=data.draw(st.dictionaries(names, st.integers(0, 3))),
            blocked=data.draw(st.frozensets(names)),
            epoch=data.draw(st.integers(0, 2)),
        )
        tokens, fraction = data.draw(st.integers(0, 1000)), data.draw(st.floats(0, 1, exclude_max=True))
        outcomes: list[Decision | str] = []
        for each in (router, fresh):
            try:
                outcomes.append(
                    decide(each, model, level, constraints=constraints, features=features, input_tokens=tokens,
                           health=health, fraction=fraction)
                )  # fmt: skip
            except YuzuiError as error:
                outcomes.append(f"{error.code}: {error}")
        decision = outcomes[0]
        assert decision == outcomes[1]
        fresh = make_router(targets, models)  # a router that remembers must agree with one that does not
        if isinstance(decision, str):
            continue
        assert decision.plan
        for target in decision.plan:
            assert target.name in decision.allowed
            assert max(level, constraints.floor) <= target.clearance
            assert target.premises == "own" or not constraints.own_only
            assert target.jurisdiction not in constraints.forbidden_jurisdictions
            assert constraints.allow_retention or not target.retains_data
            assert constraints.allow_training or not target.trains_on_data
            assert features <= target.features
            assert target.price is not None
        refused = [verdict.target for verdict in decision.refused]
        assert len(refused) == len(set(refused))
        assert not set(refused) & decision.allowed.names


@given(city=cities(), level=st.integers(0, 3), name=st.data())
def test_a_named_vendor_under_a_label_above_its_clearance_is_always_refused(
    city: tuple[list[Target], list[VirtualModel]], level: int, name: st.DataObject
) -> None:
    targets, models = city
    low = [target for target in targets if target.premises == "vendor" and target.clearance < level]
    if not low:
        return
    target = name.draw(st.sampled_from(low))
    with pytest.raises(YuzuiError) as caught:
        decide(make_router(targets, models), target.name, level)
    assert isinstance(caught.value, NoPermittedTarget)


def test_others_are_what_the_caller_may_name_and_the_request_may_reach() -> None:
    router = make_router()

    def others(level: int, constraints: Constraints = ANYONE, allowed: frozenset[str] | None = None) -> list[str]:
        decision = decide(router, HOUSE.name, level, constraints=constraints)
        found = router.others(
            decision, constraints=constraints, allowed_models=allowed, features=NONE, operation="chat"
        )
        return [target.name for target in found]

    assert others(1) == [CHEAP.name, DEAR.name]
    assert others(1, allowed=frozenset({DEAR.name})) == [DEAR.name]
    assert others(1, Constraints(own_only=True)) == []
    assert others(3) == []


def asked(router: Router, model: str, sent: dict[str, frozenset[str]], dialect: str = "openai_chat") -> Decision:
    everything = frozenset[str]().union(*sent.values())
    return router.decide(
        model,
        sensitivity=labelled(1),
        constraints=ANYONE,
        allowed_models=None,
        features=NONE,
        input_tokens=400,
        output_tokens=200,
        health=WELL,
        fraction=0.5,
        dialect=dialect,
        price_terms=everything,
        sent_terms=lambda target: sent.get(target.name, frozenset()),
    )


def test_a_target_that_is_asked_for_a_tier_without_a_price_is_left_out_and_others_answer() -> None:
    model = VirtualModel(name="vendors", candidates=(CHEAP.name, DEAR.name), policy="pinned")
    router = make_router(models=[model])
    priority = frozenset({"service_tier=priority"})
    decision = asked(router, "vendors", {CHEAP.name: priority})  # the other one's codec drops it
    assert [target.name for target in decision.plan] == [DEAR.name]
    assert [(verdict.target, verdict.reason) for verdict in decision.refused] == [(CHEAP.name, "unknown_price_factor")]
    with pytest.raises(UnsupportedFeature) as refused:
        asked(router, "vendors", {CHEAP.name: priority, DEAR.name: priority})
    assert refused.value.code == "unknown_price_factor"
    assert len(asked(router, "vendors", {}).plan) == 2, "one request's tier is not another's"
    known = replace(CHEAP, price_factors={"service_tier=priority": Fraction(2)})
    plan = asked(make_router([known, DEAR], [model]), "vendors", {CHEAP.name: priority}).plan
    assert [target.name for target in plan] == [CHEAP.name, DEAR.name]


def test_what_a_target_always_asks_for_is_judged_for_each_dialect() -> None:
    router = make_router()
    router.decide(
        DEAR.name, sensitivity=labelled(1), constraints=ANYONE, allowed_models=None, features=NONE, input_tokens=400,
        output_tokens=200, health=WELL, fraction=0.5, dialect="gemini",
    )  # fmt: skip
    with pytest.raises(UnsupportedFeature):
        router.decide(
            DEAR.name, sensitivity=labelled(1), constraints=ANYONE, allowed_models=None, features=NONE,
            input_tokens=400, output_tokens=200, health=WELL, fraction=0.5, dialect="openai_chat",
            sent_terms=lambda _: frozenset({"latency=optimized"}),
        )  # fmt: skip


# ---- masked ----------------------------------------------------------------------------------------------------------


def masked(router: Router, model: str, masked_level: int | None, level: int = 3, floor: int = 0) -> Decision:
    return router.decide(
        model, sensitivity=labelled(level), constraints=Constraints(floor=floor), allowed_models=None, features=NONE,
        input_tokens=400, output_tokens=200, masked_level=masked_level, health=WELL, fraction=0.5,
    )  # fmt: skip  # one decision


def test_a_target_below_the_label_gets_the_request_masked_and_the_decision_says_so() -> None:
    router = make_router(models=[ASSISTANT])
    decision = masked(router, "assistant", 0)
    assert decision.allowed.names == {HOUSE.name, CHEAP.name} and decision.masked == {CHEAP.name}
    assert f"masked for {CHEAP.name}" in decision.why and decision.level == 3
    assert masked(router, "assistant", None).allowed.names == {HOUSE.name}, "one request's masking is not another's"


def test_masking_goes_no_lower_than_the_floor_and_not_to_targets_that_take_none() -> None:
    with pytest.raises(NoPermittedTarget):
        masked(make_router(), CHEAP.name, 0, floor=CHEAP.clearance + 1)
    with pytest.raises(NoPermittedTarget):
        masked(make_router(), CHEAP.name, CHEAP.clearance + 1)
    with pytest.raises(NoPermittedTarget):
        masked(make_router([replace(CHEAP, takes_masked=False)]), CHEAP.name, 0)


def test_a_request_that_a_target_may_see_goes_there_as_it_is() -> None:
    decision = masked(make_router(), CHEAP.name, 0, level=CHEAP.clearance)
    assert not decision.masked and "masked" not in decision.why


def test_a_decision_says_what_of_the_moment_it_went_by() -> None:
    slots = replace(HOUSE, max_concurrency=1)
    models = [ASSISTANT, VirtualModel(name="drawn", candidates=(HOUSE.name, CHEAP.name), policy="weighted")]
    router = make_router([slots, CHEAP, DEAR], models)
    busy = Health(in_flight={HOUSE.name: 1}, blocked=frozenset({CHEAP.name, DEAR.name}))
    decision = decide(router, "assistant", health=busy, fraction=0.25)
    assert decision.full == {HOUSE.name}
    assert decision.blocked == {CHEAP.name}
    assert decision.fraction is None
    drawn = decide(router, "drawn", health=busy, fraction=0.25)
    assert (drawn.full, drawn.fraction) == (frozenset(), 0.25)
    calm = decide(router, "assistant")
    assert (calm.full, calm.blocked) == (frozenset(), frozenset())


def test_what_matters_to_a_decision_is_known_by_the_name() -> None:
    sized = replace(CHEAP, context_tokens=4000)
    thrifty = VirtualModel(name="thrifty", candidates=(HOUSE.name, CHEAP.name), policy="cheapest")
    router = make_router([HOUSE, sized, DEAR], [ASSISTANT, thrifty])
    assert router.what_matters("assistant", None) == ((4000,), frozenset({"health"}))
    assert router.what_matters("thrifty", None) == ((4000,), frozenset({"size", "health"}))
    assert router.what_matters(DEAR.name, None) == ((), frozenset())
    with pytest.raises(NotFound):
        router.what_matters("nobody", None)
    with pytest.raises(NotAllowed):
        router.what_matters("assistant", frozenset({"thrifty"}))
