"""Whose fault an empty plan is, and what the client is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing_kit import CHEAP, DEAR, HOUSE, labelled
from yuzui.core.caller import Constraints
from yuzui.core.chat import Feature
from yuzui.core.errors import GatewayFault, NoPermittedTarget, UnsupportedFeature, YuzuiError
from yuzui.core.sensitivity import Lattice
from yuzui.core.target import Target
from yuzui.routing.allowed import Demands, judge
from yuzui.routing.refusals import FIELDS, explain_refusal

LATTICE = Lattice()
NONE: frozenset[Feature] = frozenset()
TOOLS: frozenset[Feature] = frozenset({"tools"})
PLAIN_HOUSE = replace(HOUSE, features=NONE)
PLAIN_CHEAP = replace(CHEAP, features=NONE)


def refusal(
    candidates: list[Target], *, level: int, features: frozenset[Feature] = NONE, tokens: int = 10,
    everything: list[Target] | None = None,
) -> YuzuiError:  # fmt: skip
    demands = Demands(level=level, constraints=Constraints(), features=features, input_tokens=tokens)
    judgement = judge(candidates, demands, lattice=LATTICE, currencies={"USD"})
    assert not judgement.permitted
    error = explain_refusal(
        "assistant", judgement.refused, candidates, everything or candidates, demands, labelled(level),
        lattice=LATTICE, currencies={"USD"},
    )  # fmt: skip
    assert error.refused == judgement.refused
    return error


@pytest.mark.parametrize(
    ("candidates", "level", "features", "tokens", "kind", "code", "status", "param"),
    [
        ([CHEAP, DEAR], 3, NONE, 10, NoPermittedTarget, "no_permitted_target", 403, None),
        ([PLAIN_HOUSE, CHEAP], 3, TOOLS, 10, NoPermittedTarget, "no_permitted_target", 403, None),
        ([PLAIN_CHEAP], 3, TOOLS, 10, NoPermittedTarget, "no_permitted_target", 403, None),
        ([PLAIN_HOUSE, PLAIN_CHEAP], 3, TOOLS, 10, UnsupportedFeature, "unsupported_feature", 400, "tools"),
        ([PLAIN_CHEAP], 0, TOOLS, 10, UnsupportedFeature, "unsupported_feature", 400, "tools"),
        (
            [replace(CHEAP, context_tokens=5)],
            0,
            NONE,
            10,
            UnsupportedFeature,
            "context_length_exceeded",
            400,
            "messages",
        ),
        ([replace(CHEAP, price=None)], 0, NONE, 10, GatewayFault, "unknown_price", 503, None),
        ([replace(HOUSE, price=None), CHEAP], 3, NONE, 10, GatewayFault, "unknown_price", 503, None),
        ([replace(CHEAP, price=None)], 3, NONE, 10, NoPermittedTarget, "no_permitted_target", 403, None),
    ],
    ids=[
        "no clearance anywhere",
        "the able one may not see it",
        "neither permitted nor able",
        "permitted but unable, the other neither",
        "unable",
        "too long",
        "no price",
        "permitted without a price",
        "no price does not hide sovereignty",
    ],
)
def test_the_fault_names_its_owner(
    candidates: list[Target],
    level: int,
    features: frozenset[Feature],
    tokens: int,
    kind: type[YuzuiError],
    code: str,
    status: int,
    param: str | None,
) -> None:
    error = refusal(candidates, level=level, features=features, tokens=tokens)
    assert type(error) is kind
    assert (error.code, error.status, error.param) == (code, status, param)


def test_a_sovereign_refusal_tells_the_label_the_cause_and_each_verdict() -> None:
    message = str(refusal([CHEAP, DEAR], level=3))
    assert message == (
        "no target behind model 'assistant' may see this request: it is restricted (finding email). Refused: "
        "deepseek/chat: cleared up to internal, the request is restricted; take the findings out or ask the operator for a "
        "higher clearance; openai/gpt: cleared up to internal, the request is restricted; take the findings out or ask the "
        "operator for a higher clearance"
    )


def test_a_missing_feature_names_a_permitted_target_that_has_it() -> None:
    assert "A permitted target that can: 'house/qwen'" in str(
        refusal([PLAIN_CHEAP], level=1, features=TOOLS, everything=[PLAIN_CHEAP, HOUSE])
    )


def test_the_hint_never_names_a_target_that_may_not_see_the_request() -> None:
    message = str(refusal([PLAIN_HOUSE], level=3, features=TOOLS, everything=[PLAIN_HOUSE, CHEAP, DEAR]))
    assert "A permitted target" not in message


def test_a_missing_price_names_the_fix() -> None:
    unpriced = replace(CHEAP, price=None, price_help='write price = "free"')
    assert 'write price = "free"' in str(refusal([unpriced], level=0))


def test_five_hundred_refusals_make_a_short_message() -> None:
    error = refusal([replace(CHEAP, name=f"v{index}") for index in range(500)], level=3)
    assert "and 495 more" in str(error)
    assert len(str(error)) < 1000
    assert len(error.refused) == 500


def test_features_that_exist_only_apart_are_all_named() -> None:
    apart = [replace(CHEAP, features=TOOLS), replace(DEAR, features=frozenset({"images"}))]
    error = refusal(apart, level=0, features=frozenset({"tools", "images"}))
    assert "no permitted target with images, tools" in str(error)
    assert error.param == FIELDS["images"]


def test_a_tier_that_nobody_priced_names_the_field_and_both_ways_out() -> None:
    demands = Demands(
        level=0,
        constraints=Constraints(),
        features=NONE,
        input_tokens=10,
        sent_terms={CHEAP.name: frozenset({"service_tier=default", "speed=fast"})},
    )
    judgement = judge([CHEAP], demands, lattice=LATTICE, currencies={"USD"})
    error = explain_refusal(
        "assistant", judgement.refused, [CHEAP], [CHEAP], demands, labelled(0), lattice=LATTICE, currencies={"USD"}
    )
    assert isinstance(error, UnsupportedFeature)
    assert (error.code, error.status, error.param) == ("unknown_price_factor", 400, "speed")
    assert "leave it out, or ask the operator" in error.message
    assert "`price_factors.speed.fast` of target 'deepseek/chat'" in error.message
