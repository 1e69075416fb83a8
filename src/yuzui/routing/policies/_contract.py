"""What a policy file must offer: `POLICY`, an object with the shape of `Policy`. Pure: facts in, order out.

Adding a way of ordering is one file in this folder; its name is what `policy = "…"` says in yuzui.toml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from yuzui.core.target import Target

Dependence = Literal["size", "health", "fraction", "advice"]
EACH_TIME: Final[frozenset[Dependence]] = frozenset(("fraction", "advice"))
"""Differs from request to request: an order by it is never remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an order may depend on. The same facts give the same order."""

    input_tokens: int = 0
    """Expected, not the bound that is reserved."""
    output_tokens: int = 0
    """Expected, not the bound that is reserved."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Currency → book units per unit. Floats, because they only compare; money is booked in integers elsewhere."""
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    """Target → expected time to the first token; a target without an entry has not been measured."""
    in_flight: Mapping[str, int] = field(default_factory=dict)
    """Target → requests inside or waiting."""
    weights: Mapping[str, int] = field(default_factory=dict)
    """Target → share given by the virtual model; a target without an entry has its own `weight`."""
    burst_queue: int = 1
    """Given by the virtual model: from so many waiting requests on, policy `burst` prefers vendors."""
    preferred: tuple[str, ...] = ()
    """Target names in the order that a learned router advises; empty without one."""
    fraction: float = 0.0
    """Uniform in [0, 1), drawn by the caller."""


class Policy(Protocol):
    @property
    def depends_on(self) -> frozenset[Dependence]:
        """Which facts can change the order: what it does not name may be remembered across requests."""
        ...

    def order(self, candidates: Sequence[Target], facts: Facts) -> list[Target]:
        """All of `candidates`, best first; ties keep the order in which they were given."""
        ...


def expected_cost(target: Target, facts: Facts) -> float:
    """Pico-units of the book currency for a request of the expected size, now; infinite when it cannot be known.

    An own target with a marginal cost costs that, with its load: reserved and idle it is nearly free, queued it is not.
    """
    marginal = target.marginal
    if marginal is not None and target.price is not None:
        in_flight = facts.in_flight.get(target.name, 0)
        pico_now = marginal.pico(facts.input_tokens, facts.output_tokens, in_flight)
        return pico_now * facts.rates.get(marginal.currency, float("inf")) if pico_now else 0.0
    price = target.price
    if price is None:
        return float("inf")
    pico = facts.input_tokens * price.input_pico + facts.output_tokens * price.output_pico
    if not pico:
        return 0.0
    return pico * facts.rates.get(price.currency, float("inf"))


def waiting(target: Target, facts: Facts) -> int:
    """Requests that wait for a place on `target`, as far as we sent them; 0 where nobody knows its places."""
    slots = (target.marginal.slots if target.marginal is not None else 0) or target.max_concurrency
    return max(0, facts.in_flight.get(target.name, 0) - slots) if slots else 0


def is_full(target: Target, facts: Facts) -> bool:
    """Whether the queue in front of `target` would refuse one more request."""
    if not target.max_concurrency:
        return False
    return facts.in_flight.get(target.name, 0) >= target.max_concurrency + target.max_queue
