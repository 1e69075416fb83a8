"""Addresses: places that stand side by side, with the numbers of street and door behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from yuzui.privacy.ner.spans import NameSpan

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


def with_addresses(text: str, spans: Sequence[NameSpan]) -> list[NameSpan]:
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
