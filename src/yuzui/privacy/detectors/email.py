"""E-mail addresses, also percent-encoded and with `[at]` and `dot` spelled out."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOCAL = _LETTERS | frozenset("0123456789._%+'-")
_DOMAIN = _LETTERS | frozenset("0123456789.-")
_FILE_ENDINGS = (
    "png jpg jpeg gif svg webp ico css js ts tsx jsx json py rb go rs java kt swift md txt html xml yml yaml toml lock"
    " sh so whl gz zip"
)
_NOT_A_TLD = frozenset(_FILE_ENDINGS.split())
_NO_MAILBOX = frozenset(("git", "hg", "svn"))  # `git@github.com:…` is a way to clone, not a person
_MAX_LOCAL, _MAX_DOMAIN = 64, 253  # RFC 5321 section 4.5.3.1
_DOT_WORDS = (" dot ", " [dot] ", "[dot]", " (dot) ", "(dot)", "{dot}")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if text[start : start + 4].lower() == " at ":
        end = start + 5  # this pattern had to see further than the first letter of the domain; all others end behind it
    first = _local_start(text, start)
    if first == start or _looks_like_clone_url(text, first, start) or _is_login(text, first):
        return
    last = _domain_end(text, end - 1)
    if last:
        is_plain = text[start] == "@"
        yield Hit("email", first, last, 1.0 if is_plain else 0.8, "plain" if is_plain else "spelled")


def _local_start(text: str, at: int) -> int:
    """Where the local part before `at` begins; `at` when there is none."""
    first = at
    least = max(0, at - _MAX_LOCAL)
    while first > least:
        if text[first - 1] in _LOCAL:
            first -= 1
            continue
        word = next((dot for dot in _DOT_WORDS if text[first - len(dot) : first].lower() == dot and first < at), "")
        if not word:
            break
        first -= len(word)
    while first < at and text[first] in ".'-+%":
        first += 1
    return first


def _looks_like_clone_url(text: str, first: int, at: int) -> bool:
    return text[first:at].lower() in _NO_MAILBOX


def _is_login(text: str, first: int) -> bool:
    """Whether what begins at `first` is the password of `https://user:password@host`, and so no mailbox."""
    if text[first - 1 : first] != ":":
        return False
    scheme = text.rfind("://", max(0, first - _MAX_LOCAL), first - 1)
    return scheme >= 0 and not any(char.isspace() or char in "/@" for char in text[scheme + 3 : first])


def _domain_end(text: str, at: int) -> int:
    """Where the domain beginning at `at` ends; 0 when it is no domain with a plausible top level."""
    limit = min(len(text), at + _MAX_DOMAIN)
    last = at
    spelled: list[str] = []
    while last < limit:
        if text[last] in _DOMAIN:
            spelled.append(text[last])
            last += 1
            continue
        word = next((dot for dot in _DOT_WORDS if text[last : last + len(dot)].lower() == dot), "")
        if not word:
            break
        spelled.append(".")
        last += len(word)
    name = "".join(spelled).rstrip(".-")
    last -= len(spelled) - len(name)
    labels = name.lower().split(".")
    top = labels[-1]
    if len(labels) < 2 or "" in labels or top in _NOT_A_TLD:
        return 0
    if not (top.startswith("xn--") or (2 <= len(top) <= 24 and _LETTERS.issuperset(top))):
        return 0
    return last


DETECTOR = Detector(
    levels={"email": "confidential"},
    patterns=(
        Pattern(regex="@[0-9A-Za-z]"),
        Pattern(regex="%(?:25)?40[0-9A-Za-z]"),
        Pattern(regex=r" ?[\[({] ?at ?[\])}] ?[0-9a-z]", ignore_case=True),
        Pattern(regex=r" at [0-9a-z-]+ ?[\[({]?dot", ignore_case=True),
    ),
    check=_check,
)
