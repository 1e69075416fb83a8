"""The watch over one promise: what each drawn request does to it, when it tightens, when it gives up.

    holds ──alarm──▶ tightened (next stricter certified threshold, a new test) ──alarm──▶ … ──alarm──▶ broken
    holds ──alarm──▶ broken                                      where the operator says so, or nothing stricter is left
    any   ──a person resumes it──▶ holds, with a new test

The promise is about all of a model's traffic, so what is bet on is each drawn request: the loss of the candidate's
answer where it answered, zero where the reference did. Each test raises a false alarm with probability alpha at most
while its promise holds, however long it runs; the test at a stricter threshold is one of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from yuzui.core.watching import OnBroken, Stage, WatchState, entered
from yuzui.evaluation.e_process import EProcess
from yuzui.evaluation.running_interval import add as add_to_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was promised, and what follows when it does not hold."""

    promised: float
    """The certificate's epsilon."""
    alpha: float
    on_broken: OnBroken = "reference"
    stricter: Sequence[float] = ()
    """Certified thresholds below the best, from bold to careful."""


class PromiseWatch:
    """`state` is all that has to be kept."""

    def __init__(self, terms: Terms, state: WatchState) -> None:
        """Raise `ValueError` where `state` is of another test."""
        self.terms, self.state = terms, state
        self._test = EProcess(terms.promised, terms.alpha)
        self._test.resume(state.seen, state.wealths)

    def add(self, loss: float, at_ns: int, *, is_audit: bool) -> Stage | None:
        """One drawn request; the stage that it led to, None where nothing changed. `is_audit`: it was the candidate's
        answer, compared; else the reference answered."""
        state = self.state
        if state.stage == "broken":  # one that was on its way
            return None
        is_broken = self._test.add(loss)
        add_to_interval(state.sums, loss)
        state.seen, state.wealths = self._test.seen, self._test.log_wealths
        state.audited += is_audit
        state.all_audited += is_audit
        state.referred += not is_audit
        state.last_ns = at_ns
        return self._alarm(at_ns) if is_broken else None

    def pay(self, cost_nano: int) -> None:
        self.state.cost_nano += cost_nano
        self.state.all_cost_nano += cost_nano

    def note_ungraded(self, why: str) -> None:
        self.state.ungraded[why] = self.state.ungraded.get(why, 0) + 1

    def resume(self, at_ns: int) -> None:
        """From the certificate's best threshold, with a new test."""
        self._enter("holds", None, at_ns)

    @property
    def graded_share(self) -> float:
        """Of the drawn answers of the candidate, how many said something. As many of the reference's may count: else
        answers that could not be compared would make the promise look kept."""
        state = self.state
        missing = sum(state.ungraded.values())
        return 1.0 if not missing else state.audited / (state.audited + missing)

    @property
    def log_wealth(self) -> float:
        """Natural logarithm of the evidence against the promise; it is broken at log(1 / alpha)."""
        return self._test.log_wealth

    def _alarm(self, at_ns: int) -> Stage:
        terms, state = self.terms, self.state
        if terms.on_broken == "tighten":
            left = [one for one in terms.stricter if state.threshold is None or one < state.threshold]
            if left:
                self._enter("tightened", left[0], at_ns)
                return "tightened"
        state.stage, state.since_ns = "broken", at_ns  # its sums stay: they are why
        return "broken"

    def _enter(self, stage: Stage, threshold: float | None, at_ns: int) -> None:
        self.state = entered(self.state, stage, threshold, at_ns)
        self._test = EProcess(self.terms.promised, self.terms.alpha)
