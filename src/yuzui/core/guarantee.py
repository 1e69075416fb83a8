"""What a virtual model demands of a learned router, and what its router says of a request: no text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Rule = Literal[
    "certified", "reference_better", "unlike", "no_certificate", "promise_broken", "not_permitted",
    "cascade", "accepted", "escalated",
]  # fmt: skip  # as the words below tell them
"""What decided: a candidate under the certificate; the reference, because it is expected to answer better, the request
is unlike the examples, nothing is certified, or what was did not hold; or the allowed set. Of a cascade: `cascade`
until the answer of the candidate was judged, then `accepted` or `escalated`."""
Kept = Literal["certified", "reference", "none"]
"""What may be said of an answer: given under the certificate; the reference's own, so nothing was lost; nothing."""


CascadePolicy = Literal["cascade", "portable_cascade"]
"""Certificates about answers: by all signals, or by those that mean the same in every domain."""
Streaming = Literal["hold", "up_front"]
"""A streamed answer waits until it was accepted; or who answers a stream is decided before, without a cascade."""
MOST_SAMPLES = 16
"""Further answers of a candidate to the same request whose votes count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeRules:
    """What the operator says of a model whose candidate may answer first and be judged by its answer."""

    streaming: Streaming
    accepts: tuple[CascadePolicy, ...] = ("cascade", "portable_cascade")
    """Kinds of certificates, the preferred one first."""
    checks: tuple[str, ...] = ()
    """Targets that give second opinions; clients need not be able to reach them."""
    judge: str = ""
    """Target that says how likely an answer is right; likewise."""
    run_tests: bool = False
    """Python in answers may be run here, in a sandbox, with the tests that the request brings."""
    timeout_s: float = 60.0
    """For the candidate's answer, and for each of the others; a judge and tests begin when that answer is whole."""

    @property
    def beside(self) -> tuple[str, ...]:
        """Every target that is asked besides the candidate."""
        return tuple(dict.fromkeys([*self.checks, *([self.judge] if self.judge else [])]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """What a cascade needs besides the candidate's answer."""

    policy: CascadePolicy
    checks: tuple[str, ...] = ()
    """Target names, in the order of the artefact."""
    samples: int = 0
    """Further answers of the candidate."""
    log_probabilities: bool = False
    judge: str = ""
    """Target name."""
    runs_tests: bool = False
    timeout_s: float = 60.0

    @property
    def beside(self) -> tuple[str, ...]:
        """Every target that is asked besides the candidate."""
        return tuple(dict.fromkeys([*self.checks, *([self.judge] if self.judge else [])]))


@dataclass(frozen=True, slots=True, kw_only=True)
class TestsRun:
    """What became of the tests that a request brings, run with the code of an answer to it."""

    __test__ = False  # of the product's, not pytest's

    count: int = 0
    """0: it brings none, or the answer has no code; nothing was run."""
    passed: bool = False
    """All of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer and what others say to the same request, as a router looks at them."""

    text: str
    was_cut: bool = False
    log_probabilities: tuple[float, ...] = ()
    checks: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    judged: float | None = None
    """0 to 1; None: no judge was asked for."""
    tests: TestsRun | None = None
    """None: nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a cascade makes of an answer."""

    gain: float
    """Predicted, of the reference over this answer."""
    is_kept: bool
    """It may be given under the certificate."""
    signals: Mapping[str, float]
    """What it looked at, by name: those that tell something, and nothing that the answer could be read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """At most `loss` worse than always the reference, with `confidence`, by the router in a file."""

    router: str
    """The file as the operator wrote it, relative to the configuration's folder."""
    router_sha256: str
    loss: float
    confidence: float
    cascade: CascadeRules | None = None
    """None: only certificates of choices up front are applied."""

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
    asks: Asks | None = None
    """While the rule is `cascade`: what must be known before `chosen` may have answered."""
    policy: str = ""
    """Of the certificate: `up_front`, `cascade`, `portable_cascade`."""
    signals: Mapping[str, float] = field(default_factory=dict)
    """Of a cascade: what its decision looked at."""

    def kept(self, target: str) -> Kept:
        """What holds for an answer by `target`, whoever was chosen."""
        if target == self.reference:
            return "reference"
        return "certified" if self.rule in ("certified", "accepted") and target == self.chosen else "none"

    @property
    def order(self) -> tuple[str, ...]:
        """Who comes first: the one that was chosen, then the reference; the others follow in the operator's order."""
        return (self.chosen, self.reference) if self.chosen else ()


class Advice(Protocol):
    """One request's, before it is known who may answer it."""

    @property
    def question(self) -> str:
        """What the user asks, as the router looks at it; "" where nobody looked."""
        ...

    def choose(self, permitted: frozenset[str], masked: frozenset[str]) -> Advised:
        """`permitted`: names of the allowed set; `masked`: those of them that may see the request only masked."""
        ...

    def judge(self, said: Said) -> Judged:
        """What the cascade that `choose` asked for makes of the candidate's answer. A few milliseconds, of CPU."""
        ...
