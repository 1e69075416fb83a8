"""The conversation as the Messages API wants it: a system prompt, and turns of content blocks.

* System and developer messages, wherever they stand, become the one top-level `system`, in their order: not every
  model takes them between turns, and a rule that loses its authority is worse than one that moves forward.
* Messages of the same role in a row are one turn; tool messages are `tool_result` blocks of the user's turn.
* Empty text is never sent (the API refuses it), and neither is a message that holds nothing else.

Source: https://platform.claude.com/docs/en/api/messages (read 2026-11-22).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Any, assert_never

import msgspec

from yuzui.core.chat import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from yuzui.core.errors import UnsupportedFeature

Block = dict[str, Any]  # Any: JSON values, about to be encoded
Drop = Callable[[str], None]

INVALID_ARGUMENTS = "invalid_arguments"
"""Where the text of tool-call arguments goes that are no JSON object: `input` must be one, and the model may look."""
_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_TOOL_ID = re.compile(r"[a-zA-Z0-9_-]+")
_THINKING = ("thinking", "redacted_thinking")


def write_conversation(messages: Iterable[Message], drop: Drop) -> tuple[list[Block], list[Block]]:
    """System blocks and turns. Raise `UnsupportedFeature` for parts that the API has no block for."""
    system: list[Block] = []
    turns: list[Block] = []
    for message in messages:
        if message.name:
            drop("messages.name")
        blocks = [block for part in message.parts if (block := _write_part(part, message, drop)) is not None]
        if not blocks:
            continue
        if message.role in ("system", "developer"):
            system.extend(blocks)
            continue
        role = "assistant" if message.role == "assistant" else "user"
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"].extend(blocks)
        else:
            turns.append({"role": role, "content": blocks})
    _trim_prefill(turns)
    if not turns:
        raise UnsupportedFeature(
            "this target needs at least one message with content from the user; add one to `messages`", param="messages"
        )
    return system, turns


def called_tools(turns: Iterable[Block]) -> list[str]:
    """Names of the tools that the conversation called, each once, in order."""
    names = {block["name"]: None for turn in turns for block in turn["content"] if block["type"] == "tool_use"}
    return list(names)


def is_unthought_tool_loop(turns: list[Block]) -> bool:
    """Whether tool results answer a turn that does not begin with thinking; budgeted thinking is refused then."""
    if len(turns) < 2 or turns[-1]["role"] != "user" or turns[-1]["content"][0]["type"] != "tool_result":
        return False
    return turns[-2]["content"][0]["type"] not in _THINKING


def _write_part(part: Part, message: Message, drop: Drop) -> Block | None:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text} if part.text else None
    if isinstance(part, ImagePart):
        if message.role != "user":
            raise _unsayable(f"an image in a message of role {message.role}")
        return _write_image(part, drop)
    if isinstance(part, ReasoningPart):
        return _write_reasoning(part, drop)
    if isinstance(part, ToolCallPart):
        return {
            "type": "tool_use",
            "id": _write_id(part.id),
            "name": part.name,
            "input": _read_arguments(part.arguments),
        }
    if isinstance(part, ToolResultPart):
        return _write_result(part, drop)
    if isinstance(part, DocumentPart | AudioPart):
        raise _unsayable("a document" if isinstance(part, DocumentPart) else "sound")
    if isinstance(part, OpaquePart):
        raise _unsayable(f"a content part of type {part.kind[:40]!r}")
    assert_never(part)


def _write_reasoning(part: ReasoningPart, drop: Drop) -> Block | None:
    if part.redacted:
        return {"type": "redacted_thinking", "data": part.redacted}
    if part.signature:
        return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    drop("messages.reasoning_content")  # the vendor refuses thinking that it cannot verify as its own
    return None


def _write_image(part: ImagePart, drop: Drop) -> Block:
    if part.detail and part.detail != "auto":
        drop("messages.image_url.detail")
    if not part.data:
        return {"type": "image", "source": {"type": "url", "url": part.url}}
    if part.media_type not in _IMAGE_TYPES:
        raise _unsayable(f"an image of type {part.media_type[:40]!r} (send JPEG, PNG, GIF or WebP)")
    return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": part.data}}


def _write_result(part: ToolResultPart, drop: Drop) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": _write_id(part.call_id)}
    content: list[Block] = []
    for piece in part.parts:
        if isinstance(piece, ImagePart):
            content.append(_write_image(piece, drop))
        elif piece.text:
            content.append({"type": "text", "text": piece.text})
    if content:
        block["content"] = content
    return block


def _read_arguments(text: str) -> Block:
    if not text.strip():
        return {}  # how several vendors spell a call without arguments
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {INVALID_ARGUMENTS: text}
    return value if isinstance(value, dict) else {INVALID_ARGUMENTS: text}


def _write_id(call_id: str) -> str:
    """`call_id` where the API's pattern allows it; otherwise a stand-in that is the same for call and result."""
    if _TOOL_ID.fullmatch(call_id):
        return call_id
    return "call_" + hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _trim_prefill(turns: list[Block]) -> None:
    """A last turn of the assistant is continued by the model; the API refuses white space at its end."""
    if not turns or turns[-1]["role"] != "assistant" or turns[-1]["content"][-1]["type"] != "text":
        return
    content = turns[-1]["content"]
    text = content[-1]["text"].rstrip()
    if text:
        content[-1] = {"type": "text", "text": text}
        return
    content.pop()
    if not content:
        turns.pop()


def _unsayable(what: str) -> UnsupportedFeature:
    return UnsupportedFeature(f"this target cannot take {what}; leave it out or choose another model", param="messages")
