"""What waits for the end of a request, how much of it may, and where the trailer goes."""

from __future__ import annotations

import pytest

from yuzui.core.chat import Delta, StreamChunk
from yuzui.core.errors import UpstreamInvalid
from yuzui.dialects._held import MOST_HELD_BYTES, HeldTail, with_trailer


def text(*indexes: int) -> StreamChunk:
    return StreamChunk(deltas=tuple(Delta(index=index, text="a") for index in indexes))


def end(index: int) -> StreamChunk:
    return StreamChunk(deltas=(Delta(index=index, finish_reason="stop"),))


def test_what_ends_a_choice_and_what_follows_its_own_end_is_held() -> None:
    tail = HeldTail()
    assert not tail.must_hold(text(0))
    assert tail.must_hold(end(0))
    tail.hold(b"{}", "end")
    assert not tail.must_hold(text(1))  # another choice goes on
    assert tail.must_hold(text(0, 1))
    assert tail.must_hold(StreamChunk())  # of no choice: the counts
    assert tail.take() == [("end", b"{}")]
    assert tail.take() == []


def test_the_end_itself_may_be_long_and_what_follows_it_may_not() -> None:
    tail = HeldTail()
    tail.hold(b" " * (2 * MOST_HELD_BYTES))
    tail.hold(b" " * MOST_HELD_BYTES)
    with pytest.raises(UpstreamInvalid, match=f"more than {MOST_HELD_BYTES} bytes after the end"):
        tail.hold(b" ")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"id":"1","yuzui":{"of":"another"}}', b'{"id":"1","yuzui":{"receipt":2}}'),
        (b'{"id":1.00}', b'{"id":1.00,"yuzui":{"receipt":2}}'),
        (b'{"\xff":1}', b'{"\xff":1}'),
    ],
    ids=["replaces one", "leaves numbers as they are", "leaves what is no UTF-8"],
)
def test_the_trailer_stands_in_the_last_event(data: bytes, told: bytes) -> None:
    assert with_trailer(data, {"receipt": 2}) == told
