from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.marginal import MarginalCost, show_pico

COST = MarginalCost(
    currency="USD", input_pico=1_000, output_pico=10_000, waiting_pico_per_s=10**8, slots=8, most_requests_per_s=4.0,
    half_load=4.0,
)  # fmt: skip


def test_an_idle_server_costs_only_the_power_of_the_tokens() -> None:
    assert COST.extra_s(0) == 0
    assert COST.pico(1000, 100, 0) == 1000 * 1_000 + 100 * 10_000


def test_under_load_a_request_takes_longer_as_littles_law_says() -> None:
    """(n + h) / X: five at once take 9 / 4 s, one alone 5 / 4 s."""
    assert COST.extra_s(4) == pytest.approx(9 / 4 - 5 / 4)


def test_a_queue_waits_for_the_places_to_become_free() -> None:
    """Eight places answer 4 * 8 / 12 requests a second; the tenth request waits for two of them to leave."""
    per_s = 4 * 8 / 12
    assert COST.extra_s(9) == pytest.approx((8 - 1) / 4 + 2 / per_s)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_more_load_never_costs_less(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert COST.pico(100, 100, low) <= COST.pico(100, 100, high)


def test_what_was_not_measured_costs_nothing() -> None:
    silent = MarginalCost(currency="USD", input_pico=1, output_pico=1, slots=2)
    assert silent.pico(1, 1, 100) == 2


@pytest.mark.parametrize(
    ("pico", "shown"),
    [(0, "0 USD"), (1.23e8, "0.000123 USD"), (5e12, "5 USD"), (2.5e5, "2.5e-07 USD"), (10**13, "10 USD")],
)
def test_it_is_shown_in_units(pico: float, shown: str) -> None:
    assert show_pico(pico, "USD") == shown
