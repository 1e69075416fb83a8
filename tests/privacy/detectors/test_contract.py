"""The detector contract: what is listed is complete, and both ways of finding have their check."""

from __future__ import annotations

import pytest

from yuzui.privacy.catalogue import load_detectors
from yuzui.privacy.detectors._contract import SEPARATOR, Detector, label
from yuzui.privacy.engine import check_pattern

DETECTORS = load_detectors()


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_has_the_check_that_its_way_of_finding_needs(name: str) -> None:
    detector: Detector = DETECTORS[name]
    assert detector.levels
    assert detector.patterns or detector.layouts
    assert bool(detector.patterns) == (detector.check is not None)
    assert bool(detector.layouts) == (detector.check_digits is not None)


@pytest.mark.parametrize("name", DETECTORS)
def test_every_pattern_compiles_alone_in_both_engines_and_never_matches_nothing(name: str) -> None:
    for pattern in DETECTORS[name].patterns:
        check_pattern(pattern, name, "hyperscan")
        check_pattern(pattern, name, "re2")


def test_the_separator_ends_lines_on_both_sides() -> None:
    assert SEPARATOR.startswith("\n") and SEPARATOR.endswith("\n") and len(SEPARATOR) == 3


def test_a_label_is_read_in_every_way_to_write_a_name() -> None:
    assert label("date of birth").regex == "date[ _-]?of[ _-]?birth"
