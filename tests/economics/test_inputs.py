from __future__ import annotations

from fractions import Fraction

import pytest

from economics_kit import SOURCED, TEXT
from yuzui.core.errors import ConfigError
from yuzui.core.money import NANO
from yuzui.economics.inputs import money, read_inputs


def test_the_file_becomes_values_in_exact_numbers() -> None:
    found = read_inputs(TEXT)
    machine, traffic = found.machines[0], found.traffic
    assert machine.purchase is not None and machine.power is not None and traffic is not None
    assert machine.purchase.price == 24_000 * NANO
    assert machine.power.price_per_kwh == NANO // 5
    assert machine.power.pue == Fraction(5, 4)
    assert traffic.cached_share == Fraction(1, 4)
    assert found.rates["CNY"].value == Fraction(14, 100)
    assert [(line.name, line.amount, line.is_per_replica) for line in machine.fixed] == [("staff", 800 * NANO, False)]
    assert found.vendors[0].price is not None and found.vendors[0].price.output_pico == 10_000_000
    assert traffic.told.source == "a test" and traffic.told.date.isoformat() == "2026-11-01"


def test_amounts_are_whole_nano_units() -> None:
    assert money("0.1", "x") == 100_000_000
    assert money(0.1, "x") == 100_000_000
    with pytest.raises(ConfigError, match="nine decimals"):
        money("0.0000000001", "x")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("requests_per_month = 1_000_000", "requests_per_mouth = 1", r"traffic.requests_per_mouth: unknown key; did you mean"),
        ("busy_w = 800", "busy_w = 800\nbusy_kw = 1", r"machines\[0\].power.busy_kw: unknown key"),
        ("busy_w = 800", "busy_w = 100", r"machines\[0\].power.busy_w: it is less than idle_w"),
        ("pue = 1.25", "pue = 0.9", r"machines\[0\].power.pue"),
        ("price = 24_000", "price = -1", r"machines\[0\].purchase.price: -1 is below zero"),
        ("price = 24_000", "price = inf", r"machines\[0\].purchase.price: inf is not a number"),
        ("price = 24_000", 'price = "1e99999999"', r"purchase.price: '1e99999999' is not a number up to"),
        ("residual_value = 0", "residual_value = 25_000", r"residual_value: it is more than the price"),
        ("lifetime_months = 48", "lifetime_months = 0", r"machines\[0\].purchase.lifetime_months"),
        ("lifetime_months = 48", "lifetime_months = 48\nage_months = 48", r"age_months: it is not below"),
        ("lifetime_months = 48", 'lifetime_months = 48\nmethod = "magic"', r"purchase.method.*straight_line"),
        ("[machines.purchase]", "[machines.purchase_]", r"machines\[0\].purchase_: unknown key"),
        ("cached_input_share = 0.25", "cached_input_share = 25", r"traffic.cached_input_share: 25 is not a share"),
        ("max_utilisation = 0.8", "max_utilisation = 1.0", r"goal.max_utilisation"),
        ('currency = "USD"\n[traffic]', 'currency = "dollars"\n[traffic]', "three capital letters"),
        ('value = "0.14"', "value = 0", r"rates.CNY.value"),
        ('price = { currency = "USD"', 'target = "x"\nprice = { currency = "USD"', r"vendors\[0\]: write one of target"),
        ('name = "small"', 'name = "big"', r"vendors\[1\].name: 'big' is empty or used twice"),
        ("g_co2e_per_kwh = 400", "", "grid: write either"),
        ("input_token_weight = 0.1", "", r"machines\[0\].speed.input_token_weight: say what"),
        ("input_token_weight = 0.1", 'input_token_weight = 0.1\nmeasured = "m.json"', "write either measured"),
        ("concurrency = 4", "concurrency = 999_999_999", r"machines\[0\].speed.levels\[1\].concurrency"),
        ("concurrency = 4", "concurrency = 0", r"machines\[0\].speed.levels\[1\].concurrency"),
        ('[traffic]', "nonsense = 1\n[traffic]", "nonsense: unknown key"),
        ('[traffic]', "[traffic", "not valid TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_path(before: str, after: str, says: str) -> None:
    assert before in TEXT
    with pytest.raises(ConfigError, match=says):
        read_inputs(TEXT.replace(before, after, 1))


@pytest.mark.parametrize(
    "table", ["[traffic]", "[goal]", "[machines.purchase]", "[machines.power]", "[rates.CNY]", "[grid]"]
)
def test_every_table_of_facts_needs_source_and_date(table: str) -> None:
    head, tail = TEXT.split(table + "\n", 1)
    for line, says in (('source = "a test"\n', "source"), ("date = 2026-11-01\n", "date")):
        with pytest.raises(ConfigError, match=f"`{says}`|{says}"):
            read_inputs(f"{head}{table}\n{tail.replace(line, '', 1)}")
    with pytest.raises(ConfigError, match="source"):
        read_inputs(f"{head}{table}\n{tail.replace('a test', ' ', 1)}")


def test_a_price_by_hand_needs_its_source() -> None:
    head, tail = TEXT.split('name = "big"\n', 1)
    with pytest.raises(ConfigError, match=r"vendors\[0\]: a price by hand needs source and date"):
        read_inputs(head + 'name = "big"\n' + tail.replace(SOURCED, "", 1))


def test_a_machine_is_bought_or_rented_and_not_both() -> None:
    rental = f"[machines.rental]\nprice_per_hour = 2\n{SOURCED}\n[machines.power]"
    with pytest.raises(ConfigError, match=r"either \[machines.purchase\] or \[machines.rental\]"):
        read_inputs(TEXT.replace("[machines.power]", rental))


@pytest.mark.parametrize("pair", ["[0.1, 0.2]", "[-1, 0.2]", "[-0.1, -0.05]"])
def test_a_swing_goes_down_and_up(pair: str) -> None:
    with pytest.raises(ConfigError, match=r"sensitivity\.vendor_price: shares"):
        read_inputs(f"{TEXT}\n[sensitivity]\nvendor_price = {pair}\n")


def test_without_a_machine_there_is_nothing_to_ask() -> None:
    text = f'currency = "USD"\n[goal]\n{SOURCED}'
    with pytest.raises(ConfigError, match=r"no \[\[machines\]\]"):
        read_inputs(text)
