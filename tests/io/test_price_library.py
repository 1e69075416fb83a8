"""Prices from the package, without the package in our process."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from yuzui.core.errors import GatewayFault
from yuzui.io import price_library
from yuzui.io.price_library import CACHE_NAME, find, how_to_fix, lookup

DAY = "2026-11-22"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def cents(name: str, amount: str) -> ModelPrice:
    return ModelPrice(**{name: Decimal(amount), "output_mtok": Decimal(amount)})


def model(prices: ModelPrice | list[ConditionalPrice]) -> ModelInfo:
    return ModelInfo(id="m", match=ClauseEquals("m"), prices=prices)


def test_known_models_are_found_and_unknown_ones_are_left_out(tmp_path: Path) -> None:
    found = lookup([("openai", "gpt-4o"), ("openai", "no-such-model"), ("no-such-vendor", "x")], tmp_path, day=DAY)
    (price,) = found.values()
    # Source: https://openai.com/api/pricing (2026-11): 2.50 in, 1.25 cached, 10.00 out per million tokens.
    assert (price.input_pico, price.cached_input_pico, price.output_pico) == (2_500_000, 1_250_000, 10_000_000)
    assert price.currency == "USD"
    assert price.version.startswith("genai-prices==") and price.version.endswith("/openai/gpt-4o@2026-11-22")


def test_the_second_start_of_a_day_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [("openai", "gpt-4o"), ("openai", "no-such-model")]
    first = lookup(wanted, tmp_path, day=DAY)

    def nobody(*_: object) -> None:
        raise AssertionError("the cache should have answered")

    monkeypatch.setattr(price_library, "_ask", nobody)
    assert lookup(wanted, tmp_path, day=DAY) == first
    with pytest.raises(AssertionError):
        lookup(wanted, tmp_path, day="2026-11-23")


def test_a_damaged_cache_is_a_cold_cache(tmp_path: Path) -> None:
    (tmp_path / CACHE_NAME).write_bytes(b'{"package":')
    assert lookup([("openai", "gpt-4o")], tmp_path, day=DAY)


def test_the_package_does_not_enter_the_gateways_process(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from yuzui.io.price_library import lookup; "
        f"lookup([('openai', 'gpt-4o')], Path({str(tmp_path)!r})); "
        "print([name for name in sys.modules if name.startswith(('genai_prices', 'pydantic'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_package_that_cannot_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    with pytest.raises(GatewayFault) as refused:
        lookup([("openai", "gpt-4o")], tmp_path, day=DAY)
    assert refused.value.code == "prices_unavailable"


def test_long_prompt_tiers_are_priced_at_their_base_and_marked() -> None:
    tiered = ModelPrice(
        input_mtok=TieredPrices(base=Decimal("1.25"), tiers=[Tier(start=200_000, price=Decimal("2.5"))]),
        output_mtok=Decimal(10),
    )
    listed = price_library._listed(model(tiered), NOON)
    assert listed is not None and (listed.input, listed.note) == ("1.25", "base tier")


def test_what_is_not_listed_for_caches_costs_what_input_costs() -> None:
    listed = price_library._listed(model(ModelPrice(input_mtok=Decimal("0.5"), output_mtok=Decimal(1))), NOON)
    assert listed is not None
    assert (listed.cached_input, listed.cache_write) == ("0.5", "0.5")


def test_the_price_of_the_day_is_taken_and_of_its_hours_the_dearest() -> None:
    prices = [
        ConditionalPrice(prices=cents("input_mtok", "9")),
        ConditionalPrice(
            constraint=TimeOfDateConstraint(start_time=time(1), end_time=time(2)), prices=cents("input_mtok", "8")
        ),
        ConditionalPrice(constraint=StartDateConstraint(start_date=date(2026, 1, 1)), prices=cents("input_mtok", "3")),
        ConditionalPrice(
            constraint=TimeOfDateConstraint(start_time=time(1), end_time=time(2)), prices=cents("input_mtok", "4")
        ),
        ConditionalPrice(constraint=StartDateConstraint(start_date=date(2027, 1, 1)), prices=cents("input_mtok", "1")),
    ]
    listed = price_library._listed(model(prices), NOON)
    assert listed is not None and listed.input == "4"


@pytest.mark.parametrize(
    "prices",
    [
        ModelPrice(input_mtok=Decimal(1)),
        ModelPrice(output_mtok=Decimal(1)),
        ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1), requests_kcount=Decimal(5)),
    ],
)
def test_what_is_not_priced_by_tokens_alone_is_unknown(prices: ModelPrice) -> None:
    assert price_library._listed(model(prices), NOON) is None


def test_every_listed_model_has_a_price_that_our_integers_hold_or_none() -> None:
    from genai_prices.data_snapshot import get_snapshot

    wanted = [(provider.id, info.id) for provider in get_snapshot().providers for info in provider.models]
    listed = find(wanted, DAY)
    priced = [price_library._price(one, "x") for one in listed if one is not None]
    assert len(priced) > 1000
    assert all(price.input_pico >= 0 for price in priced)


def test_the_fix_names_the_target_and_a_price() -> None:
    assert "'deepseek/chat'" in how_to_fix("deepseek/chat") and "price = {" in how_to_fix("deepseek/chat")
