"""A report as a page for people: headings, sentences and tables, in one language; drawn elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from typing import Final

from yuzui.backtest.report import ChangeReport, PromiseReport, Report, SliceReport, by_weight
from yuzui.backtest.words import Language, words_of
from yuzui.core.money import NANO

MOST_SLICES: Final = 30
MOST_CHANGES: Final = 30
_COUNTED: Final = (
    "moved", "newly_refused", "newly_answered", "left_house", "left_house_unmasked", "left_country",
    "may_leave_house", "relabelled",
)  # fmt: skip
_LATENCIES: Final = ("latency_p50", "latency_p95", "first_token_p50", "first_token_p95")


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str


@dataclass(frozen=True, slots=True)
class Grid:
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    """Columns of numbers."""


Block = Heading | Sentence | Grid
_Say = Callable[..., str]


def document(report: Report, language: Language) -> list[Block]:
    say = _sayer(language)
    blocks: list[Block] = [
        Heading(say("title", draft=report.draft), 1),
        Sentence(
            say("period", first=report.first_at, last=report.last_at, requests=report.requests,
                replayed=report.replayed, snapshot=report.snapshot)
        ),
    ]  # fmt: skip
    if report.gates:
        blocks += [Heading(say("gates")), _gates(report, say)]
    if not report.replayed:
        return [*blocks, Sentence(say("nothing")), *_remarks(report, say)]
    blocks.append(Heading(say("leaving")))
    if report.leaving:
        blocks.append(_leaving(report, say))
    else:
        blocks.append(Sentence(say("leaves_nothing")))
    home = say("home", home=", ".join(report.home)) if report.home else say("no_home")
    blocks += [Sentence(home), Heading(say("summary")), *_summary(report, say), Heading(say("changes"))]
    blocks += _changes(report, say)
    for name, slices in (("teams", report.teams), ("labels", report.labels), ("slices", report.slices)):
        if len(slices) > 1:
            blocks += [Heading(say(name)), *_slices(slices[:MOST_SLICES], report.currency, say)]
    if report.promises:
        blocks += [Heading(say("promises")), *[block for one in report.promises for block in _promise(one, say)]]
    return [*blocks, *_remarks(report, say)]


def _promise(one: PromiseReport, say: _Say) -> list[Block]:
    if one.loss is None or one.epsilon is None or one.delta is None or one.open_share is None:
        words = say("promise_none", model=one.model, reference=one.reference, problem=one.problem)
    else:
        loss, low, high = (f"{100 * value:.2f}" for value in one.loss)
        words = say(
            "promise", model=one.model, reference=one.reference, epsilon=f"{100 * one.epsilon:g}",
            confidence=f"{100 * (1 - one.delta):g}", examples=one.examples, made_at=one.made_at, data=one.data[:12],
            loss=loss, low=low, high=high, share=f"{100 * one.open_share:.1f}", threshold=one.threshold,
        )  # fmt: skip  # one thing
    rows = [(say(f"rule_{name}"), str(count)) for name, count in one.rules.items()]
    rows += [(say(f"look_{name}"), str(count)) for name, count in one.looks.items()]
    return [Sentence(words), Grid((say("what"), say("requests")), tuple(rows), frozenset((1,)))]


def _sayer(language: Language) -> _Say:
    words = words_of(language)

    def say(name: str, **values: object) -> str:
        return words.get(name, name).format(**values) if values else words.get(name, name)

    return say


def _gates(report: Report, say: _Say) -> Grid:
    rows = [(say("failed" if one.has_failed else "passed"), one.gate, one.value) for one in report.gates]
    return Grid((say("verdict"), say("gate"), say("value")), tuple(rows))


def _leaving(report: Report, say: _Say) -> Grid:
    rows = []
    for one in report.leaving:
        left = [say(name) for name, is_so in (("house", one.left_house), ("country", one.left_country)) if is_so]
        rows.append((
            one.team or say("none"), _label(one), _place(one.before, say), _after(one, say), ", ".join(left),
            str(one.requests), ", ".join(one.examples),
        ))  # fmt: skip
    columns = ("team", "label", "from", "to", "left", "requests", "examples")
    return Grid(tuple(say(name) for name in columns), tuple(rows), frozenset((5,)))


def _changes(report: Report, say: _Say) -> list[Block]:
    changes = sorted([*report.leaving, *report.changes], key=by_weight)
    if not changes:
        return [Sentence(say("no_changes"))]
    rows = [
        (
            one.team or say("none"), _label(one), _place(one.before, say), _after(one, say), str(one.requests),
            money(one.after_nano - one.before_nano, report.currency, is_change=True), say(one.was), say(one.now),
            one.examples[0] if one.examples else "",
        )
        for one in changes[:MOST_CHANGES]
    ]  # fmt: skip
    columns = ("team", "label", "from", "to", "requests", "cost_change", "was", "now", "examples")
    blocks: list[Block] = [Grid(tuple(say(name) for name in columns), tuple(rows), frozenset((4, 5)))]
    hidden = len(changes) - len(rows) + report.hidden_changes
    return [*blocks, Sentence(say("hidden", count=hidden))] if hidden else blocks


def _summary(report: Report, say: _Say) -> list[Block]:
    total, currency = report.total, report.currency
    counts = [(say(name), str(getattr(total, name)), _share(getattr(total, name), total.requests)) for name in _COUNTED]
    cost = total.cost
    measured = [(say("cost"), money(cost.before_nano, currency), money(cost.after_nano, currency), _cost_change(total))]
    for name in _LATENCIES:
        one = total.latency[name]
        measured.append((say(name), _ms(one.before, say), _ms(one.after, say), _percent(one.change)))
    blocks: list[Block] = [
        Grid((say("what"), say("requests"), "%"), tuple(counts), frozenset((1, 2))),
        Grid(
            (say("what"), f"{say('before')} (95 %)", f"{say('after')} (95 %)", "± (95 %)"),
            tuple(measured),
            frozenset((1, 2, 3)),
        ),
        Sentence(f"{say('quality')}: {_quality(total, say)}"),
    ]
    if cost.uncounted:
        blocks.append(Sentence(f"{say('uncounted')}: {cost.uncounted}"))
    if total.latency_unknown:
        blocks.append(Sentence(f"{say('latency_unknown')}: {total.latency_unknown}"))
    return blocks


def _slices(slices: Sequence[SliceReport], currency: str, say: _Say) -> list[Block]:
    """Counts and cost; latency and quality apart, since one table would be too wide to read."""
    names = [name for name in ("team", "label") if slices[0].team is not None or name == "label"]
    if slices[0].label is None:
        names.remove("label")
    counts = ("requests", "moved", "newly_refused", "left_house", "left_country")
    columns = [*names, *counts, "cost_before", "cost_change"]
    rows = [
        (
            *_named(one, names, say), *(str(getattr(one, name)) for name in counts),
            money(one.cost.before_nano, currency), _cost_change(one),
        )
        for one in slices
    ]  # fmt: skip
    grids: list[Block] = [_grid(columns, rows, len(names), say)]
    measures: dict[str, Callable[[SliceReport], str]] = {}
    if all(one.latency for one in slices):
        measures |= {name: partial(_plain_ms, name=name, say=say) for name in _LATENCIES}
    if any(one.quality is not None and one.quality.how != "unmoved" for one in slices):
        measures["quality"] = partial(_quality_change, say=say)
    if measures:
        measured = [(*_named(one, names, say), *(tell(one) for tell in measures.values())) for one in slices]
        grids.append(_grid([*names, *measures], measured, len(names), say))
    return grids


def _grid(columns: Sequence[str], rows: Sequence[tuple[str, ...]], named: int, say: _Say) -> Grid:
    return Grid(tuple(say(name) for name in columns), tuple(rows), frozenset(range(named, len(columns))))


def _named(one: SliceReport, names: Sequence[str], say: _Say) -> list[str]:
    return [getattr(one, name) or say("none") for name in names]


def _remarks(report: Report, say: _Say) -> list[Block]:
    blocks: list[Block] = []
    if report.assumed:
        rows = tuple([(str(count), say(f"assume_{name}")) for name, count in report.assumed.items()])
        blocks += [Heading(say("assumed")), Grid((say("requests"), say("what")), rows, frozenset((0,)))]
    blocks.append(Heading(say("how")))
    sentences = _computed(report, say)
    if report.not_routed:
        codes = ", ".join(f"{code} {count}" for code, count in report.not_routed.items())
        sentences.append(say("not_routed", codes=codes))
    if report.suppressed:
        sentences.append(say("suppressed", count=report.suppressed))
    if report.by_load:
        sentences.append(say("by_load", count=report.by_load))
    if report.unknown_places:
        sentences.append(say("unknown_places", names=", ".join(report.unknown_places)))
    return [*blocks, *[Sentence(one) for one in sentences]]


def _computed(report: Report, say: _Say) -> list[str]:
    """How each figure came about."""
    factors = ", ".join(f"{name}={factor}" for name, factor in report.token_factors.items()) or say("no_factors")
    block = say(report.block)
    sentences = [
        say("how_tokens", factors=factors), say("how_interval", block=block), say("how_latency"), say("how_shares"),
    ]  # fmt: skip
    slices = (report.total, *report.teams, *report.labels, *report.slices)
    hows = {one.quality.how for one in slices if one.quality is not None}
    sentences += [say(f"how_quality_{how}", block=block) for how in sorted(hows)]
    texts = report.texts
    read = texts.get("read", 0) + texts.get("masked", 0)
    if read:
        sentences.append(say("how_texts", read=read, masked=texts.get("masked", 0), rest=report.replayed - read))
    else:
        sentences.append(say("how_content"))
    if texts.get("closed"):
        sentences.append(say("texts_closed", count=texts["closed"]))
    if texts.get("gone"):
        sentences.append(say("texts_gone", count=texts["gone"]))
    return [*sentences, say("how_budgets", count=report.over_budget), say("how_limits")]


def _label(one: ChangeReport) -> str:
    return one.label if one.label == one.new_label else f"{one.label} → {one.new_label}"


def _place(name: str, say: _Say) -> str:
    return name or say("refused_place")


def _after(one: ChangeReport, say: _Say) -> str:
    return f"{_place(one.after, say)} ({say('masked')})" if one.is_masked else _place(one.after, say)


def _share(count: int, whole: int) -> str:
    return f"{100 * count / whole:.2f}" if whole else "0.00"


def money(amount_nano: int, currency: str, *, is_change: bool = False) -> str:
    """Rounded for people to six decimals; JSON has every nano-unit."""
    amount = (Decimal(amount_nano) / NANO).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)
    digits = f"{amount:+f}" if is_change else f"{amount:f}"
    whole, _, decimals = digits.partition(".")
    return f"{whole}.{decimals.rstrip('0'):<02} {currency}"


def _percent(change: float | None) -> str:
    return "–" if change is None else f"{100 * change:+.2f} %"


def _cost_change(one: SliceReport) -> str:
    cost = one.cost
    if cost.low is None or cost.high is None:
        return _percent(cost.change)
    return f"{_percent(cost.change)} ({100 * cost.low:+.2f} … {100 * cost.high:+.2f})"


def _ms(triple: tuple[float, float, float] | None, say: _Say) -> str:
    return say("no_data") if triple is None else f"{triple[0]:.0f} ms ({triple[1]:.0f} … {triple[2]:.0f})"


def _plain_ms(one: SliceReport, *, name: str, say: _Say) -> str:
    latency = one.latency[name]
    was = say("no_data") if latency.before is None else f"{latency.before[0]:.0f}"
    will = say("no_data") if latency.after is None else f"{latency.after[0]:.0f} ms"
    return f"{was} → {will}"


def _quality(one: SliceReport, say: _Say) -> str:
    found = one.quality
    if found is None:
        return say("no_quality")
    change = _quality_change(one, say=say)
    return say(f"of_{found.how}", change=change, examples=found.examples, unknown=found.unknown)


def _quality_change(one: SliceReport, *, say: _Say) -> str:
    found = one.quality
    if found is None:
        return say("no_data")
    points = f"{100 * found.change:+.2f} {say('points')}"
    if found.low is None or found.high is None:
        return points
    return f"{points} ({100 * found.low:+.2f} … {100 * found.high:+.2f})"
