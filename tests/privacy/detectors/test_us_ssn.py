"""Social security numbers."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize("written", ["536-90-4399", "536‒90‒4399", "5̶3̶6̶-̶9̶0̶-̶4̶3̶9̶9̶"])
def test_three_two_four_with_dashes_is_enough(written: str) -> None:
    assert values(f"it is {written}.", "us_ssn") == [written]


@pytest.mark.parametrize("written", ["536904399", "536 90 4399"])
def test_other_spellings_need_a_cue(written: str) -> None:
    assert values(f"SSN {written}", "us_ssn") == [written]
    assert values(f"total {written}", "us_ssn") == []


@pytest.mark.parametrize(
    "never", ["000-12-3456", "666-12-3456", "912-12-3456", "536-00-4399", "536-90-0000", "2-536-90-4399"]
)
def test_numbers_that_are_never_issued_are_left_alone(never: str) -> None:
    assert values(f"SSN {never}", "us_ssn") == []
