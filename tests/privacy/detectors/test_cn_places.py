"""Names of provinces and prefectures."""

from __future__ import annotations

import pytest

from yuzui.privacy.detectors._cn_places import place_at


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("浙江省杭州", 3),
        ("浙江杭州", 2),
        ("北京市", 3),
        ("内蒙古自治区呼和浩特", 6),
        ("香港特别行政区", 7),
        ("恩施土家族", 2),
        ("臺北市信義區", 3),
        ("和平路", 0),
        ("中山路", 0),
        ("中山市", 3),
        ("abc", 0),
        ("", 0),
    ],
)
def test_a_place_is_known_with_its_level(text: str, end: int) -> None:
    assert place_at(text, 0) == end


def test_a_place_is_found_where_it_begins_only() -> None:
    assert place_at("在上海市", 1) == 4 and place_at("在上海市", 0) == 0
