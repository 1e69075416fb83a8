"""What a replay adds up: a line per kind of change, sums per slice and block of time, latencies; all in integers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from yuzui.backtest.latencies import Histogram

MOST_EXAMPLES: Final = 5
MICRO: Final = 1_000_000
"""Of a score, in sums."""
REFUSED: Final = ""
"""As the place of a request that nobody answers."""


class Slice(NamedTuple):
    """Whose requests, at which label (its name in the records)."""

    team: str
    label: str


class Change(NamedTuple):
    """One kind of fate; requests with the same one are counted together."""

    slice: Slice
    new_label: str
    before: str
    """Target, or `REFUSED`."""
    after: str
    was: str
    """What the records say of `after`: permitted, not a candidate, or the reason of its refusal."""
    now: str
    """What the draft says of `before`: likewise, or gone."""
    is_masked: bool
    """The target after would see it with stand-ins."""
    left_house: bool
    left_country: bool
    may_leave_house: bool
    """A target outside became a fallback, where none was."""

    @property
    def is_moved(self) -> bool:
        return self.before != self.after

    @property
    def is_newly_refused(self) -> bool:
        return self.after == REFUSED and self.before != REFUSED

    @property
    def is_newly_answered(self) -> bool:
        return self.before == REFUSED and self.after != REFUSED

    @property
    def is_quiet(self) -> bool:
        """Nothing that a reviewer would want to see."""
        return not (self.is_moved or self.left_house or self.left_country or self.may_leave_house) and (
            self.new_label == self.slice.label
        )


@dataclass(slots=True)
class Line:
    requests: int = 0
    before_nano: int = 0
    """What they cost, in the book currency."""
    after_nano: int = 0
    uncounted: int = 0
    """Requests whose cost under the draft cannot be told: they are in neither sum."""
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Sums:
    """Of one slice in one block of time."""

    requests: int = 0
    before_nano: int = 0
    after_nano: int = 0
    answered: int = 0
    """Before and after."""
    moved: int = 0
    """Of the answered ones: by another target than before."""
    predicted: int = 0
    """Of the moved ones: a learned router says how much better or worse."""
    gained_micro: int = 0
    """Millionths of a score, summed over the predicted ones; negative: worse."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Where latencies belong: of whom, from whom, and whether they stay there."""

    slice: Slice
    target: str
    operation: str
    after: str


@dataclass(slots=True)
class Timings:
    """Of answered requests, in ms."""

    whole: Histogram = field(default_factory=Histogram)
    first_token: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class Tally:
    lines: dict[Change, Line] = field(default_factory=dict)
    blocks: dict[Slice, dict[str, Sums]] = field(default_factory=dict)
    """Slice → start of a block of time → sums."""
    timings: dict[Measured, Timings] = field(default_factory=dict)
    assumed: Counter[str] = field(default_factory=Counter)
    """Supposition → requests that it was made for; see `words.ASSUMPTIONS`."""
    not_routed: Counter[str] = field(default_factory=Counter)
    """Error code → requests that ended before routing, or for a reason that no routing changes."""
    suppressed: int = 0
    """Refusals that the records only count."""
    by_load: int = 0
    """Requests whose order was the load's doing: they are kept where they went."""
    texts: Counter[str] = field(default_factory=Counter)
    """read | masked (read, with stand-ins in it) | gone (over its time, or another key's) | closed (nobody opened it) →
    requests that have a kept text."""
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(virtual model, what decided under its certificate) → requests."""
    looks: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(virtual model, from what its router was replayed) → requests."""
    over_budget: int = 0
    """Requests that a key's budget would no longer have paid for."""
    requests: int = 0
    """All that were read, replayed or not."""
    first_at: str = ""
    last_at: str = ""

    @property
    def replayed(self) -> int:
        return sum(line.requests for line in self.lines.values())
