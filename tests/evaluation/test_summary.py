"""The summary counts, prices and compares what there is, and leaves out what there is not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from evaluation_kit import OWN, VENDOR, answered, outcomes
from yuzui.evaluation.scorers._contract import Grade
from yuzui.evaluation.summary import How, summarise

HOW = How(redraws=300)


def test_all_examples_and_their_slices() -> None:
    summary = summarise(outcomes(), HOW, random.Random(0), [answered("x", 5_000)])
    assert [part.name for part in summary.slices] == ["", "even", "odd"]
    own, vendor = summary.slices[0].models
    assert (own.asked, own.answered, own.failed, own.not_permitted) == (40, 39, 1, 0)
    assert (vendor.answered, vendor.not_permitted, vendor.premises) == (35, 5, "vendor")
    assert own.scores["exact"].value == pytest.approx(29 / 39) and own.scores["exact"].is_known
    assert own.cost_total == pytest.approx(39e-6) and own.cost is not None and own.cost.value == pytest.approx(1e-6)
    assert own.latency_p50_ms == 120 and vendor.latency_p95_ms == 300
    assert (own.input_tokens, own.output_tokens) == (390, 195)
    assert (summary.judge_calls, summary.judge_cost, summary.missing) == (1, 5e-6, 0)
    assert summary.slices[1].examples == 20


def test_answers_without_a_score_are_counted_with_their_reason() -> None:
    run = outcomes()
    grades = {**run.grades, (3, OWN, "exact"): Grade(score=None, detail={"why": "no verdict"})}
    del grades[5, OWN, "exact"]
    own, vendor = summarise(replace(run, grades=grades), HOW, random.Random(0)).slices[0].models
    assert own.ungraded == {"exact": {"no verdict": 1, "not graded": 1}} and vendor.ungraded == {}


def test_against_the_reference_pairs_only() -> None:
    (found,) = summarise(outcomes(), HOW, random.Random(0)).slices[0].against
    assert (found.model, found.other, found.difference.count) == (OWN, VENDOR, 34)
    assert found.better + found.same + found.worse == 34
    assert found.difference.value == pytest.approx((found.better - found.worse) / 34)


def test_open_against_closed() -> None:
    (found,) = summarise(outcomes(), HOW, random.Random(0)).open_closed
    assert (found.own, found.vendor) == (OWN, VENDOR) and found.cost_share == pytest.approx(0.01)
    one_sided = replace(outcomes(), listed={})
    assert summarise(one_sided, HOW, random.Random(0)).open_closed == []


def test_the_worst_are_where_most_is_lost_against_the_reference() -> None:
    worst = summarise(outcomes(), HOW, random.Random(0)).worst
    assert worst and all((one.score, one.reference_score) == (0, 1) for one in worst)
    assert [one.example for one in worst] == ["e4", "e12", "e28", "e36"]  # not where the reference was refused or wrong
    alone = outcomes()
    alone = replace(alone, settings=replace(alone.settings, reference_model=""))
    assert [one.place for one in summarise(alone, HOW, random.Random(0)).worst] == list(range(0, 40, 4))


def test_what_was_not_asked_yet_is_missing() -> None:
    run = outcomes()
    run = replace(run, results={key: value for key, value in run.results.items() if key[0] < 30})
    assert summarise(run, HOW, random.Random(0)).missing == 20
