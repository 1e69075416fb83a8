"""A finished run for tests: an own and a vendor's model on examples of two slices, with refusals and a failure."""

from __future__ import annotations

from yuzui.evaluation.calls import Result, Settings
from yuzui.evaluation.examples import Example
from yuzui.evaluation.outcomes import Outcomes
from yuzui.evaluation.scorers._contract import Grade

OWN, VENDOR = "own/a", "vendor/b"
SETTINGS = Settings(
    models=(OWN,), reference_model=VENDOR, scorers=("exact",), judge="own/j", parameters={"temperature": 0},
    examples_sha256="ab" * 32, examples_name="support.jsonl",
)  # fmt: skip
LISTED = {OWN: {"premises": "own"}, VENDOR: {"premises": "vendor"}}


def answered(text: str, cost_nano: int | None, latency_ms: int = 100) -> Result:
    return Result(
        outcome="answered", text=text, finish_reason="stop", input_tokens=10, output_tokens=5, cost_nano=cost_nano,
        currency="USD", latency_ms=latency_ms,
    )  # fmt: skip


def outcomes(count: int = 40) -> Outcomes:
    """Own is right on three of four, the vendor's on all but each tenth; each eighth the vendor's may not see."""
    examples, results, grades = [], {}, {}
    for place in range(count):
        tag = "even" if place % 2 == 0 else "odd"
        examples.append(Example(prompt=f"Question {place}?", id=f"e{place}", references=["right"], tags=[tag]))
        results[place, OWN] = answered("right" if place % 4 else "wrong", 1_000, latency_ms=100 + place)
        grades[place, OWN, "exact"] = Grade(score=float(place % 4 > 0))
        if place % 8 == 0:
            results[place, VENDOR] = Result(outcome="not_permitted", code="no_permitted_target")
        else:
            results[place, VENDOR] = answered("right" if place % 10 else "wrong", 100_000, latency_ms=300)
            grades[place, VENDOR, "exact"] = Grade(score=float(place % 10 > 0))
    if count > 1:
        results[1, OWN] = Result(outcome="failed", code="upstream_timeout")
        del grades[1, OWN, "exact"]
    return Outcomes(settings=SETTINGS, examples=examples, results=results, grades=grades, listed=LISTED)
