"""Metrics: plain counters on the hot path, turned into Prometheus families only when someone scrapes.

A prometheus-client counter costs a microsecond per label set and call; a dict entry costs a tenth of it.
"""

from __future__ import annotations

import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from yuzui.core.money import NANO

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Bucket bounds, seconds."""


_Key = TypeVar("_Key", bound=Hashable)


class _Histogram:
    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        running = 0
        rows: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, SECONDS), "+Inf"), self.counts, strict=True):
            running += count
            rows.append((bound, float(running)))
        return rows


class Metrics:
    """The `Telemetry` port. `gauges` are read at scrape time: name → (help, label name or "", read)."""

    def __init__(self, gauges: Mapping[str, tuple[str, str, Callable[[], Mapping[str, float]]]]) -> None:
        self._gauges = gauges
        self._requests: dict[tuple[str, str, str, str], int] = {}
        self._tokens: dict[tuple[str, str], int] = {}
        self._attempts: dict[tuple[str, str], int] = {}
        self._answer_findings: dict[tuple[str, str, str], int] = {}
        self._advised: dict[tuple[str, str, str, str], int] = {}
        self._tried: dict[tuple[str, str, str, str, str], int] = {}
        self._tried_tokens: dict[tuple[str, str, str, str], int] = {}
        self._tried_nano: dict[tuple[str, str, str], int] = {}
        self._tried_first: dict[tuple[str, str, str], _Histogram] = {}
        self._durations: dict[str, _Histogram] = {}
        self._first_tokens: dict[str, _Histogram] = {}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Families(self))
        self._started = time.time()

    def request_done(
        self,
        *,
        outcome: str,
        code: str,
        target: str,
        sensitivity: str,
        stream: bool,
        duration_ms: int,
        first_token_ms: int,
        input_tokens: int,
        output_tokens: int,
    ) -> None:
        key = (outcome, code, target, sensitivity)
        self._requests[key] = self._requests.get(key, 0) + 1
        if target:
            if input_tokens:
                self._tokens[target, "input"] = self._tokens.get((target, "input"), 0) + input_tokens
            if output_tokens:
                self._tokens[target, "output"] = self._tokens.get((target, "output"), 0) + output_tokens
            _observe(self._durations, target, duration_ms)
            if stream and first_token_ms:
                _observe(self._first_tokens, target, first_token_ms)

    def attempt_failed(self, target: str, code: str) -> None:
        self._attempts[target, code] = self._attempts.get((target, code), 0) + 1

    def advised(self, *, model: str, target: str, rule: str, guarantee: str) -> None:
        key = (model, target, rule, guarantee)
        self._advised[key] = self._advised.get(key, 0) + 1

    def tried(
        self,
        *,
        model: str,
        trial: str,
        arm: str,
        outcome: str,
        code: str,
        first_token_ms: int,
        input_tokens: int,
        output_tokens: int,
        spent_nano: int,
    ) -> None:
        side = (model, trial, arm)
        self._tried[*side, outcome, code] = self._tried.get((*side, outcome, code), 0) + 1
        for direction, tokens in (("input", input_tokens), ("output", output_tokens)):
            if tokens:
                self._tried_tokens[*side, direction] = self._tried_tokens.get((*side, direction), 0) + tokens
        self._tried_nano[side] = self._tried_nano.get(side, 0) + spent_nano
        if first_token_ms:
            _observe(self._tried_first, side, first_token_ms)

    def answer_finding(self, target: str, kind: str, action: str, count: int) -> None:
        key = (target, kind, action)
        self._answer_findings[key] = self._answer_findings.get(key, 0) + count

    def scrape(self) -> bytes:
        """Prometheus text format 0.0.4."""
        return generate_latest(self._registry)

    def families(self) -> Iterable[Metric]:
        requests = CounterMetricFamily(
            "yuzui_requests", "Requests by how they ended.", labels=("outcome", "code", "target", "sensitivity")
        )
        for labels, count in list(self._requests.items()):
            requests.add_metric(labels, count)
        yield requests
        tokens = CounterMetricFamily("yuzui_tokens", "Tokens settled.", labels=("target", "direction"))
        for pair, count in list(self._tokens.items()):
            tokens.add_metric(pair, count)
        yield tokens
        attempts = CounterMetricFamily(
            "yuzui_failed_attempts", "Attempts that a target failed.", labels=("target", "code")
        )
        for pair, count in list(self._attempts.items()):
            attempts.add_metric(pair, count)
        yield attempts
        answers = CounterMetricFamily(
            "yuzui_answer_findings", "Findings in answers.", labels=("target", "kind", "action")
        )
        for triple, count in list(self._answer_findings.items()):
            answers.add_metric(triple, count)
        yield answers
        advised = CounterMetricFamily(
            "yuzui_guaranteed_requests",
            "Requests for models with a learned router.",
            labels=("model", "target", "rule", "guarantee"),
        )
        for labels, count in list(self._advised.items()):
            advised.add_metric(labels, count)
        yield advised
        yield from self._trial_families()
        yield _histogram("yuzui_request_seconds", "From the first byte in to the last out.", self._durations)
        yield _histogram("yuzui_first_token_seconds", "From sending to the first token, streams.", self._first_tokens)
        for name, (text, label, read) in self._gauges.items():
            gauge = GaugeMetricFamily(name, text, labels=(label,) if label else ())
            for value_label, value in read().items():
                gauge.add_metric((value_label,) if label else (), value)
            yield gauge
        yield GaugeMetricFamily("process_start_time_seconds", "Unix time of the start.", value=self._started)
        peak = _peak_memory()
        if peak is not None:
            yield GaugeMetricFamily("process_resident_memory_max_bytes", "Peak resident memory.", value=peak)

    def _trial_families(self) -> Iterable[Metric]:
        sides = ("model", "trial", "arm")
        requests = CounterMetricFamily(
            "yuzui_trial_requests",
            "Requests in trials, by how the first target did.",
            labels=(*sides, "outcome", "code"),
        )
        for five, count in list(self._tried.items()):
            requests.add_metric(five, count)
        yield requests
        tokens = CounterMetricFamily("yuzui_trial_tokens", "Tokens settled in trials.", labels=(*sides, "direction"))
        for four, count in list(self._tried_tokens.items()):
            tokens.add_metric(four, count)
        yield tokens
        cost = CounterMetricFamily("yuzui_trial_cost", "Spent in trials, book currency.", labels=sides)
        for side, nano in list(self._tried_nano.items()):
            cost.add_metric(side, nano / NANO)
        yield cost
        first = HistogramMetricFamily(
            "yuzui_trial_first_token_seconds", "From sending to the first content, in trials.", labels=sides
        )
        for side, histogram in list(self._tried_first.items()):
            first.add_metric(side, histogram.buckets(), histogram.total)
        yield first


class _Families(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:  # type: ignore[explicit-override]  # typing.override needs Python 3.12
        return self._metrics.families()


def _observe(table: dict[_Key, _Histogram], key: _Key, milliseconds: int) -> None:
    histogram = table.get(key)
    if histogram is None:
        histogram = table[key] = _Histogram()
    histogram.add(milliseconds / 1000)


def _histogram(name: str, text: str, table: Mapping[str, _Histogram]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, text, labels=("target",))
    for target, histogram in list(table.items()):
        family.add_metric((target,), histogram.buckets(), histogram.total)
    return family


def _peak_memory() -> float | None:
    """Bytes; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)
