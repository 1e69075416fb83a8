"""One request's way: which targets may see it, which of them to try, in which order, and why."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice

from yuzui.core.caller import Constraints
from yuzui.core.chat import Dialect, Feature, Operation
from yuzui.core.decision import AllowedSet, Decision, Verdict
from yuzui.core.guarantee import Advice, Advised
from yuzui.core.money import Price, per_million
from yuzui.core.price_terms import STANDARD, PriceTerm
from yuzui.core.sensitivity import Lattice, Sensitivity
from yuzui.core.target import Target, VirtualModel
from yuzui.core.trial import Lot, Tried
from yuzui.routing.advice_words import advice_words
from yuzui.routing.allowed import (
    BOUND_SLACK,
    WITHOUT_TEXT,
    Demands,
    is_permitted,
    judge,
    refuse_for_sovereignty,
)
from yuzui.routing.cascade_plan import cascade_plan
from yuzui.routing.health import Health
from yuzui.routing.listing import describe
from yuzui.routing.load_words import load_words
from yuzui.routing.memo import Memo
from yuzui.routing.names import Name, Names
from yuzui.routing.policies._contract import EACH_TIME, Dependence, Facts, is_full
from yuzui.routing.policies.catalogue import load_policies
from yuzui.routing.refusals import explain_refusal
from yuzui.routing.trial_plan import with_trial

MOST_TRIES = 8  # a client does not wait for more targets than this, and each step of a plan costs time
MOST_JUDGEMENTS = 2048
MOST_RANKINGS = 64  # size classes that one judgement remembers an order for
MOST_NAMES_IN_WHY = 3

WIDEST = Constraints(allow_training=True)
"""Of a caller that narrows nothing."""

_Key = tuple[str, int, int | None, Constraints, Operation, frozenset[Feature], int, Dialect]


_NOBODY: frozenset[str] = frozenset()


def _none_sent(target: Target) -> frozenset[PriceTerm]:
    return frozenset()


class Router:
    """Decides. One per configuration. What grows with the number of targets is done once per kind of request."""

    def __init__(
        self,
        targets: Sequence[Target],
        models: Sequence[VirtualModel],
        lattice: Lattice,
        *,
        rates: Mapping[str, Decimal],
    ) -> None:
        """`rates`: currency → book units per unit, the book currency's own among them. Raise `ConfigError`."""
        self._targets = tuple(targets)
        self._lattice = lattice
        self._rates = {currency: float(rate) for currency, rate in rates.items()}
        self._names = Names(targets, models, load_policies(), self._rates)
        self._judgements: Memo[_Key, _Judged] = Memo(MOST_JUDGEMENTS)
        self._labels = {target.name: _label(target) for target in targets}

    def decide(
        self,
        model: str,
        *,
        sensitivity: Sensitivity,
        constraints: Constraints,
        allowed_models: frozenset[str] | None,
        features: frozenset[Feature],
        input_tokens: int,
        output_tokens: int,
        operation: Operation = "chat",
        masked_level: int | None = None,
        health: Health,
        fraction: float,
        dialect: Dialect = "",
        price_terms: frozenset[PriceTerm] = frozenset(),
        sent_terms: Callable[[Target], frozenset[PriceTerm]] = _none_sent,
        advice: Advice | None = None,
        lot: Lot | None = None,
    ) -> Decision:
        """Where the request goes. The plan is never empty and never leaves the allowed set; nothing widens either.

        `input_tokens` is the upper bound that is reserved, `output_tokens` what is expected; `fraction` is uniform in
        [0, 1). `price_terms` is what changes the price, `sent_terms` what of it a target would be asked; `masked_level`
        is the request's level once masked, if it can be; `advice` is that of the model's learned router, if it has
        one; `lot` is what was drawn in the model's trials, and never makes possible what is refused without it.
        Raise `NotFound`, `NotAllowed`, `NoPermittedTarget`,
        `UnsupportedFeature`, or `GatewayFault` with code `unknown_price`.
        """
        name = self._names.resolve(model, allowed_models)
        level = max(sensitivity.level, constraints.floor)
        expected_tokens = input_tokens // BOUND_SLACK
        # The bytes of an image or a file say nothing about the tokens that it becomes.
        least_tokens = expected_tokens if features.isdisjoint(WITHOUT_TEXT) else 0
        size = bisect_left(name.context_sizes, least_tokens)
        key = (model, level, masked_level, constraints, operation, features, size, dialect)
        is_usual = price_terms <= STANDARD  # what clients may write into a field else has no end: not to be remembered
        judged = self._judgements.get(key) if is_usual else None
        if judged is None:
            demands = Demands(
                level=level, masked_level=masked_level, constraints=constraints, features=features, operation=operation,
                input_tokens=least_tokens, sent_terms=_asked(name, sent_terms),
            )  # fmt: skip  # one thing
            judged = self._judge(name, demands)
            if is_usual:
                self._judgements.put(key, judged)
        if not judged.permitted:
            raise self._refusal(name, judged, sensitivity, allowed_models)
        advised = advice.choose(judged.allowed.names, judged.masked) if advice is not None else None
        facts = Facts(
            input_tokens=expected_tokens, output_tokens=output_tokens, rates=self._rates, latency_ms=health.latency_ms,
            in_flight=health.in_flight, weights=name.weights, burst_queue=name.burst_queue,
            preferred=advised.order if advised is not None else (), fraction=fraction,
        )  # fmt: skip  # one thing
        plan = self._plan(name, judged, facts, health)
        plan, advised = cascade_plan(plan, judged.permitted, advised, health.blocked)
        plan, allowed, tried, advised = _tried(plan, judged, health, lot, advised)
        if health.claim is not None:
            health.claim(plan[0].name)
        return Decision(
            model=model, policy=name.policy_name, level=level, allowed=allowed, plan=plan, refused=judged.refused,
            why=self._why(name, judged, plan, health.blocked) + load_words(plan, facts, name.policy_name)
            + advice_words(advised, plan[0].name) + (tried.words if tried else ""),
            may_fall_back=name.may_fall_back, unpaid=_unpaid(name, judged.permitted, facts, health),
            masked=judged.masked & allowed.names if name.arms else judged.masked,
            fraction=fraction if "fraction" in name.policy.depends_on else None,
            blocked=health.blocked & judged.allowed.names if health.blocked else _NOBODY,
            full=_full(plan, facts) if "health" in name.policy.depends_on else _NOBODY,
            advised=advised, tried=tried,
        )  # fmt: skip  # one thing

    def what_matters(
        self, model: str, allowed_models: frozenset[str] | None
    ) -> tuple[tuple[int, ...], frozenset[Dependence]]:
        """What a decision for `model` depends on beside who asks and the label: known context sizes, and facts.

        Raise as `decide` does for a name that is none.
        """
        name = self._names.resolve(model, allowed_models)
        return name.context_sizes, name.policy.depends_on

    def others(
        self,
        decision: Decision,
        *,
        constraints: Constraints,
        allowed_models: frozenset[str] | None,
        features: frozenset[Feature],
        operation: Operation,
        sent_terms: Callable[[Target], frozenset[PriceTerm]] = _none_sent,
    ) -> Iterator[Target]:
        """Targets outside the plan of `decision` that may see the same request, and that its caller may name."""
        for target in self._writable(allowed_models):
            if target in decision.plan:
                continue
            demands = Demands(
                level=decision.level, constraints=constraints, features=features, operation=operation, input_tokens=0,
                sent_terms={target.name: sent_terms(target)},
            )  # fmt: skip
            if is_permitted(target, demands, self._lattice, self._rates.keys()):
                yield target

    def _writable(self, allowed_models: frozenset[str] | None) -> tuple[Target, ...]:
        if allowed_models is None:
            return self._targets
        return tuple(target for target in self._targets if target.name in allowed_models)

    def models(
        self,
        allowed_models: frozenset[str] | None = None,
        constraints: Constraints = WIDEST,
        *,
        level: int = 0,
    ) -> tuple[Mapping[str, object], ...]:
        """The entries of GET /v1/models: virtual models, then targets.

        Only `allowed_models`, when given, and only what some request under `constraints` may reach; `level` is that of
        a request without findings.
        """
        demands = Demands(level=level, constraints=constraints, features=frozenset(), input_tokens=0)
        found = []
        for name in self._names.listed():
            if allowed_models is not None and name.name not in allowed_models:
                continue
            within = tuple(
                [target for target in name.candidates if refuse_for_sovereignty(target, demands, self._lattice) is None]
            )
            if within:
                found.append(describe(replace(name, candidates=within), self._lattice))
        return tuple(found)

    def _judge(self, name: Name, demands: Demands) -> _Judged:
        everybody = (*name.candidates, *name.checks, *name.arms)
        judgement = judge(everybody, demands, lattice=self._lattice, currencies=self._rates.keys())
        # An arm that is no candidate may answer only what a candidate may answer as well.
        extra = frozenset(target.name for target in name.arms) if name.arms else _NOBODY
        refused = tuple([verdict for verdict in judgement.refused if verdict.target not in extra])
        beside = (*name.checks, *name.arms)
        return _Judged(
            demands=demands,
            allowed=judgement.allowed.shrink(judgement.allowed.names - extra) if extra else judgement.allowed,
            permitted=tuple([target for target in judgement.permitted if target not in beside])
            if beside
            else judgement.permitted,
            refused=refused,
            masked=judgement.masked,
            refused_words=_refused_words(refused),
            all_allowed=judgement.allowed,
            arms={target.name: target for target in judgement.permitted if target.name in name.arm_names},
            refused_arms={one.target: one.reason for one in judgement.refused if one.target in name.arm_names},
        )

    def _plan(self, name: Name, judged: _Judged, facts: Facts, health: Health) -> tuple[Target, ...]:
        """The head of the ranking, without what is blocked unless all of it is."""
        ranked = self._ranked(name, judged, facts, health)
        if not name.may_fall_back:
            # Stepping around a sick target would be the fallback that was ruled out.
            return tuple(ranked[:1])
        if health.blocked:
            healthy = (target for target in ranked if target.name not in health.blocked)
            ranked = list(islice(healthy, MOST_TRIES)) or ranked
        head = ranked[:MOST_TRIES]
        if len(head) == 1 or not name.policy.depends_on or not EACH_TIME.isdisjoint(name.policy.depends_on):
            return tuple(head)
        return tuple(name.policy.order(head, facts))

    def _ranked(self, name: Name, judged: _Judged, facts: Facts, health: Health) -> Sequence[Target]:
        """All permitted targets in the policy's order, remembered for as long as its facts stay the same.

        Sizes are remembered by powers of two; the head of the plan is put in exact order for each request.
        """
        depends_on = name.policy.depends_on
        if len(judged.permitted) == 1 or not depends_on:
            return judged.permitted
        if not EACH_TIME.isdisjoint(depends_on):
            return name.policy.order(judged.permitted, facts)
        if len(judged.permitted) <= MOST_TRIES:
            return judged.permitted  # all of it is the head: ordered once, in `_plan`
        size = (facts.input_tokens.bit_length(), facts.output_tokens.bit_length()) if "size" in depends_on else (0, 0)
        epoch = health.epoch if "health" in depends_on else 0
        known = judged.rankings.get(size)
        if known is not None and known[0] == epoch:
            return known[1]
        ranking = name.policy.order(judged.permitted, facts)
        if len(judged.rankings) >= MOST_RANKINGS:
            judged.rankings.clear()
        judged.rankings[size] = (epoch, ranking)
        return ranking

    def _why(self, name: Name, judged: _Judged, plan: tuple[Target, ...], blocked: frozenset[str]) -> str:
        """`own_first: house/qwen (own, free); next deepseek/chat; refused for clearance: openai/gpt`."""
        words = f"{name.policy_name}: {self._labels[plan[0].name]}"
        if len(plan) > 1:
            words += "; next " + ", ".join([target.name for target in plan[1 : 1 + MOST_NAMES_IN_WHY]])
        if hidden := [target.name for target in plan[: 1 + MOST_NAMES_IN_WHY] if target.name in judged.masked]:
            words += f"; masked for {', '.join(hidden)}"
        if blocked:
            out = sorted(blocked & judged.allowed.names)
            if plan[0].name in blocked:
                words += "; last resort, it failed lately"
            elif out and name.may_fall_back:
                words += f"; left alone after failures: {', '.join(out[:MOST_NAMES_IN_WHY])}"
        return words + judged.refused_words

    def _refusal(
        self, name: Name, judged: _Judged, sensitivity: Sensitivity, allowed_models: frozenset[str] | None
    ) -> Exception:
        checks = {target.name for target in name.checks}
        return explain_refusal(
            name.name,
            tuple([verdict for verdict in judged.refused if verdict.target not in checks]),
            name.candidates,
            self._writable(allowed_models),
            judged.demands,
            sensitivity,
            lattice=self._lattice,
            currencies=self._rates.keys(),
        )


@dataclass(slots=True, kw_only=True)
class _Judged:
    """A judgement, with the orders found for it so far."""

    demands: Demands
    allowed: AllowedSet
    permitted: tuple[Target, ...]
    refused: tuple[Verdict, ...]
    masked: frozenset[str]
    refused_words: str
    all_allowed: AllowedSet
    """With the arms of trials that are no candidates: the allowed set of a request that draws one shrinks from it."""
    arms: Mapping[str, Target]
    """Of trials, those that may see it, by name."""
    refused_arms: Mapping[str, str]
    """Arm → reason."""
    rankings: dict[tuple[int, int], tuple[int, list[Target]]] = field(default_factory=dict)


def _tried(
    plan: tuple[Target, ...], judged: _Judged, health: Health, lot: Lot | None, advised: Advised | None
) -> tuple[tuple[Target, ...], AllowedSet, Tried | None, Advised | None]:
    """The plan and the allowed set of a request that has drawn `lot`. No cascade begins behind an arm."""
    if lot is None:
        return plan, judged.allowed, None, advised
    plan, tried = with_trial(plan, lot, judged.arms, judged.refused_arms, health.blocked, MOST_TRIES)
    if not tried.arm:
        return plan, judged.allowed, tried, advised
    allowed = judged.all_allowed.shrink(judged.allowed.names | {plan[0].name})
    plan, advised = cascade_plan(plan, judged.permitted, advised, health.blocked)
    return plan, allowed, tried, advised


def _refused_words(refused: Sequence[Verdict]) -> str:
    by_reason: dict[str, list[str]] = {}
    for verdict in refused:
        by_reason.setdefault(verdict.reason, []).append(verdict.target)
    words = ""
    for reason, names in by_reason.items():
        hidden = len(names) - MOST_NAMES_IN_WHY
        more = f" and {hidden} more" if hidden > 0 else ""
        words += f"; refused for {reason}: {', '.join(names[:MOST_NAMES_IN_WHY])}{more}"
    return words


def _asked(name: Name, sent_terms: Callable[[Target], frozenset[PriceTerm]]) -> Mapping[str, frozenset[PriceTerm]]:
    """Target name → terms beyond the list price; nearly always nothing."""
    everybody = (*name.candidates, *name.checks, *name.arms)
    return {target.name: terms for target in everybody if (terms := sent_terms(target) - STANDARD)}


def _unpaid(name: Name, permitted: Sequence[Target], facts: Facts, health: Health) -> tuple[Target, ...]:
    """Only a burst may come back: elsewhere a spent budget refuses, whatever else could have answered."""
    if name.policy_name != "burst":
        return ()
    free = [target for target in permitted if target.price is not None and target.price.is_free]
    healthy = [target for target in free if target.name not in health.blocked]
    return tuple(name.policy.order(healthy or free, facts)[:MOST_TRIES])


def _full(plan: Sequence[Target], facts: Facts) -> frozenset[str]:
    """For records; a plan is short, however many targets there are."""
    if not facts.in_flight:
        return _NOBODY
    full = [target.name for target in plan if is_full(target, facts)]
    return frozenset(full) if full else _NOBODY


def _label(target: Target) -> str:
    simulated = ", simulated" if target.is_simulated else ""
    return f"{target.name} ({target.premises}, {_price_words(target.price)}{simulated})"


def _price_words(price: Price | None) -> str:
    """Per million tokens, input/output: `0.28/0.42 USD per million`."""
    if price is None:
        return "price unknown"
    if price.is_free:
        return "free"
    return f"{per_million(price.input_pico)}/{per_million(price.output_pico)} {price.currency} per million"
