"""What names nobody but tells who is meant: ages, nations, places that all know, addresses of the web, paths, handles.

Reported only where the operator asks for the kind (`[sensitivity.names] also`). Rules alone: no model is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from yuzui.privacy.ner.shared_words import ALSO_WORDS, PEOPLES, PLACES
from yuzui.privacy.ner.spans import NameKind, NameSpan
from yuzui.privacy.surrogates import LOOKALIKE

_SCORE: Final = 0.7
_NUMBER: Final = r"(?:1[01]\d|[1-9]?\d)"
_AGE: Final = re.compile(
    rf"""(?xi)
      \b(?P<old>{_NUMBER})(?:[ -]?(?:years?|yrs?)[ -]?olds?\b | [ ]?y/?o\b | [ ]years?[ ]of[ ]age\b | [ ]y\.o\.)
    | \b(?:aged?(?:[ ](?:of|is))?:?|at[ ]the[ ]age[ ]of|turn(?:s|ed|ing)?)[ ](?P<aged>{_NUMBER})\b
        (?![.,:]?\d|[ ]?%|[ ](?:degrees|points))
    | \b(?:i['’]?m|i[ ]am|(?:s?he|who)(?:['’]s|[ ](?:is|was))|when[ ](?:i|s?he)[ ]was)[ ](?P<am>[1-9]\d)\b
        (?=[ ]?(?:[.,;!?)]|$|and\b|now\b|years\b|when\b|at\b))(?![.,]\d)
    """,
    re.MULTILINE,
)
_URL_END: Final = r"[^\s\"'`<>\\{}|^\[\]，。；、（）]"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\."
_URL: Final = re.compile(
    rf"\b(?:https?|wss?|ftp|socks5?)://{_URL_END}+|\bwww\.[\w-]+\.{_URL_END}+"
    rf"|(?<![\w@./\\-])(?:(?:{_LABEL}){{1,4}}(?:com|org|net|edu|gov|io|ai|info|biz|app|dev|co|uk|de|fr|es|nl|pl"
    rf"|ru|cn|jp|br|ca|au|eu|ch|se|dk|fi)|(?:{_LABEL}){{2,4}}(?:it|in|at|no|us|me|is|to|be))(?![\w(=@])(?!\.\w)(?:[/?]{_URL_END}*)?",
    re.IGNORECASE,
)
"""With a scheme, or the name of a host; where the top domain is an English word (`end.It`), it takes another label."""
_TRAILING: Final = ".,;:!?)'\"*_"
_PART: Final = r"[^\\/:*?\"'<>|\n\s]"
_PATH: Final = re.compile(
    rf"(?i:\b[a-z]:\\+(?:users|documents and settings)\\+)[^\\/:*?\"<>|\n]+"
    rf"(?:\\+{_PART}+(?: [^\\/:*?\"<>|\n\s.]+(?:\.{_PART}+|(?=\\)))*)*"
    r"|(?<![\w.:])/(?:home|Users)/[\w.-]+(?:/[\w.@+-]+(?: [\w@+-]+(?:\.\w+|(?=/)))*)*"
)
_SHARED_HOMES: Final = re.compile(
    r"(?i)[\\/](?:public|default|user|username|your[_-]?name|ubuntu|runner|app|node|all users)(?:[\\/]|$)"
)
_HANDLE: Final = re.compile(
    r"(?<![\w@./+-])@(?P<at>[A-Za-z_][\w.]{2,30}\w)\b(?![(/@]|\.\w)"
    r"|(?i:\b(?:user ?name|user id|handle|nickname|screen name|gamertag|login)(?: is|:| =)? )"
    r"[\"'`]?(?P<named>[A-Za-z][\w.-]*[\d_.-][\w.-]*\w)"
    r"|(?<![\w.])(?i:(?:twitter|github|gitlab|instagram|facebook|tiktok|x)\.com|t\.me|linkedin\.com/in)/"
    r"(?P<profile>[\w.-]{3,39})\b"
)
_DECORATED: Final = re.compile(
    r"[ \t]*@[\w.]+[ \t]*(?:\n|\Z)"
    r"|[ \t]*@(?:param|returns?|throws|raises|see|since|author|version|deprecated|type|todo|note|brief|example"
    r"|link|code|media|import|override)\b"
)
_COMMENTED: Final = re.compile(r"[ \t]*(?:\*|//+|#+|--|;+|%+|/\*+)[ \t!]*")

_WORD: Final = re.compile(r"[A-Za-zÀ-ɏ]+")


def _by_first_word() -> dict[str, tuple[str, ...]]:
    """How a place is spelled, the longest spelling of each first word first."""
    found: dict[str, set[str]] = {}
    for place in PLACES:
        is_word = place in ALSO_WORDS or place.isupper()
        for spelled in (place, place.upper()) if is_word else (place, place.lower(), place.upper()):
            found.setdefault(spelled.split(" ")[0], set()).add(spelled)
    return {first: tuple(sorted(spelled, key=lambda one: (-len(one), one))) for first, spelled in found.items()}


_SPELLED: Final = _by_first_word()
_SMALL_PEOPLES: Final = frozenset(map(str.lower, PEOPLES))
_SAID_OF_SOMEBODY: Final = re.compile(
    r"\b(?:i am|i['’]?m|we are|we['’]re|s?he is|they are|proud)(?: (?:a|an|half|originally|proud)){0,2} $",
    re.IGNORECASE,
)
_LOOK_BACK: Final = 32
_GLUE: Final = frozenset("@_/\\=#.-")


def quasi_spans(text: str) -> Iterator[NameSpan]:
    """Everything of these kinds in `text`, whatever stands around; spans of different kinds may overlap."""
    for match in _AGE.finditer(text):
        group = match.lastgroup or "old"
        yield _span(match, group, "age", "rule: age")
    if "." in text or "://" in text:
        for match in _URL.finditer(text):
            end = match.end()
            while end > match.start() and text[end - 1] in _TRAILING:
                end -= 1
            if LOOKALIKE.search(match[0]) is None:
                yield NameSpan(match.start(), end, "url", _SCORE, "rule: url")
    if "sers" in text or "/home/" in text or "ettings" in text:
        for match in _PATH.finditer(text):
            if _SHARED_HOMES.search(match[0]) is None and LOOKALIKE.search(match[0]) is None:
                yield NameSpan(*match.span(), "file_path", _SCORE, "rule: home")
    for match in _HANDLE.finditer(text):
        group = match.lastgroup or "at"
        if LOOKALIKE.search(match[group]) is None and not (group == "at" and _is_decorator(text, match)):
            yield _span(match, group, "username", "rule: handle")
    yield from _places_and_peoples(text)


def _places_and_peoples(text: str) -> Iterator[NameSpan]:
    for match in _WORD.finditer(text):
        word, start = match[0], match.start()
        if word in _SPELLED:
            for spelled in _SPELLED[word]:
                end = start + len(spelled)
                if text.startswith(spelled, start) and not text[end : end + 1].isalpha():
                    if not _is_glued(text, start, end):
                        yield NameSpan(start, end, "location", _SCORE, "rule: place")
                    break
        people = word if word in PEOPLES or word.lower() in _SMALL_PEOPLES else word.removesuffix("s")
        if people in PEOPLES:
            is_said = True
        elif people in _SMALL_PEOPLES:
            is_said = _SAID_OF_SOMEBODY.search(text, max(0, start - _LOOK_BACK), start) is not None
        else:
            continue
        if is_said and not _is_glued(text, start, match.end()):
            yield NameSpan(start, match.end(), "nationality", _SCORE, "rule: people")


def with_neighbours(text: str, spans: Iterable[NameSpan]) -> list[NameSpan]:
    """`Nagpur, Maharashtra, India`: places one after another are one."""
    joined: list[NameSpan] = []
    for span in sorted(spans, key=lambda one: one.start):
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.kind in _PLACE_LIKE
            and span.kind in _PLACE_LIKE
            and "location" in (last.kind, span.kind)
            and text[last.end : span.start] == ", "
        ):
            joined[-1] = NameSpan(last.start, span.end, "location", max(last.score, span.score), last.evidence)
        else:
            joined.append(span)
    return joined


_PLACE_LIKE: Final = ("location", "proper_noun")


def _span(match: re.Match[str], group: str | int, kind: NameKind, evidence: str) -> NameSpan:
    return NameSpan(match.start(group), match.end(group), kind, _SCORE, evidence)


def _is_decorator(text: str, match: re.Match[str]) -> bool:
    """`@property`, `@contextlib.contextmanager` alone on its line, or a tag of documentation: `* @param`."""
    line = text.rfind("\n", 0, match.start()) + 1
    return _DECORATED.match(text, line) is not None or _COMMENTED.fullmatch(text, line, match.start()) is not None


def _is_glued(text: str, start: int, end: int) -> bool:
    """Whether it is a part of an identifier, a path or an address."""
    if start and text[start - 1] in _GLUE and not (text[start - 1] == "-" and text[start - 2 : start - 1] == " "):
        return True
    after = text[end : end + 1]
    return (after != "" and after in "@_/\\=(") or (after == "." and text[end + 1 : end + 2].isalnum())
