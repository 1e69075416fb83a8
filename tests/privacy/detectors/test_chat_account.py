"""Accounts of WeChat and QQ."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("加 wxid_a1b2c3d4e5f6g7 吧", "wxid_a1b2c3d4e5f6g7"),
        ("微信号：lily-2024_sz", "lily-2024_sz"),
        ("VX: zhang_88", "zhang_88"),
        ("v信 abc_123456", "abc_123456"),
    ],
)
def test_a_wechat_account_is_found(text: str, account: str) -> None:
    assert values(text, "wechat_id") == [account]


def test_a_qq_number_is_found() -> None:
    assert values("QQ：10012345，谢谢", "qq_id") == ["10012345"]
    assert values("qq号是 2345678", "qq_id") == ["2345678"]


@pytest.mark.parametrize(
    "text", ["微信支付很方便", "微信 2024", "t.co/vxBO9uhras", "微信 https://x.cn", "qq 12", "faqq 12345678"]
)
def test_other_words_are_left_alone(text: str) -> None:
    assert values(text, "wechat_id") == values(text, "qq_id") == []
