"""How the characters of a Chinese name are read, in Latin letters without tones."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Final

_COMPOUND = """
    欧阳 歐陽 太史 端木 上官 司马 司馬 东方 東方 独孤 獨孤 南宫 南宮 万俟 闻人 聞人 夏侯 诸葛 諸葛
    尉迟 尉遲 公羊 赫连 赫連 澹台 澹臺 皇甫 宗政 濮阳 濮陽 公冶 太叔 申屠 公孙 公孫 慕容 仲孙 仲孫
    钟离 鍾離 长孙 長孫 宇文 司徒 鲜于 鮮于 司空 闾丘 亓官 乐正 樂正 拓跋 轩辕 軒轅 令狐 段干 百里
    呼延 东郭 東郭 南门 南門 羊舌 梁丘 左丘 东门 東門 西门 西門
"""
COMPOUND_SURNAMES: Final = frozenset(_COMPOUND.split())
"""Surnames of two characters. Source: https://en.wikipedia.org/wiki/Chinese_compound_surname (2026-11)."""

# Where a surname is read otherwise than the same character elsewhere.
# Source: https://en.wikipedia.org/wiki/List_of_common_Chinese_surnames and the readings in 现代汉语词典 (2026-11).
_READ_OTHERWISE = """
    单 shan 單 shan 曾 zeng 解 xie 仇 qiu 查 zha 任 ren 区 ou 區 ou 朴 piao 盖 ge 蓋 ge 翟 zhai 覃 qin
    缪 miao 繆 miao 黑 he 员 yun 種 chong 种 chong 召 shao 逄 pang 宓 mi 薄 bo 尉 yu 万俟 moqi
    尉迟 yuchi 尉遲 yuchi 长孙 zhangsun 長孫 zhangsun 澹台 tantai 澹臺 tantai
""".split()  # noqa: SIM905 - a table
_AS_SURNAME: Final = dict(zip(_READ_OTHERWISE[::2], _READ_OTHERWISE[1::2], strict=True))


def surname_length(name: str) -> int:
    """How many characters of a Chinese name are its surname: 2 for a compound one, else 1."""
    return 2 if name[:2] in COMPOUND_SURNAMES and len(name) > 2 else 1


def read_name(name: str) -> tuple[str, str] | None:
    """Surname and given name in Latin letters, `("wang", "xiaoming")`; None when a character has no reading here."""
    length = surname_length(name)
    surname, given = name[:length], name[length:]
    readings = _readings()
    try:
        first = _AS_SURNAME.get(surname) or "".join([readings[char] for char in surname])
        return first, "".join([readings[char] for char in given])
    except KeyError:
        return None


def spellings(reading: str) -> tuple[str, ...]:
    """How a reading is typed: `lü` as `lv`, `lu` and `lyu`. Source: GB/T 28039-2011 (2026-11)."""
    return (reading,) if "ü" not in reading else tuple([reading.replace("ü", letters) for letters in ("v", "u", "yu")])


@lru_cache(maxsize=1)  # 9,000 characters; only who meets a Chinese name pays for them
def _readings() -> dict[str, str]:
    found: dict[str, str] = {}
    for line in files("yuzui.privacy").joinpath("pinyin.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            reading, _, characters = line.partition(" ")
            found.update(dict.fromkeys(characters, reading))
    return found
