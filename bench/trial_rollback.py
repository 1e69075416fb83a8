"""How often the rollback of a trial is wrong, and how soon it is right: seeded simulations through its own code.

    .venv/bin/python bench/trial_rollback.py            # about five minutes on one core
    .venv/bin/python bench/trial_rollback.py --runs 100

Requests are drawn for the arm one by one with the given share and fail independently; first tokens are log-normal
(median 400 ms, sigma 0.6). Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass
from statistics import median

from yuzui.core.trial import Rollback
from yuzui.evaluation.trial_report import rate
from yuzui.routing.arm_comparison import Comparison

ALPHA = 0.01
FAILURES = Rollback(alpha=ALPHA, failures_in_a_row=0, first_token_ratio=0)
BOTH = Rollback(alpha=ALPHA, failures_in_a_row=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    name: str
    share: float
    control: float
    arm: float
    requests: int
    worse_from: int = 0
    slower: float = 1.0
    rules: Rollback = FAILURES


CASES = (
    *[
        Case(name=f"no worse, {rate:.0%} fail", share=share, control=rate, arm=rate, requests=20_000)
        for rate in (0.02, 0.2)
        for share in (0.05, 0.5)
    ],
    Case(name="no worse, first tokens alike", share=0.2, control=0.02, arm=0.02, requests=10_000, rules=BOTH),
    Case(name="first token 1.25 times as late", share=0.2, control=0.02, arm=0.02, requests=10_000, slower=1.25,
         rules=BOTH),
    *[
        Case(name="7 % fail instead of 2 %", share=share, control=0.02, arm=0.07, requests=40_000)
        for share in (0.05, 0.2, 0.5)
    ],
    Case(name="25 % fail instead of 20 %", share=0.2, control=0.2, arm=0.25, requests=60_000),
    Case(name="7 % instead of 2 %, from request 20,000 on", share=0.2, control=0.02, arm=0.07, requests=60_000,
         worse_from=20_000),
    Case(name="first token 1.5 times as late", share=0.2, control=0.02, arm=0.02, requests=40_000, slower=1.5,
         rules=BOTH),
)  # fmt: skip


def play(case: Case, seed: int) -> int | None:
    """The arm's requests, since it is worse, at which it was stopped; None when it was not."""
    draws, state, since = random.Random(seed), Comparison(), 0
    for number in range(case.requests):
        is_arm, is_worse = draws.random() < case.share, number >= case.worse_from
        since += is_arm and is_worse
        failed = draws.random() < (case.arm if is_arm and is_worse else case.control)
        ms = draws.lognormvariate(5.99, 0.6) * (case.slower if is_arm and is_worse else 1)
        why = state.add(case.rules, is_arm=is_arm, failed=failed, first_token_ms=None if failed else ms, is_stream=True)
        if why:
            return since
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    runs, seed = (found := parser.parse_args()).runs, found.seed
    print(f"alpha {ALPHA:.0%}, {runs} runs each, seeds from {seed}\n")
    print("| the arm | share | requests in all | stopped | requests of the arm until then: median, 90 % |")
    print("|---|---|---|---|---|")
    for case in CASES:
        ends = [play(case, seed + run) for run in range(runs)]
        stopped = sorted(end for end in ends if end is not None)
        share = rate(len(stopped), runs)
        when = f"{median(stopped):.0f}, {stopped[int(0.9 * (len(stopped) - 1))]}" if share.value > 0.5 else "–"
        how_often = f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"
        print(f"| {case.name} | {case.share:.0%} | {case.requests} | {how_often} | {when} |", flush=True)


if __name__ == "__main__":
    main()
