"""Travel permits between the mainland, Hong Kong, Macao and Taiwan."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("回乡证号：H0123456701", "H0123456701"),
        ("台胞证 01234567", "01234567"),
        ("往来港澳通行证C12345678", "C12345678"),
        ("Home Return Permit no. M01234567", "M01234567"),
    ],
)
def test_a_permit_is_found_behind_its_name(text: str, number: str) -> None:
    assert values(text, "cn_travel_permit") == [number]


@pytest.mark.parametrize("text", ["H0123456701", "回乡证已过期", "台胞证 2026", "通行证办理中心电话"])
def test_without_a_name_or_a_shape_nothing_is_found(text: str) -> None:
    assert values(text, "cn_travel_permit") == []
