"""One text in, its names out: segments, models in batches, rules, repeats. Pure: the models come in as functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from yuzui.privacy.ner import han, hints
from yuzui.privacy.ner.addresses import with_addresses
from yuzui.privacy.ner.latin_runs import latin_runs
from yuzui.privacy.ner.paths import best_paths
from yuzui.privacy.ner.pinyin_names import pinyin_names
from yuzui.privacy.ner.quasi import quasi_spans, with_neighbours
from yuzui.privacy.ner.repeats import known_names, longer, search_again
from yuzui.privacy.ner.segments import Segment, segments, squeeze
from yuzui.privacy.ner.spans import ASKED_FOR, NameSpan, merge

BATCH: Final = 12
"""Pieces that the Chinese model sees at once: more of them leave the processor's cache, fewer cost calls."""


class CharacterModel(Protocol):
    """The Chinese tagger: what `han.Tags` decodes."""

    @property
    def evidence(self) -> str: ...

    @property
    def tags(self) -> han.Tags: ...

    @property
    def transitions(self) -> Any: ...  # Any: an array, (tags, tags)

    def emissions(self, texts: Sequence[str]) -> Any:  # Any: an array, (batch, longest text, tags)
        ...


class WordModel(Protocol):
    """The tagger for Latin script."""

    @property
    def evidence(self) -> str: ...

    def __call__(self, text: str, segments: Sequence[Segment]) -> list[NameSpan]:
        """Spans in `text`, of its Latin segments."""
        ...


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Asks each model that is there. Without `han_model` Chinese names are found by rules alone, and so on."""

    han_model: CharacterModel | None
    latin_tagger: WordModel | None

    @property
    def models(self) -> tuple[str, ...]:
        """Names and versions of what is asked."""
        return tuple(model.evidence for model in (self.han_model, self.latin_tagger) if model is not None)

    def find(self, text: str) -> list[NameSpan]:
        """Names, organisations, addresses and places in `text`, merged and in order."""
        pieces = segments(text)
        spans: list[NameSpan] = [*quasi_spans(text), *pinyin_names(text)]
        chinese = [piece for piece in pieces if piece.script == "han"]
        if chinese:
            spans.extend(self._find_han(text, chinese))
        latin = [piece for piece in pieces if piece.script == "latin"]
        latin.extend(latin_runs(text, chinese))
        if latin and self.latin_tagger is not None:
            spans.extend(self.latin_tagger(text, latin))
        if spans:
            spans = longer(text, spans)
            named = [span for span in spans if span.kind not in ASKED_FOR]  # `Jordan` of Jordan Smith is a place, too
            spans.extend(search_again(text, known_names(text, spans), _taken(text, named)))
        return with_neighbours(text, merge(spans))

    def _find_han(self, text: str, pieces: Sequence[Segment]) -> list[NameSpan]:
        found: list[NameSpan] = []
        pieces = [*pieces, *_works(text, pieces)]
        ordered = sorted(pieces, key=lambda piece: piece.end - piece.start)  # alike in length: little padding
        for first in range(0, len(ordered), BATCH):
            batch = ordered[first : first + BATCH]
            texts = [text[piece.start : piece.end] for piece in batch]
            for piece, spans in zip(batch, self._ask(texts), strict=True):
                found.extend([_moved(span, piece.start) for span in spans])
        return found

    def _ask(self, texts: Sequence[str]) -> list[list[NameSpan]]:
        model = self.han_model
        if model is None:
            return [_with_rules(text, [], None) for text in texts]
        squeezed = [squeeze(text) for text in texts]
        emissions = np.asarray(model.emissions([short for short, _ in squeezed]))
        paths = best_paths(emissions, [len(short) for short, _ in squeezed], model.transitions)
        chances = han.probabilities(emissions)
        answers: list[list[NameSpan]] = []
        for row, (text, (short, places)) in enumerate(zip(texts, squeezed, strict=True)):
            own, path = chances[row, : len(short)], paths[row, : len(short)]
            if places is not None:
                own, path = own[places], path[places]
            near = han.nearness(own, model.tags)
            spans = han.spans_of_path(path, own, model.tags, model.evidence)
            spans = han.settle_persons(text, spans, near)
            persons = _taken(text, [span for span in spans if span.kind == "person"])
            spans.extend(han.weaker_persons(text, near, persons, model.evidence))
            answers.append(_with_rules(text, spans, near))
        return answers


def _works(text: str, pieces: Sequence[Segment]) -> list[Segment]:
    return [
        Segment(piece.start + start, piece.start + end, "han")
        for piece in pieces
        for start, end in hints.works(text[piece.start : piece.end])
    ]


def _with_rules(text: str, spans: list[NameSpan], near: Any) -> list[NameSpan]:  # Any: an array, or None
    taken = _taken(text, [span for span in spans if span.kind == "person"])
    added = (*hints.rule_spans(text, near), *hints.dotted(text, near), *hints.titled(text, near))
    spans = [*spans, *(span for span in added if not all(taken[span.start : span.end]))]
    spans.extend(hints.coordinated(text, spans, near))
    return with_addresses(text, hints.with_titles(text, spans))


def _moved(span: NameSpan, by: int) -> NameSpan:
    return span._replace(start=span.start + by, end=span.end + by)


def _taken(text: str, spans: Any) -> bytearray:  # Any: an iterable of spans
    taken = bytearray(len(text))
    for span in spans:
        taken[max(0, span.start) : span.end] = b"\1" * (min(span.end, len(text)) - max(0, span.start))
    return taken
