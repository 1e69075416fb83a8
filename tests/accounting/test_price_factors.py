"""What tiers make of a price: the bound before sending, the truth after it, and how an operator writes it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.accounting.price_factors import Applied, applied, largest_factor, parse_factors
from yuzui.core.errors import ConfigError
from yuzui.core.price_terms import FIELDS

F = {
    "service_tier=flex": Fraction(1, 2),
    "service_tier=priority": Fraction(2),
    "service_tier=scale": Fraction(0),
    "speed=fast": Fraction(6),
    "inference_geo=us": Fraction(11, 10),
}
GEO = Fraction(11, 10)
PINNED = {"inference_geo=global"}


@pytest.mark.parametrize(
    ("sent", "most"),
    [
        ({"service_tier=default"} | PINNED, 1),
        ({"service_tier=priority"} | PINNED, 2),
        ({"service_tier=flex"} | PINNED, 1),  # may be answered at the list price
        ({"service_tier=scale"} | PINNED, 1),
        ({"service_tier=auto"} | PINNED, 2),  # the project's own setting, which nobody here knows
        (PINNED, 2),  # left out means the same
        ({"service_tier=default"}, GEO),  # the workspace has a setting for the place as well
        ({"service_tier=default", "inference_geo=us"}, GEO),
        ({"service_tier=default", "speed=fast"} | PINNED, 6),  # nobody sets this but the request
        ({"service_tier=priority", "speed=fast", "inference_geo=us"}, Fraction(132, 10)),
        ({"service_tier=flex", "service_tier=priority"} | PINNED, 2),  # two spellings: the server takes one of them
        ({"service_tier=default", "latency=optimized"} | PINNED, 1),  # unknown: never sent to such a target
    ],
)
def test_the_reservation_takes_the_largest_factor_that_can_apply(sent: set[str], most: Fraction) -> None:
    assert largest_factor(F, sent) == most


def test_without_factors_nothing_changes() -> None:
    assert largest_factor({}, ()) == 1
    assert applied({}, (), ()) == Applied()


@pytest.mark.parametrize(
    ("sent", "told", "factor", "terms", "is_certain"),
    [
        (("service_tier=priority",), (), 2, ("service_tier=priority",), True),
        (("service_tier=priority",), ("service_tier=priority",), 2, ("service_tier=priority",), True),
        (("service_tier=priority",), ("service_tier=default",), 1, (), True),  # refused in silence
        (("service_tier=flex",), ("service_tier=flex",), Fraction(1, 2), ("service_tier=flex",), True),
        (("service_tier=flex",), ("service_tier=default",), 1, (), True),
        (("service_tier=auto",), ("service_tier=priority",), 2, ("service_tier=priority",), True),
        ((), ("service_tier=priority",), 2, ("service_tier=priority",), True),
        (("service_tier=priority",), ("service_tier=auto",), 2, ("service_tier=priority",), True),  # says nothing
        ((), ("service_tier=default", "speed=standard", "inference_geo=not_available"), 1, (), True),
        ((), ("service_tier=batch",), 1, ("service_tier=batch",), False),  # at the list price, and flagged
        (("service_tier=flex",), ("service_tier=batch",), 1, ("service_tier=batch",), False),
        (("service_tier=priority",), ("service_tier=batch",), 2, ("service_tier=batch",), False),
        (("service_tier=default", *PINNED), ("service_tier=priority",), 1, ("service_tier=priority",), False),
        (("speed=fast", "inference_geo=us"), ("speed=fast", "inference_geo=us"), Fraction(66, 10),
         ("inference_geo=us", "speed=fast"), True),
        (("service_tier=scale",), ("service_tier=scale",), 0, ("service_tier=scale",), True),
    ],
)  # fmt: skip
def test_what_the_answer_says_is_charged_else_what_was_asked(
    sent: tuple[str, ...], told: tuple[str, ...], factor: Fraction, terms: tuple[str, ...], is_certain: bool
) -> None:
    assert applied(F, sent, told) == Applied(factor=Fraction(factor), terms=terms, is_certain=is_certain)


def test_a_factor_is_shown_behind_the_version_of_its_price() -> None:
    assert applied(F, ("service_tier=priority", "speed=fast"), ()).shown == " x12 (service_tier=priority, speed=fast)"
    assert applied(F, ("service_tier=default",), ()).shown == ""


values = st.sampled_from(["auto", "default", "standard", "global", "flex", "priority", "fast", "us", "batch", "?"])
terms = st.builds("{}={}".format, st.sampled_from(FIELDS), values)


@given(st.dictionaries(terms, st.fractions(0, 1000, max_denominator=1000)), st.frozensets(terms), st.frozensets(terms))
def test_no_answer_is_charged_beyond_the_bound(
    factors: dict[str, Fraction], sent: frozenset[str], told: frozenset[str]
) -> None:
    found = applied(factors, sent, told)
    assert 0 <= found.factor <= largest_factor(factors, sent)


# ---- in yuzui.toml --------------------------------------------------------------------------------------------------


def test_factors_are_exact() -> None:
    written = {"service_tier": {"flex": 0.5, "priority": "5/3", "scale": 0}, "inference_geo": {"us": 1.1}}
    assert parse_factors(written, "p") == {
        "service_tier=flex": Fraction(1, 2), "service_tier=priority": Fraction(5, 3), "service_tier=scale": Fraction(0),
        "inference_geo=us": Fraction(11, 10),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (2, "targets[0].price_factors: write a table of fields"),
        (
            {"service_tier=flex": 0.5},
            "targets[0].price_factors.service_tier=flex: unknown field; factors are known for",
        ),
        ({"service_tier": 2}, "targets[0].price_factors.service_tier: write a table of its values"),
        ({"service_tier": {"auto": 2}}, "targets[0].price_factors.service_tier.auto: this is the list price"),
        ({"speed": {"standard": 1}}, "targets[0].price_factors.speed.standard: this is the list price"),
        ({"service_tier": {"Flex": 1}}, "targets[0].price_factors.service_tier.Flex: write the value in lower case"),
        ({"service_tier": {"?": 1}}, "targets[0].price_factors.service_tier.?: write the value in lower case"),
        ({"service_tier": {"my words": 1}}, "write the value in lower case"),
        ({"service_tier": {"flex": "half"}}, "targets[0].price_factors.service_tier.flex: write a number such as 1.75"),
        ({"service_tier": {"flex": True}}, "write a number"),
        ({"service_tier": {"flex": "1/0"}}, "write a number"),
        ({"service_tier": {"flex": float("nan")}}, "write a number"),
        ({"service_tier": {"flex": float("inf")}}, "write a number"),
        ({"service_tier": {"flex": -1}}, "write a factor from 0 to 1000"),
        ({"service_tier": {"flex": 1001}}, "write a factor from 0 to 1000"),
        ({"service_tier": {"flex": "0.1234567890123"}}, "with at most nine digits"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(value: object, says: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        parse_factors(value, "targets[0].price_factors")
    assert says in wrong.value.message
