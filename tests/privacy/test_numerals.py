"""Chinese numerals."""

from __future__ import annotations

import pytest

from yuzui.privacy.numerals import read_numerals


@pytest.mark.parametrize(
    ("written", "digits"),
    [("零一二三四五六七八九", "0123456789"), ("〇壹贰叁肆伍陆柒捌玖", "0123456789"), ("洞幺两拐勾", "01279")],
)
def test_every_way_of_writing_a_digit(written: str, digits: str) -> None:
    assert read_numerals(written) == digits
