"""A Responses body on its way to a Responses server: patched where the gateway's keeping of state makes it necessary.

The gateway keeps conversations itself, under the conversation's label; a vendor is told to keep nothing. So the state
that it would have (`previous_response_id`, `conversation`, ids of items) never reaches it, and thoughts travel
encrypted. Everything else of the body stays as the client wrote it.
"""

from __future__ import annotations

from typing import Any, Final

from yuzui.core.chat import ChatRequest
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.reasoning import PREFIX, unseal
from yuzui.core.target import Target
from yuzui.providers._openai_responses_items import OWN_WORDS, Drop, Item, write_reasoning

_STATE: Final = ("previous_response_id", "conversation")
_WITHOUT_ID: Final = frozenset(
    (
        "message",
        "reasoning",
        "compaction",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "web_search_call",
        "local_shell_call",
        "local_shell_call_output",
        "shell_call",
        "shell_call_output",
        "apply_patch_call",
        "apply_patch_call_output",
        "computer_call_output",
    )
)
"""Items that mean the same without their id; others (`mcp_call`, `code_interpreter_call`, …) must have one."""


def patch(request: ChatRequest, target: Target, drop: Drop) -> Item:
    """The client's body for `target`, without `model`, `store` and the limit. Raise `UnsupportedFeature` for what needs
    the vendor's storage."""
    body = dict(request.body)
    if body.get("background"):
        raise UnsupportedFeature(
            "`background` needs the vendor to store the answer, which this gateway does not let it; leave it out",
            param="background",
        )
    for name in _STATE:
        body.pop(name, None)
    if request.stream != bool(body.get("stream")):
        body["stream"] = request.stream
    items = body.get("input")
    if isinstance(items, list):
        body["input"] = _patch_items(items, target, drop)
    quirks = target.quirks
    for name in sorted(quirks.drops & body.keys()):
        if body.pop(name) is not None:
            drop(name)
    for name, new_name in quirks.renames.items():
        if name in body:
            body[new_name] = body.pop(name)
    return body


def _patch_items(items: list[Any], target: Target, drop: Drop) -> list[Any]:  # Any: checked JSON
    patched: list[Any] = []
    for position, item in enumerate(items):
        if not isinstance(item, dict):
            patched.append(item)
            continue
        kind = item.get("type") or ("message" if "role" in item else "item_reference")
        if kind == "item_reference":
            raise UnsupportedFeature(
                f"`input[{position}]` refers to an item that the vendor would have to store; send the item itself",
                param=f"input[{position}]",
            )
        if kind == "reasoning":
            thought = _patch_reasoning(item, target)
            if thought is None:
                drop("reasoning")
            else:
                patched.append(thought)
        elif kind in _WITHOUT_ID and "id" in item:
            patched.append(_without_id(item))
        else:
            patched.append(item)
    return patched


def _patch_reasoning(item: Item, target: Target) -> Item | None:
    """A thought as it may return to `target`; None for another vendor's, and for one that is only named."""
    encrypted = item.get("encrypted_content")
    if not isinstance(encrypted, str) or not encrypted:
        return _without_id(item) if item.get("content") and OWN_WORDS in target.quirks.reasoning_fields else None
    if not encrypted.startswith(PREFIX):
        return _without_id(item)
    part = unseal(encrypted, _text(item))
    return None if part is None else write_reasoning(part, target)


def _text(item: Item) -> str:
    pieces = item.get("content") or item.get("summary") or ()
    return "\n\n".join(
        piece["text"] for piece in pieces if isinstance(piece, dict) and isinstance(piece.get("text"), str)
    )


def _without_id(item: Item) -> Item:
    return {name: value for name, value in item.items() if name != "id"}
