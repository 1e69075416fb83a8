"""Knows the invented personal data that the demo sends: well-formed, built here, belonging to nobody."""

from __future__ import annotations

import hashlib

_RESIDENT_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999, section 5
_RESIDENT_ID_CHECKS = "10X98765432"


def resident_id() -> str:
    """A Chinese resident ID with a right check character, for a day in 1990 in Beijing."""
    body = "110101" + "19900307" + "123"
    total = sum(int(digit) * weight for digit, weight in zip(body, _RESIDENT_ID_WEIGHTS, strict=True))
    return body + _RESIDENT_ID_CHECKS[total % 11]


def bank_card() -> str:
    """A card number with a right Luhn digit, in the range that networks reserve for tests."""
    body = "4" + "1" * 14
    total = 0
    for position, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


def leaked_api_key() -> str:
    """What a vendor's key looks like; made of a hash, so no vendor ever issued it."""
    return "sk-" + hashlib.sha256(b"yuzui demo: nobody's key").hexdigest()[:40]


def long_text() -> str:
    """About 700 tokens of plain English."""
    facts = (
        "The levee at Dujiangyan divides the Min River into an inner and an outer stream.",
        "Part of the water is kept inside to feed the plain, and part of it is let out.",
        "The shape of the levee decides how much goes where, in flood and in drought.",
        "Nobody closes a gate, because the river itself does the work.",
    )
    return " ".join(f"Note {number}: {facts[number % len(facts)]}" for number in range(1, 31))
