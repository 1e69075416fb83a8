"""Knows what to do with a certificate: the table to write into yuzui.toml, or how one can be had."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from yuzui.cli._text import clean

if TYPE_CHECKING:
    from yuzui.routing.artefact import Artefact, Certificate

PAGE: Final = "docs/how-to/move-to-open-models.md"
USUAL_LOSS: Final = 0.02
"""What a careful threshold may lose on average: an example of what is to be expected, in words that say so."""


def reachable(examples: int, delta: float) -> str:
    """Which epsilon so many calibration examples can certify; it depends on their number alone."""
    from yuzui.evaluation.betting import least_epsilon
    from yuzui.evaluation.certify import RESERVE

    best = least_epsilon(examples, 0.0, 0.0, RESERVE * delta)
    usual = least_epsilon(examples, USUAL_LOSS, USUAL_LOSS * (1 - USUAL_LOSS), RESERVE * delta)
    return (
        f"{examples} calibration examples certify an epsilon of {best:.3f} at best (if what the open model may answer "
        f"loses nothing), and about {usual:.3f} if it loses {USUAL_LOSS:.0%}"
    )


def what_now(certificate: Certificate) -> str:
    """After NOT certified."""
    count = certificate.data.examples
    needed = [one.needed for one in certificate.tested if one.needed is not None and one.open_share > 0]
    more = max(min(needed) - count, 0) if needed else None
    lines = [f"what now: {reachable(count, certificate.delta)}."]
    if not any(one.open_share > 0 for one in certificate.tested):
        lines.append("The candidate may answer none of them at any threshold: they are unlike what was fitted on.")
    elif more is None:
        lines.append(f"No number of examples certifies {certificate.epsilon:g} here: the candidate loses too much.")
    elif more:
        lines.append(f"About {more} more to certify on would do for {certificate.epsilon:g}.")
    lines.append(f"Another try on the same examples adds its delta to the risk ({PAGE}).")
    return " ".join(lines)


def model_table(artefact: Path, read: Artefact, certificate: Certificate, sha256: str) -> list[str]:
    """The virtual model that this certificate is good for, as lines of TOML. The name is the reader's to change."""
    candidates = [*certificate.candidates, read.fitted.reference.name]
    cascade: list[str] = []
    if certificate.policy != "up_front":
        weights = next(
            one.cascade for one in read.fitted.candidates
            if one.cascade is not None and one.model.name in certificate.candidates
        )  # fmt: skip  # one thing
        checks = [check.name for check in weights.checks]
        cascade = ["", "[models.cascade]", 'streaming = "hold"']
        cascade += [f"checks = [{', '.join([_toml(one) for one in checks])}]"] if checks else []
        cascade += [f"judge = {_toml(weights.judge.model.name)}"] if weights.judge is not None else []
        cascade += ["run_tests = true"] if weights.runs_tests else []
    return [
        "[[models]]",
        'name = "assistant"',
        f"candidates = [{', '.join([_toml(one) for one in candidates])}]",
        'policy = "guaranteed"',
        f"reference = {_toml(read.fitted.reference.name)}",
        f"router = {_toml(artefact.as_posix())}",
        f'router_sha256 = "{sha256}"',
        f"guarantee = {{ loss = {certificate.epsilon:g}, confidence = {1 - certificate.delta:g} }}",
        *cascade,
    ]


def _toml(text: str) -> str:
    return msgspec.json.encode(clean(text)).decode()
