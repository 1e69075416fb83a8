"""The report of a run as a document: what people read of it, in Markdown or on an HTML page, in English or Chinese."""

from __future__ import annotations

import msgspec

from yuzui.economics.document import Block, Document, Figure, Paragraph, Section, Table
from yuzui.evaluation.bootstrap import Interval
from yuzui.evaluation.calls import Settings
from yuzui.evaluation.plots import Point, cost_plot, interval_plot
from yuzui.evaluation.report_words import Language, word
from yuzui.evaluation.summary import ModelFacts, Slice, Summary

EXCERPT = 300


class Report:
    def __init__(self, summary: Summary, settings: Settings, language: Language, parallel: int) -> None:
        self._summary = summary
        self._settings = settings
        self._language = language
        self._parallel = parallel

    def document(self) -> Document:
        summary, settings = self._summary, self._settings
        whole, *parts = summary.slices
        lead = self._word("lead", examples=whole.examples, models=len(settings.asked))
        if summary.missing:
            lead += " " + self._word("missing", count=summary.missing)
        return Document(
            title=self._word("title", name=settings.examples_name),
            language=self._language,
            lead=lead,
            sections=(
                Section(heading=self._word("all"), blocks=(*self._tables(whole), *self._figures(whole))),
                *self._open_closed(),
                *[
                    Section(
                        heading=self._word("slice", name=one.name, count=one.examples), blocks=tuple(self._tables(one))
                    )
                    for one in parts
                ],
                self._worst(),
                self._how(),
            ),
        )

    def _word(self, name: str, /, **blanks: object) -> str:
        return word(name, self._language, **blanks)

    def _tables(self, part: Slice) -> list[Block]:
        scorers = list(self._settings.scorers)
        columns = (
            self._word("model"), self._word("premises"), *scorers, self._word("cost_mean"), self._word("cost_total"),
            self._word("p50"), self._word("p95"), self._word("tokens"), self._word("answered"),
            self._word("not_permitted"), self._word("failed"),
        )  # fmt: skip  # one row
        rows = [self._row(facts, scorers) for facts in part.models]
        right = frozenset(range(2, len(columns)))
        blocks: list[Block] = [Table(columns=columns, rows=tuple(rows), right=right)]
        for facts in part.models:
            for scorer, missing in facts.ungraded.items():
                reasons = ", ".join([f"{count} ({why})" for why, count in missing.items()])
                text = self._word("ungraded", model=facts.model, scorer=scorer, reasons=reasons)
                blocks.append(Paragraph(text=text))
        if part.against:
            names = ("model", "scorer", "difference", "pairs", "wins")
            blocks.append(Paragraph(text=self._word("against", reference=self._settings.reference_model)))
            against = [
                (one.model, one.scorer, _signed(one.difference), str(one.difference.count),
                 f"{one.better} / {one.same} / {one.worse}")
                for one in part.against
            ]  # fmt: skip  # one row
            columns = tuple([self._word(name) for name in names])
            blocks.append(Table(columns=columns, rows=tuple(against), right=frozenset((2, 3, 4))))
        return blocks

    def _row(self, facts: ModelFacts, scorers: list[str]) -> tuple[str, ...]:
        scores = [_shown(facts.scores[one]) if one in facts.scores else "–" for one in scorers]
        return (
            facts.model, self._word(facts.premises or "unknown"), *scores,
            _money(facts.cost.value if facts.cost else None, facts.currency),
            _money(facts.cost_total if facts.cost else None, facts.currency),
            _time(facts.latency_p50_ms), _time(facts.latency_p95_ms),
            f"{facts.input_tokens} / {facts.output_tokens}", str(facts.answered), str(facts.not_permitted),
            str(facts.failed),
        )  # fmt: skip  # one row

    def _figures(self, whole: Slice) -> list[Block]:
        found: list[Block] = []
        for scorer in self._settings.scorers:
            points = [_point(facts, scorer) for facts in whole.models if scorer in facts.scores]
            if not points:
                continue
            title = self._word("plot_quality", scorer=scorer)
            svg = interval_plot(points, title=title, x_label=self._word("x_score"))
            found.append(Figure(svg=svg, caption=title))
            if any(point.x for point in points):
                title = self._word("plot_cost", scorer=scorer)
                x_label = self._word("x_cost", currency=self._summary.currency)
                svg = cost_plot(points, title=title, x_label=x_label, y_label=self._word("x_score"))
                found.append(Figure(svg=svg, caption=title))
        return found

    def _open_closed(self) -> list[Section]:
        if not self._summary.open_closed:
            return []
        names = ("scorer", "best_own", "best_vendor", "own_minus", "cost_share")
        rows = [
            (one.scorer, one.own, one.vendor, _signed(one.difference),
             "–" if one.cost_share is None else f"{one.cost_share * 100:.1f} %")
            for one in self._summary.open_closed
        ]  # fmt: skip  # one row
        table = Table(columns=tuple([self._word(name) for name in names]), rows=tuple(rows), right=frozenset((3, 4)))
        return [Section(heading=self._word("open_closed"), blocks=(table,))]

    def _worst(self) -> Section:
        heading = self._word("worst")
        if not self._summary.worst:
            return Section(heading=heading, blocks=(Paragraph(text=self._word("none_worse")),))
        names = ("example", "model", "scorer", "score", "reference_score", "question", "answer")
        rows = [
            (one.example, one.model, one.scorer, f"{one.score:.2f}",
             "–" if one.reference_score is None else f"{one.reference_score:.2f}",
             _excerpt(one.question), _excerpt(one.answer))
            for one in self._summary.worst
        ]  # fmt: skip  # one row
        table = Table(columns=tuple([self._word(name) for name in names]), rows=tuple(rows), right=frozenset((3, 4)))
        return Section(heading=heading, blocks=(table,))

    def _how(self) -> Section:
        summary, settings, how = self._summary, self._settings, self._summary.how
        texts = [
            self._word("how", level=f"{how.level * 100:g} %", method=how.method, redraws=how.redraws, seed=how.seed),
            self._word("how_cost", parallel=self._parallel),
            *([self._word("how_best")] if self._summary.open_closed else []),
            self._word("how_refused"),
        ]
        if len(summary.slices) > 1:
            texts.append(self._word("how_slices"))
        if summary.judge_calls:
            cost = _money(summary.judge_cost, summary.currency)
            texts.append(self._word("judge", count=summary.judge_calls, judge=settings.judge, cost=cost))
        parameters = msgspec.json.encode(settings.parameters).decode()
        texts.append(self._word("settings", parameters=parameters, sha256=settings.examples_sha256))
        return Section(heading=self._word("how_title"), blocks=tuple([Paragraph(text=text) for text in texts]))


def _point(facts: ModelFacts, scorer: str) -> Point:
    found = facts.scores[scorer]
    return Point(
        name=facts.model,
        premises=facts.premises,
        value=found.value,
        low=found.low if found.is_known else None,
        high=found.high if found.is_known else None,
        x=facts.cost.value if facts.cost else None,
    )


def _shown(one: Interval) -> str:
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]" if one.is_known else f"{one.value:.3f}"


def _signed(one: Interval) -> str:
    return f"{one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]" if one.is_known else f"{one.value:+.3f}"


def _money(value: float | None, currency: str) -> str:
    return "–" if value is None else f"{value:.6f} {currency}".rstrip()


def _time(value_ms: float | None) -> str:
    if value_ms is None:
        return "–"
    return f"{value_ms:.0f} ms" if value_ms < 1000 else f"{value_ms / 1000:.2f} s"


def _excerpt(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= EXCERPT else flat[:EXCERPT] + "…"
