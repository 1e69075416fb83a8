from __future__ import annotations

import msgspec

from yuzui.core.watching import ShadowState, WatchState


def test_states_come_back_from_the_books_as_they_were() -> None:
    watch = WatchState(stage="tightened", threshold=0.2, wealths=[[0.1, -0.2]], ungraded={"budget": 3})
    watch.sums.count = 4
    assert msgspec.json.decode(msgspec.json.encode(watch), type=WatchState) == watch
    shadow = ShadowState(failed={"upstream_timeout": 1}, likeness=0.5)
    assert msgspec.json.decode(msgspec.json.encode(shadow), type=ShadowState) == shadow


def test_two_states_share_nothing() -> None:
    one, other = WatchState(), WatchState()
    one.ungraded["budget"] = 1
    one.sums.count = 1
    assert other.ungraded == {} and other.sums.count == 0
