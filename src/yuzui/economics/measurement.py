"""A measured server as a file: what each request took, per level of concurrency, and what a curve through it says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.economics.inputs import MOST_PLACES
from yuzui.economics.throughput import Curve, Level, weigh_input

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One request. Seconds since the level began."""

    started_s: float
    first_token_s: float = 0.0
    finished_s: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    failure: str = ""
    """The error's code; "" for an answer. Of a failure the other numbers mean nothing."""


class MeasuredLevel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`concurrency` requests kept running for `window_s`: from the first start until nothing was left to start."""

    concurrency: int
    prompt_words: int
    max_output_tokens: int
    window_s: float
    requests: int
    failures: int
    failure_codes: dict[str, int] = {}
    input_tokens_per_s: float = 0.0
    output_tokens_per_s: float = 0.0
    mean_input_tokens: float = 0.0
    mean_output_tokens: float = 0.0
    output_cv2: float = 0.0
    """Squared coefficient of variation of the output tokens."""
    mean_latency_s: float = 0.0
    p50_latency_s: float = 0.0
    p95_latency_s: float = 0.0
    mean_first_token_s: float = 0.0
    p95_first_token_s: float = 0.0
    mean_between_tokens_s: float = 0.0

    @property
    def level(self) -> Level:
        return Level(
            concurrency=self.concurrency,
            input_tokens_per_s=self.input_tokens_per_s,
            output_tokens_per_s=self.output_tokens_per_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Means and 95th percentiles of one level; `fitted_s` is the curve's."""

    concurrency: int
    measured_s: float
    fitted_s: float
    p95_s: float
    first_token_s: float
    p95_first_token_s: float

    @property
    def residual(self) -> float:
        """(fitted - measured) / measured."""
        return self.fitted_s / self.measured_s - 1 if self.measured_s else 0.0


class Measurement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    v: int = VERSION
    date: str
    """ISO day, UTC."""
    server: str
    """Its address without credentials, or the target's name."""
    model: str
    machine: str
    """What the operating system says of the machine that measured; the server may stand elsewhere."""
    levels: list[MeasuredLevel]

    @property
    def usable(self) -> list[MeasuredLevel]:
        return [one for one in self.levels if one.output_tokens_per_s > 0]

    @property
    def main_levels(self) -> list[MeasuredLevel]:
        """Those of the first shape (prompt and output length): the curve goes through them."""
        usable = self.usable
        shape = (usable[0].prompt_words, usable[0].max_output_tokens) if usable else (0, 0)
        return [one for one in usable if (one.prompt_words, one.max_output_tokens) == shape]

    def latencies(self, curve: Curve) -> list[Latency]:
        """Of the levels that the curve goes through, beside what it says by Little's law of requests like theirs."""
        return [
            Latency(
                concurrency=one.concurrency,
                measured_s=one.mean_latency_s,
                fitted_s=curve.request_s(one.concurrency, one.mean_input_tokens, one.mean_output_tokens),
                p95_s=one.p95_latency_s,
                first_token_s=one.mean_first_token_s,
                p95_first_token_s=one.p95_first_token_s,
            )
            for one in self.main_levels
        ]

    @property
    def input_weight(self) -> float | None:
        """None where prompts of one length only were measured."""
        most = max((one.concurrency for one in self.usable), default=0)
        return weigh_input([one.level for one in self.usable if one.concurrency == most])


def read_measurement(data: bytes, path: str) -> Measurement:
    """Raise `ConfigError` when `data` is not what `yuzui tco measure` writes."""
    try:
        found = msgspec.json.decode(data, type=Measurement)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path} is no measurement of `yuzui tco measure`: {error}") from error
    if found.v != VERSION:
        raise ConfigError(f"{path} has version {found.v}, this Yuzui knows {VERSION}; measure again")
    numbers = [
        value for one in found.levels for value in msgspec.structs.astuple(one) if isinstance(value, int | float)
    ]
    if not all(math.isfinite(value) and value >= 0 for value in numbers):
        raise ConfigError(f"{path} holds a number below zero or none at all; measure again")
    if not all(1 <= one.concurrency <= MOST_PLACES for one in found.levels):
        raise ConfigError(f"{path} tells of no concurrency from 1 to {MOST_PLACES}; measure again")
    return found


def write_measurement(measurement: Measurement) -> bytes:
    return msgspec.json.format(msgspec.json.encode(measurement), indent=2) + b"\n"


def summarise(
    samples: Sequence[Sample], *, concurrency: int, prompt_words: int, max_output_tokens: int, window_s: float
) -> MeasuredLevel:
    """One level. Tokens count as far as they fell into the window, so that the emptying at the end flatters nobody:
    input between start and first token, output evenly between first token and end."""
    answered = [sample for sample in samples if not sample.failure]
    codes: dict[str, int] = {}
    for sample in samples:
        if sample.failure:
            codes[sample.failure] = codes.get(sample.failure, 0) + 1
    rates: Mapping[str, Any] = {} if not answered or window_s <= 0 else _rates(answered, window_s)
    return MeasuredLevel(
        concurrency=concurrency,
        prompt_words=prompt_words,
        max_output_tokens=max_output_tokens,
        window_s=window_s,
        requests=len(answered),
        failures=len(samples) - len(answered),
        failure_codes=codes,
        **rates,
    )


def _rates(answered: Sequence[Sample], window_s: float) -> dict[str, float]:
    latencies = [one.finished_s - one.started_s for one in answered]
    first = [one.first_token_s - one.started_s for one in answered]
    outputs = [float(one.output_tokens) for one in answered]
    between = [
        (one.finished_s - one.first_token_s) / (one.output_tokens - 1) for one in answered if one.output_tokens > 1
    ]
    read = sum(one.input_tokens * _share(one.started_s, one.first_token_s, window_s) for one in answered)
    written = sum(one.output_tokens * _share(one.first_token_s, one.finished_s, window_s) for one in answered)
    mean_output = _mean(outputs)
    return {
        "input_tokens_per_s": read / window_s,
        "output_tokens_per_s": written / window_s,
        "mean_input_tokens": _mean([float(one.input_tokens) for one in answered]),
        "mean_output_tokens": mean_output,
        "output_cv2": _mean([(o - mean_output) ** 2 for o in outputs]) / mean_output**2 if mean_output else 0.0,
        "mean_latency_s": _mean(latencies),
        "p50_latency_s": quantile(latencies, 0.5),
        "p95_latency_s": quantile(latencies, 0.95),
        "mean_first_token_s": _mean(first),
        "p95_first_token_s": quantile(first, 0.95),
        "mean_between_tokens_s": _mean(between),
    }


def quantile(values: Sequence[float], share: float) -> float:
    """Between the two nearest of `values`, linearly (type 7 of Hyndman and Fan); 0 for none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _share(begin_s: float, end_s: float, window_s: float) -> float:
    """How much of the span from `begin_s` to `end_s` lies before `window_s`."""
    if end_s <= window_s:
        return 1.0
    return max(0.0, (window_s - begin_s) / (end_s - begin_s))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
