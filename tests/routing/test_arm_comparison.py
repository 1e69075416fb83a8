"""Bets against an arm: fair while it is no worse, won when it is; blocks, beginnings, and what ends a trial at once."""

from __future__ import annotations

import random
from itertools import product
from math import comb

import msgspec
import pytest

from yuzui.core.trial import Rollback
from yuzui.routing.arm_comparison import (
    LATE_SHARE,
    SHARE_BETS,
    SLOW_BETS,
    STAKES,
    START_EVERY,
    Comparison,
    Failures,
    Share,
    Slowness,
    Wager,
    read_comparison,
)

ONLY_FAILURES = Rollback(first_token_ratio=0, failures_in_a_row=0)


def expected_factor(arm: int, control: int, failed: int, odds: float, ratio: float, stake: int) -> float:
    """Of one stake, over all ways in which `failed` of a block's answers fail when the arm's odds are `odds` times."""
    total = value = 0.0
    for in_arm in range(max(0, failed - control), min(arm, failed) + 1):
        weight = comb(arm, in_arm) * comb(control, failed - in_arm) * odds**in_arm
        test = Failures(wager=Wager.of(STAKES), arm=arm, arm_failed=in_arm, control=control,
                        control_failed=failed - in_arm)  # fmt: skip
        factors = test._factors(ratio)
        value += weight * (1.0 if factors is None else factors[stake])
        total += weight
    return value / total


@pytest.mark.parametrize(("arm", "control"), [(1, 1), (1, 2), (1, 19), (2, 1), (7, 1)])
@pytest.mark.parametrize("ratio", [1.0, 1.5])
def test_a_bet_on_failures_is_fair_at_the_tolerated_odds_and_lost_below(arm: int, control: int, ratio: float) -> None:
    for failed, stake in product(range(arm + control + 1), range(len(STAKES))):
        assert expected_factor(arm, control, failed, ratio, ratio, stake) == pytest.approx(1)
        assert expected_factor(arm, control, failed, ratio / 2, ratio, stake) <= 1 + 1e-12
        assert expected_factor(arm, control, failed, ratio * 3, ratio, stake) >= 1 - 1e-12


def test_the_bets_on_shares_and_first_tokens_are_fair() -> None:
    for bet in SLOW_BETS:
        assert (1 + bet * 0.5) / 2 + (1 - bet * 0.5) / 2 == pytest.approx(1)
        assert 1 - bet * 0.5 > 0
    for place in range(len(SHARE_BETS)):
        yes, no = Share(wager=Wager.of(SHARE_BETS)), Share(wager=Wager.of(SHARE_BETS))
        yes.add(True, 0.05)
        no.add(False, 0.05)
        assert 0.05 * yes.wager.sums[place] + 0.95 * no.wager.sums[place] == pytest.approx(0.5)  # half has begun


def test_what_has_begun_and_what_waits_are_one_together() -> None:
    wager = Wager.of(STAKES)
    for _ in range(5 * START_EVERY + 3):
        assert wager.play(None) == pytest.approx(1)


def test_a_late_beginning_does_not_pay_for_an_early_loss() -> None:
    wager = Wager.of((1.0,))
    for _ in range(START_EVERY):
        wager.play([0.5])
    lost = wager.sums[0]
    for _ in range(40):
        wager.play([1.3])
    assert lost < 1e-20 and wager.wealth > 1000


def play(seed: int, control: float, arm: float, *, count: int, share: float = 0.2, **more: float) -> tuple[str, int]:
    """Why the arm was stopped, and after how many of its requests; "" when it was not."""
    draws, state = random.Random(seed), Comparison()
    late_from = int(more.get("late_from", 0))
    slower = more.get("slower", 1.0)
    rules = Rollback(failures_in_a_row=0, first_token_ratio=1.25 if "slower" in more else 0)
    for number in range(count):
        is_arm = draws.random() < share
        failed = draws.random() < (arm if is_arm and number >= late_from else control)
        ms = draws.lognormvariate(6, 0.6) * (slower if is_arm else 1)
        why = state.add(rules, is_arm=is_arm, failed=failed, first_token_ms=None if failed else ms, is_stream=True)
        if why:
            return why, state.arm.requests
    return "", state.arm.requests


def test_an_arm_that_is_no_worse_is_hardly_ever_stopped() -> None:
    stopped = sum(bool(play(seed, 0.05, 0.05, count=1500)[0]) for seed in range(60))
    assert stopped <= 4  # at most 1 % each: five of sixty would be seen once in 3,000 runs of this test


def test_five_points_more_failures_are_noticed_early_and_late() -> None:
    for seed in range(8):
        why, requests = play(seed, 0.02, 0.07, count=20_000)
        assert why.startswith("fails more often than control") and requests < 1500
    for seed in range(4):
        why, requests = play(seed, 0.02, 0.07, count=20_000, late_from=5_000)
        assert why and 1_000 * 0.8 < requests < 3_000


def test_a_slower_first_token_is_noticed_and_one_within_the_ratio_is_not() -> None:
    for seed in range(5):
        why, _ = play(seed, 0.0, 0.0, count=6_000, slower=1.6)
        assert why.startswith("its first token comes later than 1.25 times")
        assert not play(seed, 0.0, 0.0, count=3_000, slower=1.2)[0]


def test_an_outage_that_hits_both_sides_says_nothing_of_the_arm() -> None:
    for seed in range(10):
        draws, state = random.Random(seed), Comparison()
        for number in range(4_000):
            is_out = 1_000 <= number < 2_000
            share = 0.05 if number < 1_500 else 0.5  # the percentage is raised in the middle of it
            why = state.add(
                ONLY_FAILURES, is_arm=draws.random() < share, failed=draws.random() < (0.9 if is_out else 0.01),
                first_token_ms=None, is_stream=False,
            )  # fmt: skip
            assert not why


def test_failures_in_a_row_end_it_at_once_and_a_clients_mistakes_do_not() -> None:
    rules = Rollback(alpha=0, failures_in_a_row=3)
    state = Comparison()

    def add(failed: bool, *, is_arm: bool = True, clients: bool = False) -> str:
        return state.add(rules, is_arm=is_arm, failed=failed, first_token_ms=None, is_stream=False,
                         is_clients_fault=clients)  # fmt: skip

    assert not any([add(True), add(True), add(False), add(True), add(True)])
    assert not any([add(True, clients=True), add(True, is_arm=False)])
    assert add(True) == "failed 3 times in a row"


def test_absolute_bounds_need_no_control() -> None:
    state, rules = Comparison(), Rollback(failure_rate=0.1, first_token_ms=500, failures_in_a_row=0)
    why = ""
    for number in range(400):
        why = why or state.add(rules, is_arm=True, failed=number % 2 == 0, first_token_ms=None, is_stream=False)
    assert why.startswith("fails more often than 10.0%")
    state, why = Comparison(), ""
    for _ in range(400):
        why = why or state.add(rules, is_arm=True, failed=False, first_token_ms=501.0, is_stream=False)
    assert why.startswith(f"more than {LATE_SHARE:.0%} of its first tokens come after 500 ms")


def test_alpha_is_shared_among_the_tests_that_are_on() -> None:
    state = Comparison()
    assert {limit for _, limit in state.evidence(ONLY_FAILURES).values()} == {100.0}
    all_on = Rollback(failure_rate=0.1, first_token_ms=500)
    assert {limit for _, limit in state.evidence(all_on).values()} == {400.0}
    assert state.evidence(Rollback(alpha=0)) == {}


def test_streams_are_compared_with_streams_only() -> None:
    test = Slowness(wager=Wager.of(SLOW_BETS))
    test.add(True, True, 900.0, 1.25)
    test.add(False, False, 100.0, 1.25)
    assert test.wager.rounds == 0
    test.add(False, True, 100.0, 1.25)
    assert test.wager.rounds == 1 and test.wager.wealth > 1
    test.add(True, False, 110.0, 1.0)  # less than a person notices
    assert test.wager.rounds == 2


def test_it_goes_on_after_a_restart_as_if_there_had_been_none() -> None:
    draws = random.Random(3)
    whole, cut = Comparison(), Comparison()
    for _ in range(300):
        one = {"is_arm": draws.random() < 0.3, "failed": draws.random() < 0.1, "is_stream": draws.random() < 0.5}
        ms = draws.random() * 1000
        whole.add(Rollback(), first_token_ms=ms, **one)
        cut.add(Rollback(), first_token_ms=ms, **one)
        cut = read_comparison(msgspec.json.encode(cut))
    assert cut == whole


def test_what_another_version_bet_is_not_gone_on_with() -> None:
    other = Comparison()
    other.failures.wager.sums.append(0.0)
    for data in (b"{", b'{"arm": 3}', msgspec.json.encode(other)):
        with pytest.raises(ValueError):
            read_comparison(data)
