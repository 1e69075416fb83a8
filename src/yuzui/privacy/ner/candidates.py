"""Whether a text can hold a name at all: a look that costs microseconds, before anything is asked."""

from __future__ import annotations

import re
from typing import Final

_CANDIDATE: Final = re.compile(
    "[\u3400-\u9fff\U00020000-\U0003134f][\\s\u200b-\u200f\u2060-\u206f]?[\u3400-\u9fff\U00020000-\U0003134f]"
    "|[A-ZÀ-ÞĀ-ɏ][\\w\u200b-\u200f'’.-]"
    "|[a-zß-ÿ]{2}[,.;:!?]? @?[a-zß-ÿ]{2}"  # `call will smith`
    "|[Ａ-Ｚ\u2e80-\u2fdf\uf900-\ufaff]"
)
_NO_SENTENCE: Final = re.compile(r"[A-Za-z0-9_./:+=,;@#%&?~-]*")
_SHORTEST: Final = 2


def may_hold_name(text: str) -> bool:
    """False for numbers, identifiers, URLs and other single words of ASCII without a space."""
    if len(text) < _SHORTEST or _CANDIDATE.search(text) is None:
        return False
    return len(text) < 40 or _NO_SENTENCE.fullmatch(text) is None
