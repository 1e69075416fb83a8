"""The red-team cases that can be run on a request alone: is every part of every secret masked?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from privacy_bench.corpora import load_evasion_cases
from privacy_bench.detection import Yuzui
from privacy_bench.measures import COVERED


@dataclass(slots=True)
class Evasion:
    cases: int = 0
    caught: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    harmless: int = 0
    flagged: list[str] = field(default_factory=list)


def run_evasion(detection: Yuzui) -> Evasion:
    """A case of `detect_and_mask` is caught when each secret is covered wherever it stands."""
    result = Evasion()
    for case in load_evasion_cases():
        if not case["auto"]:
            continue
        places = detection.masked_places({"model": "m", "messages": case["messages"]})
        if case["expect"] == "no_mask":
            result.harmless += 1
            if any(masked for _, masked in places.values()):
                result.flagged.append(case["id"])
        elif case["expect"] == "detect_and_mask":
            result.cases += 1
            is_caught = all(_is_covered(secret["surface"], places) for secret in case["secrets"])
            (result.caught if is_caught else result.missed).append(case["id"])
    return result


def _is_covered(surface: str, places: dict[int, tuple[str, set[int]]]) -> bool:
    """Whether `surface` is masked; what stands in several strings is written with a bar where it is cut."""
    whole = [_covers(surface, text, masked) for text, masked in places.values() if surface in text]
    if whole:
        return all(whole)
    pieces = surface.split("|")
    return len(pieces) > 1 and all(
        any(_covers(piece, text, masked) for text, masked in places.values() if piece in text) for piece in pieces
    )


def _covers(surface: str, text: str, masked: set[int]) -> bool:
    at = text.find(surface)
    while at >= 0:
        if sum(place in masked for place in range(at, at + len(surface))) < COVERED * len(surface):
            return False
        at = text.find(surface, at + 1)
    return True


def as_json(result: Evasion) -> dict[str, Any]:  # Any: JSON
    return {
        "cases": result.cases,
        "caught": len(result.caught),
        "missed": result.missed,
        "harmless": result.harmless,
        "flagged": result.flagged,
    }
