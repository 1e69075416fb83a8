"""What a call consumed, in one canonical shape for all vendors."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Token counts. A msgspec struct because one is made per response on the hot path.

    `input_tokens` is everything the model read, **including** cache reads and writes; `output_tokens` is everything it
    wrote, **including** reasoning. Vendor mappings live in each provider's file.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    is_estimated: bool = False
    """True when the upstream never said and we counted or assumed."""
    note: str = ""
    """Why it is estimated or was clamped: `aborted`, `missing`, `clamped`, `unknown_outcome`."""


def clamp_usage(usage: Usage, *, most_input: int, most_output: int) -> Usage:
    """`usage` inside physical bounds: never negative, no part larger than its whole, nothing beyond the bounds."""
    inp = min(max(usage.input_tokens, 0), most_input)
    out = min(max(usage.output_tokens, 0), most_output)
    cached = min(max(usage.cached_input_tokens, 0), inp)
    written = min(max(usage.cache_write_tokens, 0), inp - cached)
    reasoning = min(max(usage.reasoning_tokens, 0), out)
    same = (inp, out, cached, written, reasoning) == (
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_input_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )
    if same:
        return usage
    return Usage(
        input_tokens=inp,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        output_tokens=out,
        reasoning_tokens=reasoning,
        is_estimated=True,
        note="clamped",
    )
