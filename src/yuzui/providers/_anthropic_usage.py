"""Counts of the Messages API in the canonical shape.

| vendor field | `Usage` field |
|---|---|
| `input_tokens` + `cache_read_input_tokens` + `cache_creation_input_tokens` | `input_tokens` |
| `cache_read_input_tokens` | `cached_input_tokens` |
| `cache_creation_input_tokens` | `cache_write_tokens` |
| `cache_creation.ephemeral_1h_input_tokens` | `cache_write_1h_tokens` |
| `output_tokens` | `output_tokens` |
| `output_tokens_details.thinking_tokens` | `reasoning_tokens` |
| `server_tool_use.NAME_requests` | `server_tools` under NAME |
| `service_tier`, `speed`, `inference_geo` | none: they are price terms |
| `iterations` of type `compaction` and `advisor_message` | added to all of the above: the totals leave them out |

Source: https://platform.claude.com/docs/en/api/messages, `anthropic` 2.14.0, types/usage.py and
types/beta/beta_usage.py (2026-11-26). Bounds are not checked here, see `core.usage`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from yuzui.core.price_terms import PriceTerm, field_of, told_terms
from yuzui.core.usage import Usage

_APART = frozenset({"compaction", "advisor_message"})
_KNOWN_CALLS = ("web_search", "web_fetch")


class _OutputDetails(msgspec.Struct, frozen=True):
    thinking_tokens: int | None = None


class _CacheCreation(msgspec.Struct, frozen=True):
    ephemeral_1h_input_tokens: int | None = None


class _ServerTools(msgspec.Struct, frozen=True):
    web_search_requests: int | None = None
    web_fetch_requests: int | None = None


class _Iteration(msgspec.Struct, frozen=True):
    type: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None


class WireUsage(msgspec.Struct, frozen=True):
    """Cumulative; `input_tokens` leaves out what was read from or written to the cache."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None
    output_tokens_details: _OutputDetails | None = None
    server_tool_use: _ServerTools | None = None
    iterations: tuple[_Iteration, ...] | None = None
    service_tier: Any = None  # Any: a word, where it is one; so are the next two
    speed: Any = None
    inference_geo: Any = None


class UsageReader:
    """Counts of one answer. Those of a later event replace the earlier ones; an absent one stands as it did."""

    __slots__ = (
        "_apart", "_cached", "_calls", "_input", "_is_told", "_output", "_thinking", "_written", "_written_1h",
        "price_terms",
    )  # fmt: skip

    def __init__(self) -> None:
        self._is_told = False
        self._input = 0
        self._cached = 0
        self._written = 0
        self._written_1h = 0
        self._output = 0
        self._thinking = 0
        self._calls: dict[str, int] = {}
        self._apart: tuple[_Iteration, ...] = ()
        self.price_terms: tuple[PriceTerm, ...] = ()
        """Those that were told last."""

    def read(self, usage: WireUsage | None) -> None:
        if usage is None:
            return
        self._is_told = True
        self._input = _or(usage.input_tokens, self._input)
        self._cached = _or(usage.cache_read_input_tokens, self._cached)
        self._written = _or(usage.cache_creation_input_tokens, self._written)
        self._output = _or(usage.output_tokens, self._output)
        if usage.cache_creation is not None:
            self._written_1h = _or(usage.cache_creation.ephemeral_1h_input_tokens, self._written_1h)
        if usage.output_tokens_details is not None:
            self._thinking = _or(usage.output_tokens_details.thinking_tokens, self._thinking)
        if usage.server_tool_use is not None:
            for name in _KNOWN_CALLS:
                count = getattr(usage.server_tool_use, f"{name}_requests")
                if count:
                    self._calls[name] = count
        if usage.iterations is not None:
            self._apart = tuple([turn for turn in usage.iterations if turn.type in _APART])
        told = told_terms(service_tier=usage.service_tier, speed=usage.speed, inference_geo=usage.inference_geo)
        if told:
            fields = {field_of(term) for term in told}
            self.price_terms = (*(term for term in self.price_terms if field_of(term) not in fields), *told)

    @property
    def usage(self) -> Usage | None:
        if not self._is_told:
            return None
        apart = self._apart
        cached = self._cached + sum(turn.cache_read_input_tokens or 0 for turn in apart)
        written = self._written + sum(turn.cache_creation_input_tokens or 0 for turn in apart)
        return Usage(
            input_tokens=self._input + cached + written + sum(turn.input_tokens or 0 for turn in apart),
            cached_input_tokens=cached,
            cache_write_tokens=written,
            cache_write_1h_tokens=self._written_1h + sum(_written_1h(turn) for turn in apart),
            output_tokens=self._output + sum(turn.output_tokens or 0 for turn in apart),
            reasoning_tokens=self._thinking,
            server_tools=tuple(self._calls.items()),
        )


def _written_1h(turn: _Iteration) -> int:
    return (turn.cache_creation.ephemeral_1h_input_tokens or 0) if turn.cache_creation is not None else 0


def _or(value: int | None, other: int) -> int:
    return other if value is None else value
