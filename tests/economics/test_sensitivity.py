from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest

from economics_kit import BIG, SMALL, inputs, own
from yuzui.economics.ownership import Factors, Ownership
from yuzui.economics.sensitivity import outcome, over_load, over_time, over_volume, tornado

REQUESTS = 1_000_000
OUTLOOK = inputs().outlook


def build(factors: Factors) -> Ownership:
    return own(factors=factors)


def test_the_base_is_the_vendors_month_less_the_own_one() -> None:
    base, _ = tornado(build, BIG, REQUESTS, inputs().swings)
    traffic = own().traffic
    assert base.saving_nano == REQUESTS * BIG.request_nano(traffic) - own().month_nano(REQUESTS)


def test_the_widest_swing_comes_first() -> None:
    base, swings = tornado(build, SMALL, REQUESTS, inputs().swings)
    widths = [swing.width(base) for swing in swings]
    assert widths == sorted(widths, reverse=True)
    assert {swing.name for swing in swings} >= {"vendor_price", "volume", "utilisation", "power_price", "fx"}


def test_the_rate_counts_only_for_a_vendor_abroad() -> None:
    _, swings = tornado(build, BIG, REQUESTS, inputs().swings)
    assert "fx" not in {swing.name for swing in swings}


@pytest.mark.parametrize(
    ("name", "is_better_high"),
    [("vendor_price", True), ("power_price", False), ("machine_price", False), ("staff", False), ("speed", True)],
)
def test_each_number_moves_the_saving_its_way(name: str, is_better_high: bool) -> None:
    requests = 3 * own().most_requests(1)
    _, swings = tornado(build, BIG, requests, inputs().swings)
    swing = next(one for one in swings if one.name == name)
    assert swing.low is not None and swing.high is not None
    better, worse = (swing.high, swing.low) if is_better_high else (swing.low, swing.high)
    assert better.saving_nano > worse.saving_nano


def test_a_price_cut_moves_break_even_away() -> None:
    as_written = outcome(build, BIG, REQUESTS)
    cut = outcome(build, BIG, REQUESTS, Factors(vendor_price=Fraction(1, 2)))
    assert as_written.break_even.first is not None and cut.break_even.first is not None
    assert cut.break_even.first > as_written.break_even.first


def test_a_case_that_nobody_would_build_has_no_bar() -> None:
    requests = own().most_requests(own().most_replicas)
    _, swings = tornado(build, BIG, requests, inputs().swings)
    assert next(swing for swing in swings if swing.name == "volume").high is None


def test_own_climbs_in_steps_over_volume_and_vendors_in_a_line() -> None:
    lines = over_volume(own(), [BIG], 5 * own().most_requests(1))
    assert [line.name for line in lines] == ["own", "big"]
    xs = [x for x, _ in lines[0].points]
    ys = [y for _, y in lines[0].points]
    assert xs == sorted(xs) and ys == sorted(ys)
    assert any(a == b for a, b in itertools.pairwise(xs)), "no step"
    each = float(BIG.request_nano(own().traffic))
    assert all(y == pytest.approx(x * each) for x, y in lines[1].points)
    assert lines[0].points[-1][1] == pytest.approx(float(own().month_nano(round(xs[-1]))))


def test_hundreds_of_steps_are_drawn_as_fewer() -> None:
    lines = over_volume(own(), [], 400 * own().most_requests(1))
    assert len(lines[0].points) < 400


def test_a_request_costs_less_the_busier_its_replica_is() -> None:
    found = own()
    line = over_load(found, [BIG])[0]
    ys = [y for _, y in line.points]
    assert ys == sorted(ys, reverse=True)
    load, cost = line.points[-1]
    assert load == pytest.approx(0.8 / 2)
    # At the most that is planned, a replica answers its limit.
    whole = (found.for_all_nano + found.per_replica_nano) / Fraction(found.limit_per_replica) + found.marginal_nano
    assert cost == pytest.approx(float(whole))


def test_over_time_work_grows_and_prices_fall() -> None:
    lines = over_time(own(), [BIG], REQUESTS, replace(OUTLOOK, months=12))
    assert len(lines[0].points) == 13
    first, last = lines[1].points[0][1], lines[1].points[-1][1]
    assert last == pytest.approx(first * 1.5 * 0.7, rel=1e-3)  # growth of 50 %, prices 30 % lower
