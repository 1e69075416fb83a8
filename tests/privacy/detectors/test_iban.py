"""International bank account numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.kit import iban, values
from yuzui.privacy.detectors.iban import LENGTHS


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(LENGTHS)), st.data())
def test_every_country_with_its_length_and_check_digits_is_found(country: str, data: st.DataObject) -> None:
    size = LENGTHS[country] - 4
    account = data.draw(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=size, max_size=size))
    number = iban(country, account)
    grouped = " ".join(number[i : i + 4] for i in range(0, len(number), 4))
    assert values(f"to: {number};", "iban") == [number]
    assert values(f"to: {grouped};", "iban") == [grouped]


@pytest.mark.parametrize(
    "change", [lambda n: n[:-1], lambda n: n + "1", lambda n: n[:4] + "9" + n[5:], lambda n: "X" + n]
)
def test_another_length_or_check_is_left_alone(change: object) -> None:
    assert callable(change)
    assert values(f"to {change(iban())}.", "iban") == []
