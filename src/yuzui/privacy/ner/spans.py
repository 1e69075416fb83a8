"""What a recogniser of names reports, and how overlapping reports become one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

NameKind = Literal[
    "person",
    "organization",
    "postal_address",
    "location",
    "age",
    "nationality",
    "username",
    "url",
    "file_path",
    "proper_noun",
]
ASKED_FOR: Final[tuple[NameKind, ...]] = (
    "location",
    "age",
    "nationality",
    "username",
    "url",
    "file_path",
    "proper_noun",
)
"""Reported only where the operator names them: each alone says little, and most texts hold some."""

DEFAULT_LEVELS: Final[dict[str, str]] = {
    "person": "confidential",
    "organization": "internal",
    "postal_address": "confidential",
    "location": "public",
    "age": "public",
    "nationality": "public",
    "username": "internal",
    "url": "public",
    "file_path": "internal",
    "proper_noun": "public",
}
"""Kind → name of one of the four default levels. A place alone says little about anybody."""

RULE: Final = "rule: "
"""How the evidence of a span begins that no model found."""
_RANK: Final = {"person": 3, "postal_address": 2, "organization": 1}


class NameSpan(NamedTuple):
    """`text[start:end]`, characters of the text that was searched."""

    start: int
    end: int
    kind: NameKind
    score: float
    """0 to 1: of the model, or what the rule is worth."""
    evidence: str
    """Model and version, or `rule: …`; never a part of the text."""


def merge(spans: Iterable[NameSpan]) -> list[NameSpan]:
    """Spans in order, none inside another of the same kind; those of one kind that overlap become one.

    Different kinds may overlap: whoever masks takes the union, and the level is the highest of them anyway.
    """
    merged: list[NameSpan] = []
    last: dict[str, int] = {}
    for span in sorted(spans, key=lambda one: (one.start, -one.end, -_RANK.get(one.kind, 0))):
        at = last.get(span.kind)
        if at is not None and span.start < merged[at].end:
            kept = merged[at]
            if span.end <= kept.end:
                continue
            better = max(kept, span, key=lambda one: one.score)
            merged[at] = NameSpan(kept.start, span.end, kept.kind, better.score, better.evidence)
            continue
        last[span.kind] = len(merged)
        merged.append(span)
    return merged
