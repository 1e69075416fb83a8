from __future__ import annotations

import pytest

from yuzui.backtest.tally import Change, Line, Slice, Tally

SAME = Change(
    slice=Slice("red", "internal"), new_label="internal", before="a", after="a", was="permitted", now="permitted",
    is_masked=False, left_house=False, left_country=False, may_leave_house=False,
)  # fmt: skip


def test_what_stays_is_quiet() -> None:
    assert SAME.is_quiet
    assert not SAME.is_moved


@pytest.mark.parametrize(
    "change",
    [
        SAME._replace(after="b"),
        SAME._replace(new_label="public"),
        SAME._replace(left_house=True),  # the same name stands somewhere else now
        SAME._replace(left_country=True),
        SAME._replace(may_leave_house=True),
    ],
)
def test_everything_else_is_told(change: Change) -> None:
    assert not change.is_quiet


def test_refusals_are_places_too() -> None:
    assert SAME._replace(after="").is_newly_refused
    assert SAME._replace(before="").is_newly_answered
    both = SAME._replace(before="", after="")
    assert not (both.is_moved or both.is_newly_refused or both.is_newly_answered)


def test_replayed_is_the_sum_of_the_lines() -> None:
    tally = Tally(lines={SAME: Line(requests=2), SAME._replace(after="b"): Line(requests=3)})
    assert tally.replayed == 5
