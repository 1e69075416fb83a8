"""Identifiers sort by time, whatever their random part."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.ids import time_sorted_id

BITS = st.integers(0, 2**64 - 1)
TIMES = st.integers(0, 2**62)


@given(TIMES, st.integers(1_000_000, 2**40), BITS, BITS)
def test_a_later_millisecond_sorts_later(now_ns: int, later_ns: int, first: int, second: int) -> None:
    assert time_sorted_id("req_", now_ns, first) < time_sorted_id("req_", now_ns + later_ns, second)


@given(TIMES, st.integers(0, 2**80))
def test_every_id_has_the_same_shape(now_ns: int, bits: int) -> None:
    assert re.fullmatch(r"req_[0-9a-f]{28}", time_sorted_id("req_", now_ns, bits))


@given(TIMES, BITS, BITS)
def test_different_randomness_gives_different_ids_in_one_moment(now_ns: int, first: int, second: int) -> None:
    assert (time_sorted_id("r", now_ns, first) == time_sorted_id("r", now_ns, second)) is (first == second)
