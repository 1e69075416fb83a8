"""Thoughts of other vendors in a conversation that goes on as its client wrote it: they stay here.

Answers of other wires hand their signed thoughts to chat clients in `reasoning_details`, with the provider that had
them in `format` (decision 0012). What a server of this wire sent itself goes back to it untouched: OpenRouter's own
formats end in a version (`anthropic-claude-v1`), others send none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

Message = dict[str, Any]  # Any: checked JSON

_OWN_FORMAT: Final = re.compile(r"(?:|unknown|.*-v\d+)\Z", re.DOTALL)
_WORDS: Final = ("reasoning_details", "reasoning_content", "reasoning")


def without_foreign_thoughts(messages: list[Message], provider: str, drop: Callable[[str], None]) -> list[Message]:
    """`messages` themselves where there are none: nearly always."""
    if not any("reasoning_details" in message for message in messages):
        return messages
    return [_without(message, provider, drop) for message in messages]


def _without(message: Message, provider: str, drop: Callable[[str], None]) -> Message:
    details = message.get("reasoning_details") or ()
    kept = [detail for detail in details if not _is_foreign(detail, provider)]
    if len(kept) == len(details):
        return message
    drop("reasoning")
    if kept:
        return {**message, "reasoning_details": kept}
    return {name: value for name, value in message.items() if name not in _WORDS}  # the words beside them are the same


def _is_foreign(detail: Message, provider: str) -> bool:
    origin = detail.get("format")
    return isinstance(origin, str) and origin != provider and _OWN_FORMAT.match(origin) is None
