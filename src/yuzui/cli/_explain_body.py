"""Knows how a request's findings are shown in place, in a copy of its body that the reader brings.

Records keep kinds and counts, never places: a path can hold a word that a client chose, and the log cannot forget. So
places are found again, in the copy, and the record's keyed hash says whether it is the body that was sent.
"""

from __future__ import annotations

import hmac
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from yuzui.audit.record import RequestRecord
from yuzui.cli._scan_places import Found, Reading, scan_body
from yuzui.cli._text import listed
from yuzui.cli._why import evidence_as_json, other_versions, spell_why
from yuzui.core.sensitivity import SensitivityRules

if TYPE_CHECKING:
    from yuzui.privacy.scan import Scanner


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLook:
    """A body beside its record. `is_same` is None when nobody can tell."""

    is_same: bool | None
    verdict: str
    found: tuple[Found, ...]
    remarks: tuple[str, ...]


def look(
    record: RequestRecord, data: bytes, name: str, *,
    content_key: bytes | None, scanner: Scanner, rules: SensitivityRules, snapshot_id: str,
) -> BodyLook:  # fmt: skip  # a body, its record, and how to read it
    """Find again what is in `data`, and say whether it is what the request of `record` sent."""
    is_same, verdict = _compare(record, data, name, content_key)
    reading = Reading()
    try:
        found = scan_body(scanner, rules, data.decode("utf-8"), reading)
    except UnicodeDecodeError:
        found = None
    if found is None:
        reason = f"{name} is no JSON object as a gateway reads it: nothing can be shown in it"
        return BodyLook(is_same=is_same, verdict=verdict, found=(), remarks=(reason,))
    remarks = []
    if record.snapshot and record.snapshot != snapshot_id:
        remarks.append(f"read with the configuration {snapshot_id}; the request was decided under {record.snapshot}")
    if reading.unscannable:
        remarks.append(f"parts that no detector reads: {listed(sorted(set(reading.unscannable)))}")
    if reading.failures:
        remarks.append(f"detectors that failed: {listed(sorted(set(reading.failures)))}")
    counted = Counter(one.kind for one in found)
    if is_same and dict(counted) != record.findings:
        remarks.append(
            f"the record counts {_spell(record.findings)}, here are {_spell(counted)}: detectors or configuration have "
            "changed since, or the rest stood in headers, documents or kept messages that the body only refers to"
        )
    if is_same and (others := other_versions(record.rules, found)):
        remarks.append(f"rules that are of another version here than in the record: {listed(others)}")
    return BodyLook(is_same=is_same, verdict=verdict, found=tuple(found), remarks=tuple(remarks))


def tell(body: BodyLook, rules: SensitivityRules) -> list[str]:
    """As lines of a story."""
    lines = [body.verdict, *body.remarks]
    for one in body.found:
        span = f", characters {one.leaf_span[0]} to {one.leaf_span[1]}" if one.leaf_span else ""
        lines.append(
            f"- {one.kind} ({rules.lattice.names[one.level]}), {one.length} characters at {one.path or '$'}{span}; "
            f"line {one.line}, column {one.column}; {spell_why(one)}"
        )
        lines.append(f"    {one.shown}")
    return lines


def as_json(body: BodyLook, rules: SensitivityRules) -> dict[str, object]:
    return {
        "is_same": body.is_same,
        "verdict": body.verdict,
        "remarks": body.remarks,
        "findings": [
            {
                "kind": one.kind, "level": rules.lattice.names[one.level], "rule": one.rule,
                "version": one.version, "confidence": one.confidence, "evidence": evidence_as_json(one.evidence),
                "path": one.path, "leaf_span": one.leaf_span, "line": one.line,
                "column": one.column, "start": one.start, "end": one.end, "length": one.length, "shown": one.shown,
            }
            for one in body.found
        ],
    }  # fmt: skip


def _compare(record: RequestRecord, data: bytes, name: str, content_key: bytes | None) -> tuple[bool | None, str]:
    if not record.request_hash:
        return None, "the record has no hash of a body: the request was refused before it was read"
    if content_key is None:
        return None, "nobody can tell whether it is what was sent: the data folder has no secrets/content_key"
    digest = blake2b(data, key=content_key, digest_size=32).hexdigest()
    if hmac.compare_digest(digest, record.request_hash):
        return True, f"{name} is what was sent, to the byte: its keyed hash is that of the record"
    return False, (
        f"{name} is ANOTHER BODY than the one that was sent: its keyed hash differs. Bytes count, so a copy that was "
        "formatted anew is another one; what follows is about the copy"
    )


def _spell(counts: dict[str, int] | Counter[str]) -> str:
    return listed([f"{count} {kind}" for kind, count in sorted(counts.items())])
