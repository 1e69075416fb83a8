"""The conversation as the Messages API wants it: a system prompt, and turns of content blocks.

* System and developer messages, wherever they stand, become the one top-level `system`, in their order: not every
  model takes them between turns, and a rule that loses its authority is worse than one that moves forward.
* Messages of the same role in a row are one turn; tool messages are `tool_result` blocks of the user's turn.
* Empty text is never sent (the API refuses it), and neither is a message that holds nothing else.

Source: https://platform.claude.com/docs/en/api/messages (read 2026-11-22), `anthropic` 2.14.0, types/*_param.py
(2026-11-26).
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable
from typing import Any, assert_never

from yuzui.core.chat import (
    AudioPart,
    CacheLifetime,
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
from yuzui.core.reasoning import may_return
from yuzui.providers.native_request import arguments_object, call_id_in

Block = dict[str, Any]  # Any: JSON values, about to be encoded
Drop = Callable[[str], None]

RELATIVES = frozenset({"anthropic", "bedrock", "vertex_anthropic"})
"""Providers of the same models: what one of them signed, the others can read."""
MOST_CACHE_MARKS = 4  # https://platform.claude.com/docs/en/build-with-claude/prompt-caching (2026-11-26)
_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/yaml", "application/x-yaml"})
_TOOL_ID = re.compile(r"[a-zA-Z0-9_-]+")
_THINKING = ("thinking", "redacted_thinking")


def write_conversation(messages: Iterable[Message], provider: str, drop: Drop) -> tuple[list[Block], list[Block]]:
    """System blocks and turns. Raise `UnsupportedFeature` for parts that the API has no block for.

    `provider`: who gets it; the thoughts of others are left out.
    """
    system: list[Block] = []
    turns: list[Block] = []
    for message in messages:
        if message.name:
            drop("messages.name")
        blocks = [block for part in message.parts if (block := _write_part(part, message, provider, drop)) is not None]
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


def mark(block: Block, cache: CacheLifetime) -> Block:
    """`block`, to be kept in the vendor's cache with all before it."""
    if cache:
        block["cache_control"] = {"type": "ephemeral"} if cache == "5m" else {"type": "ephemeral", "ttl": cache}
    return block


def limit_marks(tools: list[Block], system: list[Block], turns: list[Block], drop: Drop) -> None:
    """The API takes four marks: the last ones stay, for each covers all that stands before it."""
    blocks = [*tools, *system]
    for turn in turns:
        for block in turn["content"]:
            if block["type"] == "tool_result":
                blocks += block.get("content", ())
            blocks.append(block)
    marked = [block for block in blocks if "cache_control" in block]
    for block in marked[:-MOST_CACHE_MARKS]:
        del block["cache_control"]
        drop("cache_control")


def _write_part(part: Part, message: Message, provider: str, drop: Drop) -> Block | None:
    if isinstance(part, TextPart):
        return mark({"type": "text", "text": part.text}, part.cache) if part.text else None
    if isinstance(part, ImagePart):
        if message.role != "user":
            raise _unsayable(f"an image in a message of role {message.role}")
        return _write_image(part, drop)
    if isinstance(part, DocumentPart):
        if message.role != "user":
            raise _unsayable(f"a document in a message of role {message.role}")
        return _write_document(part)
    if isinstance(part, ReasoningPart):
        return _write_reasoning(part, provider, drop)
    if isinstance(part, ToolCallPart):
        return {
            "type": "tool_use",
            "id": call_id_in(_TOOL_ID, part.id),
            "name": part.name,
            "input": arguments_object(part),
        }
    if isinstance(part, ToolResultPart):
        return _write_result(part, drop)
    if isinstance(part, AudioPart):
        raise _unsayable("sound")
    if isinstance(part, OpaquePart):
        raise _unsayable(f"a content part of type {part.kind[:40]!r}")
    assert_never(part)


def _write_reasoning(part: ReasoningPart, provider: str, drop: Drop) -> Block | None:
    if may_return(part, provider, RELATIVES if provider in RELATIVES else frozenset()):
        if part.redacted and not part.text:
            return {"type": "redacted_thinking", "data": part.redacted}
        if part.signature:
            return {"type": "thinking", "thinking": part.text, "signature": part.signature}
    drop("reasoning")  # the vendor refuses thinking that it cannot verify as its own
    return None


def _write_image(part: ImagePart, drop: Drop) -> Block:
    if part.detail and part.detail != "auto":
        drop("messages.image_url.detail")
    source: Block
    if part.file_id:
        source = {"type": "file", "file_id": part.file_id}
    elif not part.data:
        source = {"type": "url", "url": part.url}
    elif part.media_type not in _IMAGE_TYPES:
        raise _unsayable(f"an image of type {part.media_type[:40]!r} (send JPEG, PNG, GIF or WebP)")
    else:
        source = {"type": "base64", "media_type": part.media_type, "data": part.data}
    return mark({"type": "image", "source": source}, part.cache)


def _write_document(part: DocumentPart) -> Block:
    block: Block = {"type": "document", "source": _document_source(part)}
    if part.title:
        block["title"] = part.title
    if part.context:
        block["context"] = part.context
    if part.wants_citations:
        block["citations"] = {"enabled": True}
    return mark(block, part.cache)


def _document_source(part: DocumentPart) -> Block:
    if part.file_id:
        return {"type": "file", "file_id": part.file_id}
    if part.text:
        return {"type": "text", "media_type": "text/plain", "data": part.text}
    if not part.data:
        return {"type": "url", "url": part.url}
    kind = part.media_type.partition(";")[0].strip()
    if kind == "application/pdf":
        return {"type": "base64", "media_type": kind, "data": part.data}
    if kind.startswith("text/") or kind in _TEXT_TYPES:
        try:
            text = b64decode(part.data).decode()
        except ValueError as error:
            raise _unsayable("a text document that is not UTF-8") from error
        return {"type": "text", "media_type": "text/plain", "data": text}
    raise _unsayable(f"a document of type {kind[:40]!r} (send a PDF or text)")


def _write_result(part: ToolResultPart, drop: Drop) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": call_id_in(_TOOL_ID, part.call_id)}
    content: list[Block] = []
    for piece in part.parts:
        if isinstance(piece, ImagePart):
            content.append(_write_image(piece, drop))
        elif isinstance(piece, DocumentPart):
            content.append(_write_document(piece))
        elif piece.text:
            content.append(mark({"type": "text", "text": piece.text}, piece.cache))
    if content:
        block["content"] = content
    if part.is_error:
        if all(piece["type"] == "text" for piece in content):
            block["is_error"] = True
        else:
            drop("tool_result.is_error")  # the API takes nothing but text for an error
    return mark(block, part.cache)


def _trim_prefill(turns: list[Block]) -> None:
    """A last turn of the assistant is continued by the model; the API refuses white space at its end."""
    if not turns or turns[-1]["role"] != "assistant" or turns[-1]["content"][-1]["type"] != "text":
        return
    content = turns[-1]["content"]
    text = content[-1]["text"].rstrip()
    if text:
        content[-1] = {**content[-1], "text": text}
        return
    content.pop()
    if not content:
        turns.pop()


def _unsayable(what: str) -> UnsupportedFeature:
    return UnsupportedFeature(f"this target cannot take {what}; leave it out or choose another model", param="messages")
