"""Chinese names in Latin letters."""

from __future__ import annotations

import pytest

from yuzui.privacy.pinyin import read_name, spellings, surname_length


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("王小明", ("wang", "xiaoming")),
        ("张伟", ("zhang", "wei")),
        ("張偉", ("zhang", "wei")),
        ("欧阳娜娜", ("ouyang", "nana")),
        ("单雄信", ("shan", "xiongxin")),
        ("曾国藩", ("zeng", "guofan")),
        ("尉迟恭", ("yuchi", "gong")),
        ("吕布", ("lü", "bu")),
        ("王㐀", None),
    ],
)
def test_names_are_read_with_the_surname_as_a_surname(name: str, read: tuple[str, str] | None) -> None:
    assert read_name(name) == read


def test_two_characters_are_a_surname_only_when_a_name_follows() -> None:
    assert [surname_length(name) for name in ("欧阳", "欧阳修", "王小明")] == [1, 2, 1]


def test_letters_that_keyboards_lack_are_spelled_in_three_ways() -> None:
    assert spellings("lü") == ("lv", "lu", "lyu") and spellings("wang") == ("wang",)
