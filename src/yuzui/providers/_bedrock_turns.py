"""The conversation as Converse wants it: system blocks, and turns of content blocks in which roles alternate.

* System and developer messages, wherever they stand, become the one `system`, in their order, as for Claude.
* Blank text is never sent (the API refuses it), and neither is a turn that holds nothing else.
* Binary content travels as base64 in JSON; the API fetches from S3 only, so other addresses are refused.

Source: botocore==1.44.8, bedrock-runtime service model: ContentBlock and what it holds (read 2026-11-26).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, assert_never

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
from yuzui.core.target import Target
from yuzui.providers._bedrock_models import Family
from yuzui.providers.native_request import Dropped, arguments_object, call_id_in

Block = dict[str, Any]  # Any: JSON values, about to be encoded

_CLAUDE_AT_HOME: Final = frozenset({"anthropic"})
"""Claude's signatures are good at every place that serves it, says the vendor
(https://platform.claude.com/docs/en/build-with-claude/extended-thinking, read 2026-11-26); its encrypted thoughts,
which are spelled otherwise here, are not sent from place to place."""
_IMAGES: Final = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS: Final = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
_SOUNDS: Final = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
    "audio/opus": "opus",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/mp4": "mp4",
    "audio/webm": "webm",
    "audio/pcm": "pcm",
    "audio/pcm16": "pcm",
}
_TOOL_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_NOT_IN_NAMES: Final = re.compile(r"[^0-9A-Za-z()\[\]\s-]+")
_MOST_NAME_CHARS: Final = 180


class Conversation:
    """Collects blocks; knows what the target's family takes and which names its documents already have."""

    def __init__(self, target: Target, family: Family, drop: Dropped) -> None:
        self.system: list[Block] = []
        self.turns: list[Block] = []
        self._target = target
        self._family = family
        self._drop = drop
        self._names: set[str] = set()

    def add(self, messages: Iterable[Message]) -> None:
        """Raise `UnsupportedFeature` for parts that the API has no block for."""
        for message in messages:
            if message.name:
                self._drop("messages.name")
            blocks: list[Block] = []
            for part in message.parts:
                block = self._write(part)
                if block is not None:
                    blocks.append(block)
                    self.add_cache_point(blocks, _cache_of(part))
            self._place(message.role, blocks)
        if not self.turns:
            raise UnsupportedFeature(
                "this target needs at least one message with content from the user; add one to `messages`",
                param="messages",
            )

    def add_cache_point(self, blocks: list[Block], lifetime: CacheLifetime) -> None:
        """Ask to keep the prompt up to here, where the family can."""
        if not lifetime:
            return
        if not self._family.takes_cache_points:
            self._drop("cache_control")
            return
        point = {"type": "default", "ttl": "1h"} if lifetime == "1h" else {"type": "default"}
        blocks.append({"cachePoint": point})

    def called_tools(self) -> list[str]:
        """Names of the tools that the conversation called, each once, in order."""
        return list(
            {block["toolUse"]["name"]: None for turn in self.turns for block in turn["content"] if "toolUse" in block}
        )

    def is_unthought_tool_loop(self) -> bool:
        """Whether tool results answer a turn that does not begin with thinking; budgeted thinking is refused then."""
        turns = self.turns
        if len(turns) < 2 or "toolResult" not in turns[-1]["content"][0]:
            return False
        return "reasoningContent" not in turns[-2]["content"][0]

    def _place(self, role: str, blocks: list[Block]) -> None:
        if not blocks:
            return
        if role in ("system", "developer"):
            for block in blocks:
                if not ("text" in block or "cachePoint" in block):
                    raise _unsayable("anything but text in a system message")
            self.system += blocks
            return
        role = "assistant" if role == "assistant" else "user"
        if self.turns and self.turns[-1]["role"] == role:
            self.turns[-1]["content"] += blocks
        else:
            self.turns.append({"role": role, "content": blocks})

    def _write(self, part: Part) -> Block | None:
        if isinstance(part, TextPart):
            return {"text": part.text} if part.text.strip() else None
        if isinstance(part, ReasoningPart):
            return self._write_reasoning(part)
        if isinstance(part, ToolCallPart):
            call = {"toolUseId": call_id_in(_TOOL_ID, part.id), "name": part.name, "input": arguments_object(part)}
            return {"toolUse": call}
        if isinstance(part, ToolResultPart):
            return self._write_result(part)
        if isinstance(part, ImagePart):
            return self._write_image(part)
        if isinstance(part, DocumentPart):
            return self._write_document(part)
        if isinstance(part, AudioPart):
            form = _SOUNDS.get(part.media_type)
            if form is None:
                raise _unsayable(f"sound of type {part.media_type[:40]!r}")
            return {"audio": {"format": form, "source": {"bytes": part.data}}}
        if isinstance(part, OpaquePart):
            raise _unsayable(f"a content part of type {part.kind[:40]!r}")
        assert_never(part)

    def _write_reasoning(self, part: ReasoningPart) -> Block | None:
        family, provider = self._family, self._target.provider
        if may_return(part, provider):
            if part.redacted and family.signs_thoughts:
                return {"reasoningContent": {"redactedContent": part.redacted}}
            if part.signature and family.signs_thoughts:
                return _thought(part)
            wants_words = "reasoningText" in self._target.quirks.reasoning_fields
            if part.text and part.origin and not part.is_summary and wants_words:
                return {"reasoningContent": {"reasoningText": {"text": part.text}}}
        elif part.signature and family.name == "claude" and may_return(part, provider, _CLAUDE_AT_HOME):
            return _thought(part)
        if part.text or part.redacted or part.signature:
            self._drop("reasoning")  # refused when unsigned, and by families that do not want it back
        return None

    def _write_result(self, part: ToolResultPart) -> Block:
        content = [block for piece in part.parts if (block := self._write(piece)) is not None]
        result: Block = {"toolUseId": call_id_in(_TOOL_ID, part.call_id), "content": content}
        if part.is_error:
            if self._family.takes_status:
                result["status"] = "error"
            else:
                self._drop("tool_result.is_error")
        return {"toolResult": result}

    def _write_image(self, part: ImagePart) -> Block:
        if part.detail not in ("", "auto"):
            self._drop("messages.image_url.detail")
        form = _IMAGES.get(part.media_type) or _IMAGES.get(f"image/{_ending(part.url)}")
        if form is None:
            raise _unsayable(f"an image of type {part.media_type[:40]!r} (send JPEG, PNG, GIF or WebP)")
        return {"image": {"format": form, "source": _source(part.data, part.url, "an image")}}

    def _write_document(self, part: DocumentPart) -> Block:
        document: Block = {}
        form = "txt" if part.text else _DOCUMENTS.get(part.media_type, _ending(part.url))
        if form not in _DOCUMENTS.values():
            raise _unsayable(f"a document of type {part.media_type[:40]!r}")
        document["format"] = form
        document["name"] = self._name_document(part.title)
        document["source"] = {"text": part.text} if part.text else _source(part.data, part.url, "a document")
        if part.context:
            document["context"] = part.context
        if part.wants_citations:
            document["citations"] = {"enabled": True}
        return {"document": document}

    def _name_document(self, title: str) -> str:
        """A name in the characters that the API allows; no two documents may have the same."""
        name = " ".join(_NOT_IN_NAMES.sub(" ", title).split())[:_MOST_NAME_CHARS].strip() or "document"
        found, number = name, 2
        while found in self._names:
            found, number = f"{name} ({number})", number + 1
        self._names.add(found)
        return found


def _cache_of(part: Part) -> CacheLifetime:
    """A mark inside of a result stands behind the result: no cache point fits into one."""
    if isinstance(part, TextPart | ImagePart | DocumentPart):
        return part.cache
    if not isinstance(part, ToolResultPart):
        return ""
    return part.cache or next((piece.cache for piece in reversed(part.parts) if piece.cache), "")


def _thought(part: ReasoningPart) -> Block:
    return {"reasoningContent": {"reasoningText": {"text": part.text, "signature": part.signature}}}


def _source(data: str, url: str, what: str) -> Block:
    if data:
        return {"bytes": data}
    if url.startswith("s3://"):
        return {"s3Location": {"uri": url}}
    raise _unsayable(f"{what} by an address other than s3:// (send it inline)")


def _ending(url: str) -> str:
    ending = url.rpartition(".")[2].lower()
    return "jpeg" if ending == "jpg" else ending


def _unsayable(what: str) -> UnsupportedFeature:
    return UnsupportedFeature(f"this target cannot take {what}; leave it out or choose another model", param="messages")
