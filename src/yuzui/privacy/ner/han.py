"""Chinese: from the emissions of a character model to spans, and what surnames, titles and cue words add.

The model is a tagger over characters with 59 tags (`PER-B`, `PER-I`, …, `O`) whose best path is found with a matrix of
transitions, as in Baidu's LAC. Source: https://github.com/baidu/lac (Apache-2.0), arXiv:1807.01882.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from yuzui.privacy.ner.segments import HAN
from yuzui.privacy.ner.spans import NameKind, NameSpan
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

KINDS: Final[dict[str, NameKind]] = {"PER": "person", "ORG": "organization", "LOC": "location"}
SINGLE_CHARACTER: Final = 0.6
"""What the model must give to a name of one character to be believed."""
BELIEVED: Final = 0.35
"""And to one that does not begin with a surname."""
EDGE: Final = 0.1
"""A character beside a name that belongs to it with this probability."""
THIRD: Final = 0.04
"""The same for the third character of a name that has two, the first of them a surname: most names have three."""
VETO: Final = 0.03
"""Below it the model is sure that what a rule takes for a name is another word."""
WEAKEST: Final = 0.16
"""A name that the best path does not hold: mean probability of its characters to be in a person's name."""
_RULE: Final = "rule: "


class Tags:
    """Which tag is which: made once from the model's list, in the order of its outputs."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.count = len(self.names)
        self.kinds: tuple[NameKind | None, ...] = tuple(KINDS.get(name.rpartition("-")[0]) for name in self.names)
        self.is_begin = tuple(name.endswith("-B") for name in self.names)
        self.person = [at for at, kind in enumerate(self.kinds) if kind == "person"]
        self.named = [at for at, kind in enumerate(self.kinds) if kind is not None]


def best_paths(emissions: Array, lengths: Sequence[int], transitions: Array) -> Array:
    """The best tag of each character, all sequences in step. Shapes: (batch, time, tags), (tags, tags) → (batch, time).

    `transitions[i, j]` is the score of `j` after `i`. What lies beyond a sequence's length means nothing.
    """
    batch, steps, tags = emissions.shape
    into = np.ascontiguousarray(transitions.T, dtype=np.float32)  # the last axis is the one that is searched
    ends = np.asarray(lengths)
    scores = emissions[:, 0].astype(np.float32)
    back = np.empty((steps, batch, tags), dtype=np.int16)
    still = np.arange(tags, dtype=np.int16)
    for step in range(1, steps):
        ways = scores[:, None, :] + into
        best = ways.argmax(axis=2)
        reached = np.take_along_axis(ways, best[:, :, None], axis=2)[:, :, 0] + emissions[:, step]
        alive = (step < ends)[:, None]
        scores = np.where(alive, reached, scores)
        back[step] = np.where(alive, best, still)
    path = np.empty((batch, steps), dtype=np.int16)
    at = scores.argmax(axis=1)
    rows = np.arange(batch)
    for step in range(steps - 1, -1, -1):
        path[:, step] = at
        at = back[step][rows, at] if step else at
    return path


def probabilities(emissions: Array) -> Array:
    """Softmax over the tags."""
    shifted = np.exp(emissions - emissions.max(axis=-1, keepdims=True))
    result: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def spans_of_path(path: Sequence[int], chances: Array, tags: Tags, evidence: str) -> list[NameSpan]:
    """Persons, organisations and places on the best path. `chances`: (time, tags)."""
    found: list[NameSpan] = []
    at, size = 0, len(path)
    while at < size:
        kind = tags.kinds[path[at]]
        end = at + 1
        if kind is None:
            at = end
            continue
        while end < size and tags.kinds[path[end]] == kind and not tags.is_begin[path[end]]:
            end += 1
        wanted = [tag for tag in tags.named if tags.kinds[tag] == kind]
        score = float(chances[at:end][:, wanted].sum(axis=1).mean())
        found.append(NameSpan(at, end, kind, score, evidence))
        at = end
    return found


def settle_persons(text: str, spans: Sequence[NameSpan], near: Array) -> list[NameSpan]:
    """The model's persons with their borders mended, without those that it hardly believes itself.

    `near`: probability of each character to be in a person's name.
    """
    settled: list[NameSpan] = []
    taken = bytearray(len(text))
    for span in spans:
        taken[span.start : span.end] = b"\1" * (span.end - span.start)

    def is_free(at: int) -> bool:
        return not taken[at] and text[at] not in AFTER and HAN.match(text[at]) is not None

    for span in spans:
        if span.kind != "person":
            settled.append(span)
            continue
        start, end, score = span.start, span.end, span.score
        if end - start == 1 and score < SINGLE_CHARACTER:
            continue
        size = surname_length(text, start)
        if score < BELIEVED and not size:
            continue
        while start and near[start - 1] >= EDGE and is_free(start - 1):
            start -= 1
        least = THIRD if size == 1 and end - span.start == 2 else EDGE
        while end < len(text) and near[end] >= least and is_free(end):
            end, least = end + 1, EDGE
        settled.append(span._replace(start=start, end=end))
    return settled


def nearness(chances: Array, tags: Tags) -> Array:
    """Probability of each character to be in a person's name."""
    result: Array = chances[:, tags.person].sum(axis=1)
    return result


def weaker_persons(text: str, near: Array, taken: bytearray, evidence: str) -> list[NameSpan]:
    """Names that the best path missed though the model nearly saw them: a surname and one or two characters."""
    found: list[NameSpan] = []
    for at in np.flatnonzero(near[1:] >= WEAKEST).tolist():  # the second character of a name is the surer one
        size = surname_length(text, at)
        if not size or taken[at]:
            continue
        for given in (2, 1):
            end = at + size + given
            if end > len(text) or any(taken[at:end]) or HAN.match(text[end - 1]) is None:
                continue
            score = float(near[at:end].mean())
            if score >= WEAKEST and near[end - 1] >= WEAKEST:
                found.append(NameSpan(at, end, "person", score, evidence))
                taken[at:end] = b"\1" * (end - at)
                break
    return found


# ---- rules ----------------------------------------------------------------------------------------------------------

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


_DOOR: Final = (
    r"(?:[0-9０-９A-Za-z一二三四五六七八九十百零〇甲乙丙丁][-－—0-9０-９A-Za-z一二三四五六七八九十百零〇]{0,8}"
    r"(?:号楼|号院|号|號|弄|栋|棟|幢|座|单元|單元|室|楼|樓|层|層|房|村|组|户|巷|路|街))"
)
_DOORS: Final = re.compile(rf"[\s,，]?(?:{_DOOR}[\s,，]?)*{_DOOR}(?:[0-9]{{2,4}}室?)?")
_ENDS_AT_DOOR: Final = re.compile(
    r"[0-9０-９][-0-9０-９A-Za-z]{0,6}(?:号楼|号院|号|號|弄|栋|棟|幢|座|单元|單元|室|楼|樓|层|層|房)$"
)
_ROAD_END: Final = (
    "路",
    "街",
    "道",
    "巷",
    "弄",
    "胡同",
    "大街",
    "大道",
    "小区",
    "花园",
    "公寓",
    "大厦",
    "村",
    "镇",
    "乡",
)
_LEVELS: Final = re.compile(r"[省市区县州旗镇乡村]|自治区")


def with_addresses(text: str, spans: list[NameSpan]) -> list[NameSpan]:
    """Places that stand side by side, with the numbers of street and door behind them, are an address.

    One that names a door, or a road below two levels of administration, is more than a place.
    """
    places = sorted((span for span in spans if span.kind == "location"), key=lambda span: span.start)
    joined = [span for span in spans if span.kind != "location"]
    at = 0
    while at < len(places):
        first, end, score = places[at], places[at].end, places[at].score
        at += 1
        while at < len(places) and text[end : places[at].start].strip(" ,，\u3000") == "":
            if places[at].start - end > 2:
                break
            end, score = max(end, places[at].end), min(score, places[at].score)
            at += 1
        doors = _DOORS.match(text, end)
        words = text[first.start : end]
        if doors is not None or _ENDS_AT_DOOR.search(words):
            end = doors.end() if doors is not None else end
            joined.append(NameSpan(first.start, end, "postal_address", score, first.evidence))
        elif len(_LEVELS.findall(words)) >= 2 and words.endswith(_ROAD_END):
            joined.append(NameSpan(first.start, end, "postal_address", score, first.evidence))
        else:
            joined.append(NameSpan(first.start, end, "location", score, first.evidence))
    return joined
