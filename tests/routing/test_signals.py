"""Rows of what a cascade looks at: as many numbers as names, and nothing made up where something is missing."""

from __future__ import annotations

import numpy as np
import pytest

from yuzui.core.errors import ConfigError
from yuzui.core.guarantee import TestsRun
from yuzui.routing import surface
from yuzui.routing.own_text import Answered
from yuzui.routing.signals import Evidence, Layout, row_of
from yuzui.routing.surface import Asked

COUNTED = surface.surface(Asked(text="What is it?"))
ANSWERED = Answered(question="What is it?", text="It is 4.")


def row(layout: Layout, evidence: Evidence) -> dict[str, float]:
    made = row_of(layout, evidence, COUNTED, 0.25, 0.5)
    assert made.dtype == np.float32 and len(made) == len(layout.names)
    return {name: float(value) for name, value in zip(layout.names, made, strict=True)}


@pytest.mark.parametrize("is_judged", [False, True])
@pytest.mark.parametrize("runs_tests", [False, True])
@pytest.mark.parametrize("checks", [0, 2])
def test_each_name_has_its_number(checks: int, is_judged: bool, runs_tests: bool) -> None:
    layout = Layout(checks=checks, is_judged=is_judged, runs_tests=runs_tests)
    assert layout.names[: len(layout.portable_names)] == layout.portable_names
    assert len(set(layout.names)) == len(layout.names)
    found = row(
        layout,
        Evidence(answered=ANSWERED, checks=["4"] * checks, judged=0.75, tests=TestsRun(count=3, passed=True)),
    )
    assert found["gain_up_front"] == 0.25 and found["p_value"] == 0.5
    assert found.get("judged") == (0.75 if is_judged else None)
    assert ("tests_passed" in found) == runs_tests
    if runs_tests:
        assert found["tests_known"] == found["tests_passed"] == 1.0
        assert found["log_tests"] == pytest.approx(np.log(4))


def test_no_tests_are_not_failed_ones() -> None:
    layout = Layout(runs_tests=True)
    none = row(layout, Evidence(answered=ANSWERED, tests=TestsRun()))
    failed = row(layout, Evidence(answered=ANSWERED, tests=TestsRun(count=1)))
    assert (none["tests_known"], none["tests_passed"], none["log_tests"]) == (0.0, 0.0, 0.0)
    assert (failed["tests_known"], failed["tests_passed"]) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (Layout(checks=1), "1 second opinions, not 0"),
        (Layout(is_judged=True), "nobody judged"),
        (Layout(runs_tests=True), "none were"),
    ],
)
def test_what_is_missing_is_never_made_up(layout: Layout, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        row_of(layout, Evidence(answered=ANSWERED), COUNTED, 0.0, 0.0)


def test_a_cascade_without_judge_and_tests_has_the_names_it_always_had() -> None:
    assert Layout(checks=1).portable_names[:11] == (
        "agree_share", "agree_any", "agree_all", "rival_votes", "margin", "distinct_rivals", "silent_checks",
        "pair_share", "closest_text", "vote_share", "vote_known",
    )  # fmt: skip
    assert Layout(checks=1).portable_names[11:13] == ("agrees_0", "own_equations")
    assert "judged" not in Layout(checks=1).names
