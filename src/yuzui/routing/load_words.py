"""How the load and the marginal cost of own targets are told in a decision, where they could have changed it."""

from __future__ import annotations

from collections.abc import Sequence

from yuzui.core.marginal import show_pico
from yuzui.core.target import Target
from yuzui.routing.policies._contract import Facts, waiting

MOST_NAMES = 3


def load_words(plan: Sequence[Target], facts: Facts, policy: str) -> str:
    """`; house/qwen costs 0.000123 USD at the margin, 9 in flight, 1 waiting`: "" under policies that do not look."""
    if policy == "cheapest":
        told = [_cost(target, facts) for target in plan[: MOST_NAMES + 1] if target.marginal is not None]
    elif policy == "burst":
        own = [target for target in plan if target.premises == "own"][:MOST_NAMES]
        told = [f"{_load(target, facts)} (bursts at {facts.burst_queue})" for target in own]
    else:
        return ""
    return "".join([f"; {words}" for words in told])


def _cost(target: Target, facts: Facts) -> str:
    assert target.marginal is not None  # the caller looked
    in_flight = facts.in_flight.get(target.name, 0)
    pico = target.marginal.pico(facts.input_tokens, facts.output_tokens, in_flight)
    queued = waiting(target, facts)
    words = f"{target.name} costs {show_pico(pico, target.marginal.currency)} at the margin, {in_flight} in flight"
    return f"{words}, {queued} waiting" if queued else words


def _load(target: Target, facts: Facts) -> str:
    return f"{target.name} has {facts.in_flight.get(target.name, 0)} in flight, {waiting(target, facts)} waiting"
