"""Vehicle plates of China."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("车牌京A·12345的车", "京A·12345"),
        ("沪BD12345", "沪BD12345"),
        ("粤B12345D", "粤B12345D"),
        ("苏E7K88挂", "苏E7K88挂"),
        ("车辆浙A8CD5F停放", "浙A8CD5F"),
        ("皖Ｋ１１６８３", "皖Ｋ１１６８３"),
    ],
)
def test_a_plate_is_found(text: str, plate: str) -> None:
    assert values(text, "vehicle_plate") == [plate]


@pytest.mark.parametrize("text", ["云A股上涨", "新A计划", "苏AB", "京A1234567", "吉A12", "川ABCDEF"])
def test_letters_without_the_shape_are_left_alone(text: str) -> None:
    assert values(text, "vehicle_plate") == []
