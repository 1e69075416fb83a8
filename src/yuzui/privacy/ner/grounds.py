"""What a span of a name rests on, as findings tell it: a model, its version and score, or a rule and its version."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from yuzui.core.sensitivity import Fact, FactName
from yuzui.privacy.catalogue import source_version
from yuzui.privacy.ner.spans import RULE, NameSpan

DETECTOR: Final = "names"
_SOURCES: Final = ("yuzui.privacy.ner.recogniser", "yuzui.privacy.ner.latin")
"""Whose rules they are."""
_FACTS: Final[dict[str, FactName]] = {
    "middle dot": "shape", "list": "shape", "postal block": "shape", "repeated": "repeat", "mail": "repeat",
    "other capitals": "repeat", "initials": "shape", "citation": "shape", "pinyin": "shape", "age": "shape",
    "url": "shape", "home": "shape", "handle": "shape", "company": "shape", "institution": "shape",
    "place": "list", "people": "list", "no word": "list", "small letters": "list",
}  # fmt: skip  # a table
"""What other rules than cue words go by."""


class Ground(NamedTuple):
    rule: str
    version: str
    fact: Fact


def ground_of(span: NameSpan) -> Ground:
    """Of `NameSpan.evidence`, which is `rule: …`, or name and version of a model."""
    return _ground_of(span.evidence, round(span.score, 2))


@lru_cache(maxsize=1024)  # some twenty sources, each with a hundred scores
def _ground_of(evidence: str, score: float) -> Ground:
    if evidence.startswith(RULE):
        name = evidence.removeprefix(RULE)
        return Ground(name.replace(" ", "_"), source_version(*_SOURCES), Fact(_FACTS.get(name, "cue"), name))
    model, _, version = evidence.partition(" ")
    return Ground(model, version, Fact("model", evidence, score))
