"""Counters are what Prometheus reads, and they never hold what a client chose."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from yuzui.io import telemetry
from yuzui.io.telemetry import Metrics


def done(metrics: Metrics, **changes: Any) -> None:  # Any: fields of `request_done`
    fields: dict[str, Any] = {  # Any: see above
        "outcome": "answered", "code": "", "target": "house/a", "sensitivity": "internal", "stream": False,
        "duration_ms": 120, "first_token_ms": 0, "input_tokens": 10, "output_tokens": 5,
    }  # fmt: skip
    metrics.request_done(**{**fields, **changes})


def sample(text: str, name: str, **labels: str) -> float:
    for line in text.splitlines():
        found = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
            return float(found[3])
    raise AssertionError(f"no sample {name} {labels}")


def test_requests_tokens_and_attempts_are_counted_by_name() -> None:
    metrics = Metrics({})
    done(metrics)
    done(metrics)
    done(metrics, outcome="refused", code="no_permitted_target", target="", sensitivity="restricted", input_tokens=0)
    metrics.attempt_failed("vendor/b", "upstream_timeout")
    metrics.answer_finding("vendor/b", "email", "note", 2)
    metrics.answer_finding("vendor/b", "email", "note", 1)
    text = metrics.scrape().decode()
    answered = {"outcome": "answered", "code": "", "target": "house/a", "sensitivity": "internal"}
    assert sample(text, "yuzui_requests_total", **answered) == 2
    refused = {"outcome": "refused", "code": "no_permitted_target", "target": "", "sensitivity": "restricted"}
    assert sample(text, "yuzui_requests_total", **refused) == 1
    assert sample(text, "yuzui_tokens_total", target="house/a", direction="input") == 20
    assert sample(text, "yuzui_tokens_total", target="house/a", direction="output") == 10
    assert sample(text, "yuzui_failed_attempts_total", target="vendor/b", code="upstream_timeout") == 1
    assert sample(text, "yuzui_answer_findings_total", target="vendor/b", kind="email", action="note") == 3


@pytest.mark.parametrize(
    ("ms", "below", "reached"),
    [(50, "0.05", 1), (51, "0.05", 0), (51, "0.1", 1), (10**7, "120.0", 0), (10**7, "+Inf", 1)],
)
def test_a_duration_falls_into_every_bucket_that_is_long_enough(ms: int, below: str, reached: int) -> None:
    metrics = Metrics({})
    done(metrics, duration_ms=ms)
    text = metrics.scrape().decode()
    assert sample(text, "yuzui_request_seconds_bucket", target="house/a", le=below) == reached
    assert sample(text, "yuzui_request_seconds_count", target="house/a") == 1
    assert sample(text, "yuzui_request_seconds_sum", target="house/a") == ms / 1000


def test_the_first_token_is_measured_for_streams_only() -> None:
    metrics = Metrics({})
    done(metrics, stream=False, first_token_ms=80)
    assert "yuzui_first_token_seconds_count" not in metrics.scrape().decode()
    done(metrics, stream=True, first_token_ms=80)
    assert sample(metrics.scrape().decode(), "yuzui_first_token_seconds_sum", target="house/a") == 0.08


def test_gauges_are_read_when_somebody_scrapes() -> None:
    values = {"house/a": 1.0}
    metrics = Metrics({
        "yuzui_target_in_flight": ("In flight.", "target", lambda: values),
        "yuzui_books_pending": ("Pending.", "", lambda: {"": 7.0}),
    })  # fmt: skip
    values['odd"name\n'] = 2.0
    text = metrics.scrape().decode()
    assert sample(text, "yuzui_target_in_flight", target="house/a") == 1
    assert r'yuzui_target_in_flight{target="odd\"name\n"} 2.0' in text
    assert sample(text, "yuzui_books_pending") == 7


def test_peak_memory_is_in_bytes_and_left_out_where_nobody_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    text = Metrics({}).scrape().decode()
    assert 10**6 < sample(text, "process_resident_memory_max_bytes") < 10**12
    monkeypatch.setattr(telemetry, "sys", type("sys", (), {"platform": "win32"}))
    assert "process_resident_memory_max_bytes" not in Metrics({}).scrape().decode()
    assert sys.platform != "win32" or telemetry._peak_memory() is None


def test_requests_with_a_guarantee_are_counted_by_who_answered_and_why() -> None:
    metrics = Metrics({})
    for guarantee in ("certified", "certified", "none"):
        metrics.advised(model="support", target="house/small", rule="certified", guarantee=guarantee)
    text = metrics.scrape().decode()
    labels = 'guarantee="{}",model="support",rule="certified",target="house/small"'
    assert f"yuzui_guaranteed_requests_total{{{labels.format('certified')}}} 2.0" in text
    assert f"yuzui_guaranteed_requests_total{{{labels.format('none')}}} 1.0" in text
