"""Knows what service tiers and the like make of a price: the most of it before sending, and what it was after."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from yuzui.core.errors import ConfigError
from yuzui.core.money import LIST_PRICE
from yuzui.core.price_terms import (
    FIELDS,
    LEFT_TO_VENDOR,
    OTHER,
    STANDARD,
    UNDECIDED,
    PriceTerm,
    factor_of,
    field_of,
    show_factor,
    term_of,
)

Factors = Mapping[PriceTerm, Fraction]

LARGEST = 1000
"""Of a factor. The dearest that a vendor asks is 6 (fast mode, 2026-11): beyond this somebody wrote per cent."""
MOST_DIGITS = 1_000_000_000  # of numerator and denominator: products with any cost stay small
EXAMPLE = "price_factors = { service_tier = { flex = 0.5, priority = 1.75 } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    factor: Fraction = LIST_PRICE
    terms: tuple[PriceTerm, ...] = ()
    """By what, in order; terms of the list price left out."""
    is_certain: bool = True
    """False when nobody knows the price of what the answer was made at."""

    @property
    def shown(self) -> str:
        """Behind the version of a price: ` x2 (service_tier=priority)`."""
        return f" x{show_factor(self.factor)} ({', '.join(self.terms)})" if self.terms else ""


AT_LIST_PRICE = Applied()


def largest_factor(factors: Factors, sent: Collection[PriceTerm]) -> Fraction:
    """The most that a target with `factors` can multiply its price with when `sent` is what it is asked.

    What is left open is the account's own setting at the vendor, which may be the dearest one. A cheaper tier counts as
    the list price: it may be refused and answered in the usual one.
    """
    dearer = [(term, field_of(term), factor) for term, factor in factors.items() if _is_dearer(factor)]
    most = LIST_PRICE
    for field in {field for _, field, _ in dearer}.intersection(FIELDS):
        asked = [term for term in sent if field_of(term) == field]
        is_open = field in LEFT_TO_VENDOR and (not asked or not UNDECIDED.isdisjoint(asked))
        known = [
            factor
            for term, its_field, factor in dearer
            if its_field == field and (is_open or (term in asked and term not in STANDARD))
        ]
        if known:
            most = max(known) if most is LIST_PRICE else most * max(known)
    return most


def _is_dearer(factor: Fraction) -> bool:
    return factor.numerator > factor.denominator  # `factor > 1`, for a tenth of it


def applied(factors: Factors, sent: Collection[PriceTerm], told: Collection[PriceTerm]) -> Applied:
    """What an answer was made at: as it says itself, else as it was asked for; never beyond `largest_factor`."""
    if STANDARD.issuperset(sent) and STANDARD.issuperset(told):
        return AT_LIST_PRICE  # nearly always: no loop over fractions
    factor, is_certain, terms = LIST_PRICE, True, set[PriceTerm]()
    for field in FIELDS:
        asked = [term for term in sent if field_of(term) == field]
        said = [term for term in told if field_of(term) == field and term not in UNDECIDED]
        known = [factor_of(term, factors) for term in said or asked]
        if None in known:
            is_certain = False
            # Not cheaper than the list, nor than what was asked for.
            known += [LIST_PRICE, *(factor_of(term, factors) for term in asked)]
        factor *= max([one for one in known if one is not None], default=LIST_PRICE)
        terms |= {term for term in said or asked if term not in STANDARD}
    most = largest_factor(factors, sent)
    return Applied(factor=min(factor, most), terms=tuple(sorted(terms)), is_certain=is_certain and factor <= most)


# ---- how an operator writes them ------------------------------------------------------------------------------------


def parse_factors(value: object, path: str) -> dict[PriceTerm, Fraction]:
    """The factors at TOML `path`: field → value → number. Raise `ConfigError` that shows a right one."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{path}: write a table of fields: {EXAMPLE}")
    found: dict[PriceTerm, Fraction] = {}
    for field, values in value.items():
        if field not in FIELDS:
            raise ConfigError(f"{path}.{field}: unknown field; factors are known for {', '.join(FIELDS)}")
        if not isinstance(values, Mapping):
            raise ConfigError(f"{path}.{field}: write a table of its values: {EXAMPLE}")
        for name, number in values.items():
            where = f"{path}.{field}.{name}"
            term = term_of(field, str(name))
            if term in STANDARD:
                raise ConfigError(f"{where}: this is the list price by definition; leave it out")
            if term != f"{field}={name}" or name == OTHER:
                raise ConfigError(f"{where}: write the value in lower case with underscores, such as `priority`")
            found[term] = _factor(number, where)
    return found


def _factor(value: object, path: str) -> Fraction:
    text = str(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    try:
        if ratio := _RATIO.fullmatch(text):
            factor = Fraction(int(ratio[1]), int(ratio[2]))
        else:
            factor = Fraction(Decimal(text))
    except (InvalidOperation, ValueError, OverflowError, ZeroDivisionError) as error:
        raise ConfigError(f'{path}: write a number such as 1.75, or a fraction such as "5/3"') from error
    if not 0 <= factor <= LARGEST or max(factor.numerator, factor.denominator) > MOST_DIGITS:
        raise ConfigError(f"{path}: write a factor from 0 to {LARGEST} with at most nine digits; 1 is the list price")
    return factor


_RATIO = re.compile(r"(\d{1,9}) */ *(\d{1,9})")
