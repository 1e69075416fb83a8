"""What stands around a candidate: boundaries and cue words, in canonical text."""

from __future__ import annotations

_NUMBER_LABELS_WORDS = """
    tel phone mobile mob cell call ph id idcard card no num ssn sfz sj dh
"""
NUMBER_LABELS = frozenset(tuple(_NUMBER_LABELS_WORDS.split()))
"""Words that people glue to a number: `tel13800138000`."""

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS = frozenset("0123456789")
_MARKUP = frozenset("*_`()[]~\"'")
_WORD = _LETTERS | _DIGITS


def is_word(text: str, at: int) -> bool:
    """Whether an ASCII letter or digit stands at `at`; outside the text nothing does."""
    return 0 <= at < len(text) and text[at] in _WORD


def is_digit(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at] in _DIGITS


def word_before(text: str, at: int) -> str:
    """The ASCII letters right before `at`, lower case, at most 24."""
    first = at
    least = max(0, at - 24)
    while first > least and text[first - 1] in _LETTERS:
        first -= 1
    return text[first:at].lower()


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no ASCII letter or digit touches the span; a label such as `tel` may touch its front."""
    if is_word(text, end):
        return False
    if not is_word(text, start - 1):
        return True
    return word_before(text, start) in NUMBER_LABELS


def is_inside_number(text: str, start: int, end: int) -> bool:
    """Whether the span is a piece of a longer dotted or dashed number: a fraction, a version, a date, an OID."""
    if start >= 2 and text[start - 1] in ".-" and is_digit(text, start - 2):
        return True
    return end < len(text) and text[end] in ".-" and is_digit(text, end + 1)


def has_cue(text: str, start: int, cues: tuple[str, ...], *, reach: int = 32) -> bool:
    """Whether one of `cues` (lower case) stands in the `reach` characters before `start`, in the same leaf.

    A Latin cue begins a word (`tel` is not in `hotel`); one of up to four letters is a whole word (`sms`, not `smsc`).
    """
    before = text[max(0, start - reach) : start].lower()
    cut = before.rfind("\x1e")
    if cut >= 0:
        before = before[cut:]
    for cue in cues:
        if cue in before and _is_worded(before, cue):
            return True
    return False


def _is_worded(before: str, cue: str) -> bool:
    if not cue.isascii():
        return True
    at = before.find(cue)
    while at >= 0:
        end = at + len(cue)
        is_first = at == 0 or before[at - 1] not in _LETTERS
        if is_first and (len(cue) > 4 or end == len(before) or before[end] not in _LETTERS):
            return True
        at = before.find(cue, at + 1)
    return False


def take(text: str, start: int, end: int, allowed: frozenset[str], most: int) -> tuple[int, int]:
    """`start`, `end` widened over `allowed` characters, at most `most` on each side."""
    least = max(0, start - most)
    while start > least and text[start - 1] in allowed:
        start -= 1
    limit = min(len(text), end + most)
    while end < limit and text[end] in allowed:
        end += 1
    return start, end


def with_markup(text: str, start: int, end: int) -> tuple[int, int]:
    """The span with the marks around it, when marks also stand inside: `**138**`0013`_8000_`."""
    if _MARKUP.isdisjoint(text[start:end]):
        return start, end
    return take(text, start, end, _MARKUP, 3)
