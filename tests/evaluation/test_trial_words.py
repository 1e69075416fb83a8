"""The report on a trial in both languages: the same blanks, the figures, and how each was computed."""

from __future__ import annotations

import json
import re

from yuzui.core.trial import Trial
from yuzui.evaluation.trial_report import Sides
from yuzui.evaluation.trial_words import HOW, WORDS, Told

TRIAL = Trial(model="assistant", name="next", arm="house/new", percent=5)


def filled() -> Sides:
    sides = Sides(first_at="2026-11-25T00:00:00.000Z", last_at="2026-11-26T00:00:00.000Z")
    for side, failures in ((sides.arm, 8), (sides.control, 2)):
        side.requests = 100
        side.failures.update({"upstream_timeout": failures})
        side.outcomes.update({"answered": 100})
        side.first_token_ms = [float(100 + number) for number in range(100)]
        side.cost = [0.001 + number / 1e5 for number in range(100)]
    sides.neither.update({"clearance": 3})
    return sides


def told(sides: Sides) -> Told:
    return Told(TRIAL, sides, state=("state_running", {}), currency="USD")


def test_both_languages_have_the_same_blanks() -> None:
    for english, chinese in WORDS.values():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", chinese))


def test_both_sides_stand_beside_each_other_and_each_figure_says_how() -> None:
    report = told(filled()).markdown("en")
    assert "| first target failed | 8.00% (4.11% … 15.00%) | 2.00% (0.55% … 7.00%) | +6.00% (" in report
    assert "| cost per request | 0.001495" in report
    assert "Counted for neither side: clearance 3." in report
    assert "How first targets failed (arm): upstream_timeout 8." in report
    assert "Quality: no request of it was graded" in report
    assert all(WORDS[name][0].split("{")[0] in report for name in HOW)
    chinese = told(filled()).markdown("zh")
    assert "| 首个目标失败率 | 8.00%" in chinese and "## 计算方法" in chinese


def test_nothing_recorded_and_stopped_are_said() -> None:
    state = ("state_stopped", {"at": "2026-11-26 00:00:00", "by": "", "reason": "failed 3 times in a row"})
    report = Told(TRIAL, Sides(), state=state, currency="USD").markdown("en")
    assert "State: stopped at 2026-11-26 00:00:00 by its own rule: failed 3 times in a row." in report
    assert "No request of this trial is recorded in that time." in report


def test_json_holds_no_number_that_is_none() -> None:
    value = told(filled()).as_json()
    text = json.dumps(value, allow_nan=False)
    found = {one["name"]: one for one in value["figures"]}
    assert found["failure_rate"]["arm"]["value"] == 0.08 and found["duration_p50"]["arm"]["value"] is None
    assert "quality" not in found and "neither" in text
