"""Chinese postal addresses by their grammar: province, city, district, road, house, building, unit, room.

What starts a look is a house number behind a road (`文三路826号`), a building or room, a road behind a district, or a
word that announces an address. From there the address is followed to both sides.
"""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._cn_places import place_at
from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because

KIND = "postal_address"
_MOST_BEFORE, _MOST_BEHIND = 48, 48  # characters on each side of what started the look
_ANNOUNCING_WORDS = """
    居住地址 家庭住址 收货地址 户籍地址 通讯地址 联系地址 办公地址 注册地址 邮寄地址 详细地址 現居地址 住址 地址
    居住于 居住在 现居住于 现居住在 现住 现居 現居 家住 住在 住于 寄到 寄往 寄至 送到 位于 位於 坐落于 坐落在
    户籍 籍贯 出生地 所在地 住所 居于 暂住 地點 地点 居住
"""
_ANNOUNCING = _ANNOUNCING_WORDS.split()
_LINKS = "是为為：:于於在到至, "
_STOPPING = frozenset(
    "，。.；！？、,;!?\"'“”()[]<>{}|\n\r\t\x1e：:"
)  # canonical: full-width punctuation is ASCII mostly
_ROADS = ("路", "街", "大道", "巷", "胡同", "弄", "條", "条", "段", "街道", "里弄")
_VILLAGES_WORDS = """
    村 里 道 园 區 区 庄 莊 苑 坊 屯 组 組 队 隊 桥 营 寨 湾 塘 坡 岗 沟 镇 乡 城 径 環 环 线 邨 社 厂 场 院 井
    门 坪 铺 店 沿
"""
_VILLAGES = tuple(_VILLAGES_WORDS.split())
_BUILDINGS_WORDS = """
    大厦 大廈 小区 小區 花园 花園 公寓 广场 廣場 中心 大楼 大樓 新村 家园 家園 国际 國際 商厦 宿舍 酒店 学校
    大学 医院 体育场 苑 城 园 府 庭 湾 居 邸 轩 阁 院 坊 楼 樓 塔 厦 村 东门 西门 南门 北门 门口 对面 附近 旁 里
    场 港 汇 座
"""
_BUILDINGS = _BUILDINGS_WORDS.split()
_UNITS_WORDS = """
    号楼 號樓 号院 號院 单元 單元 号 號 弄 栋 棟 幢 座 楼 樓 层 層 室 房 户 戶 门 組 组 区 區 期 巷 附 之 梯
"""
_UNITS = tuple(_UNITS_WORDS.split())
_ADMINISTRATIVE = frozenset("省市州盟县縣区區旗镇鎮乡鄉村")
_VERBS = frozenset("了去来把被说他她我你们這这那吗呢吧很也都就又将已")
_NUMERALS = frozenset("0123456789一二三四五六七八九十百零〇甲乙丙丁东南西北-—~～/#AaBbCcDdEeFfGg")
_CUTS_WORDS = """
    在 于 於 到 至 往 从 是 为 住 的 和 与 及 去 回 沿 了 过 由
"""
_CUTS = tuple(_CUTS_WORDS.split())
_GRAMMAR, _LABELLED = because(), because(label=True)


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    rule, why = "number", _GRAMMAR
    if text[start] in "0123456789一二三四五六七八九十百":
        found = _around_number(text, start, end)
    elif text[start] in _ADMINISTRATIVE:
        rule, found = "road", _around_road(text, start, end)
    else:
        rule, why = "label", _LABELLED
        found = _behind_word(text, end)
    if found is not None:
        yield Hit(KIND, *found, rule, why)


def _around_number(text: str, start: int, end: int) -> tuple[int, int, float] | None:
    """`start` is the first character of a number with a unit behind it: house, building or room."""
    while start and text[start - 1] in _NUMERALS and text[start - 1] not in "东南西北":
        start -= 1
    left = _run_before(text, start)
    run = text[left:start]
    if len(run) < 2:
        return None
    first, has_place = _first(run)
    named = run[first:]
    if has_place:
        if not _is_address(named) and not (named.endswith((*_ROADS, "道")) and len(named) <= 16):
            return None
        return left + first, _end_of_units(text, start), 0.95
    is_road = named.endswith(_ROADS) and len(named) >= 3
    is_announced = _is_announced(text, left + first)
    if is_road or (is_announced and named.endswith(_VILLAGES)) or _has_district(named):
        return left + first, _end_of_units(text, start), 0.8 if is_announced else 0.65
    return None


def _around_road(text: str, start: int, end: int) -> tuple[int, int, float] | None:
    """A road, village or estate behind a district; believed when the province or city stands before it."""
    left = _run_before(text, start)
    first, has_place = _first(text[left:end])
    if not has_place or left + first >= start or not _is_address(text[left + first : end]):
        return None
    return left + first, _end_of_units(text, end), 0.7


def _behind_word(text: str, at: int) -> tuple[int, int, float] | None:
    """The address that a word such as 住址 announces: a place, or a road with a number, up to the next stop."""
    limit = min(len(text), at + 8)
    while at < limit and text[at] in _LINKS:
        at += 1
    last = at
    limit = min(len(text), at + _MOST_BEHIND)
    while last < limit and text[last] not in _STOPPING and text[last] != " ":
        last += 1
    run = text[at:last]
    if place_at(text, at):
        ending = max(
            (
                run.rfind(mark) + len(mark)
                for mark in ("省", "市", "区", "县", "镇", "乡", "村", "路", "街", "道", "區", "縣")
                if mark in run
            ),
            default=0,
        )
        return (at, _end_of_units(text, at + ending), 0.75) if ending >= 3 else None
    return None


def _run_before(text: str, at: int) -> int:
    """The first character of the unbroken run that ends at `at`."""
    first = at
    least = max(0, at - _MOST_BEFORE)
    while first > least and text[first - 1] not in _STOPPING and text[first - 1] != " ":
        first -= 1
    return first


def _first(run: str) -> tuple[int, bool]:
    """Where the address in `run` begins, and whether it begins with a known place."""
    begin = 0
    for word in _ANNOUNCING:
        at = run.rfind(word)
        if at >= 0:
            begin = max(begin, at + len(word))
    while begin < len(run) and run[begin] in _LINKS:
        begin += 1
    for at in range(begin, len(run) - 1):
        end = place_at(run, at)
        if end and _VERBS.isdisjoint(run[at:]):
            return at, True
    return _first_of_road(run, begin), False


def _first_of_road(run: str, begin: int) -> int:
    """Without a known place: behind the last word that cannot be in a name, at most ten characters."""
    begin = max(begin, len(run) - 12)
    for word in _CUTS:
        at = run.rfind(word, begin, len(run) - 2)
        if at >= 0:
            begin = max(begin, at + len(word))
    return begin


def _is_address(named: str) -> bool:
    """Whether what follows a known place goes on in steps of at most ten characters to a district, road or house."""
    gap = 0
    steps = 0
    for char in named:
        gap += 1
        if char in _ADMINISTRATIVE or char in "路街道巷弄号號段":
            gap = 0
            steps += 1
        elif gap > 10:
            return False
    return steps >= 2


def _has_district(named: str) -> bool:
    """`西湖区文三路`, `某某县某某村`."""
    at = max(named.find("区", 2), named.find("县", 2), named.find("區", 2), named.find("镇", 2))
    return 2 <= at < len(named) - 2 and named.endswith((*_ROADS, *_VILLAGES))


def _is_announced(text: str, at: int) -> bool:
    before = text[max(0, at - 10) : at].rstrip("".join(_LINKS))
    return before.endswith((*_ANNOUNCING, "住"))


def _end_of_units(text: str, at: int) -> int:
    """Behind the last house, building, floor or room number that follows `at`, with names of buildings in between."""
    end = at
    limit = min(len(text), at + _MOST_BEHIND)
    while at < limit:
        behind = _unit_end(text, at, limit)
        if not behind:
            behind = _building_end(text, at, limit)
        if not behind:
            break
        at = end = behind
    return end


def _unit_end(text: str, at: int, limit: int) -> int:
    """Behind `12号`, `A座`, `3-2-501`, `2502室`; 0 when none begins at `at`."""
    first = at
    if at < limit and text[at] in " ,-":
        at += 1
    last = at
    while last < limit and text[last] in _NUMERALS:
        last += 1
    if last == at or last - at > 8:
        return 0
    unit = next((unit for unit in _UNITS if text.startswith(unit, last)), "")
    if unit:
        return last + len(unit)
    has_digits = any(char in "0123456789" for char in text[at:last])
    stops = last >= len(text) or text[last] in _STOPPING or text[last] == " "
    return last if has_digits and stops and first == at and text[at - 1 : at] not in ("路", "街") else 0


def _building_end(text: str, at: int, limit: int) -> int:
    """Behind the name of a building or estate of at most 12 characters; 0 when none begins at `at`."""
    last = at
    limit = min(limit, at + 12)
    while last < limit and "\u4e00" <= text[last] <= "\u9fff" and text[last] not in _VERBS:
        last += 1
    run = text[at:last]
    if not run:
        return 0
    following = text[last : last + 1]
    if following.isascii() and following.isalnum():  # 德基大厦A座2502室
        return last if run.endswith(tuple(_BUILDINGS)) and _unit_end(text, last, limit + 12) else 0
    if following == "" or following in _STOPPING or following == " ":
        return last if run.endswith(tuple(_BUILDINGS)) else 0
    return 0


_NUMBER = "(?:[0-9]|[一二三四五六七八九十百])"
_HAN = "[\u4e00-\u9fff]"
DETECTOR = Detector(
    levels={KIND: "confidential"},
    patterns=(
        Pattern(regex=f"{_NUMBER}(?:号|號|弄|栋|棟|幢|单元|單元|室)"),
        Pattern(regex=f"(?:{'|'.join(sorted(set(_ANNOUNCING)))})"),
        Pattern(
            regex=f"[市州区區县縣旗]{_HAN}{_HAN}?{_HAN}?{_HAN}?{_HAN}?(?:路|街|大道|巷|胡同|村|镇|乡|小区|花园|公寓)"
        ),
    ),
    check=_check,
)
