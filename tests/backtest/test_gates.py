"""What a gate may say, what is told to who writes another, and that what cannot be decided has failed."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from backtest_kit import TOML, Sent, record_of, replayed, snapshot
from yuzui.backtest.gates import METRICS, check_gate, read_gate
from yuzui.backtest.quality import GradedExamples
from yuzui.backtest.report import Report, make_report
from yuzui.core.caller import Caller
from yuzui.core.errors import ConfigError

THERE = snapshot()
VENDOR_ONLY = snapshot(TOML.replace('"house/qwen", "deepseek/chat", "far/gpt"]', '"deepseek/chat"]'))


def report(quality: GradedExamples | None = None, *, is_empty: bool = False) -> Report:
    """Twelve requests on twelve days, from the house to a vendor that costs 2.3 times as much."""
    sents = [Sent(minute=1440 * n, caller=Caller(key_id="k", app="a", team="red")) for n in range(12)]
    records = [] if is_empty else [record_of(sent, THERE, n) for n, sent in enumerate(sents)]
    tally = replayed(records, VENDOR_ONLY)
    return make_report(
        tally, Random(1), quality, draft="d", snapshot="s", block="hour", currency="USD", home=("CN",), team=None,
        unknown_places=(), token_factors={},
    )  # fmt: skip


REPORT = report()


@pytest.mark.parametrize(
    ("text", "has_failed", "value"),
    [
        ("cost > +5%", True, "145%"),
        ("cost > 145%", False, "145%"),
        ("cost >= 145 %", True, "145%"),
        ("cost > 0.000695 USD", True, "0.000696 USD"),
        ("cost > 0.000696 USD", False, "0.000696 USD"),
        ("left_house > 0", True, "12"),
        ("left_house[team=red] > 11", True, "12"),
        ("left_house[label=internal,team=red] > 12", False, "12"),
        ("left_house_unmasked > 99%", True, "100%"),
        ("left_country > 0", False, "0"),
        ("moved<1", False, "12"),
        ("assumed > 0", True, "12"),
        ("unknown_places > 0", False, "0"),
        ("latency_p95 > +5%", True, "no latency data"),
        ("quality < -1%", True, "no quality data"),
        ("moved[team=blue] > 0", True, "no request has this team or label"),
    ],
)
def test_a_gate_is_held_against_the_report(text: str, has_failed: bool, value: str) -> None:
    result = check_gate(read_gate(text, "USD"), REPORT)
    assert (result.has_failed, result.value) == (has_failed, value)


def test_an_interval_can_be_gated() -> None:
    result = check_gate(read_gate("cost.high > 146%", "USD"), REPORT)
    assert (result.has_failed, result.value) == (False, "145%")


def test_quality_is_gated_in_points_of_a_hundred() -> None:
    examples = [{"house/qwen": 1.0, "deepseek/chat": 0.5}] * 10
    graded = report(GradedExamples(examples, {}))
    assert check_gate(read_gate("quality < -1%", "USD"), graded).value == "-50%"
    assert check_gate(read_gate("quality < -1pp", "USD"), graded).value == "-50pp"
    assert not check_gate(read_gate("quality.low < -60%", "USD"), graded).has_failed


def test_latency_is_gated_where_the_target_was_measured() -> None:
    sents = [Sent(duration_ms=1000), Sent(model="deepseek/chat", duration_ms=3000)]
    tally = replayed([record_of(sent, THERE, n) for n, sent in enumerate(sents)], VENDOR_ONLY)
    told = make_report(
        tally, Random(1), None, draft="d", snapshot="s", block="day", currency="USD", home=(), team=None,
        unknown_places=(), token_factors={},
    )  # fmt: skip
    assert check_gate(read_gate("latency_p50 > +1s", "USD"), told).has_failed
    assert not check_gate(read_gate("latency_p50 > 2100ms", "USD"), told).has_failed
    assert check_gate(read_gate("latency_p50 > 150%", "USD"), told).has_failed


def test_an_empty_replay_fails_every_gate() -> None:
    nothing = report(is_empty=True)
    for text in ("left_house > 0", "cost > 1000%"):
        result = check_gate(read_gate(text, "USD"), nothing)
        assert (result.has_failed, result.value) == (True, "no request was replayed")


def test_what_cost_nothing_has_no_percentage_and_fails() -> None:
    free = msgspec.structs.replace(REPORT.total.cost, before_nano=0, change=None)
    told = msgspec.structs.replace(REPORT, total=msgspec.structs.replace(REPORT.total, cost=free))
    assert check_gate(read_gate("cost > 1000000%", "USD"), told).has_failed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no gate"),
        ("cost", "is no gate"),
        ("cost > five", "is no gate"),
        ("cost > 5% and moved > 0", "is no gate"),
        ("costs > 5%", "no metric is named 'costs'; there are cost"),
        ("cost = 5%", "compare with >, >=, < or <=, not ="),
        ("cost != 5%", "not !="),
        ("cost > 5", "takes % or USD, not no unit"),
        ("cost > 5 EUR", "not EUR"),
        ("cost.high > 5 USD", "takes %, not USD"),
        ("moved.high > 5", "only .low and .high"),
        ("latency_p50.low > 5%", "only cost and quality have an interval"),
        ("quality < 1ms", "takes % or pp"),
        ("cost > 1pp", "not pp"),
        ("over_budget[team=a] > 1", "counted for all requests"),
        ("moved > 5ms", "takes no unit or %"),
        ("moved > 1.5", "write a whole number"),
        ("moved[key=x] > 1", r"write \[team=NAME\]"),
        ("moved[] > 1", r"write \[team=NAME\]"),
        ("moved[team=a,team=b] > 1", r"write \[team=NAME\]"),
        ("assumed[team=a] > 1", "counted for all requests"),
        ("latency_p50[team=a,label=b] > 1ms", "per team or per label"),
    ],
)
def test_a_bad_gate_is_told_what_to_write(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_gate(text, "USD")


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_can_be_held_against_a_report(metric: str) -> None:
    unit = "%" if metric in ("cost", "quality") or "_p" in metric else ""
    assert check_gate(read_gate(f"{metric} > 1000000{unit}", "USD"), REPORT).gate
