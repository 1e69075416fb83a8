"""The measures: coverage, typed, leak, over, precision and F2, over spans of characters.

coverage  entities of which at least 90 % of the characters are masked
typed     entities that a finding of the right kind overlaps by at least half
leak      share of sensitive letters and digits left in clear
over      share of innocent letters and digits that are masked
F2        of letters and digits: recall is 1 - leak, precision the share of masked ones that are sensitive
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from privacy_bench.corpora import GROUP_OF_TYPE, Row, Span

COVERED = 0.9
OVERLAP = 0.5
ALIKE = {
    "cn_mobile": ("phone",),
    "cn_resident_id": ("id_number",),
    "phone": ("phone",),
    "person_name": ("person",),
    "person": ("person",),
    "postal_address": ("address", "place"),
    "organization": ("organisation",),
    "location": ("place", "address"),
    "us_bank_account": ("bank_account",),
    "cn_bank_account": ("bank_account",),
    "bank_account": ("bank_account",),
    "bank_card": ("bank_card", "bank_account"),
}
"""Kind of ours → the groups of `corpora.GROUP_OF_TYPE` that it answers; others answer their own name."""


@dataclass(slots=True)
class Tally:
    """Counts of one corpus; add rows, then read the shares."""

    entities: Counter[str] = field(default_factory=Counter)
    covered: Counter[str] = field(default_factory=Counter)
    typed: Counter[str] = field(default_factory=Counter)
    letters: Counter[str] = field(default_factory=Counter)
    in_clear: Counter[str] = field(default_factory=Counter)
    sensitive: int = 0
    leaked: int = 0
    innocent: int = 0
    masked_innocent: int = 0
    found: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    over_by_kind: Counter[str] = field(default_factory=Counter)
    misses: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    extras: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, row: Row, found: Iterable[Span]) -> None:
        text, findings = row.text, list(found)
        masked = bytearray(len(text))
        for one in findings:
            masked[one.start : one.end] = b"\1" * (min(one.end, len(text)) - one.start)
        labelled = bytearray(len(text))
        for span in row.spans:
            labelled[span.start : span.end] = b"\1" * (span.end - span.start)
            self._add_entity(text, span, masked, findings)
        for at, char in enumerate(text):
            if not char.isalnum():
                continue
            if labelled[at]:
                self.sensitive += 1
                self.leaked += not masked[at]
            else:
                self.innocent += 1
                self.masked_innocent += masked[at]
        for one in findings:
            self.found[one.type] += 1
            inside = sum(labelled[one.start : one.end])
            if inside >= OVERLAP * (one.end - one.start):
                self.right[one.type] += 1
            innocent = sum(1 for at in range(one.start, one.end) if not labelled[at] and text[at].isalnum())
            if innocent:
                self.over_by_kind[one.type] += innocent
                self.extras[one.type].append(_shown(text, one.start, one.end))

    def _add_entity(self, text: str, span: Span, masked: bytearray, findings: list[Span]) -> None:
        size = span.end - span.start
        self.entities[span.type] += 1
        is_covered = sum(masked[span.start : span.end]) >= COVERED * size
        self.covered[span.type] += is_covered
        if not is_covered:
            self.misses[span.type].append(_shown(text, span.start, span.end))
        for at in range(span.start, span.end):
            if text[at].isalnum():
                self.letters[span.type] += 1
                self.in_clear[span.type] += not masked[at]
        group = GROUP_OF_TYPE.get(span.type.upper(), span.type.lower())
        for one in findings:
            common = min(one.end, span.end) - max(one.start, span.start)
            if common >= OVERLAP * size and group in (one.type, *ALIKE.get(one.type, ())):
                self.typed[span.type] += 1
                break

    @property
    def coverage(self) -> float:
        return _share(self.covered.total(), self.entities.total())

    @property
    def leak(self) -> float:
        return _share(self.leaked, self.sensitive)

    @property
    def over(self) -> float:
        return _share(self.masked_innocent, self.innocent)

    @property
    def f2(self) -> float:
        masked_sensitive = self.sensitive - self.leaked
        recall = _share(masked_sensitive, self.sensitive)
        precision = _share(masked_sensitive, masked_sensitive + self.masked_innocent)
        return 5 * precision * recall / (4 * precision + recall) if precision and recall else 0.0

    def coverage_of(self, *types: str) -> float:
        return _share(sum(self.covered[one] for one in types), sum(self.entities[one] for one in types))

    def leak_of(self, *types: str) -> float:
        return _share(sum(self.in_clear[one] for one in types), sum(self.letters[one] for one in types))

    def precision_of(self, *kinds: str) -> float:
        """Of findings of these kinds, those that lie at least half in something labelled."""
        return _share(sum(self.right[one] for one in kinds), sum(self.found[one] for one in kinds))

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return {
            "coverage": round(self.coverage, 4),
            "typed": round(_share(self.typed.total(), self.entities.total()), 4),
            "leak": round(self.leak, 4),
            "over": round(self.over, 4),
            "f2": round(self.f2, 4),
            "types": {
                name: {
                    "entities": count,
                    "coverage": round(_share(self.covered[name], count), 4),
                    "typed": round(_share(self.typed[name], count), 4),
                    "leak": round(self.leak_of(name), 4),
                }
                for name, count in self.entities.most_common()
            },
            "kinds": {
                name: {
                    "found": count,
                    "precision": round(self.precision_of(name), 4),
                    "innocent_letters": self.over_by_kind[name],
                }
                for name, count in self.found.most_common()
            },
        }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _shown(text: str, start: int, end: int) -> str:
    """The span between angle brackets with what stands around it; for the screen only, never for a result file."""
    return f"{text[max(0, start - 25) : start]}⟪{text[start:end]}⟫{text[end : end + 15]}".replace("\n", "⏎")
