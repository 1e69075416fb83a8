"""Knows how the reasons of a finding are told: its rule, the rule's version, and the evidence; never its value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from yuzui.cli._scan_places import Found
from yuzui.core.sensitivity import Fact


def spell_why(found: Found) -> str:
    """`rule bank_card@1f0c93ab, confidence 0.97: shape, checksum, list issuers, field`."""
    facts = ", ".join(map(str, found.evidence))
    return f"rule {found.versioned_rule}, confidence {found.confidence:.2f}{': ' if facts else ''}{facts}"


def evidence_as_json(evidence: Iterable[Fact]) -> list[dict[str, object]]:
    """`[{"fact": "shape"}, {"fact": "model", "detail": "latin 1f0c93ab", "score": 0.93}]`."""
    told: list[dict[str, object]] = []
    for fact in evidence:
        fields: dict[str, object] = {"fact": fact.name}
        if fact.detail:
            fields["detail"] = fact.detail
        if fact.score is not None:
            fields["score"] = fact.score
        told.append(fields)
    return told


def other_versions(recorded: Mapping[str, int], found: Iterable[Found]) -> list[str]:
    """Rules that a record names in another version than the one that found the same here: `iban@1f0c93ab`."""
    here = Counter(one.versioned_rule for one in found)
    known = {rule.partition("@")[0] for rule in here}
    return sorted(rule for rule in recorded if rule not in here and rule.partition("@")[0] in known)
