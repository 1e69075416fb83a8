"""Is the arm of a trial worse than control? Bets after each answer; whoever looks at any time is not misled. Pure.

Each test is a game whose wealth, if the arm is no worse, is expected not to grow whatever came before, so it reaches
1/alpha with probability alpha at most, however long one watches (Ville; Ramdas, Grunwald, Vovk and Shafer,
"Game-theoretic statistics and safe anytime-valid inference", Statistical Science 38, 2023).

Failures and first tokens are compared in **blocks**: what came in until both sides have an answer. Inside a block both
met the same hour, so a drift that hits both, an outage, or a percentage that is raised in between moves nothing. Of a
block it is asked only *whose* the failures were, given how many there were: with equal odds each of the n answers was
as likely to be the failed one (Fisher's exact test, block by block).

Assumed: requests fail independently of each other, given the moment. Many requests of one broken client are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import fsum
from typing import Final

import msgspec

from yuzui.core.trial import Rollback

STAKES: Final = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
"""Odds of the arm's failing, as multiples of what is tolerated, that are bet on: nobody knows how much worse it is."""
SLOW_BETS: Final = (0.2, 0.5, 1.0, 1.6)
"""Below 2, so that no wealth is ever lost for good."""
SHARE_BETS: Final = (0.03, 0.08, 0.2, 0.4, 0.7)
"""Of the way from the tolerated share to all of it."""
START_EVERY: Final = 100
"""Rounds between two beginnings of a bet: what was won or lost before does not weigh on the later ones."""
LATE_SHARE: Final = 0.05
"""Of first tokens may come after `first_token_ms`."""
LEAST_SLOWER_MS: Final = 20.0  # below this nobody notices, and clocks of milliseconds decide
MOST_HELD: Final = 32
"""First tokens of one side that wait for one of the other."""


class Wager(msgspec.Struct, kw_only=True):
    """Wealth of one game: a mixture over stakes and over beginnings, whose weights add up to one.

    Half begins at once, the rest at every `START_EVERY`th round. The sum over beginnings follows one recursion, so it
    costs the same after a million rounds.
    """

    sums: list[float]
    """Per stake: what those that have begun are worth together."""
    rounds: int = 0
    highest: float = 1.0

    @classmethod
    def of(cls, stakes: Sequence[float]) -> Wager:
        return cls(sums=[0.0] * len(stakes))

    def play(self, factors: Sequence[float] | None) -> float:
        """One round; None where there was nothing to bet on. The wealth after it."""
        if self.rounds % START_EVERY == 0:
            weight = _weight(self.rounds // START_EVERY)
            self.sums = [one + weight for one in self.sums]
        self.rounds += 1
        if factors is not None:
            self.sums = [one * factor for one, factor in zip(self.sums, factors, strict=True)]
        self.highest = max(self.highest, self.wealth)
        return self.wealth

    @property
    def wealth(self) -> float:
        begun = -(-self.rounds // START_EVERY)
        waiting = 1.0 if not begun else 0.5 / begun  # what waits for a later beginning counts as it is
        return fsum(self.sums) / len(self.sums) + waiting


def _weight(beginning: int) -> float:
    """1/2 for the first, then 1/2 · 1/(j(j+1)): one in all, and after the j-th 1/2 · 1/(j+1) is left."""
    return 0.5 if beginning == 0 else 0.5 / (beginning * (beginning + 1))


class Counts(msgspec.Struct, kw_only=True):
    """Of one side."""

    requests: int = 0
    failures: int = 0
    first_tokens: int = 0
    first_token_ms: float = 0.0
    """Their sum."""


class Failures(msgspec.Struct, kw_only=True):
    """Whether the arm's odds of failing are above `ratio` times those of control."""

    wager: Wager
    arm: int = 0
    arm_failed: int = 0
    control: int = 0
    control_failed: int = 0

    def add(self, is_arm: bool, failed: bool, ratio: float) -> None:
        if is_arm:
            self.arm += 1
            self.arm_failed += failed
        else:
            self.control += 1
            self.control_failed += failed
        if self.arm and self.control:
            self.wager.play(self._factors(ratio))
            self.arm = self.arm_failed = self.control = self.control_failed = 0

    def _factors(self, ratio: float) -> list[float] | None:
        """Likelihood ratios of Fisher's noncentral hypergeometric; one side of a block has exactly one answer."""
        failed, count = self.arm_failed + self.control_failed, self.arm + self.control
        if failed in (0, count):
            return None
        fine = count - failed
        if self.arm == 1:

            def chance(odds: float) -> float:  # that the failed ones include the arm's only answer
                return odds * failed / (odds * failed + fine)

            happened = self.arm_failed == 1
        else:

            def chance(odds: float) -> float:  # that they include control's only answer
                return failed / (failed + odds * fine)

            happened = self.control_failed == 1
        tolerated = chance(ratio)
        found = [chance(ratio * stake) for stake in STAKES]
        return [one / tolerated if happened else (1 - one) / (1 - tolerated) for one in found]


class Slowness(msgspec.Struct, kw_only=True):
    """Whether more than half of the arm's first tokens come later than `ratio` times one of control of the same moment.

    Streams are compared with streams, whole answers with whole ones.
    """

    wager: Wager
    arm: dict[str, list[float]] = msgspec.field(default_factory=dict)
    """By kind: `stream`, `whole`."""
    control: dict[str, list[float]] = msgspec.field(default_factory=dict)

    def add(self, is_arm: bool, is_stream: bool, ms: float, ratio: float) -> None:
        side, other = (self.arm, self.control) if is_arm else (self.control, self.arm)
        kind = "stream" if is_stream else "whole"
        held = side.setdefault(kind, [])
        held.append(ms)
        del held[:-MOST_HELD]
        if not other.get(kind):
            return
        pairs = [_later(mine, theirs, ratio) for mine, theirs in product(self.arm.pop(kind), self.control.pop(kind))]
        share = fsum(pairs) / len(pairs)
        self.wager.play([1 + bet * (share - 0.5) for bet in SLOW_BETS])


def _later(arm: float, control: float, ratio: float) -> float:
    return float(arm > ratio * control and arm - control >= LEAST_SLOWER_MS)


class Share(msgspec.Struct, kw_only=True):
    """Whether something happens to more than a tolerated share of the arm's requests, whatever happens to control."""

    wager: Wager

    def add(self, happened: bool, tolerated: float) -> None:
        found = [tolerated + (1 - tolerated) * bet for bet in SHARE_BETS]
        self.wager.play([one / tolerated if happened else (1 - one) / (1 - tolerated) for one in found])


class Comparison(msgspec.Struct, kw_only=True):
    """All that is known of one trial: counts of both sides, the tests, and why its arm was stopped. Durable as JSON."""

    arm: Counts = msgspec.field(default_factory=Counts)
    control: Counts = msgspec.field(default_factory=Counts)
    in_a_row: int = 0
    failures: Failures = msgspec.field(default_factory=lambda: Failures(wager=Wager.of(STAKES)))
    slowness: Slowness = msgspec.field(default_factory=lambda: Slowness(wager=Wager.of(SLOW_BETS)))
    failing: Share = msgspec.field(default_factory=lambda: Share(wager=Wager.of(SHARE_BETS)))
    late: Share = msgspec.field(default_factory=lambda: Share(wager=Wager.of(SHARE_BETS)))
    resumed: str = ""
    """The order that it began anew with; "" for none."""

    def add(
        self, rules: Rollback, *, is_arm: bool, failed: bool, first_token_ms: float | None, is_stream: bool,
        is_clients_fault: bool = False,
    ) -> str:  # fmt: skip  # one thing
        """One request of either side; why the arm must stop now, "" where it need not.

        `first_token_ms`: None where there was none. A failure that the client may have caused breaks no row.
        """
        side = self.arm if is_arm else self.control
        side.requests += 1
        side.failures += failed
        if first_token_ms is not None:
            side.first_tokens += 1
            side.first_token_ms += first_token_ms
        if is_arm and not is_clients_fault:
            self.in_a_row = self.in_a_row + 1 if failed else 0
        if rules.failures_in_a_row and self.in_a_row >= rules.failures_in_a_row:
            return f"failed {self.in_a_row} times in a row"
        if not rules.alpha:
            return ""
        self._bet(rules, is_arm, failed, first_token_ms, is_stream)
        return self._alarm(rules)

    def evidence(self, rules: Rollback) -> dict[str, tuple[float, float]]:
        """Test → (wealth now, wealth at which it stops the arm), of those that are on."""
        on = {"failures": self.failures.wager}
        if rules.first_token_ratio:
            on["first_token"] = self.slowness.wager
        if rules.failure_rate:
            on["failure_rate"] = self.failing.wager
        if rules.first_token_ms:
            on["late_first_token"] = self.late.wager
        if not rules.alpha:
            return {}
        return {name: (wager.wealth, len(on) / rules.alpha) for name, wager in on.items()}

    def _bet(self, rules: Rollback, is_arm: bool, failed: bool, first_token_ms: float | None, is_stream: bool) -> None:
        self.failures.add(is_arm, failed, rules.failures_ratio)
        if rules.first_token_ratio and first_token_ms is not None:
            self.slowness.add(is_arm, is_stream, first_token_ms, rules.first_token_ratio)
        if is_arm and rules.failure_rate:
            self.failing.add(failed, rules.failure_rate)
        if is_arm and rules.first_token_ms and first_token_ms is not None:
            self.late.add(first_token_ms > rules.first_token_ms, LATE_SHARE)

    def _alarm(self, rules: Rollback) -> str:
        for name, (wealth, limit) in self.evidence(rules).items():
            if wealth >= limit:
                return self._words(name, rules) + f" (evidence {wealth:.0f}, {limit:.0f} was needed)"
        return ""

    def _words(self, test: str, rules: Rollback) -> str:
        arm, control = self.arm, self.control
        match test:
            case "failures":
                return (
                    f"fails more often than control: {arm.failures} of {arm.requests} against "
                    f"{control.failures} of {control.requests}"
                )
            case "first_token":
                return (
                    f"its first token comes later than {rules.first_token_ratio:g} times that of control: "
                    f"{_mean(arm):.0f} ms against {_mean(control):.0f} ms on average"
                )
            case "failure_rate":
                return f"fails more often than {rules.failure_rate:.1%}: {arm.failures} of {arm.requests}"
            case _:
                return f"more than {LATE_SHARE:.0%} of its first tokens come after {rules.first_token_ms} ms"


def read_comparison(data: bytes) -> Comparison:
    """Raise `ValueError` for what another version wrote and this one cannot go on with."""
    found = _decode(data)  # its error is a ValueError
    games = (
        (found.failures.wager, STAKES), (found.slowness.wager, SLOW_BETS), (found.failing.wager, SHARE_BETS),
        (found.late.wager, SHARE_BETS),
    )  # fmt: skip
    if any(len(wager.sums) != len(stakes) for wager, stakes in games):
        raise ValueError("other stakes than these were bet")
    return found


_decode = msgspec.json.Decoder(Comparison).decode


def _mean(side: Counts) -> float:
    return side.first_token_ms / side.first_tokens if side.first_tokens else 0.0
