"""What a judge leans to, against people who judged the same pairs: the first place, length, its own answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from typing import Literal

from yuzui.evaluation.agreement import cohens_kappa
from yuzui.evaluation.bootstrap import Draws, Interval, interval

Choice = Literal["answer", "reference", "tie"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One pair that a judge and people saw. `answer` and `reference` are the two sides."""

    orders: tuple[Choice, Choice]
    """The judge's, with the answer shown first, and with it shown second."""
    human: Choice | None
    """None: nobody labelled it."""
    answer_chars: int
    reference_chars: int
    answer_is_own: bool = False
    """The judge's own model wrote it."""
    reference_is_own: bool = False

    @property
    def verdict(self) -> Choice:
        return self.orders[0] if self.orders[0] == self.orders[1] else "tie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    pairs: int
    labelled: int
    agreement: float | None
    """Share of the labelled pairs where judge and people say the same."""
    kappa: float | None
    disagreements: int
    """Pairs where the two orders contradict each other."""
    to_first: int
    to_second: int
    """Of these: how often the first place won both times, and the second."""
    position_p: float
    """Of a two-sided sign test that both places are alike to the judge."""
    length: Interval | None
    """By how much more often than people it takes the longer side; of labelled pairs with different lengths."""
    own: Interval | None
    """By how much more often than people it takes its own model's side; of labelled pairs with one such side."""


def bias_of(pairs: Sequence[Judged], draws: Draws) -> Bias:
    labelled = [(pair, pair.human) for pair in pairs if pair.human is not None]
    to_first = sum(pair.orders == ("answer", "reference") for pair in pairs)
    to_second = sum(pair.orders == ("reference", "answer") for pair in pairs)
    same = [(pair.verdict, human) for pair, human in labelled]
    return Bias(
        pairs=len(pairs),
        labelled=len(labelled),
        agreement=sum(left == right for left, right in same) / len(same) if same else None,
        kappa=cohens_kappa(same),
        disagreements=sum(pair.orders[0] != pair.orders[1] for pair in pairs),
        to_first=to_first,
        to_second=to_second,
        position_p=sign_test(to_first, to_second),
        length=_lean(labelled, _longer, draws),
        own=_lean(labelled, _own, draws),
    )


def sign_test(wins: int, losses: int) -> float:
    """The two-sided probability of a split at least as uneven, if both were equally likely; exact."""
    total = wins + losses
    if not total:
        return 1.0
    tail = sum(comb(total, count) for count in range(min(wins, losses) + 1))
    return min(1.0, float(2 * tail / 2**total))


def _lean(
    labelled: Sequence[tuple[Judged, Choice]], side_of: Callable[[Judged], Choice | None], draws: Draws
) -> Interval | None:
    """Mean of (judge took that side) - (people took it), a tie counting half."""
    values = []
    for pair, human in labelled:
        side = side_of(pair)
        if side is not None:
            values.append(_points(pair.verdict, side) - _points(human, side))
    return interval(values, draws) if values else None


def _points(choice: Choice, side: Choice) -> float:
    return 0.5 if choice == "tie" else float(choice == side)


def _longer(pair: Judged) -> Choice | None:
    if pair.answer_chars == pair.reference_chars:
        return None
    return "answer" if pair.answer_chars > pair.reference_chars else "reference"


def _own(pair: Judged) -> Choice | None:
    if pair.answer_is_own == pair.reference_is_own:
        return None
    return "answer" if pair.answer_is_own else "reference"
