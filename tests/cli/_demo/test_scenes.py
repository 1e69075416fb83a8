from __future__ import annotations

from yuzui.cli._demo.scenes import scenes
from yuzui.core.errors import BudgetExceeded, InvalidRequest, NoPermittedTarget, NotFound, RateExceeded, Unauthenticated
from yuzui.privacy.catalogue import DEFAULT_LEVELS


def test_the_programme_is_about_twenty_scenes_with_names_of_their_own() -> None:
    titles = [scene.title for scene in scenes()]
    assert 20 <= len(titles) <= 26
    assert len(set(titles)) == len(titles)


def test_every_kind_of_ending_is_shown() -> None:
    expected = [scene.expected for scene in scenes()]
    expected += [scene.then[1] for scene in scenes() if scene.then]
    assert {one.where for one in expected} == {"own", "vendor", "nowhere"}
    kinds = (BudgetExceeded, InvalidRequest, NoPermittedTarget, NotFound, RateExceeded, Unauthenticated)
    assert {one.code for one in expected} - {""} == {kind.code for kind in kinds}


def test_nothing_that_is_expected_at_the_vendor_is_above_its_clearance() -> None:
    for scene in scenes():
        if scene.expected.where == "vendor":
            assert scene.expected.sensitivity in ("public", "internal")
        if scene.expected.finding:
            assert scene.expected.finding in DEFAULT_LEVELS
            assert scene.expected.where == "own"
