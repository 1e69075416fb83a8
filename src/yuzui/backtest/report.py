"""What a replay found, as values: totals, slices, changes by weight, and everything that was supposed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Final

import msgspec

from yuzui.backtest.intervals import bounded_change, ratio_change
from yuzui.backtest.latencies import Draws, Part, Quantile, join, quantiles_of
from yuzui.backtest.quality import Moves, Prediction, Quality
from yuzui.backtest.tally import MICRO, REFUSED, Change, Line, Measured, Slice, Tally, Timings
from yuzui.core.price_terms import show_factor
from yuzui.learned_routing import GuaranteedModel

LEVELS: Final = (0.5, 0.95)
MOST_CHANGES: Final = 200
"""Lines of changes in a report; those that leave are all in it."""

_Belongs = Callable[[Slice], bool]


class CostChange(msgspec.Struct, frozen=True, kw_only=True):
    """Nano-units of the book currency; relative changes as fractions."""

    before_nano: int
    after_nano: int
    change: float | None
    """None: it cost nothing, and would cost something."""
    low: float | None
    high: float | None
    uncounted: int
    """Requests in neither sum: nobody counted what they would use."""


class LatencyChange(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds, each as (value, low, high); None: no data."""

    before: tuple[float, float, float] | None
    after: tuple[float, float, float] | None

    @property
    def change(self) -> float | None:
        if self.before is None or self.after is None or not self.before[0]:
            return None
        return self.after[0] / self.before[0] - 1


class SliceReport(msgspec.Struct, frozen=True, kw_only=True):
    """`team` and `label` are None where all are meant."""

    team: str | None
    label: str | None
    requests: int
    moved: int
    newly_refused: int
    newly_answered: int
    left_house: int
    left_house_unmasked: int
    left_country: int
    may_leave_house: int
    relabelled: int
    cost: CostChange
    latency: dict[str, LatencyChange]
    """latency_p50, latency_p95, first_token_p50, first_token_p95."""
    latency_unknown: int
    """Answered requests that move to a target without recorded latencies: they are in no figure after."""
    quality: Prediction | None


class ChangeReport(msgspec.Struct, frozen=True, kw_only=True):
    team: str
    label: str
    new_label: str
    before: str
    after: str
    """"" is a refusal, here and in `before`."""
    was: str
    now: str
    is_masked: bool
    left_house: bool
    left_country: bool
    may_leave_house: bool
    requests: int
    before_nano: int
    after_nano: int
    uncounted: int
    examples: tuple[str, ...]


class PromiseReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the certificate of a virtual model of the draft says, and what its router did in the replay."""

    model: str
    reference: str
    problem: str
    """Why nothing is certified; then only the reference answers, and the numbers are None."""
    epsilon: float | None = None
    delta: float | None = None
    examples: int | None = None
    loss: tuple[float, float, float] | None = None
    """On the calibration examples: mean, and 95 % as `bounded_change` has it."""
    open_share: float | None = None
    threshold: float | None = None
    made_at: str = ""
    data: str = ""
    """SHA-256 of the calibration examples."""
    rules: dict[str, int] = {}
    """What decided → requests."""
    looks: dict[str, int] = {}
    """From what the router was replayed → requests; see `learned.Source`."""


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    gate: str
    has_failed: bool
    value: str
    """What it was held against, for people."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    draft: str
    snapshot: str
    first_at: str
    last_at: str
    block: str
    """day | hour: what intervals of cost take as one draw."""
    currency: str
    home: tuple[str, ...]
    team: str | None
    requests: int
    replayed: int
    not_routed: dict[str, int]
    suppressed: int
    by_load: int
    over_budget: int
    texts: dict[str, int]
    """What became of kept texts → requests; see `Tally.texts`."""
    promises: tuple[PromiseReport, ...]
    assumed: dict[str, int]
    unknown_places: tuple[str, ...]
    token_factors: dict[str, str]
    total: SliceReport
    teams: tuple[SliceReport, ...]
    labels: tuple[SliceReport, ...]
    slices: tuple[SliceReport, ...]
    """Team by label, the largest first."""
    leaving: tuple[ChangeReport, ...]
    changes: tuple[ChangeReport, ...]
    hidden_changes: int
    gates: tuple[GateResult, ...] = ()


class Counts(msgspec.Struct, kw_only=True):
    requests: int = 0
    moved: int = 0
    newly_refused: int = 0
    newly_answered: int = 0
    left_house: int = 0
    left_house_unmasked: int = 0
    left_country: int = 0
    may_leave_house: int = 0
    relabelled: int = 0

    def add(self, change: Change, requests: int) -> None:
        self.requests += requests
        self.moved += requests * change.is_moved
        self.newly_refused += requests * change.is_newly_refused
        self.newly_answered += requests * change.is_newly_answered
        self.left_house += requests * change.left_house
        self.left_house_unmasked += requests * (change.left_house and not change.is_masked)
        self.left_country += requests * change.left_country
        self.may_leave_house += requests * change.may_leave_house
        self.relabelled += requests * (change.new_label != change.slice.label)


class Reporter:
    """Makes slices of one tally. `draws` is for intervals only."""

    def __init__(self, tally: Tally, draws: Draws, quality: Quality | None) -> None:
        self._tally = tally
        self._draws = draws
        self._quality = quality
        self._measured: dict[tuple[str, str], Timings] = {}
        """(target, operation) → everything that was measured there."""
        by_place: dict[tuple[str, str], list[Timings]] = {}
        for measured, timings in tally.timings.items():
            by_place.setdefault((measured.target, measured.operation), []).append(timings)
        for place, several in by_place.items():
            joined = self._measured[place] = Timings()
            joined.whole.counts = join(one.whole for one in several)
            joined.first_token.counts = join(one.first_token for one in several)

    def slice(
        self, belongs: _Belongs, *, team: str | None = None, label: str | None = None, with_latency: bool = True
    ) -> SliceReport:
        counts, uncounted = Counts(), 0
        for change, line in self._tally.lines.items():
            if belongs(change.slice):
                counts.add(change, line.requests)
                uncounted += line.uncounted
        mine = {measured: one for measured, one in self._tally.timings.items() if belongs(measured.slice)}
        latency: dict[str, LatencyChange] = {}
        if with_latency:
            latency = self._latency("latency", mine, "whole") | self._latency("first_token", mine, "first_token")
        unknown = sum(
            timings.whole.total
            for measured, timings in mine.items()
            if measured.after not in (REFUSED, measured.target)
            and not self._has_data(measured.after, measured.operation)
        )
        return SliceReport(
            team=team, label=label, cost=self._cost(belongs, uncounted), latency=latency, latency_unknown=unknown,
            quality=(self._quality.change(_moves(mine)) if self._quality is not None else None)
            or self._predicted(belongs),
            **{name: getattr(counts, name) for name in Counts.__struct_fields__},
        )  # fmt: skip  # one thing

    def _has_data(self, target: str, operation: str) -> bool:
        found = self._measured.get((target, operation))
        return found is not None and bool(found.whole.counts)

    def _cost(self, belongs: _Belongs, uncounted: int) -> CostChange:
        blocks: dict[str, tuple[int, int]] = {}
        for slice_, sums in self._tally.blocks.items():
            if belongs(slice_):
                for name, one in sums.items():
                    before, after = blocks.get(name, (0, 0))
                    blocks[name] = before + one.before_nano, after + one.after_nano
        change = ratio_change(list(blocks.values()))
        return CostChange(
            before_nano=sum(block[0] for block in blocks.values()),
            after_nano=sum(block[1] for block in blocks.values()),
            change=change.change if change else None,
            low=change.low if change else None,
            high=change.high if change else None,
            uncounted=uncounted,
        )

    def _predicted(self, belongs: _Belongs) -> Prediction | None:
        """From gains that a learned router predicts; None where it predicts none of what moves."""
        answered: dict[str, int] = {}
        gained: dict[str, int] = {}
        moved = predicted = 0
        for slice_, sums in self._tally.blocks.items():
            if belongs(slice_):
                for name, one in sums.items():
                    answered[name] = answered.get(name, 0) + one.answered * MICRO
                    gained[name] = gained.get(name, 0) + one.gained_micro
                    moved += one.moved
                    predicted += one.predicted
        change = ratio_change([(count, count + gained[name]) for name, count in answered.items() if count])
        if change is None or not answered or (moved and not predicted):
            return None
        if not moved:
            return Prediction(how="unmoved", change=0.0, low=0.0, high=0.0, examples=0, unknown=0)
        return Prediction(
            how="router", change=change.change, low=change.low, high=change.high, examples=predicted,
            unknown=moved - predicted,
        )  # fmt: skip  # one thing

    def _latency(self, name: str, mine: Mapping[Measured, Timings], part: str) -> dict[str, LatencyChange]:
        before: list[Part] = []
        after: list[Part] = []
        for measured, timings in mine.items():
            counts = getattr(timings, part).counts
            requests = sum(counts.values())
            before.append(Part(requests=requests, measured=counts))
            if measured.after == measured.target:
                after.append(Part(requests=requests, measured=counts))
            elif measured.after != REFUSED:
                there = self._measured.get((measured.after, measured.operation), Timings())
                after.append(Part(requests=requests, measured=getattr(there, part).counts))
        was, will = quantiles_of(before, LEVELS, self._draws), quantiles_of(after, LEVELS, self._draws)
        return {
            f"{name}_p{round(level * 100)}": LatencyChange(before=_triple(was, place), after=_triple(will, place))
            for place, level in enumerate(LEVELS)
        }


def _triple(quantiles: tuple[Quantile, ...] | None, place: int) -> tuple[float, float, float] | None:
    if quantiles is None:
        return None
    one = quantiles[place]
    return one.value_ms, one.low_ms, one.high_ms


def _moves(mine: Mapping[Measured, Timings]) -> Moves:
    moves: Counter[tuple[str, str]] = Counter()
    for measured, timings in mine.items():
        if measured.after != REFUSED:
            moves[measured.target, measured.after] += timings.whole.total
    return moves


def changes_of(lines: Mapping[Change, Line]) -> tuple[list[ChangeReport], list[ChangeReport]]:
    """Those that leave, and all others that are worth reading; by weight: requests, then money."""
    leaving: list[ChangeReport] = []
    others: list[ChangeReport] = []
    for change, line in lines.items():
        if change.is_quiet or not line.requests:  # none: a budget sent all of them elsewhere
            continue
        told = ChangeReport(
            team=change.slice.team, label=change.slice.label, new_label=change.new_label, before=change.before,
            after=change.after, was=change.was, now=change.now, is_masked=change.is_masked,
            left_house=change.left_house, left_country=change.left_country, may_leave_house=change.may_leave_house,
            requests=line.requests, before_nano=line.before_nano, after_nano=line.after_nano,
            uncounted=line.uncounted, examples=tuple(line.examples),
        )  # fmt: skip  # one thing
        (leaving if change.left_house or change.left_country else others).append(told)
    for told_ones in (leaving, others):
        told_ones.sort(key=by_weight)
    return leaving, others


def by_weight(one: ChangeReport) -> tuple[int, int, str, str]:
    """For sorting: the most requests first, then the most money."""
    return -one.requests, -abs(one.after_nano - one.before_nano), one.team, one.label


def slices_of(reporter: Reporter, slices: Iterable[Slice]) -> tuple[list[SliceReport], ...]:
    """Per team, per label, and per team and label."""
    known = sorted(set(slices))
    teams = [
        reporter.slice(lambda one, team=team: one.team == team, team=team)  # type: ignore[misc]  # a bound default
        for team in sorted({one.team for one in known})
    ]
    labels = [
        reporter.slice(lambda one, label=label: one.label == label, label=label)  # type: ignore[misc]  # likewise
        for label in sorted({one.label for one in known})
    ]
    both = [
        reporter.slice(lambda one, own=own: one == own, team=own.team, label=own.label, with_latency=False)  # type: ignore[misc]  # likewise
        for own in known
    ]
    both.sort(key=lambda one: -one.requests)
    return teams, labels, both


def promises_of(models: Mapping[str, GuaranteedModel], tally: Tally) -> tuple[PromiseReport, ...]:
    """Of models that somebody asked for."""
    found = []
    for name, model in models.items():
        rules = {rule: count for (asked, rule), count in tally.rules.items() if asked == name}
        looks = {source: count for (asked, source), count in tally.looks.items() if asked == name}
        if not looks:
            continue
        one = model.certificate
        if one is None:
            found.append(PromiseReport(
                model=name, reference=model.reference, problem=model.problem, rules=rules, looks=looks,
            ))  # fmt: skip  # one thing
            continue
        loss = bounded_change(one.loss, one.open_share, one.data.examples)
        found.append(PromiseReport(
            model=name, reference=model.reference, problem="", epsilon=one.epsilon, delta=one.delta,
            examples=one.data.examples, loss=(loss.change, loss.low or 0.0, loss.high or 0.0),
            open_share=one.open_share, threshold=one.threshold, made_at=one.made_at, data=one.data.sha256,
            rules=rules, looks=looks,
        ))  # fmt: skip  # one thing
    return tuple(found)


def make_report(
    tally: Tally,
    draws: Draws,
    quality: Quality | None,
    *,
    draft: str,
    snapshot: str,
    block: str,
    currency: str,
    home: tuple[str, ...],
    team: str | None,
    unknown_places: Iterable[str],
    token_factors: Mapping[str, Fraction],
    routers: Mapping[str, GuaranteedModel] | None = None,
) -> Report:
    """Everything about `tally`; the gates are still to be held against it. `routers`: the draft's, by model."""
    reporter = Reporter(tally, draws, quality)
    leaving, others = changes_of(tally.lines)
    teams, labels, both = slices_of(reporter, tally.blocks)
    return Report(
        draft=draft,
        snapshot=snapshot,
        first_at=tally.first_at,
        last_at=tally.last_at,
        block=block,
        currency=currency,
        home=home,
        team=team,
        requests=tally.requests,
        replayed=tally.replayed,
        not_routed=dict(tally.not_routed.most_common()),
        suppressed=tally.suppressed,
        by_load=tally.by_load,
        over_budget=tally.over_budget,
        texts=dict(tally.texts.most_common()),
        promises=promises_of(routers or {}, tally),
        assumed=dict(tally.assumed.most_common()),
        unknown_places=tuple(sorted(unknown_places)),
        token_factors={name: show_factor(factor) for name, factor in token_factors.items()},
        total=reporter.slice(lambda _: True),
        teams=tuple(teams),
        labels=tuple(labels),
        slices=tuple(both),
        leaving=tuple(leaving),
        changes=tuple(others[:MOST_CHANGES]),
        hidden_changes=max(0, len(others) - MOST_CHANGES),
    )
