"""Numbers of bank accounts."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("bank account number 3847283911 belonging to D", "3847283911"),
        ("my account - 828 303255 833 and", "828 303255 833"),
        ("acct no: 12-345678", "12-345678"),
        ("开户行账号：1001244319004567891", "1001244319004567891"),
        ("中国工商银行 62220203020151", "62220203020151"),
    ],
)
def test_an_account_is_found_behind_its_name(text: str, number: str) -> None:
    assert values(text, "bank_account") == [number]


@pytest.mark.parametrize(
    "text",
    ["on account of 3 things", "my account is 2 years old", "accounting 123456789", "账号密码错误", "中国银行2024年"],
)
def test_prose_is_left_alone(text: str) -> None:
    assert values(text, "bank_account") == []
