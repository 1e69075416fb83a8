"""Outcomes answer for slices, and pair what both models were graded on."""

from __future__ import annotations

from evaluation_kit import OWN, VENDOR, outcomes


def test_slices_and_pairs() -> None:
    run = outcomes()
    assert run.slices() == ["even", "odd"]
    assert run.places("odd") == list(range(1, 40, 2)) and len(run.places()) == 40
    assert (run.premises(OWN), run.premises(VENDOR), run.premises("new")) == ("own", "vendor", "")
    # 40, without five refusals and one failure
    assert len(run.differences(OWN, VENDOR, "exact", run.places())) == 34
    assert len(run.scores(OWN, "exact", run.places())) == 39
    assert run.score(1, OWN, "exact") is None
    assert sum(result.outcome == "not_permitted" for result in run.results_of(VENDOR, run.places())) == 5
