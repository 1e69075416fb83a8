"""How people write a value again: a name by surname and title or in pinyin, a number without its gaps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from yuzui.privacy.pinyin import read_name, spellings, surname_length
from yuzui.privacy.words import is_solid, split_words

MOST_CHARS: Final = 200  # a longer value is a text, which fingerprints know
MOST_WORDS: Final = 12  # of one form; the beginning of a longer one will do
LEAST_DIGITS: Final = 7
_LEAST_LETTERS: Final = 6
_LEAST_SOLID: Final = 4
_LEAST_SECRET: Final = 8

NAME_KINDS: Final = frozenset(("person", "name"))
EXACT_KINDS: Final = frozenset(("api_key", "password", "jwt", "private_key", "connection_string", "url_credentials"))
"""Kinds whose letters mean nothing: a part of them is not sought."""

_BEHIND = """
    先生 女士 小姐 太太 总 总监 经理 主任 老师 教授 博士 医生 大夫 律师 法官 局长 处长 科长 部长 院长 校长 书记 主席
    董 董事长 工 老板 师傅 同学 同志 哥 姐 總 經理 老師 醫生 律師 局長 處長 科長 部長 院長 校長 書記 董事長 老闆 師傅
    同學 様 さん 씨 님
"""
_IN_FRONT = "老 小 阿 mr mrs ms miss mx dr prof professor sir madam herr frau monsieur madame sr sra"
_MAILBOXES = """
    info sales admin support contact hello office service services mail team hr help webmaster postmaster billing
    marketing press jobs careers noreply no reply donotreply newsletter test user example root security privacy
"""
TITLES_BEHIND: Final = tuple(_BEHIND.split())
"""Titles behind a name, each character a word."""
TITLES_IN_FRONT: Final = tuple(_IN_FRONT.split())
"""Titles in front of a name, one word each."""
_SHARED_MAILBOXES: Final = frozenset(_MAILBOXES.split())
_HAN_NAME: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{2,4}")
_DIGITS: Final = re.compile(r"[0-9]+")
_CLUSTER: Final = re.compile(r"[0-9](?:[ ().\-/]{0,2}[0-9]){6,}")
"""A number with its gaps, in canonical text."""


class Form(NamedTuple):
    """Words in a row that may mean the value."""

    words: tuple[str, ...]
    is_weak: bool = False
    """Believed only in the same conversation: elsewhere somebody else may be meant."""
    is_number: bool = False
    """One word, the digits of a number: compared with numbers whatever their gaps."""
    is_titled: bool = False
    """Believed only beside a title: `王` in `王先生`, `smith` in `Mr Smith`."""


def forms_of(kind: str, value: str) -> list[Form]:
    """Every form of canonical `value`, each once. Empty when the value says too little to be sought."""
    if not value.strip() or len(value) > MOST_CHARS:
        return []
    found: dict[tuple[tuple[str, ...], bool, bool], Form] = {}
    for form in _forms(kind, value.strip()):
        form = form._replace(words=form.words[:MOST_WORDS])
        place = (form.words, form.is_number, form.is_titled)
        before = found.get(place)
        if form.words and (before is None or before.is_weak):
            found[place] = form
    return list(found.values())


def numbers_in(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, digits) of every number of at least `LEAST_DIGITS` digits in canonical text, with its gaps."""
    for match in _CLUSTER.finditer(text):
        start, end = match.span()
        while start and text[start - 1] in "+(":
            start -= 1
        if not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
            yield start, end, "".join(_DIGITS.findall(match.group()))


def _forms(kind: str, value: str) -> Iterator[Form]:
    words = tuple(split_words(value))
    if kind in EXACT_KINDS:
        if sum(map(len, words)) >= _LEAST_SECRET:
            yield Form(words)
    elif kind in NAME_KINDS:
        yield from _name_forms(value, words)
    elif kind == "email":
        yield from _mail_forms(value, words)
    else:
        digits = "".join(_DIGITS.findall(value))
        letters = sum(map(str.isalpha, value))
        if len(digits) >= LEAST_DIGITS and letters <= 2:
            yield Form((digits,), is_number=True)
            if kind in ("cn_mobile", "phone") and len(digits) > 11:
                yield Form((digits[-11:] if digits.startswith("86") else digits[-10:],), is_number=True)
        if _says_enough(words):
            yield Form(words)
            yield Form(("".join(words),))


def _says_enough(words: tuple[str, ...]) -> bool:
    solid = sum(map(is_solid, words))
    others = sum([len(word) for word in words if not is_solid(word)])
    digits = sum([char.isdigit() for word in words for char in word])
    return solid >= _LEAST_SOLID or (others >= 8 and others > digits) or digits >= LEAST_DIGITS


def _name_forms(value: str, words: tuple[str, ...]) -> Iterator[Form]:
    if _HAN_NAME.fullmatch(value):
        yield from _han_name(value)
        return
    if all(map(is_solid, words)):  # a foreign name in characters, perhaps with a dot inside; or a surname alone
        yield Form(words, is_weak=len(words) < 3, is_titled=len(words) == 1)
        return
    words = tuple([word for word in words if word not in TITLES_IN_FRONT])
    if not words:
        return
    letters = sum(map(len, words))
    first, last = words[0], words[-1]
    yield Form(words, is_weak=len(words) < 2 or letters < _LEAST_LETTERS)
    if len(last) >= 2:
        yield Form((last,), is_weak=True, is_titled=True)
    if len(words) > 1:
        is_short = len(first) + len(last) < _LEAST_LETTERS
        for form in ((first, last), (last, first)):
            yield Form(form, is_weak=is_short)
        for joined in (first + last, last + first, first[0] + last):
            yield Form((joined,), is_weak=len(joined) < 8)
        yield Form((first[0], last), is_weak=True)
        if len(words) > 2:
            yield Form((last, *words[:-1]), is_weak=is_short)


def _han_name(name: str) -> Iterator[Form]:
    yield Form(tuple(name), is_weak=len(name) < 3)
    surname = name[: surname_length(name)]
    yield Form(tuple(surname), is_weak=True, is_titled=True)
    read = read_name(name)
    if read is None:
        return
    for first in spellings(read[0]):
        for given in spellings(read[1]):
            is_short = len(first) + len(given) < 8
            for form in ((first, given), (given, first), (first + given,), (given + first,)):
                yield Form(form, is_weak=is_short)
        yield Form((first,), is_weak=True, is_titled=True)


def _mail_forms(value: str, words: tuple[str, ...]) -> Iterator[Form]:
    yield Form(words)
    local = tuple(split_words(value.rpartition("@")[0].partition("+")[0]))
    if not local or not _SHARED_MAILBOXES.isdisjoint(local):
        return
    letters = sum(map(len, local))
    if letters < 5:
        return
    is_telling = letters >= 8 or (
        letters >= _LEAST_LETTERS and any(word.isalnum() and not word.isalpha() for word in local)
    )
    yield Form(local, is_weak=not is_telling)
    yield Form(("".join(local),), is_weak=not is_telling)
