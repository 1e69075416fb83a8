"""What a virtual model demands of a learned router, and what its router says of a request: no text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Rule = Literal["certified", "reference_better", "unlike", "no_certificate", "promise_broken", "not_permitted"]
"""What decided: a candidate under the certificate; the reference, because it is expected to answer better, the request
is unlike the examples, nothing is certified, or what was did not hold; or the allowed set."""
Kept = Literal["certified", "reference", "none"]
"""What may be said of an answer: given under the certificate; the reference's own, so nothing was lost; nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """At most `loss` worse than always the reference, with `confidence`, by the router in a file."""

    router: str
    """The file as the operator wrote it, relative to the configuration's folder."""
    router_sha256: str
    loss: float
    confidence: float

    def is_met_by(self, epsilon: float, delta: float) -> bool:
        """Whether a certificate promises that much. In binary 1 - 0.9 is a bit less than 0.1: no difference."""
        return epsilon <= self.loss + 1e-9 and delta <= 1 - self.confidence + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Advised:
    """Who should answer one request, and on what that rests."""

    rule: Rule
    reference: str
    """Target name."""
    chosen: str = ""
    """Target name; "" where the reference is not permitted: the operator's order counts, nothing is promised."""
    router_sha256: str = ""
    epsilon: float | None = None
    """Of the certificate, as the next four; None without one."""
    delta: float | None = None
    examples: int | None = None
    data_sha256: str = ""
    threshold: float | None = None
    gain: float | None = None
    """Predicted: how much better the reference would answer; None where nobody looked."""
    p_value: float | None = None
    """How ordinary the request is among the examples; None where nobody looked."""
    detail: str = ""
    """For people, where the rule does not say it all: why nothing is certified, who is not permitted."""

    def kept(self, target: str) -> Kept:
        """What holds for an answer by `target`, whoever was chosen."""
        if target == self.reference:
            return "reference"
        return "certified" if self.rule == "certified" and target == self.chosen else "none"

    @property
    def order(self) -> tuple[str, ...]:
        """Who comes first: the one that was chosen, then the reference; the others follow in the operator's order."""
        return (self.chosen, self.reference) if self.chosen else ()


class Advice(Protocol):
    """One request's, before it is known who may answer it."""

    def choose(self, permitted: frozenset[str], masked: frozenset[str]) -> Advised:
        """`permitted`: names of the allowed set; `masked`: those of them that may see the request only masked."""
        ...
