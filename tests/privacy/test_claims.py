"""A remembered thing keeps the level of each conversation that it came from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.claims import MOST_CLAIMS, NOBODY, Claims, Origin, join, level_of


def test_nothing_is_claimed_at_no_level() -> None:
    assert level_of(()) == -1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=40))
def test_joining_never_lowers_and_stays_bounded(said: list[tuple[int, int]]) -> None:
    claims: Claims = ()
    for conversation, level in said:
        before = level_of(claims)
        joined = join(claims, Origin(bytes([conversation]), level))
        claims = claims if joined is None else joined
        assert level_of(claims) == max(before, level)
        assert len(claims) <= MOST_CLAIMS + 1


def test_one_conversation_says_a_thing_once() -> None:
    first = join((), Origin(b"a", 2))
    assert first is not None
    assert join(first, Origin(b"a", 2)) is None and join(first, Origin(b"a", 1)) is None
    raised = join(first, Origin(b"a", 3))
    assert raised is not None and [origin.level for origin in raised] == [3]
    both = join(raised, Origin(b"b", 1))
    assert both is not None and {origin.conversation for origin in both} == {b"a", b"b"}


def test_what_too_many_say_is_nobodys_to_declassify() -> None:
    claims: Claims = ()
    for number in range(MOST_CLAIMS + 1):
        claims = join(claims, Origin(bytes([number]), 3 - number % 2)) or claims
    assert [origin.conversation for origin in claims] == [NOBODY, bytes([MOST_CLAIMS])]
    assert claims[0].level == 3
