"""Figures of both sides of a trial, against values computed by hand and by coverage."""

from __future__ import annotations

import random
from math import isnan

import pytest

from yuzui.audit.record import AttemptRecord, CostRecord, RequestRecord, UsageRecord
from yuzui.evaluation.trial_report import (
    Figure,
    first_failure,
    gather,
    mean,
    mean_difference,
    quantile,
    rate,
    rate_difference,
    rows,
)


def a_record(
    id: str, role: str, *, target: str = "house/new", codes: tuple[str, ...] = ("ok",), outcome: str = "answered",
    first_token_ms: int = 100, nano: int = 1_000_000, detail: str = "",
) -> RequestRecord:  # fmt: skip
    plan = ("house/new", "house/old") if role == "arm" else ("house/old",)
    attempts = tuple(AttemptRecord(target=plan[0], outcome=code, detail=detail) for code in codes)
    return RequestRecord(
        id=id, at=f"2026-11-26T00:00:{int(id[1:]) % 60:02d}.000Z", trials={"next": role}, plan=plan, target=target,
        attempts=attempts, outcome=outcome, first_token_ms=first_token_ms, duration_ms=200,
        usage=UsageRecord(input=10, output=5, is_estimated=id == "r1"),
        cost=CostRecord(amount=nano, currency="USD", book=nano, book_currency="USD", price_version="v"),
    )  # fmt: skip


def test_requests_count_for_the_side_that_they_were_drawn_for() -> None:
    sides = gather(
        [
            a_record("r1", "arm"),
            a_record("r2", "arm", codes=("upstream_timeout", "ok"), target="house/old"),
            a_record("r3", "control", target="house/old", nano=3_000_000),
            a_record("r4", "clearance"),
            RequestRecord(id="r5", at="2026-11-26T00:00:00.000Z", trials={"other": "arm"}),
        ],
        "next",
        {"r1": 1.0, "r3": 0.5, "r5": 0.0},
    )
    assert (sides.arm.requests, sides.control.requests, dict(sides.neither)) == (2, 1, {"clearance": 1})
    assert dict(sides.arm.failures) == {"upstream_timeout": 1} and sides.arm.answered_elsewhere == 1
    assert sides.arm.first_token_ms == [100.0]  # of the one that the arm answered
    assert (sides.arm.cost, sides.control.cost) == ([0.001, 0.001], [0.003])
    assert (sides.arm.grades, sides.control.grades, sides.arm.estimated) == ([1.0], [0.5], 1)
    assert (sides.first_at, sides.last_at) == ("2026-11-26T00:00:01.000Z", "2026-11-26T00:00:04.000Z")
    found = {row.name: row for row in rows(sides)}
    assert found["failure_rate"].arm.value == 0.5 and found["quality"].difference.value == 0.5
    assert found["cost"].difference.value == pytest.approx(-0.002)


def test_a_filter_is_a_failure_and_what_we_withheld_is_none() -> None:
    assert first_failure(a_record("r1", "arm", detail="content_filter")) == "content_filter"
    assert first_failure(a_record("r1", "arm", codes=("answer_withheld",))) == ""
    assert first_failure(RequestRecord(id="r", at="")) == ""


def test_rates_are_wilsons_and_their_difference_newcombes() -> None:
    # Newcombe (1998), table II, example (a), method 10: 56/70 - 48/80 is 0.2 (0.0524 to 0.3339).
    arm, control = rate(56, 70), rate(48, 80)
    assert [arm.low, arm.high] == pytest.approx([0.6918, 0.8770], abs=1e-3)
    apart = rate_difference(arm, control)
    assert apart.value == pytest.approx(0.2)
    assert [apart.low, apart.high] == pytest.approx([0.0524, 0.3339], abs=1e-3)
    assert rate(0, 20).low == pytest.approx(0, abs=1e-12) and rate(0, 20).high == pytest.approx(0.1611, abs=1e-3)
    assert isnan(rate(0, 0).value) and isnan(rate_difference(rate(0, 0), control).value)


def test_intervals_cover_what_they_should() -> None:
    draws = random.Random(5)
    hits = {"quantile": 0, "mean": 0, "difference": 0}
    for _ in range(400):
        values = [draws.expovariate(1.0) for _ in range(200)]
        others = [draws.expovariate(0.5) for _ in range(100)]
        hits["quantile"] += _holds(quantile(values, 0.5), 0.6931)
        hits["mean"] += _holds(mean(values), 1.0)
        hits["difference"] += _holds(mean_difference(others, values), 1.0)
    assert all(0.91 <= count / 400 <= 0.985 for count in hits.values()), hits


def test_too_few_get_no_interval() -> None:
    assert isnan(mean([1.0, 2.0]).low) and mean([1.0, 2.0]).value == 1.5
    assert isnan(quantile([1.0, 2.0, 3.0], 0.95).high)
    assert isnan(mean([]).value) and isnan(mean_difference([], [1.0]).value) and isnan(quantile([], 0.5).value)
    assert isnan(mean_difference([1.0], [2.0]).low)


def _holds(figure: Figure, truth: float) -> bool:
    return figure.low <= truth <= figure.high
