"""What came of it, as numbers: seconds per token, prices, and each way of answering with intervals; and in words."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from yuzui.evaluation.bootstrap import interval, percentile

MACHINE_USD_PER_HOUR: Final = 0.10
"""An assumption, for amounts only: shares and savings do not depend on it."""
SEED: Final = 20_261_126


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One answer, graded."""

    example: str
    model: str
    score: float
    input_tokens: int
    output_tokens: int
    seconds: float
    target: str = ""
    """Who answered in the end."""
    usd: float | None = None
    """As the gateway booked it; None: counted from tokens and their measured time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Seconds that a token takes, to be read and to be written."""

    input_s: float
    output_s: float

    def usd_per_million(self) -> tuple[float, float]:
        """Tokens × time × price of the machine."""
        rate = MACHINE_USD_PER_HOUR / 3600 * 1e6
        return round(self.input_s * rate, 6), round(self.output_s * rate, 6)

    def usd(self, call: Call) -> float:
        if call.usd is not None:
            return call.usd
        price_in, price_out = self.usd_per_million()
        return (call.input_tokens * price_in + call.output_tokens * price_out) / 1e6


def speed_of(calls: Sequence[Call]) -> Speed:
    """Least squares of time over tokens, never negative: where one would be, all time is laid on the other."""
    tokens = np.array([[call.input_tokens, call.output_tokens] for call in calls], float)
    seconds = np.array([call.seconds for call in calls])
    solved = np.linalg.lstsq(tokens, seconds, rcond=None)[0]
    if solved.min() >= 0:
        return Speed(input_s=float(solved[0]), output_s=float(solved[1]))
    share = seconds.sum() / tokens.sum(axis=0)
    return (
        Speed(input_s=0.0, output_s=float(share[1])) if solved[0] < 0 else Speed(input_s=float(share[0]), output_s=0.0)
    )


def bounds(values: Sequence[float]) -> dict[str, float | int | None]:
    found = interval(values, random.Random(SEED))
    return {
        "mean": round(found.value, 6), "low": round(found.low, 6) if found.is_known else None,
        "high": round(found.high, 6) if found.is_known else None, "n": found.count,
    }  # fmt: skip  # one thing


def arm(
    calls: Sequence[Call], reference: Mapping[str, Call], speeds: Mapping[str, Speed]
) -> dict[str, Any]:  # Any: JSON
    """One way of answering: `reference` is the large model's call for the same example."""
    usd = [speeds[call.target].usd(call) for call in calls]
    theirs = [speeds[reference[call.example].target].usd(reference[call.example]) for call in calls]
    seconds = [call.seconds for call in calls]
    return {
        "quality": bounds([call.score for call in calls]),
        "against_large": bounds([call.score - reference[call.example].score for call in calls]),
        "usd_per_1000": bounds([one * 1000 for one in usd]),
        "saving": round(1 - sum(usd) / sum(theirs), 4),
        "seconds": bounds(seconds),
        "p50_s": round(percentile(seconds, 0.5), 3),
        "p95_s": round(percentile(seconds, 0.95), 3),
        "answered_by": dict(Counter(call.target for call in calls)),
    }


def words(result: Mapping[str, Any]) -> str:  # Any: JSON
    """A paragraph for experiments/LOG.md."""
    run, whole, arms = result["run"], result["all_examples"], result["held_out"]
    machine, speeds = result["machine"], run["speeds"]
    shared = ", shared with other work" if run["is_shared"] else ""
    lines = [
        f"## {result['at'][:10]}: two open models, measured, certified, served (`make hybrid-experiment{_task(run)}`)",
        "",
        f"{run['examples']} examples of {run['sets']} ({run['form']} form), {run['train']} to fit, {run['calib']} to "
        f"certify, {run['test']} held out; {run['minutes']:.1f} of {run['minutes_allowed']:.0f} minutes; "
        f"{machine['cpu']}, {machine['cores']} cores, {run['threads']} thread(s) per engine, load average at the start "
        f"{machine['load_average']}{shared}; commit {result['commit']}.",
        "",
        f"All {run['examples']}: small {_share(whole['small']['quality'])}, large {_share(whole['large']['quality'])}, "
        f"difference {_share(whole['small']['against_large'])}. Seconds per token read / written: small "
        f"{speeds['own/small']['input_s']:.4f} / {speeds['own/small']['output_s']:.4f}, large "
        f"{speeds['own/large']['input_s']:.4f} / {speeds['own/large']['output_s']:.4f}.",
        "",
        "| held out | right | against large | USD per 1,000 | saving | mean s | p50 / p95 s | answered by small |",
        "|---|---|---|---|---|---|---|---|",
        *[_row(name, found) for name, found in arms.items()],
        "",
    ]
    for policy, found in result["certified"].items():
        lines += [f"* {policy}: {_certified(found)}"]
    lines += [f"* served: {one}" for one in result["served"]]
    lines += [f"* {one}" for one in result["negative"]]
    return "\n".join(lines) + "\n"


def _task(run: Mapping[str, Any]) -> str:  # Any: JSON
    return " TASK=human_eval" if run["sets"] == "human_eval" else ""


def _row(name: str, found: Mapping[str, Any]) -> str:  # Any: JSON
    by_small, n = found["answered_by"].get("own/small", 0), found["quality"]["n"]
    return (
        f"| {name} (n = {n}) | {_share(found['quality'])} | {_share(found['against_large'])} | "
        f"{found['usd_per_1000']['mean']:.4f} | {found['saving']:.1%} | {found['seconds']['mean']:.2f} | "
        f"{found['p50_s']:.2f} / {found['p95_s']:.2f} | {by_small / n:.0%} |"
    )


def _share(found: Mapping[str, Any]) -> str:  # Any: JSON
    value = f"{found['mean']:.1%}"
    return value if found["low"] is None else f"{value} [{found['low']:.1%}, {found['high']:.1%}]"


def _certified(certificates: Sequence[Mapping[str, Any]]) -> str:  # Any: JSON
    said = []
    for one in certificates:
        if one["threshold"] is not None:
            said.append(f"{one['epsilon']:.0%} certified (open {one['open_share']:.0%}, saving {one['saving']:.0%})")
        else:
            needed = [rule["needed"] for rule in one["tested"] if rule["needed"]]
            more = f"about {min(needed)} examples for the first step" if needed else "no number of examples would do"
            said.append(f"{one['epsilon']:.0%} NOT certified ({more})")
    return "; ".join(said) + f"; δ = 10 %, n = {certificates[0]['examples']}"
