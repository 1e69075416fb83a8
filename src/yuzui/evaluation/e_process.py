"""Does a promise still hold? A bet against it after each audited answer; whoever looks at any time is not misled.

Under the promise, the mean loss of the next audited answer is at most `promised`, whatever came before. Then wealth
that is bet on larger losses is a supermartingale, and reaches 1/alpha with probability alpha at most, however long one
watches (Ville; Ramdas, Grunwald, Vovk and Shafer, "Game-theoretic statistics and safe anytime-valid inference", 2023).

A mixture of bets: of several sizes, because nobody knows how much worse it will be, and begun at several times, because
nobody knows when. A mixture of wealths with weights that add up to one at most is such a wealth again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

BET_SHARES: Final = (0.03, 0.06, 0.12, 0.18, 0.25, 0.35, 0.5)
"""Of the largest bet that cannot be lost altogether."""
START_EVERY: Final = 250
"""Audited answers between two beginnings: what was won or lost before does not weigh on the later ones."""
MOST_STARTS: Final = 400
"""Later answers are still bet on, by those that have begun."""


class EProcess:
    """Wealth of one promise. Raise `ValueError` unless 0 <= `promised` < 1 and 0 < `alpha` < 1."""

    def __init__(self, promised: float, alpha: float) -> None:
        if not 0 <= promised < 1 or not 0 < alpha < 1:
            raise ValueError("promised must lie in [0, 1) and alpha between 0 and 1")
        self._promised, self._log_alarm = promised, float(np.log(1 / alpha))
        # The best answer loses -1: a bet of 1 / (1 + promised) would then be gone.
        self._bets: npt.NDArray[np.float64] = np.array(BET_SHARES) / (1 + promised)
        self._log_wealths = np.zeros((0, len(BET_SHARES)))
        self.seen = 0
        self.is_broken = False
        """An alarm was raised once: it stays."""

    def resume(self, seen: int, log_wealths: Sequence[Sequence[float]]) -> None:
        """Go on where another one stood. Raise `ValueError` for what no such process can have left behind."""
        starts = min(-(-seen // START_EVERY), MOST_STARTS)
        if len(log_wealths) != starts or any(len(row) != len(BET_SHARES) for row in log_wealths):
            raise ValueError("these wealths are of another e-process")
        self.seen = seen
        self._log_wealths = np.array(log_wealths, np.float64).reshape(starts, len(BET_SHARES))
        self.is_broken = self.log_wealth >= self._log_alarm

    @property
    def log_wealths(self) -> list[list[float]]:
        """Beginnings x bets: with `seen` all that has to be kept."""
        return [[float(one) for one in row] for row in self._log_wealths]

    def add(self, loss: float) -> bool:
        """One audited answer's loss, score of the reference minus its own, -1 to 1. Whether the promise is broken."""
        if not -1 <= loss <= 1:
            raise ValueError(f"a loss lies between -1 and 1, not {loss}")
        if self.seen % START_EVERY == 0 and len(self._log_wealths) < MOST_STARTS:
            self._log_wealths = np.vstack([self._log_wealths, np.zeros(len(BET_SHARES))])
        self.seen += 1
        self._log_wealths += np.log1p(self._bets * (loss - self._promised))
        self.is_broken = self.is_broken or self.log_wealth >= self._log_alarm
        return self.is_broken

    @property
    def log_wealth(self) -> float:
        """Natural logarithm. What waits for a later beginning counts as it is: one."""
        starts = np.arange(len(self._log_wealths))
        weights = 1 / ((starts + 1.0) * (starts + 2.0))  # adds up to one over all starts
        waiting = 1 / (len(starts) + 1.0)  # what these weights leave over
        begun = np.log(weights)[:, None] - np.log(len(BET_SHARES)) + self._log_wealths
        return float(np.logaddexp.reduce([*begun.ravel(), np.log(waiting)]))
