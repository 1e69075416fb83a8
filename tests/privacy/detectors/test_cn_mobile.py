"""Chinese mobile numbers, however they are written."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "138.0013.8000",
        "1.3.8.0.0.1.3.8.0.0.0",
        "1 3 8 0 0 1 3 8 0 0 0",
        "19912345678",
        "16612345678",
        "一三八零零一三八零零零",
        "壹叁捌壹贰叁肆伍陆柒捌",
        "幺三八幺两三四五六拐勾",
        "1,3,8,0,0,1,3,8,0,0,0",
        '138" + "0013" + "8000',
        "１３８００１３８０００",
        "1\u200d3\u200d8\u200d00138000",
    ],
)
def test_a_mobile_number_is_found_in_every_spelling(written: str) -> None:
    assert values(f"我的号码是{written}，请回电", "cn_mobile") == [written]


@pytest.mark.parametrize("prefix", ["+86 ", "+86", "86-", "0086 ", "tel", "手机号_"])
def test_a_country_code_or_label_in_front_does_not_hide_it(prefix: str) -> None:
    assert any("13800138000" in value for value in values(f"{prefix}13800138000", "cn_mobile"))


@pytest.mark.parametrize(
    "text",
    [
        "12800138000",
        "1380013800",
        "138001380001",
        "0.13800138000",
        "id a13800138000f",
        "1700000000000",
        "3.13800138000",
        "20-13800138000-7",
    ],
)
def test_other_long_numbers_are_no_mobile_numbers(text: str) -> None:
    assert values(text, "cn_mobile") == []
