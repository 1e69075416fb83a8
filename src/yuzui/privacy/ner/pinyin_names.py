"""Chinese names in pinyin with the marks of tones: `wáng jiàn huá`, whatever stands around."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from yuzui.privacy.ner.spans import NameSpan

_SURNAMES_WORDS = (
    "wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he lin gao luo zheng liang xie song "
    "tang han feng deng cao peng zeng xiao tian dong pan yuan cai jiang yu du ye cheng wei su lv lü ding ren "
    "shen yao cui tan fan liao shi jin xia fu fang zou xiong bai meng qin qiu hou yin xue duan lei long tao mao "
    "hao gu gong shao wan qian dai yan mo kong xiang chang lu jia tong ouyang sima zhuge shangguan"
)
_SURNAMES: Final = frozenset(_SURNAMES_WORDS.split())
_TONED: Final = re.compile(r"[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ]", re.IGNORECASE)
_LETTER: Final = "[A-Za-züāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ]"
_CANDIDATE: Final = re.compile(
    rf"(?<!{_LETTER}){_LETTER}{{1,9}}(?:[ '’-]{_LETTER}{{1,14}}){{1,2}}(?!{_LETTER})", re.IGNORECASE
)
_MARKS: Final = re.compile("[\u0300\u0301\u0304\u030c]")
_SYLLABLES: Final = re.compile(
    r"(?:(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|ei|ao|ou|an|en|in|un"
    r"|ün|ia|ie|iu|ua|uo|ui|üe|ue|er|a|o|e|i|u|ü)){1,2}"
)


def pinyin_names(text: str) -> Iterator[NameSpan]:
    """A surname and one or two syllables, each of which bears its tone."""
    if text.isascii() or _TONED.search(text) is None:
        return
    for match in _CANDIDATE.finditer(text):
        words = re.split(r"[ '’-]", match[0])
        while words and _TONED.search(words[-1]) is None:
            words.pop()
        plain = [_without_tones(word) for word in words if _TONED.search(word)]
        if len(plain) == len(words) > 1 and plain[0] in _SURNAMES and all(map(_SYLLABLES.fullmatch, plain[1:])):
            end = match.start() + sum(map(len, words)) + len(words) - 1
            yield NameSpan(match.start(), end, "person", 0.7, "rule: pinyin")


def _without_tones(word: str) -> str:
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", word.lower())))
