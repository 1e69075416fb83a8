"""Money of a run: what is spent never exceeds the cap, whatever calls cost within their bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.accounting.bounds import IMAGE_TOKENS, TEMPLATE_TOKENS, UNREADABLE_INPUT_TOKENS
from yuzui.core.errors import ConfigError
from yuzui.evaluation.purse import PriceBounds, Purse

PRICE = {"currency": "USD", "input": "1", "cached_input": "0.1", "output": "4"}
LISTED: list[dict[str, Any]] = [
    {"id": "free", "yuzui": {"kind": "target", "price": "free", "candidates": ["free"]}},
    {"id": "dear", "yuzui": {"kind": "target", "price": PRICE, "candidates": ["dear"], "max_output_tokens": 1000}},
    {"id": "auto", "yuzui": {"kind": "virtual", "price": None, "candidates": ["free", "dear"]}},
    {"id": "endless", "yuzui": {"kind": "target", "price": PRICE, "candidates": ["endless"]}},
    {"id": "odd", "yuzui": {"kind": "target", "price": "unknown", "candidates": ["odd"]}},
    {"id": "cny", "yuzui": {"kind": "target", "price": {**PRICE, "currency": "CNY"}, "candidates": ["cny"]}},
]
BOUNDS = PriceBounds(LISTED, "USD")


def body(model: str, **more: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "x" * 1000}], **more}


def test_bounds_are_for_two_tries_a_byte_a_token_and_the_longest_answer() -> None:
    most = BOUNDS.most_nano(body("dear", max_tokens=100))
    sent = 1000 + TEMPLATE_TOKENS
    assert 2 * (sent * 1000 + 100 * 4000) <= most <= 2 * ((sent + 100) * 1000 + 100 * 4000) + 2
    assert BOUNDS.most_nano(body("dear")) > 2 * 1000 * 4000  # the target's own limit
    assert BOUNDS.most_nano(body("auto", max_tokens=100)) == pytest.approx(most, rel=0.01)
    assert BOUNDS.most_nano(body("free")) == 0


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("odd", "needs the price of odd"),
        ("endless", "nothing limits what endless writes"),
        ("cny", "is in USD"),
        ("new", "does not list"),
    ],
)
def test_what_has_no_bound_refuses(model: str, said: str) -> None:
    more = {} if "limits" in said else {"max_tokens": 10}
    with pytest.raises(ConfigError, match=said):
        Purse(10**9, BOUNDS).hold(body(model, **more))


def test_pictures_and_files_count_beside_the_text() -> None:
    def asked(*kinds: str) -> dict[str, object]:
        return {
            "model": "dear",
            "max_tokens": 1,
            "messages": [{"role": "user", "content": [{"type": kind} for kind in kinds]}],
        }

    text, picture, file = (BOUNDS.most_nano(asked(kind)) for kind in ("text", "image_url", "file"))
    assert picture - text >= 2 * IMAGE_TOKENS * 1000 and file - text >= 2 * UNREADABLE_INPUT_TOKENS * 1000 - 2000


def test_factors_and_prices_of_requests_count() -> None:
    plain = PriceBounds([LISTED[1]], "USD").most_nano(body("dear", max_tokens=10))
    more = {**PRICE, "factors": {"long": "2", "batch": "0.5", "odd": "unknown"}, "request": "0.01"}
    entry = {"id": "dear", "yuzui": {**LISTED[1]["yuzui"], "price": more}}
    assert PriceBounds([entry], "USD").most_nano(body("dear", max_tokens=10)) == pytest.approx(
        2 * plain + 2 * 10**7, abs=9
    )


def test_without_a_cap_no_price_is_needed() -> None:
    purse = Purse(None, PriceBounds([]), spent_nano=5)
    assert purse.hold(body("odd")) == 0
    purse.settle(0, 7)
    assert purse.spent_nano == 12 and not purse.has_others and purse.currency == ""


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.booleans()), max_size=60), st.integers(0, 2 * 10**7))
def test_the_cap_holds(calls: list[tuple[float, bool, bool]], cap_nano: int) -> None:
    purse = Purse(cap_nano, BOUNDS)
    under_way: list[tuple[int, int | None]] = []
    for share, is_unknown, ends in calls:
        held = purse.hold(body("dear", max_tokens=200))
        if held is not None:
            under_way.append((held, None if is_unknown else int(share * held)))
        if ends and under_way:
            purse.settle(*under_way.pop(0))
        assert purse.spent_nano + sum(held for held, _ in under_way) <= cap_nano
    for one in under_way:
        purse.settle(*one)
    assert purse.spent_nano <= cap_nano and not purse.has_others
