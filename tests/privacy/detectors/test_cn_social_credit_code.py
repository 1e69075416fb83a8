"""Unified social credit codes."""

from __future__ import annotations

import pytest

from privacy.kit import social_credit_code, values


@pytest.mark.parametrize(
    "first17", ["91110000100000001", "91310115MA1FL0WQ5", "12100000400000123", "52310000MJ4930R2X"]
)
def test_a_code_with_its_check_character_is_found(first17: str) -> None:
    code = social_credit_code(first17)
    assert values(f"企业 {code} 已登记", "cn_social_credit_code") == [code]
    assert values(f"企业 {code.lower()} 已登记", "cn_social_credit_code") == [code.lower()]


def test_a_wrong_check_character_needs_a_cue() -> None:
    code = social_credit_code()
    wrong = code[:17] + ("A" if code[17] != "A" else "B")
    assert values(f"code {wrong}", "cn_social_credit_code") == []
    assert values(f"统一社会信用代码：{wrong}", "cn_social_credit_code") == [wrong]


def test_a_piece_of_a_longer_word_is_no_code() -> None:
    assert values(f"x{social_credit_code()}", "cn_social_credit_code") == []
    assert values(f"{social_credit_code()}7", "cn_social_credit_code") == []
