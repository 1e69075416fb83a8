"""What is remembered: offsets under keyed hashes, in bounded memory, the latest used longest."""

from __future__ import annotations

from yuzui.privacy.ner.cache import SpanCache
from yuzui.privacy.ner.spans import NameSpan

SPAN = NameSpan(0, 3, "person", 0.9, "m")


def cache(max_bytes: int = 10_000, key: bytes = b"k" * 16) -> SpanCache:
    return SpanCache(key, max_bytes=max_bytes)


def test_what_was_put_is_found_under_its_text_and_key_only() -> None:
    one = cache()
    one.put(one.key_of("a"), [SPAN])
    one.put(one.key_of("b"), [])
    assert one.get(one.key_of("a")) == (SPAN,) and one.get(one.key_of("b")) == () and one.get(one.key_of("c")) is None
    assert cache(key=b"x" * 16).key_of("a") != one.key_of("a")
    assert one.key_of("lone \ud800") != one.key_of("lone ")


def test_memory_is_bounded_and_the_least_used_goes_first() -> None:
    one = cache(max_bytes=1500)
    keys = [one.key_of(str(number)) for number in range(10)]
    for key in keys:
        one.put(key, [SPAN])
        one.get(keys[0])
        assert one.size_bytes <= 1500
    assert one.get(keys[0]) is not None and one.get(keys[1]) is None and one.get(keys[9]) is not None


def test_one_that_is_larger_than_all_memory_is_not_kept() -> None:
    one = cache(max_bytes=300)
    one.put(one.key_of("a"), [SPAN] * 10)
    assert one.get(one.key_of("a")) is None and one.size_bytes == 0


def test_the_same_text_again_takes_no_more_memory() -> None:
    one = cache()
    for _ in range(5):
        one.put(one.key_of("a"), [SPAN])
    size = one.size_bytes
    one.put(one.key_of("a"), [])
    assert one.size_bytes < size
