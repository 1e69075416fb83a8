"""A target may claim anything: what is believed lies inside physical bounds, and is marked where it was cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.usage import Usage, clamp_usage

CLAIMS = st.integers(-(10**12), 10**13)


@pytest.mark.parametrize(
    ("claimed", "believed"),
    [
        ((10, 0, 0, 5, 0), (10, 0, 0, 5, 0)),
        ((-5, 0, 0, -5, 0), (0, 0, 0, 0, 0)),
        ((10**12, 0, 0, 10**12, 0), (100, 0, 0, 50, 0)),
        ((10, 20, 0, 5, 9), (10, 10, 0, 5, 5)),
        ((10, 8, 8, 0, 0), (10, 8, 2, 0, 0)),
        ((10, -1, -1, 5, -1), (10, 0, 0, 5, 0)),
    ],
)
def test_claims_are_cut_to_what_is_possible(claimed: tuple[int, ...], believed: tuple[int, ...]) -> None:
    usage = clamp_usage(make(*claimed), most_input=100, most_output=50)
    assert fields(usage) == believed
    assert usage.is_estimated is (claimed != believed)
    assert usage.note == ("clamped" if claimed != believed else "")


@given(CLAIMS, CLAIMS, CLAIMS, CLAIMS, CLAIMS, st.integers(0, 10**6), st.integers(0, 10**6))
def test_parts_never_outgrow_their_whole_and_clamping_twice_changes_nothing(
    a: int, b: int, c: int, d: int, e: int, most_input: int, most_output: int
) -> None:
    once = clamp_usage(make(a, b, c, d, e), most_input=most_input, most_output=most_output)
    assert 0 <= once.cached_input_tokens + once.cache_write_tokens <= once.input_tokens <= most_input
    assert 0 <= once.reasoning_tokens <= once.output_tokens <= most_output
    assert clamp_usage(once, most_input=most_input, most_output=most_output) is once


def make(inp: int, cached: int, written: int, out: int, reasoning: int) -> Usage:
    return Usage(
        input_tokens=inp, cached_input_tokens=cached, cache_write_tokens=written, output_tokens=out,
        reasoning_tokens=reasoning,
    )  # fmt: skip


def fields(usage: Usage) -> tuple[int, ...]:
    return (
        usage.input_tokens, usage.cached_input_tokens, usage.cache_write_tokens, usage.output_tokens,
        usage.reasoning_tokens,
    )  # fmt: skip
