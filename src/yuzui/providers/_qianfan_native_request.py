"""What Qianfan wants in other words than OpenAI's: the search of the web, and thinking.

On the lane the client's own `web_search`, `enable_thinking` and `thinking_budget` go before what OpenAI's words mean.
Sources (2026-11-26): see `qianfan_native`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec

from yuzui.core.chat import ChatRequest
from yuzui.core.errors import UnsupportedFeature
from yuzui.providers._contract import WireRequest

KNOBS: Final = frozenset(
    {"penalty_score", "repetition_penalty", "web_search", "enable_thinking", "thinking_budget", "top_k", "effort_none"}
)
"""Fields of the vendor's own that clients of every dialect may send; `effort_none`, because effort is reworded here."""
THINKING_BUDGETS: Final = {"minimal": 512, "low": 1024, "medium": 8192}
"""Tokens of thinking per effort; our choice. More effort has no budget."""

Json = dict[str, Any]  # Any: JSON values
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_text = msgspec.json.Decoder(str | None).decode
_object = msgspec.json.Decoder(dict[str, Any] | None).decode  # Any: JSON values


def add_own(wire: WireRequest, request: ChatRequest) -> WireRequest:
    """`wire` in the vendor's words; raise `UnsupportedFeature` for a search that leaves sites out."""
    is_said = b'"web_search_options"' in wire.body or b'"reasoning_effort"' in wire.body
    if not is_said and (wire.is_lane or request.meaning.thinking_budget is None):
        return wire
    body: dict[str, Any] = dict(_fields(wire.body))  # Any: JSON values, encoded or not
    dropped = list(wire.dropped)
    _reword_search(body, request, wire.is_lane, dropped)
    _reword_thinking(body, request, wire.is_lane)
    return replace(wire, body=_encode(body), dropped=tuple(dict.fromkeys(dropped)))


def _reword_search(body: Json, request: ChatRequest, is_lane: bool, dropped: list[str]) -> None:
    options = body.pop("web_search_options", None)
    if options is None:
        return
    if not is_lane:
        wanted = request.meaning.web_search
        if wanted is not None and wanted.blocked_domains:
            raise UnsupportedFeature(
                "this target's search cannot leave sites out; choose another model", param="web_search_options"
            )
    dropped.extend([f"web_search_options.{name}" for name in sorted(_object(options) or {})])
    # The pages come in `search_results`; marks in the text are for clients that ask in the vendor's own words.
    body.setdefault("web_search", {"enable": True, "enable_trace": True})


def _reword_thinking(body: Json, request: ChatRequest, is_lane: bool) -> None:
    raw = body.pop("reasoning_effort", None)
    effort = _text(raw) if raw is not None else None
    budget = None if is_lane else request.meaning.thinking_budget
    if (effort is None or effort == "default") and budget is None:
        return
    is_off = budget == 0 or (budget is None and effort == "none")
    body.setdefault("enable_thinking", not is_off)
    tokens = THINKING_BUDGETS.get(effort or "") if budget is None else budget
    if not is_off and tokens is not None and tokens > 0:
        body.setdefault("thinking_budget", tokens)
