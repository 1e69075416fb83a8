"""What the privacy tests share: rules, compiled scanners, and sensitive values made when they are needed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from yuzui.core.sensitivity import CustomPattern, Lattice, SensitivityRules, TermList
from yuzui.privacy import checksums
from yuzui.privacy.catalogue import DEFAULT_LEVELS
from yuzui.privacy.engine import EngineName
from yuzui.privacy.scan import Scanner, ScanResult

INTERNAL, CONFIDENTIAL, RESTRICTED = 1, 2, 3
ENGINES: tuple[EngineName, ...] = ("hyperscan", "re2")
RANDOM_LOOKING = "q7Rk2Xw9Zt4Lm8Vb3Nc6Yd1Hs5Jf0Gp" * 8


def make_rules(
    *,
    default: int = INTERNAL,
    unscannable: int = 0,
    patterns: Iterable[CustomPattern] = (),
    terms: Iterable[TermList] = (),
) -> SensitivityRules:
    lattice = Lattice()
    patterns, terms = tuple(patterns), tuple(terms)
    kinds = {kind: lattice.level(level) for kind, level in DEFAULT_LEVELS.items()}
    kinds |= {pattern.kind: RESTRICTED for pattern in patterns} | {term.kind: RESTRICTED for term in terms}
    return SensitivityRules(
        lattice=lattice, default=default, kinds=kinds, patterns=patterns, terms=terms, unscannable=unscannable
    )


@lru_cache
def scanner(engine: EngineName = "auto") -> Scanner:
    return Scanner(make_rules(), engine=engine)


def scan_both(text: str) -> ScanResult:
    """What both engines find in `text`; they must agree."""
    first, second = (scanner(engine).scan_text(text) for engine in ENGINES)
    assert first == second
    return first


def found(text: str) -> list[tuple[str, str]]:
    """(kind, the piece of `text`) for everything that both engines find."""
    result = scan_both(text)
    assert not result.failures
    return [(finding.kind, text[finding.start : finding.end]) for finding in result.findings]


def values(text: str, kind: str) -> list[str]:
    return [value for found_kind, value in found(text) if found_kind == kind]


def resident_id(region: str = "110101", birth: str = "19900307", sequence: str = "461") -> str:
    first17 = region + birth + sequence
    return first17 + checksums.resident_id_check(first17)


def social_credit_code(first17: str = "91110000100000001") -> str:
    return first17 + checksums.social_credit_check(first17)


def card(payload: str = "411111111111111") -> str:
    return payload + checksums.luhn_check_digit(payload)


def iban(country: str = "DE", account: str = "370400440532013000") -> str:
    check = 98 - checksums.mod97(account + country + "00")
    return f"{country}{check:02d}{account}"


def vendor_key(prefix: str, size: int = 40) -> str:
    return prefix + RANDOM_LOOKING[:size]
