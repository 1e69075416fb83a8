"""JSON Web Tokens (RFC 7519): three base64url parts, the first two beginning like a JSON object."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.surroundings import is_word


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if not is_word(text, start - 1):
        yield Hit("jwt", start, end, 1.0)


DETECTOR = Detector(
    levels={"jwt": "restricted"},
    # `eyJ` is base64 of `{"`; the header alone is harmless, so the claims must be there too
    patterns=(Pattern(regex=r"eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.?[0-9A-Za-z_-]*"),),
    check=_check,
)
