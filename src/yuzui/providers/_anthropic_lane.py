"""The same-dialect lane of the Messages API: the client's own JSON, changed only where it must be.

What must be changed: the model; a bound on the answer where there is none, or one above the model's; and thoughts that
came from elsewhere, which this vendor would refuse: they carry a seal of ours in place of a vendor's signature.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from yuzui.core.chat import ChatRequest
from yuzui.core.reasoning import PREFIX, may_return, unseal
from yuzui.core.target import Target
from yuzui.providers._anthropic_request import max_tokens
from yuzui.providers._anthropic_thinking import MIN_THINKING_BUDGET
from yuzui.providers._anthropic_turns import RELATIVES, Block, is_unthought_tool_loop
from yuzui.providers.native_request import Dropped

_BETA = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_MOST_BETAS = 32
_SEALED_IN = {"thinking": "signature", "redacted_thinking": "data"}


def write_lane(request: ChatRequest, target: Target, output_cap: int | None) -> tuple[Block, tuple[str, ...]]:
    """The client's body, patched, and the names of what was left out."""
    body, drop = {**request.body, "model": target.model}, Dropped()
    if request.operation == "chat" and not _is_bounded(request, target):
        body["max_tokens"] = max_tokens(request, target, output_cap)
        _shrink_budget(body, drop)
    kept = _unsealed(body["messages"], target.provider, drop)
    if kept is not body["messages"]:
        body["messages"] = kept
        _stop_thinking(body, drop)
    for name in sorted(target.quirks.drops & body.keys()):
        if body.pop(name) is not None:
            drop(name)
    return body, drop.names


def betas(headers: Mapping[str, str]) -> str:
    """The client's `anthropic-beta`, as far as it looks like what that header holds."""
    names = [name.strip() for name in headers.get("anthropic-beta", "").split(",")]
    return ",".join(dict.fromkeys(name for name in names[:_MOST_BETAS] if _BETA.fullmatch(name)))


def _is_bounded(request: ChatRequest, target: Target) -> bool:
    asked = request.max_output_tokens
    return asked is not None and (not target.max_output_tokens or asked <= target.max_output_tokens)


def _shrink_budget(body: Block, drop: Dropped) -> None:
    """A budget of thinking must stay below the bound on the answer."""
    thinking = body.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if isinstance(budget, int) and budget >= body["max_tokens"]:
        body["thinking"] = {**(thinking or {}), "budget_tokens": max(body["max_tokens"] // 2, MIN_THINKING_BUDGET)}
        drop("thinking.budget_tokens")


def _unsealed(messages: Any, provider: str, drop: Dropped) -> Any:  # Any: checked JSON
    """`messages` themselves where no thought is sealed: nearly always."""
    changed: dict[int, list[Any]] = {}  # Any: JSON values
    for number, message in enumerate(messages):
        content = message.get("content")
        if message.get("role") != "assistant" or not isinstance(content, list):
            continue
        if any(_is_sealed(block) for block in content):
            written = [_unseal(block, provider) if _is_sealed(block) else block for block in content]
            changed[number] = [block for block in written if block is not None]
            if len(changed[number]) < len(content):
                drop("reasoning")
    if not changed:
        return messages
    patched = []
    for number, message in enumerate(messages):
        if number not in changed:
            patched.append(message)
        elif changed[number]:
            patched.append({**message, "content": changed[number]})
    return patched


def _stop_thinking(body: Block, drop: Dropped) -> None:
    """A turn that lost its thought is not gone on from with budgeted thinking: that is refused."""
    thinking, turns = body.get("thinking"), body["messages"]
    if not isinstance(thinking, dict) or thinking.get("type") != "enabled":
        return
    if all(_begins_with_a_block(turn) for turn in turns[-2:]) and is_unthought_tool_loop(turns):
        del body["thinking"]
        drop("thinking")


def _begins_with_a_block(turn: Block) -> bool:
    content = turn.get("content")
    return isinstance(content, list) and bool(content) and isinstance(content[0], dict) and "type" in content[0]


def _is_sealed(block: Any) -> bool:  # Any: JSON values
    if not isinstance(block, dict):
        return False
    sealed = block.get(_SEALED_IN.get(block.get("type") or "", ""))
    return isinstance(sealed, str) and sealed.startswith(PREFIX)


def _unseal(block: Block, provider: str) -> Block | None:
    """The thought as this vendor signed it, if it is one of its own; None otherwise."""
    text = block.get("thinking") or ""
    part = unseal(block[_SEALED_IN[block["type"]]], text)
    if part is None or not may_return(part, provider, RELATIVES if provider in RELATIVES else frozenset()):
        return None
    if part.redacted and not part.text:
        return {"type": "redacted_thinking", "data": part.redacted}
    return {"type": "thinking", "thinking": part.text, "signature": part.signature} if part.signature else None
