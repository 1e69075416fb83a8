"""What a count must be to be believed, for vendors with counts in words of their own."""

from __future__ import annotations

import math

from yuzui.providers._reading import MOST_COUNTED


def count_of(value: float | None) -> int | None:
    """A count as the vendor told it, a started one counts; None when it is missing or beyond all sense: then the whole
    is estimated, not believed to be nothing."""
    return math.ceil(value) if value is not None and 0 <= value <= MOST_COUNTED else None


def counts_of(read: float | None, wrote: float | None) -> tuple[int, int] | None:
    """What was read and written: None when neither was told, or one of them makes no sense."""
    if read is None and wrote is None:
        return None
    first, second = count_of(read or 0), count_of(wrote or 0)
    return None if first is None or second is None else (first, second)
