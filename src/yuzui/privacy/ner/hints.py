"""What the words around a name say: labels, roles, lists, titles, the middle dot of foreign names."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from yuzui.privacy.ner.segments import HAN
from yuzui.privacy.ner.spans import NameSpan
from yuzui.privacy.ner.surnames import (
    AFTER,
    COMPOUND,
    LABELS,
    ROLES,
    SHORT_TITLES,
    SINGLE,
    TITLES,
    TRANSLITERATION,
    surname_length,
)

Array = np.ndarray[Any, Any]  # Any: shapes are said in words

VETO: Final = 0.03
"""Below it the model is sure that what a rule takes for a name is another word."""
_RULE: Final = "rule: "

_SINGLE = "".join(sorted(SINGLE))
_COMPOUND = "|".join(sorted(COMPOUND))
_CHAR = r"[\u3400-\u9fff]"
_LABELLED: Final = re.compile(
    rf"(?:{'|'.join(sorted(LABELS, key=len, reverse=True))})[ \t]*[:：][ \t]*({_CHAR}{{2,4}}(?:·{_CHAR}{{1,8}})*)"
    rf"(?=[\s,，。;；、|/（(\]】\"'”]|$)"
)
_ROLE: Final = re.compile(rf"(?:{'|'.join(ROLES)})[“”\"' ]?((?:{_COMPOUND}|[{_SINGLE}]){_CHAR}{{1,2}})(?=(.?))")
_TITLED: Final = re.compile(rf"(?<!{_CHAR})?((?:{_COMPOUND}|[{_SINGLE}]){_CHAR}{{0,2}})({'|'.join(TITLES)})")
_CALLED: Final = re.compile(rf"(?:老|小|阿)((?:[{_SINGLE}]))(?={_CHAR}|[，。、,!！？?：:])")
_LETTERS: Final = "".join(sorted(TRANSLITERATION))
_FOREIGN: Final = re.compile(rf"[{_LETTERS}]{{1,8}}(?:[·•・－-][{_LETTERS}]{{1,9}})+")
_FOREIGN_ROLE: Final = re.compile(rf"(?:{'|'.join(ROLES)})((?=[{_LETTERS}]{{3}})[{_LETTERS}]{{3,7}})(?![{_LETTERS}])")
_TITLE_OF_WORK: Final = re.compile(r"《([^《》\n]{4,40})》")
_SEX: Final = re.compile(
    rf"(?:^|[\s。；;])((?:{_COMPOUND}|[{_SINGLE}]){_CHAR}{{1,2}})[，,：:（( ]{{1,2}}[男女](?!{_CHAR})"
)
_SPEAKER: Final = re.compile(rf"^[\s\"“]*((?:{_COMPOUND}|[{_SINGLE}]){_CHAR}{{1,2}})[：:]")
_LISTED: Final = re.compile(rf"(?<=[、，（）/])((?:{_COMPOUND}|[{_SINGLE}]){_CHAR}{{1,2}})(?=[、，。；（）/等和及])")
_ALIAS: Final = re.compile(r"[（(]([A-Za-z][A-Za-z .'-]{2,30})[)）]")
_ORDINARY = (
    "毕业 高级 高等 方面 方式 方便 方法 方向 方案 于是 于此 时候 时间 时代 和平 成功 "
    "成为 成都 成立 安全 安排 明天 明年 明确 何时 何况 白天 万元 平时 平均 常见 常常 "
    "全体 全部 全国 相关 相信 相当 水平 水果 海外 海南 海关 国家 国际 国内 国外 关于 "
    "关系 关键 管理 许多 程序 程度 应该 应用 强调 单位 单独 史上 文化 文学 文明 文章 "
    "易于 能够 能力 来自 来源 来说 公司 公开 公布 公安 家庭 家长 简单 连续 计划 计算 "
    "原来 原因 元素 党委 党员 生活 生产 生命 师范 师生 利用 利益 那么 那些 战略 战争 "
    "向前 金融 金额 江西 江苏 安徽 山东 山西 河北 路上 石油 夏天 车辆 车站 黄金 马上 "
    "项目 温度 温暖 牛奶 花园 古代 商业 商务 商品 司机 司法 沙发 农业 农村 华为 华东 "
    "华南 华北 尚未 权利 权威 任务 任何 包括 包装 向来 经理 "
)
_NO_NAME: Final = frozenset(_ORDINARY.split())
"""Common words that begin like a name."""


def works(text: str) -> list[tuple[int, int]]:
    """What stands in title brackets, to be read by itself: inside a sentence the model takes all of it for a title."""
    return [match.span(1) for match in _TITLE_OF_WORK.finditer(text) if HAN.search(match[1])]


def rule_spans(text: str, near: Array | None) -> list[NameSpan]:
    """What a label, a role, a list or a title makes a name.

    `near` as in `settle_persons`, None without a model: where it is sure that this is another word, a rule that only
    guesses is not believed.
    """
    found: list[NameSpan] = []
    for match in _LABELLED.finditer(text):
        found.append(NameSpan(*match.span(1), "person", 0.9, _RULE + "label"))
    for match in _SEX.finditer(text):
        found.append(NameSpan(*match.span(1), "person", 0.9, _RULE + "sex"))
    for match in _FOREIGN.finditer(text):
        found.append(NameSpan(*match.span(), "person", 0.7, _RULE + "middle dot"))
    for pattern, name in ((_ROLE, "role"), (_FOREIGN_ROLE, "foreign role"), (_SPEAKER, "speaker"), (_LISTED, "list")):
        for match in pattern.finditer(text):
            start, end = match.span(1)
            if pattern is _ROLE:
                end = _without_next_word(text, start, end, match[2])
            if end and text[start : start + 2] not in _NO_NAME and _is_possible(near, start, end):
                found.append(NameSpan(start, end, "person", 0.7, _RULE + name))
    return found


def _without_next_word(text: str, start: int, end: int, following: str) -> int:
    """The end of a name behind a role: its last character may belong to what follows; 0 when that is unclear."""
    if following and following not in AFTER and end - start == surname_length(text, start) + 2:
        return end - 1 if text[end - 1] in AFTER else 0
    return end if not following or following in AFTER else 0


def _is_possible(near: Array | None, start: int, end: int) -> bool:
    return near is None or float(near[start:end].mean()) >= VETO


def titled(text: str) -> list[NameSpan]:
    """A bare surname with a title: `王总`, `欧阳老师`. Longer names are left to the model, which sees their borders."""
    found: list[NameSpan] = []
    for match in _TITLED.finditer(text):
        start, end = match.span()
        size = surname_length(text, start)
        name_end = match.end(1)
        if name_end - start != size or (
            start and HAN.match(text[start - 1]) and size == 1 and match[2] in SHORT_TITLES
        ):
            continue
        if start and HAN.match(text[start - 1]) and size == 1 and text[start - 1] not in AFTER:
            continue
        if text[start : start + 2] in _NO_NAME:
            continue
        found.append(NameSpan(start, end, "person", 0.8, _RULE + "title"))
    return found


def with_titles(text: str, spans: list[NameSpan]) -> list[NameSpan]:
    """Each person's span with the title behind it, and the Latin spelling in brackets behind that."""
    widened: list[NameSpan] = []
    for span in spans:
        if span.kind != "person":
            widened.append(span)
            continue
        end = span.end
        for title in TITLES:
            if text.startswith(title, end) and title not in SHORT_TITLES:
                end += len(title)
                break
        alias = _ALIAS.match(text, end)
        if alias is not None:
            end = alias.end() - 1
        widened.append(span if end == span.end else span._replace(end=end))
    return widened
