from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.cli._text import (
    clean,
    listed,
    read_amount_nano,
    read_duration_s,
    read_moment_ns,
    show_moment,
    show_money,
    show_ms,
)
from yuzui.core.errors import ConfigError
from yuzui.core.money import NANO

NOW_NS = 1_800_000_000 * NANO


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, 中文, é", "plain, 中文, é"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\r\x07", "two\\x0alines\\x0d\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("user\u202egpj.exe", "user\\u202egpj.exe"),
        ("\u2028", "\\u2028"),
        ("wide\u3000space", "wide\u3000space"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.text())
def test_no_control_character_survives_cleaning(text: str) -> None:
    shown = clean(text)
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert clean(shown) == shown


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("24h", 86_400), ("30D", 2_592_000), (" 4w ", 2_419_200)]
)
def test_durations_are_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert read_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "0h", "1.5h", "1y", "30 days"])
def test_other_durations_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match="30d"):
        read_duration_s(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7d", NOW_NS - 7 * 86_400 * NANO),
        ("2026-11-01", int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * NANO),
        ("2026-11-01T08:00+08:00", int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * NANO),
    ],
)
def test_moments_are_days_times_or_ages(text: str, expected: int) -> None:
    assert read_moment_ns(text, NOW_NS) == expected


def test_a_moment_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="2026-11-01"):
        read_moment_ns("yesterday", NOW_NS)


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_an_amount_that_is_shown_reads_back_exactly(amount_nano: int) -> None:
    assert read_amount_nano(show_money(amount_nano, "USD"), "USD") == amount_nano


@pytest.mark.parametrize("text", ["-1", "nan", "Infinity", "five", "0.0000000001", "5 EUR", "99999999999"])
def test_what_the_books_cannot_hold_is_no_amount(text: str) -> None:
    with pytest.raises(ConfigError):
        read_amount_nano(text, "USD")


def test_numbers_are_written_for_people() -> None:
    assert show_money(12_500_000_000, "CNY") == "12.50 CNY"
    assert show_money(10 * NANO, "USD") == "10.00 USD"
    assert show_money(6_250 * NANO, "USD") == "6250.00 USD"
    assert show_money(109_000, "USD") == "0.000109 USD"
    assert [show_ms(340), show_ms(2100)] == ["340 ms", "2.1 s"]
    assert [listed([]), listed(["a"]), listed(("a", "b", "c"))] == ["nothing", "a", "a, b and c"]
    assert show_moment(0) == "1970-01-01 00:00:00"
