"""The allowed set: every reason once, and that nothing but less strictness ever adds a target."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing_kit import CHEAP, FREE, HOUSE, price
from yuzui.core.caller import Constraints
from yuzui.core.chat import Feature
from yuzui.core.decision import RefusalReason
from yuzui.core.sensitivity import Lattice
from yuzui.core.target import ALL_FEATURES, Target
from yuzui.routing.allowed import SOVEREIGN, Demands, is_permitted, judge, level_name

LATTICE = Lattice()
VENDOR = replace(CHEAP, name="v", retains_data=True, trains_on_data=True, context_tokens=1000)
NOTHING: frozenset[Feature] = frozenset()


def demands(
    level: int = 0,
    constraints: Constraints = Constraints(allow_training=True),  # noqa: B008 - frozen, and what most rows want
    features: frozenset[Feature] = NOTHING,
    input_tokens: int = 10,
) -> Demands:
    return Demands(level=level, constraints=constraints, features=features, input_tokens=input_tokens)


@pytest.mark.parametrize(
    ("target", "asked", "reason", "says"),
    [
        (VENDOR, demands(), None, ""),
        (VENDOR, demands(level=1), None, ""),
        (VENDOR, demands(level=2), "clearance", "cleared up to internal, the request is confidential"),
        (VENDOR, demands(constraints=Constraints(floor=3)), "clearance", "the request is restricted"),
        (VENDOR, demands(constraints=Constraints(own_only=True)), "premises", "own_only"),
        (HOUSE, demands(level=3, constraints=Constraints(own_only=True)), None, ""),
        (
            VENDOR,
            demands(constraints=Constraints(forbidden_jurisdictions=frozenset({"cn", "RU"}), allow_training=True)),
            "jurisdiction",
            "its jurisdiction is CN, and the key forbids RU, cn",
        ),
        (
            replace(VENDOR, jurisdiction=""),
            demands(constraints=Constraints(forbidden_jurisdictions=frozenset({"US"}), allow_training=True)),
            "jurisdiction",
            "unknown",
        ),
        (
            VENDOR,
            demands(constraints=Constraints(allow_retention=False, allow_training=True)),
            "retention",
            "does not allow retention",
        ),
        (VENDOR, demands(constraints=Constraints()), "training", "does not allow training"),
        (
            replace(VENDOR, features=frozenset({"n"})),
            demands(features=frozenset({"n", "tools", "images"})),
            "lacks_feature",
            "no images, tools",
        ),
        (VENDOR, demands(input_tokens=1000), None, ""),
        (VENDOR, demands(input_tokens=1001), "context_too_small", "holds 1000 tokens"),
        (replace(VENDOR, context_tokens=0), demands(input_tokens=10**9), None, ""),
        (replace(VENDOR, price=None), demands(), "unknown_price", "set `price` of target 'v'"),
        (replace(VENDOR, price=None, price_help="add price.output"), demands(), "unknown_price", "add price.output"),
        (replace(VENDOR, price=price(1, 1, "JPY")), demands(), "unknown_price", "money.rates.JPY"),
        (replace(VENDOR, price=replace(FREE, currency="JPY")), demands(), None, ""),
        (replace(VENDOR, price=None, features=NOTHING), demands(level=3, features=ALL_FEATURES), "clearance", ""),
    ],
)
def test_each_reason_refuses_and_names_what_would_change_it(
    target: Target, asked: Demands, reason: RefusalReason | None, says: str
) -> None:
    judgement = judge([target], asked, lattice=LATTICE, currencies={"USD"})
    if reason is None:
        assert judgement.permitted == (target,)
        assert not judgement.refused
        return
    (verdict,) = judgement.refused
    assert (verdict.target, verdict.reason) == (target.name, reason)
    assert says in verdict.words
    assert not judgement.permitted
    assert not judgement.allowed.names


def test_sovereign_reasons_are_those_that_protect_content() -> None:
    assert {"clearance", "premises", "jurisdiction", "retention", "training"} == SOVEREIGN


def test_a_level_beyond_the_lattice_is_called_by_the_top() -> None:
    assert level_name(LATTICE, 99) == "restricted"


places = st.sampled_from(["CN", "US", "DE", ""])
features = st.frozensets(st.sampled_from(sorted(ALL_FEATURES)), max_size=3)
constraints = st.builds(
    Constraints,
    floor=st.integers(0, 3),
    own_only=st.booleans(),
    forbidden_jurisdictions=st.frozensets(st.sampled_from(["CN", "US", "cn"]), max_size=2),
    allow_retention=st.booleans(),
    allow_training=st.booleans(),
)
asks = st.builds(
    Demands,
    level=st.integers(0, 3),
    constraints=constraints,
    features=features,
    input_tokens=st.integers(0, 5000),
)


@st.composite
def houses(draw: st.DrawFn) -> list[Target]:
    return [
        replace(
            CHEAP,
            name=f"t{index}",
            premises=draw(st.sampled_from(["own", "vendor"])),
            clearance=draw(st.integers(0, 3)),
            jurisdiction=draw(places),
            retains_data=draw(st.booleans()),
            trains_on_data=draw(st.booleans()),
            features=draw(features),
            context_tokens=draw(st.sampled_from([0, 100, 4000])),
            price=draw(st.sampled_from([None, FREE, price(1, 1), price(1, 1, "JPY")])),
        )
        for index in range(draw(st.integers(0, 8)))
    ]


@given(targets=houses(), asked=asks)
def test_every_candidate_is_either_permitted_or_refused_with_exactly_one_verdict(
    targets: list[Target], asked: Demands
) -> None:
    judgement = judge(targets, asked, lattice=LATTICE, currencies={"USD"})
    permitted = [target.name for target in judgement.permitted]
    refused = [verdict.target for verdict in judgement.refused]
    assert sorted(permitted + refused) == [target.name for target in targets]
    assert judgement.allowed.names == frozenset(permitted)
    for target in judgement.permitted:
        assert max(asked.level, asked.constraints.floor) <= target.clearance
        assert target.premises == "own" or not asked.constraints.own_only


def stricter(draw: st.DrawFn, asked: Demands) -> Demands:
    before = asked.constraints
    return Demands(
        level=draw(st.integers(asked.level, 3)),
        constraints=Constraints(
            floor=draw(st.integers(before.floor, 3)),
            own_only=before.own_only or draw(st.booleans()),
            forbidden_jurisdictions=before.forbidden_jurisdictions | draw(st.frozensets(st.sampled_from(["CN", "DE"]))),
            allow_retention=before.allow_retention and draw(st.booleans()),
            allow_training=before.allow_training and draw(st.booleans()),
        ),
        features=asked.features | draw(features),
        input_tokens=asked.input_tokens + draw(st.integers(0, 5000)),
    )


@given(targets=houses(), asked=asks, data=st.data())
def test_the_set_only_shrinks_when_the_label_rises_or_the_caller_narrows(
    targets: list[Target], asked: Demands, data: st.DataObject
) -> None:
    narrower = data.draw(st.composite(stricter)(asked))
    before = judge(targets, asked, lattice=LATTICE, currencies={"USD"})
    after = judge(targets, narrower, lattice=LATTICE, currencies={"USD"})
    assert after.allowed.names <= before.allowed.names


@given(st.integers(0, 3), st.booleans(), st.sampled_from([10, 10_000_000]))
def test_one_target_is_permitted_exactly_when_a_judgement_permits_it(level: int, own_only: bool, tokens: int) -> None:
    asked = demands(level, Constraints(own_only=own_only), input_tokens=tokens)
    judged = judge([VENDOR, HOUSE, CHEAP], asked, lattice=LATTICE, currencies=("USD", "CNY"))
    for target in (VENDOR, HOUSE, CHEAP):
        assert is_permitted(target, asked, LATTICE, ("USD", "CNY")) is (target in judged.permitted)


@pytest.mark.parametrize(
    ("target", "sent", "says"),
    [
        (CHEAP, {"service_tier=default", "speed=standard"}, ""),
        (CHEAP, {"service_tier=priority"}, "set `price_factors.service_tier.priority` of target 'deepseek/chat'"),
        (replace(CHEAP, price_factors={"service_tier=priority": Fraction(2)}), {"service_tier=priority"}, ""),
        (
            replace(CHEAP, price_factors={"service_tier=priority": Fraction(2)}),
            {"service_tier=priority", "speed=fast"},
            "what `speed` = 'fast' makes of its price is unknown",
        ),
        (CHEAP, {"service_tier=?"}, "what `service_tier` asks for is nothing that a price is known for"),
        (HOUSE, {"service_tier=priority", "speed=?"}, ""),  # nothing, however often it is taken
    ],
)
def test_a_tier_without_a_known_price_refuses_and_names_what_to_write(
    target: Target, sent: set[str], says: str
) -> None:
    asked = Demands(
        level=0,
        constraints=Constraints(),
        features=NOTHING,
        input_tokens=10,
        sent_terms={target.name: frozenset(sent), "another": frozenset({"speed=fast"})},
    )
    refused = judge([target], asked, lattice=LATTICE, currencies={"USD"}).refused
    assert [verdict.reason for verdict in refused] == (["unknown_price_factor"] if says else [])
    assert not says or says in refused[0].words
