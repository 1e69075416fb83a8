from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from routing_kit import DEAR, HOUSE, labelled
from yuzui.core.caller import Constraints
from yuzui.core.decision import Decision
from yuzui.core.marginal import MarginalCost
from yuzui.core.sensitivity import Lattice
from yuzui.core.target import Target, VirtualModel
from yuzui.routing.health import Health
from yuzui.routing.load_words import load_words
from yuzui.routing.policies._contract import Facts, expected_cost
from yuzui.routing.router import Router

MARGINAL = MarginalCost(
    currency="USD", input_pico=10_000, output_pico=100_000, waiting_pico_per_s=10**9, slots=4, most_requests_per_s=2.0,
    half_load=1.0,
)  # fmt: skip
OWN = replace(HOUSE, marginal=MARGINAL, max_concurrency=4, max_queue=20)


def decide(policy: str, in_flight: int, level: int = 0, burst_queue: int = 1) -> Decision:
    model = VirtualModel(name="m", candidates=(OWN.name, DEAR.name), policy=policy, burst_queue=burst_queue)
    lattice = Lattice(names=("public", "internal", "confidential", "restricted"))
    router = Router([OWN, DEAR], [model], lattice, rates={"USD": Decimal(1)})
    return router.decide(
        "m", sensitivity=labelled(level), constraints=Constraints(), allowed_models=None, features=frozenset(),
        input_tokens=4000, output_tokens=100, health=Health(in_flight={OWN.name: in_flight}), fraction=0.5,
    )  # fmt: skip


def test_under_cheapest_idle_capacity_wins_and_a_queue_does_not() -> None:
    idle, queued = decide("cheapest", 0), decide("cheapest", 20)
    assert idle.plan[0] is OWN
    assert queued.plan[0] is DEAR
    assert f"{OWN.name} costs 0.00002 USD at the margin, 0 in flight" in idle.why
    assert "20 in flight, 16 waiting" in queued.why
    assert "5/15 USD per million" in queued.why  # the vendor's price list, beside it


def test_the_cost_now_is_what_cheapest_compares() -> None:
    facts = Facts(input_tokens=1000, output_tokens=100, rates={"USD": 1.0}, in_flight={OWN.name: 3})
    assert expected_cost(OWN, facts) == 1000 * 10_000 + 100 * 100_000 + 10**9 * 3 / 2
    assert expected_cost(replace(OWN, marginal=None), facts) == 0
    assert expected_cost(OWN, replace(facts, rates={})) == float("inf")


def test_a_burst_says_why_in_the_decision() -> None:
    calm, queued = decide("burst", 2), decide("burst", 6)
    assert calm.plan[0] is OWN and "2 in flight, 0 waiting (bursts at 1)" in calm.why
    assert queued.plan[0] is DEAR and "6 in flight, 2 waiting (bursts at 1)" in queued.why
    assert queued.unpaid == (OWN,)


def test_a_label_above_the_vendors_never_bursts() -> None:
    found = decide("burst", 20, level=3)
    assert found.plan == (OWN,) and DEAR.name not in found.allowed
    assert [verdict.reason for verdict in found.refused] == ["clearance"]


def test_what_costs_nothing_is_known_also_where_vendors_fill_the_plan() -> None:
    many = [replace(DEAR, name=f"vendor/{n}") for n in range(12)]
    model = VirtualModel(name="m", candidates=(OWN.name, *(one.name for one in many)), policy="burst")
    router = Router([OWN, *many], [model], Lattice(names=("public", "internal")), rates={"USD": Decimal(1)})
    found = router.decide(
        "m", sensitivity=labelled(0), constraints=Constraints(), allowed_models=None, features=frozenset(),
        input_tokens=4000, output_tokens=100, health=Health(in_flight={OWN.name: 9}), fraction=0.5,
    )  # fmt: skip
    assert OWN not in found.plan and found.unpaid == (OWN,)
    assert all(target.name in found.allowed for target in (*found.plan, *found.unpaid))


def test_the_threshold_of_the_model_counts() -> None:
    assert decide("burst", 6, burst_queue=3).plan[0] is OWN
    assert decide("burst", 7, burst_queue=3).plan[0] is DEAR


def test_policies_that_do_not_look_at_load_say_nothing_of_it() -> None:
    facts = Facts(in_flight={OWN.name: 9})
    assert load_words([OWN, DEAR], facts, "own_first") == ""
    assert "margin" not in decide("own_first", 9).why and decide("own_first", 9).unpaid == ()


def test_long_plans_are_told_shortly() -> None:
    many: list[Target] = [replace(OWN, name=f"house/{n}") for n in range(8)]
    assert load_words(many, Facts(), "burst").count("in flight") == 3
