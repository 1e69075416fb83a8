"""Recorded requests under a draft: the same router decides, from what the records say it was asked.

Requests that ask the same are decided once; those whose text is kept and may be read, each by itself. Where records
lack something, a supposition takes its place and is counted.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from yuzui.accounting import bounds
from yuzui.accounting.price_factors import applied
from yuzui.audit.record import AskedRecord
from yuzui.backtest.budgets import Spending
from yuzui.backtest.learned import LearnedRouters, Seen
from yuzui.backtest.places import Places
from yuzui.backtest.recorded import Recorded
from yuzui.backtest.relabel import Label, relabel, request_of
from yuzui.backtest.tally import MICRO, MOST_EXAMPLES, REFUSED, Change, Line, Measured, Slice, Sums, Tally, Timings
from yuzui.backtest.texts import ReadText, Texts, read_text
from yuzui.config import Config
from yuzui.core.caller import LOOPBACK_CALLER, Budget, Caller, Constraints
from yuzui.core.chat import ChatRequest
from yuzui.core.decision import Decision, Verdict
from yuzui.core.errors import ConfigError, YuzuiError
from yuzui.core.money import convert_nano, cost_nano
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.lanes import sent_terms
from yuzui.learned_routing import GuaranteedModel
from yuzui.routing.allowed import BOUND_SLACK
from yuzui.routing.health import Health
from yuzui.routing.memo import Memo
from yuzui.routing.trial_plan import lot_again
from yuzui.world import Snapshot

MOST_CASES: Final = 20_000
"""Kinds of requests that are remembered, twice as many at most; one takes some kilobytes."""
BY_LATENCY: Final = "fastest"
"""The policy that goes by latencies of the moment, which no record has."""
BURST: Final = "burst"
"""The policy that goes by queues of the moment, and comes back where the budget does not hold."""
DEFAULT_OUTPUT: Final = 4096
ANSWERED: Final = "answered"
OVER_BUDGET: Final = "budget_exceeded"
_CONSUMED: Final = frozenset((ANSWERED, "aborted"))
GONE, PERMITTED, NO_CANDIDATE = "gone", "permitted", "not a candidate"


@dataclass(slots=True)
class Fate:
    """What becomes of one kind of request, with the places where it is counted."""

    line: Line
    timings: Timings
    target: Target | None
    is_moved: bool
    factor: Fraction
    by_load: bool
    home: Target | None
    """Who answers for nothing where the budget does not hold a burst."""


@dataclass(slots=True, kw_only=True)
class _Case:
    """Everything that requests of one kind share."""

    recorded: Recorded
    caller: Caller
    features: frozenset[str]
    request: ChatRequest
    label: Label
    assumed: tuple[str, ...]
    text: ReadText | None
    budget: Budget | None
    is_learned: bool
    """A learned router of the draft is asked."""
    context_sizes: tuple[int, ...] = ()
    by_size: bool = False
    by_draw: bool = False
    fates: dict[int, Fate] = field(default_factory=dict)
    """By class of context size, where the exact size does not matter."""
    by_plan: dict[tuple[object, ...], Fate] = field(default_factory=dict)
    """The same by class of context size and plan: sizes and draws are many, plans are few."""
    blocks: dict[str, Sums]


class Replay:
    """Feed records with `add`; the result is in `tally`."""

    def __init__(
        self,
        snapshot: Snapshot,
        callers: Mapping[str, Caller],
        places: Places,
        *,
        token_factors: Mapping[str, Fraction] | None = None,
        block_chars: int = 10,
        texts: Texts | None = None,
        known_routers: Mapping[str, GuaranteedModel] | None = None,
    ) -> None:
        """`callers`: key id → who it is, under the draft's levels. `token_factors`: target → how many tokens it takes
        for what another target took one. `block_chars`: how much of a record's time names its block (10 a day, 13 an
        hour). `texts`: None where nobody may read them. `known_routers`: of the configuration of that time."""
        self.tally = Tally()
        self._snapshot = snapshot
        self._config: Config = snapshot.config
        self._callers = callers
        self._places = places
        self._targets = {target.name: target for target in self._config.targets}
        self._factors = dict(token_factors or {})
        self._block_chars = block_chars
        self._texts = texts
        self._learned = LearnedRouters(snapshot.guaranteed, known_routers or {})
        self._spending = Spending()
        self._cases: Memo[tuple[object, ...], _Case] = Memo(MOST_CASES)
        if strangers := sorted(set(self._factors) - set(self._targets)):
            raise ConfigError(f"--tokens-factor: the draft has no target {strangers[0]!r}")

    def add(self, records: Iterable[Recorded]) -> None:
        """Raise `ConfigError` when the books are in another currency than the draft's."""
        tally, cases = self.tally, self._cases
        for recorded in records:
            tally.requests += 1
            at = recorded.at
            if not tally.first_at or at < tally.first_at:
                tally.first_at = at
            if at > tally.last_at:
                tally.last_at = at
            tally.suppressed += recorded.suppressed
            if not recorded.is_routed:
                tally.not_routed[recorded.error or recorded.outcome] += 1
                continue
            if recorded.captured and (text := self._text(recorded)) is not None:
                self._count(recorded, self._case(recorded, text))
                continue
            key = _key(recorded)
            case = cases.get(key)
            if case is None:
                case = self._case(recorded, None)
                cases.put(key, case)
            self._count(recorded, case)

    def _text(self, recorded: Recorded) -> ReadText | None:
        """None: it is not there, or nobody may read it."""
        texts = self.tally.texts
        if self._texts is None:
            texts["closed"] += 1
            return None
        kept = self._texts.find(recorded.app, recorded.id)
        found = None if kept is None else read_text(kept, self._snapshot.scanner)
        if found is None:
            texts["gone"] += 1
        else:
            texts["masked" if found.is_masked else "read"] += 1
        return found

    def _count(self, recorded: Recorded, case: _Case) -> None:
        for assumption in case.assumed:
            self.tally.assumed[assumption] += 1
        seen = self._look(recorded, case) if case.is_learned else None
        fate = self._fate(recorded, case, seen)
        before, after = self._costs(recorded, fate)
        if case.budget is not None and after is not None:
            fate, after = self._paid(recorded, case, case.budget, fate, before, after)
        line = fate.line
        line.requests += 1
        if len(line.examples) < MOST_EXAMPLES:
            line.examples.append(recorded.id)
        if fate.by_load:
            self.tally.by_load += 1
        block = recorded.at[: self._block_chars]
        sums = case.blocks.get(block)
        if sums is None:
            sums = case.blocks[block] = Sums()
        sums.requests += 1
        if after is None:
            line.uncounted += 1
        else:
            line.before_nano += before
            line.after_nano += after
            sums.before_nano += before
            sums.after_nano += after
        if recorded.outcome == ANSWERED:
            fate.timings.whole.add(recorded.duration_ms)
            if recorded.first_token_ms:
                fate.timings.first_token.add(recorded.first_token_ms)
            if fate.target is not None:
                sums.answered += 1
                if fate.is_moved:
                    sums.moved += 1
                    if seen is not None:
                        _add_gain(sums, seen, recorded.target, fate.target.name)

    def _look(self, recorded: Recorded, case: _Case) -> Seen | None:
        seen = self._learned.look(recorded, case.text)
        if seen is not None:
            self.tally.looks[recorded.model, seen.source] += 1
            if seen.source == "nothing":
                self._assume("router")
            elif seen.source == "masked_text":
                self._assume("router_masked")
        return seen

    def _assume(self, name: str) -> None:
        self.tally.assumed[name] += 1

    # ---- money ------------------------------------------------------------------------------------------------------

    def _costs(self, recorded: Recorded, fate: Fate) -> tuple[int, int | None]:
        """Nano-units of the book currency as they were, and as they would be; None where nobody can tell."""
        cost, target = recorded.cost, fate.target
        before = 0
        if cost is not None:
            before = cost.total
            if cost.book_currency != self._config.money.currency:
                raise ConfigError(
                    f"the books are kept in {cost.book_currency}, the draft's money.currency is "
                    f"{self._config.money.currency}: what they cost cannot be compared"
                )
        if target is None:
            return before, 0
        if recorded.usage is None or (fate.is_moved and recorded.outcome not in _CONSUMED):
            # Where it was, the same would happen again; elsewhere it might be answered, and nobody counted its tokens.
            return (before, before) if not fate.is_moved else (before, None)
        price = target.price
        if price is None:
            return before, None
        if price.is_free:
            return before, 0
        rate = self._config.money.rates[price.currency]
        factor = fate.factor
        usage = recorded.usage.as_usage()
        if not fate.is_moved:
            if cost is not None and cost.price_version == price.version and cost.rate == _spelled(rate):
                return before, before
            if cost is not None and cost.terms:
                factor = applied(target.price_factors, cost.terms, cost.terms).factor
        elif scale := self._factors.get(target.name):
            usage = scaled(usage, scale)
        return before, convert_nano(cost_nano(price, usage, factor), rate)

    def _paid(
        self, recorded: Recorded, case: _Case, budget: Budget, fate: Fate, before_nano: int, after_nano: int
    ) -> tuple[Fate, int]:
        """The fate and cost that the budget of the key leaves."""
        if not self._spending.admits(recorded.key_id, budget, recorded.at, before_nano, after_nano):
            self.tally.over_budget += fate.home is None
            fate = self._fated(case, fate.home, (), frozenset(), OVER_BUDGET, False)
            after_nano = 0
        self._spending.spend(recorded.key_id, budget, recorded.at, before_nano, after_nano)
        return fate, after_nano

    # ---- decisions --------------------------------------------------------------------------------------------------

    def _case(self, recorded: Recorded, text: ReadText | None) -> _Case:
        assumed: dict[str, None] = {}

        def assume(name: str) -> None:
            assumed[name] = None

        asked = recorded.asked
        if asked is None:
            assume("asked")
            asked = AskedRecord(
                features=tuple(sorted(text.request.features)) if text is not None else (),
                terms=recorded.cost.terms if recorded.cost else (),
            )
        caller = self._caller(recorded, assume)
        request = request_of(recorded, asked.terms)
        if any(term.endswith("=?") for term in asked.terms):
            assume("terms")
        features = frozenset(asked.features)
        label = relabel(recorded, self._config, caller, features, request, assume, text=text)
        slice_ = Slice(recorded.team, recorded.sensitivity)
        case = _Case(
            recorded=recorded, caller=caller, features=features, request=request, label=label,
            assumed=(), text=text, budget=caller.budget, is_learned=recorded.model in self._learned.models,
            blocks=self.tally.blocks.setdefault(slice_, {}),
        )  # fmt: skip  # one thing
        try:
            case.context_sizes, matters = self._snapshot.router.what_matters(recorded.model, caller.models)
        except YuzuiError:  # a name that is none: `decide` says so for each size alike
            matters = frozenset()
        case.by_size, case.by_draw = "size" in matters, "fraction" in matters
        if case.by_draw and asked.draw is None:
            assume("draw")
        case.assumed = tuple(assumed)
        return case

    def _caller(self, recorded: Recorded, assume: Callable[[str], None]) -> Caller:
        if recorded.key_id == LOOPBACK_CALLER.key_id:
            return LOOPBACK_CALLER
        known = self._callers.get(recorded.key_id)
        if known is not None:
            return known
        assume("key")
        lattice = self._config.sensitivity.lattice
        floors = [lattice.level_or_top(cause.level) for cause in recorded.causes_read if cause.source == "floor"]
        constraints = Constraints(floor=max(floors, default=0))
        return Caller(key_id=recorded.key_id, app=recorded.app, team=recorded.team, constraints=constraints)

    def _fate(self, recorded: Recorded, case: _Case, seen: Seen | None) -> Fate:
        asked = recorded.asked
        if asked is not None:
            bound, output = asked.input_bound, asked.output
        else:
            usage = recorded.usage
            bound, output = (usage.input * BOUND_SLACK, usage.output) if usage else (0, DEFAULT_OUTPUT)
            if case.text is not None:
                bound = bounds.input_tokens(case.text.size_bytes)
        if case.label.masked_bytes:
            bound = max(bound, bounds.input_tokens(case.label.masked_bytes))
        if case.by_draw:
            draw = asked.draw if asked is not None and asked.draw is not None else _draw_of(recorded.id)
            return self._decide(case, bound, output, draw, seen)
        if case.by_size or seen is not None:
            return self._decide(case, bound, output, 0.0, seen)  # sizes and looks hardly ever repeat
        size = bisect_left(case.context_sizes, bound // BOUND_SLACK)
        fate = case.fates.get(size)
        if fate is None:
            fate = case.fates[size] = self._decide(case, bound, output, 0.0, None)
        return fate

    def _decide(self, case: _Case, bound: int, output: int, draw: float, seen: Seen | None) -> Fate:
        recorded, router, codecs = case.recorded, self._snapshot.router, self._snapshot.codecs
        request = case.request
        try:
            decision = router.decide(
                recorded.model,
                sensitivity=Sensitivity(level=case.label.level, causes=(), kinds={}),
                constraints=case.caller.constraints,
                allowed_models=case.caller.models,
                operation=request.operation,
                features=case.features,  # type: ignore[arg-type]  # a record's words; an unknown one is lacked by all
                input_tokens=bound,
                output_tokens=output,
                masked_level=case.label.masked_level,
                health=self._health(recorded),
                fraction=draw,
                dialect=recorded.dialect,
                price_terms=request.price_terms,
                sent_terms=lambda target: sent_terms(codecs, request, target),
                advice=seen.advice if seen is not None else None,
                lot=lot_again(self._snapshot.trials.get(recorded.model, ()), recorded.trials),
            )
        except YuzuiError as error:
            return self._refused(case, error.code, error.refused)
        if decision.advised is not None and seen is not None and seen.source not in ("nothing", "broken"):
            self.tally.rules[recorded.model, decision.advised.rule] += 1
        return self._placed(case, decision, bound)

    def _health(self, recorded: Recorded) -> Health:
        """The health of that moment as far as the record tells: a target that was out is out again."""
        asked = recorded.asked or AskedRecord()
        latencies: dict[str, float] = {}
        if recorded.policy == BY_LATENCY:
            latencies = {name: float(len(recorded.plan)) for name in self._targets}
            latencies |= {name: float(place) for place, name in enumerate(recorded.plan)}
        return Health(
            blocked=frozenset(asked.blocked),
            in_flight={
                name: self._targets[name].max_concurrency + self._targets[name].max_queue
                for name in asked.full
                if name in self._targets
            },
            latency_ms=latencies,
        )

    def _placed(self, case: _Case, decision: Decision, bound: int) -> Fate:
        recorded = case.recorded
        plan = tuple([target.name for target in decision.plan])
        before = recorded.target or (recorded.plan[0] if recorded.plan else REFUSED)
        known = case.by_plan.get(place := (bisect_left(case.context_sizes, bound // BOUND_SLACK), *plan))
        if known is not None:
            return known
        is_same = plan == recorded.plan
        by_load = False
        if not is_same and decision.policy == recorded.policy and _is_by_load(recorded, plan):
            is_same = by_load = True
        target = self._targets.get(before) if is_same else None
        if target is None:
            target = self._first(recorded, decision)
        now = _verdict_on(before, decision.refused, plan)
        fate = case.by_plan[place] = self._fated(case, target, plan, decision.masked, now, by_load)
        if decision.unpaid and decision.unpaid != decision.plan:
            fate.home = decision.unpaid[0]
        return fate

    def _first(self, recorded: Recorded, decision: Decision) -> Target:
        """Who answers: the first of the plan that did not fail then. Where all did, the one that was tried last."""
        failed = {one.target for one in recorded.attempts if one.outcome != "ok" and not one.role} - {recorded.target}
        if recorded.target and recorded.outcome == "failed":
            failed.add(recorded.target)
        left = [target for target in decision.plan if target.name not in failed]
        if left and decision.may_fall_back:
            return left[0]
        same = [target for target in decision.plan if target.name == recorded.target]
        return same[0] if same and decision.may_fall_back else decision.plan[0]

    def _refused(self, case: _Case, code: str, refused: tuple[Verdict, ...]) -> Fate:
        recorded = case.recorded
        before = recorded.target or (recorded.plan[0] if recorded.plan else REFUSED)
        verdict = _verdict_on(before, refused, ()) if before else code
        return self._fated(case, None, (), frozenset(), verdict if verdict != NO_CANDIDATE else code, False)

    def _fated(
        self, case: _Case, target: Target | None, plan: tuple[str, ...], masked: frozenset[str], now: str, by_load: bool
    ) -> Fate:
        recorded, places = case.recorded, self._places
        before = recorded.target or (recorded.plan[0] if recorded.plan else REFUSED)
        after = target.name if target is not None else REFUSED
        if before and before not in self._targets:
            now = GONE
        was_inside = places.was_inside(recorded)
        is_outside = target is not None and target.premises != "own"
        names = self._config.sensitivity.lattice.names
        change = Change(
            slice=Slice(recorded.team, recorded.sensitivity),
            new_label=names[min(case.label.level, len(names) - 1)],
            before=before,
            after=after,
            was=_was(recorded, after),
            now=now,
            is_masked=after in masked,
            left_house=was_inside and is_outside,
            left_country=target is not None and places.leaves_country(recorded, target),
            may_leave_house=not is_outside
            and places.plan_was_inside(recorded)
            and any(self._targets[name].premises != "own" for name in plan),
        )
        factor = Fraction(1)
        if target is not None:
            factor = applied(target.price_factors, sent_terms(self._snapshot.codecs, case.request, target), ()).factor
        measured = Measured(change.slice, before, recorded.operation, after)
        return Fate(
            line=self.tally.lines.setdefault(change, Line()),
            timings=self.tally.timings.setdefault(measured, Timings()),
            target=target,
            is_moved=change.is_moved,
            factor=factor,
            by_load=by_load,
            home=None,
        )


def _add_gain(sums: Sums, seen: Seen, before: str, after: str) -> None:
    was, will = seen.gains.get(before), seen.gains.get(after)
    if was is not None and will is not None:
        sums.predicted += 1
        sums.gained_micro += round((was - will) * MICRO)


def scaled(usage: Usage, factor: Fraction) -> Usage:
    """`usage` with `factor` times its tokens, rounded up; what is counted in other units stays."""
    tokens = {
        name: -(-getattr(usage, name) * factor.numerator // factor.denominator)
        for name in usage.__struct_fields__
        if name.endswith("_tokens") or name == "cache_write_1h_tokens"
    }
    return msgspec.structs.replace(usage, **tokens)


def _key(recorded: Recorded) -> tuple[object, ...]:
    """Everything that `_case` and `_decide` read of a record, except its size and draw."""
    asked, cost, attempts = recorded.asked, recorded.cost, recorded.attempts
    return (
        recorded.key_id, recorded.app, recorded.team, recorded.dialect, recorded.operation, recorded.model,
        recorded.sensitivity, bytes(recorded.causes), bytes(recorded.findings), recorded.masked_level,
        recorded.not_masked, bytes(recorded.allowed), bytes(recorded.refused), recorded.policy, recorded.plan,
        tuple(recorded.trials.items()),
        recorded.target, recorded.premises, recorded.jurisdiction, recorded.outcome, recorded.error,
        None if asked is None else (asked.features, asked.terms, asked.blocked, asked.full, asked.draw is None),
        cost.terms if cost is not None and asked is None else (),
        () if len(attempts) == 1 and attempts[0].outcome == "ok" else
        tuple([(one.target, one.outcome, one.role) for one in attempts]),
    )  # fmt: skip  # one thing


def _is_by_load(recorded: Recorded, plan: tuple[str, ...]) -> bool:
    """`plan`, of the same policy, differs from the recorded one by what the load of the moment decided."""
    if recorded.policy == BURST:
        return bool(recorded.plan) and set(recorded.plan) <= set(plan)
    return recorded.policy == BY_LATENCY and set(recorded.plan) == set(plan)


def _was(recorded: Recorded, after: str) -> str:
    if not after:
        return PERMITTED if recorded.plan else recorded.error
    if after in recorded.plan or after in recorded.allowed_read:
        return PERMITTED
    return next((reason for reason, names in recorded.refused_read.items() if after in names), NO_CANDIDATE)


def _verdict_on(name: str, refused: tuple[Verdict, ...], plan: tuple[str, ...]) -> str:
    if name in plan:
        return PERMITTED
    return next((verdict.reason for verdict in refused if verdict.target == name), NO_CANDIDATE)


def _draw_of(request_id: str) -> float:
    """In [0, 1), the same for the same request, whatever else is replayed."""
    return zlib.crc32(request_id.encode()) / 2**32


def _spelled(rate: Decimal) -> str:
    return format(rate, "f")
