"""Chinese postal addresses."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("他住在四川省成都市武侯区天府大道99号，很近", "四川省成都市武侯区天府大道99号"),
        ("收货地址：云南省昆明市盘龙区白云路12号锦绣大厦B座1804室。", "云南省昆明市盘龙区白云路12号锦绣大厦B座1804室"),
        ("家住春风路21号3单元502室", "春风路21号3单元502室"),
        ("寄到上海市徐汇区漕溪北路18号", "上海市徐汇区漕溪北路18号"),
        ("現居臺中市西屯區文心路二段88號5樓", "臺中市西屯區文心路二段88號5樓"),
        ("户籍地址为湖南省永州市祁阳县白水镇新塘村6组", "湖南省永州市祁阳县白水镇新塘村6组"),
        ("在广东省深圳市南山区科技园路，", "广东省深圳市南山区科技园路"),
        ("香港九龙尖沙咀弥敦道100号", "香港九龙尖沙咀弥敦道100号"),
        ("陈先生住朝阳区建国路１８号２栋", "朝阳区建国路１８号２栋"),
    ],
)
def test_an_address_is_found_from_province_to_room(text: str, address: str) -> None:
    assert values(text, "postal_address") == [address]


@pytest.mark.parametrize(
    "text",
    [
        "11月6号见面，第3号方案",
        "北京市民昨天去了很多地方",
        "报道5号发出",
        "一路上3号队员领先",
        "乘坐地铁10号线",
        "他在教室里坐了2个小时",
        "地址不详",
    ],
)
def test_dates_lines_and_numbers_are_left_alone(text: str) -> None:
    assert values(text, "postal_address") == []
