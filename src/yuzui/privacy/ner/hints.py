"""What the words around a name say: labels, roles, lists, titles, the middle dot of foreign names."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from typing import Any, Final

import numpy as np

from yuzui.privacy.ner.segments import HAN
from yuzui.privacy.ner.spans import RULE, NameSpan
from yuzui.privacy.ner.surnames import (
    AFTER,
    COMPOUND,
    GIVEN_TOO,
    GOVERNS,
    JAPANESE,
    LABELS,
    PERSON_VERBS,
    PERSONAL,
    ROLES,
    SHORT_TITLES,
    SINGLE,
    TITLES,
    TRANSLITERATION,
    WORDS_TOO,
    surname_length,
)

Array = np.ndarray[Any, Any]  # Any: shapes are said in words

VETO: Final = 0.015
"""Mean probability of a person's name, below which the model is sure that what a rule takes for one is another word."""
FOREIGN_VETO: Final = 0.08
"""The same for a run of transliteration behind a role."""
PERSONAL_LEAST: Final = 0.05
"""And for a full name before a title that only persons bear."""
LISTED_LEAST: Final = 0.02
"""And for an item beside a person in an enumeration."""
DOTTED_LEAST: Final = 0.1
"""And for one character beside a middle dot that does not transliterate."""

_SINGLE = "".join(sorted(SINGLE))
_COMPOUND = "|".join(sorted(COMPOUND))
_CHAR = r"[\u3400-\u9fff]"
_LABELLED: Final = re.compile(
    rf"(?:{'|'.join(sorted(LABELS, key=len, reverse=True))})[ \t]*[:：][ \t]*({_CHAR}{{2,4}}(?:·{_CHAR}{{1,8}})*)"
    rf"(?=[\s,，。;；、|/（(\]】\"'”]|$)"
)
_ROLE: Final = re.compile(rf"(?:{'|'.join(ROLES)})[“”\"' ]?((?:{_COMPOUND}|[{_SINGLE}]){_CHAR}{{1,2}})(?=(.?))")
_TITLE: Final = re.compile("|".join(TITLES))
_LETTERS: Final = "".join(sorted(TRANSLITERATION))
_FOREIGN: Final = re.compile(rf"[{_LETTERS}]{{1,8}}(?:(?:[·•・－-]|(?<!—)—(?!—))[{_LETTERS}]{{1,9}})+")
_FOREIGN_ROLE: Final = re.compile(rf"(?:{'|'.join(ROLES)})((?=[{_LETTERS}]{{3}})[{_LETTERS}]{{3,7}})(?![{_LETTERS}])")
_TITLE_OF_WORK: Final = re.compile(r"《([^《》\n]{4,40})》")
_SEX: Final = re.compile(
    rf"(?:^|[\s。；;]|{'|'.join(ROLES)})((?:{_COMPOUND}|[{_SINGLE}]){_CHAR}{{1,2}})[，,：:（( ]{{1,2}}[男女](?!{_CHAR})"
)
_SPEAKER: Final = re.compile(rf"^[\s\"“]*((?:{_COMPOUND}|[{_SINGLE}]){_CHAR}{{1,2}})[：:]")
_LISTED: Final = re.compile(rf"(?<=[、，（）/])((?:{_COMPOUND}|[{_SINGLE}]){_CHAR}{{1,2}})(?=[、，。；（）/等和及])")
_NAME = rf"(?:{_COMPOUND}|[{_SINGLE}]){_CHAR}{{1,2}}"
_BYLINE: Final = re.compile(
    rf"(?:记者|实习生|通讯员|摄影|撰文|责任编辑|责编)[ \u3000]?({_CHAR}{{2,4}})(?=[ \u3000]*[)）\]】])"
    rf"|(?:本报记者|本报通讯员|特约记者|实习记者)[ \u3000]?({_CHAR}{{2,3}})$"
)
_FIRST_OF_BYLINE: Final = re.compile(
    rf"^({_NAME})(?=[ \u3000]?(?:本报记者|记者|实习生|通讯员)[ \u3000]?{_CHAR}{{2,3}}$)"
)
_AUTHOR: Final = re.compile(rf"》[（(]({_NAME})[）)]")
_AGE: Final = re.compile(rf"(?:^|[\s。；;，,])({_NAME})[，,（( ][0-9０-９]{{1,3}}岁")
_ISM: Final = re.compile(rf"(?!法西斯|布尔什维克)([{_LETTERS}]{{3,6}})(?=主义)")
_COUNTED: Final = re.compile(
    rf"(?<=[、和与及])({_NAME}|[{_LETTERS}]{{2,6}}|{_CHAR}{{2,3}})"
    r"(?=(?:[两二三四五六七八九]人|夫妇|夫妻|父子|父女|母子|母女|兄弟|姐妹))"
)
_ACCOUNT: Final = re.compile(r"(?:(?<=//)|(?<=回复)|(?<=转发))@([^\s:：@/，。]{2,20})(?=[:：])")
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


_ENDS_OF_PLACES: Final = frozenset("县市省州区镇乡路街")
_DOTS: Final = frozenset("·•・－-—")
_PLAIN: Final = (
    (_LABELLED, frozenset(":："), 0.9, "label"),
    (_SEX, frozenset("男女"), 0.9, "sex"),
    (_FOREIGN, _DOTS, 0.7, "middle dot"),
    (_BYLINE, frozenset("记讯习摄撰责"), 0.7, "byline"),
    (_FIRST_OF_BYLINE, frozenset("记讯习"), 0.7, "byline"),
    (_AUTHOR, frozenset("》"), 0.7, "author"),
    (_AGE, frozenset("岁"), 0.7, "age"),
    (_ISM, frozenset("义"), 0.7, "ism"),
    (_COUNTED, frozenset("人夫父母兄姐"), 0.7, "counted"),
    (_ACCOUNT, frozenset("@"), 0.7, "account"),
)
"""What needs no consent of the model: expression, characters of which a match holds one, score, name."""


def works(text: str) -> list[tuple[int, int]]:
    """What stands in title brackets, to be read by itself: inside a sentence the model takes all of it for a title."""
    return [match.span(1) for match in _TITLE_OF_WORK.finditer(text) if HAN.search(match[1])]


def rule_spans(text: str, near: Array | None) -> list[NameSpan]:
    """What a label, a role, a list or a title makes a name.

    `near` as in `settle_persons`, None without a model: where it is sure that this is another word, a rule that only
    guesses is not believed.
    """
    found: list[NameSpan] = []
    letters = frozenset(text)
    for pattern, needed, score, name in _PLAIN:
        if not needed.isdisjoint(letters):
            for match in pattern.finditer(text):
                found.append(NameSpan(*match.span(match.lastindex or 0), "person", score, RULE + name))
    for pattern, name in ((_ROLE, "role"), (_FOREIGN_ROLE, "foreign role"), (_SPEAKER, "speaker"), (_LISTED, "list")):
        for match in pattern.finditer(text):
            start, end = match.span(1)
            if pattern is _ROLE:
                end = _without_next_word(text, start, end, match[2])
            if (
                end
                and text[start : start + 2] not in _NO_NAME
                and not (text[start] in WORDS_TOO and surname_length(text, start + 1))  # 经理 和李总
                and not (pattern is _LISTED and text[end - 1] in _ENDS_OF_PLACES)
                and _is_possible(near, start, end, FOREIGN_VETO if pattern is _FOREIGN_ROLE else VETO)
            ):
                found.append(NameSpan(start, end, "person", 0.7, RULE + name))
    return found


def _without_next_word(text: str, start: int, end: int, following: str) -> int:
    """The end of a name behind a role: its last character may belong to what follows; 0 when that is unclear."""
    if following and text.startswith(PERSON_VERBS, end):
        return end
    if following and following not in AFTER and end - start == surname_length(text, start) + 2:
        return end - 1 if text[end - 1] in AFTER else 0
    if end - start == surname_length(text, start) + 2 and text[end - 1] in AFTER - GIVEN_TOO:
        return end - 1  # 罗干等 同志
    return end if not following or following in AFTER else 0


def _is_possible(near: Array | None, start: int, end: int, least: float) -> bool:
    return near is None or float(near[start:end].mean()) >= least


def titled(text: str, near: Array | None = None) -> list[NameSpan]:
    """A surname with a title behind it: `王总`, `欧阳老师`, `江主席`; with a given name before a title that only
    persons have, where the model does not contradict: `何次琴女士`. Other names are left to the model, which sees their
    borders."""
    found: list[NameSpan] = []
    for match in _TITLE.finditer(text):
        at, title = match.start(), match[0]
        start = _surname_before(text, at, title)
        if start is None and near is not None and title in PERSONAL:
            start = _full_name_before(text, at, near)
        if start is not None and text[start : start + 2] not in _NO_NAME:
            end = match.end() if title in PERSONAL or title in SHORT_TITLES else at
            found.append(NameSpan(start, end, "person", 0.8, RULE + "title"))
    return found


def _surname_before(text: str, at: int, title: str) -> int | None:
    """Where the surname begins that ends at `at` and has nothing of a word before it."""
    for size in (3, 2):
        if at >= size and surname_length(text, at - size) == size:
            return at - size
    if not at or text[at - 1] not in SINGLE or text[at - 1] in WORDS_TOO:
        return None
    start = at - 1
    before = text[start - 1] if start else ""
    if not before or HAN.match(before) is None:
        return start
    if title in SHORT_TITLES:
        return None
    return start if before in AFTER or before in GOVERNS else None


def _full_name_before(text: str, at: int, near: Array) -> int | None:
    """Where a full name begins that ends at `at`: behind a border, and possible to the model."""
    for start in range(max(0, at - 4), at - 1):
        size = surname_length(text, start)
        is_name = size and text[start] not in WORDS_TOO and 1 <= at - start - size <= 2
        if (
            is_name
            and (not start or text[start - 1] in AFTER | GOVERNS)
            and float(near[start:at].mean()) >= PERSONAL_LEAST
            and HAN.match(text[at - 1]) is not None
        ):
            return start
    return None


_ITEM: Final = re.compile(
    rf"(?<=[、／/）)①-⑩])(?:(?:{_COMPOUND}|{'|'.join(sorted(JAPANESE))}|[{_SINGLE}]){_CHAR}{{1,2}}|[{_LETTERS}·]{{2,10}})"
    rf"(?=[、／/（(，。；;②-⑩？?0-9０-９]|等|和|及|与|$)"
)
_BETWEEN: Final = re.compile(r"[、／/]|[（(][0-9０-９一二三四五六七八九十][）)]|[①-⑩]|和|及|与")


def coordinated(text: str, spans: Sequence[NameSpan], near: Array | None) -> list[NameSpan]:
    """Items of an enumeration that stand beside a person and look like a name: parts of one list are of one kind."""
    if _BETWEEN.search(text) is None:
        return []
    ends = {span.end for span in spans if span.kind == "person"}
    starts = {span.start for span in spans if span.kind == "person"}
    if not ends:
        return []
    items = [match.span() for match in _ITEM.finditer(text)]
    found: list[NameSpan] = []
    for ordered, forward in ((items, True), (items[::-1], False)):
        for start, end in ordered:
            if text[end - 1] in _ENDS_OF_PLACES:
                continue
            if (start in starts and end in ends) or text[start : start + 2] in _NO_NAME:
                continue
            if near is not None and float(near[start:end].mean()) < LISTED_LEAST:
                continue
            beside = _follows_one(text, start, ends) if forward else _precedes_one(text, end, starts)
            if beside:
                found.append(NameSpan(start, end, "person", 0.6, RULE + "list"))
                starts.add(start)
                ends.add(end)
    return found


def _follows_one(text: str, start: int, ends: Set[int]) -> bool:
    return any(start - size in ends and _BETWEEN.fullmatch(text, start - size, start) for size in (1, 3))


def _precedes_one(text: str, end: int, starts: Set[int]) -> bool:
    return any(end + size in starts and _BETWEEN.fullmatch(text, end, end + size) for size in (1, 3))


def dotted(text: str, near: Array | None) -> list[NameSpan]:
    """Names around a middle dot, of any characters: to the left and right as far as they transliterate, or the model
    takes them for a part of a person's name."""
    found: list[NameSpan] = []
    done = 0
    for match in _DOT.finditer(text):
        if match.start() < done:
            continue
        start = _reach(text, match.start(), -1, near)
        end = match.end()
        while True:
            end = _reach(text, end, 1, near)
            if end >= len(text) or text[end] not in "·•・":
                break
            end += 1
        if start < match.start() and end > match.end():
            found.append(NameSpan(start, end, "person", 0.7, RULE + "middle dot"))
            done = end
    return found


_DOT: Final = re.compile(r"(?<=[\u3400-\u9fff])[·•・](?=[\u3400-\u9fff])")
_FARTHEST: Final = 9
"""Characters in one part of a foreign name."""


def _reach(text: str, at: int, step: int, near: Array | None) -> int:
    """How far a part of a name reaches from the border `at` to the left (-1) or right (1)."""
    for _ in range(_FARTHEST):
        place = at if step > 0 else at - 1
        if not 0 <= place < len(text) or HAN.match(text[place]) is None:
            break
        if text[place] not in TRANSLITERATION and (near is None or near[place] < DOTTED_LEAST):
            break
        at += step
    return at


def with_titles(text: str, spans: list[NameSpan]) -> list[NameSpan]:
    """Each person's span with the title behind it, and the Latin spelling in brackets behind that.

    Only with what a person is called (`先生`): a post (`主席`) is no part of a name, and an answer may depend on it.
    """
    widened: list[NameSpan] = []
    for span in spans:
        if span.kind != "person":
            widened.append(span)
            continue
        end = span.end
        title = _TITLE.match(text, end)
        if title is not None and title[0] in PERSONAL:
            end = title.end()
        alias = _ALIAS.match(text, end)
        if alias is not None:
            end = alias.end() - 1
        widened.append(span if end == span.end else span._replace(end=end))
    return widened
