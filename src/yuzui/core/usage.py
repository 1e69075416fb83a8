"""What a call consumed, in one canonical shape for all vendors."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Token counts. A msgspec struct because one is made per response on the hot path.

    `input_tokens` is everything the model read, **including** cache reads and writes; `output_tokens` is everything it
    wrote, **including** reasoning. Counts below that say "of" are parts of the one that they name. How each vendor's
    counts map onto these: docs/reference/usage.md.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    """Of `input_tokens`: read from the vendor's cache."""
    cache_write_tokens: int = 0
    """Of `input_tokens`: written to the vendor's cache, for whatever time."""
    cache_write_1h_tokens: int = 0
    """Of `cache_write_tokens`: those to be kept for an hour, which cost more."""
    input_audio_tokens: int = 0
    """Of `input_tokens`."""
    output_tokens: int = 0
    reasoning_tokens: int = 0
    """Of `output_tokens`."""
    output_audio_tokens: int = 0
    """Of `output_tokens`."""
    server_tools: tuple[tuple[str, int], ...] = ()
    """Calls of tools that the vendor ran and may charge apart, by hub name: (("web_search", 2),)."""
    images: int = 0
    """Pictures made."""
    characters: int = 0
    """Characters read aloud."""
    audio_ms: int = 0
    """Sound listened to."""
    searches: int = 0
    """Rerank searches: one per query with up to 100 documents, as vendors bill them."""
    is_estimated: bool = False
    """True when the upstream never said and we counted or assumed."""
    note: str = ""
    """Why it is estimated or was clamped: `aborted`, `missing`, `clamped`, `unknown_outcome`, `unknown_tier`."""


MOST_UNITS = 10**9  # of anything that is counted apart: beyond it a target talks nonsense


def clamp_usage(usage: Usage, *, most_input: int, most_output: int) -> Usage:
    """`usage` inside physical bounds: never negative, no part larger than its whole, nothing beyond the bounds."""
    if _is_plain(usage, most_input, most_output):
        return usage
    inp = min(max(usage.input_tokens, 0), most_input)
    out = min(max(usage.output_tokens, 0), most_output)
    cached = min(max(usage.cached_input_tokens, 0), inp)
    written = min(max(usage.cache_write_tokens, 0), inp - cached)
    clamped = msgspec.structs.replace(
        usage,
        input_tokens=inp,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=min(max(usage.cache_write_1h_tokens, 0), written),
        input_audio_tokens=min(max(usage.input_audio_tokens, 0), inp - cached - written),
        output_tokens=out,
        reasoning_tokens=min(max(usage.reasoning_tokens, 0), out),
        output_audio_tokens=min(max(usage.output_audio_tokens, 0), out),
        server_tools=tuple([(name, count) for name, count in usage.server_tools if 0 < count <= MOST_UNITS]),
        images=min(max(usage.images, 0), MOST_UNITS),
        characters=min(max(usage.characters, 0), MOST_UNITS),
        audio_ms=min(max(usage.audio_ms, 0), MOST_UNITS),
        searches=min(max(usage.searches, 0), MOST_UNITS),
    )
    return usage if clamped == usage else msgspec.structs.replace(clamped, is_estimated=True, note="clamped")


def _is_plain(usage: Usage, most_input: int, most_output: int) -> bool:
    """Nearly every usage: tokens inside the bounds, their parts inside them, and nothing else that is counted."""
    written = usage.cache_write_tokens
    return (
        usage.cached_input_tokens >= 0
        and written >= 0
        and usage.cached_input_tokens + written <= usage.input_tokens <= most_input
        and 0 <= usage.reasoning_tokens <= usage.output_tokens <= most_output
        and not (usage.cache_write_1h_tokens or usage.input_audio_tokens or usage.output_audio_tokens)
        and not (usage.server_tools or usage.images or usage.characters or usage.audio_ms or usage.searches)
    )
