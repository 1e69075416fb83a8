"""Who holds the most gives way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.shares import Shares


@given(st.lists(st.tuples(st.sampled_from((b"a", b"b", b"c", b"d")), st.integers(1, 30)), max_size=60))
def test_a_scope_within_its_share_never_gives_way(added: list[tuple[bytes, int]]) -> None:
    shares, held = Shares(50), dict[bytes, int]()
    for tag, count in added:
        shares.add(tag, count)
        held[tag] = held.get(tag, 0) + count
        while shares.is_exceeded:
            heaviest = shares.heaviest()
            assert held[heaviest] * len([one for one in held.values() if one]) > 50
            shares.add(heaviest, -1)
            held[heaviest] -= 1
        assert shares.total == sum(held.values()) <= 50


def test_it_needs_room() -> None:
    with pytest.raises(ValueError, match="capacity"):
        Shares(0)
