"""Keys of texts and values: bounded, fair, never lower than what was learnt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.claims import level_of
from yuzui.privacy.sources import Sources

KEYS = [bytes([n]) * 8 for n in range(12)]
learnings = st.lists(
    st.tuples(st.sampled_from((b"s1", b"s2")), st.lists(st.sampled_from(KEYS), max_size=6), st.sampled_from((b"a", b"b")),
              st.integers(0, 3)),
    max_size=30,
)  # fmt: skip


@given(learnings)
def test_with_room_enough_nothing_is_lost_or_lowered(steps: list[tuple[bytes, list[bytes], bytes, int]]) -> None:
    sources, wanted = Sources(10_000), dict[tuple[bytes, bytes], int]()
    for scope, keys, conversation, level in steps:
        sources.learn(scope, keys, scope + conversation, level)
        for key in keys:
            wanted[scope, key] = max(wanted.get((scope, key), -1), level)
    for scope in (b"s1", b"s2", b"s3"):
        for key in KEYS:
            assert level_of(sources.claims(scope, key)) == wanted.get((scope, key), -1)
        assert sources.keys(scope) == {key for one, key in wanted if one == scope}


@given(learnings, st.integers(1, 12))
def test_it_is_bounded_and_what_is_forgotten_is_gone(
    steps: list[tuple[bytes, list[bytes], bytes, int]], capacity: int
) -> None:
    sources = Sources(capacity)
    for scope, keys, conversation, level in steps:
        sources.learn(scope, keys, scope + conversation, level)
        assert len(sources) <= capacity
        assert sum(len(sources.keys(one)) for one in (b"s1", b"s2")) <= len(sources)


def test_the_oldest_goes_first_and_what_was_met_again_stays() -> None:
    sources = Sources(4)
    sources.learn(b"s", KEYS[:2], b"sa", 1)
    sources.learn(b"s", KEYS[2:4], b"sb", 1)
    sources.touch(b"s", sources.claims(b"s", KEYS[0]))
    sources.learn(b"s", KEYS[4:6], b"sc", 1)
    assert sources.keys(b"s") == {KEYS[0], KEYS[1], KEYS[4], KEYS[5]}
    assert sources.learn(b"s", KEYS[:2], b"sa", 1) == []  # no news, but met again
    sources.learn(b"s", KEYS[6:8], b"sd", 1)
    assert sources.keys(b"s") == {KEYS[0], KEYS[1], KEYS[6], KEYS[7]}


def test_a_loud_scope_pushes_out_nobody_else() -> None:
    sources = Sources(6)
    sources.learn(b"quiet", KEYS[:2], b"q", 3)
    for _ in range(3):
        for number in range(0, 12, 2):
            sources.learn(b"loud", KEYS[number : number + 2], bytes([number]), 1)
    assert sources.keys(b"quiet") == set(KEYS[:2])
    assert len(sources) <= 6


def test_one_conversation_is_lowered_and_others_stay() -> None:
    sources = Sources(100)
    sources.learn(b"s", KEYS[:2], b"sa", 3)
    sources.learn(b"s", KEYS[1:3], b"sb", 2)
    assert sources.highest(b"s", b"sa") == 3 and sources.highest(b"s", b"sx") == -1
    sources.lower(b"s", b"sa", 1)
    assert [level_of(sources.claims(b"s", key)) for key in KEYS[:3]] == [1, 2, 2]
    sources.lower(b"s", b"sa", 2)  # lowering never raises
    assert level_of(sources.claims(b"s", KEYS[0])) == 1
    assert sources.highest(b"t", b"sa") == -1
