"""A conversation as input items of the Responses API, which keeps nothing: each item travels whole, without an id.

Ids of items (`rs_…`, `msg_…`, `fc_…`) name what lies in the vendor's storage. With `store: false` nothing lies there,
and an id alone or beside content is looked up and not found, so none is sent; thoughts return in `encrypted_content`.
This is how OpenAI's own agent does it (https://github.com/openai/codex, codex-rs/protocol/src/models.rs, read
2026-11-26; see also https://github.com/vercel/ai/pull/12689 for Azure).

Source of the items: openai==3.57.0, types/responses/response_input_item_param.py (read 2026-11-26).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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

Item = dict[str, Any]  # Any: JSON values, about to be encoded
Drop = Callable[[str], None]

OWN_WORDS: Final = "reasoning_text"
"""In `quirks.reasoning_fields`: a server of open models that wants thoughts back that nobody encrypted."""
RELATIVES: Final = frozenset(("openai", "openai_responses"))
"""Rows of one vendor: what a model thought under one of them is understood under the other."""


def relatives_of(target: Target) -> frozenset[str]:
    return RELATIVES if target.provider in RELATIVES else frozenset()


def write_items(messages: Iterable[Message], target: Target, drop: Drop) -> list[Item]:
    """Raise `UnsupportedFeature` for parts that no item can hold."""
    items: list[Item] = []
    custom_calls: set[str] = set()
    for message in messages:
        if message.name:
            drop("messages.name")
        if message.role == "assistant":
            _write_answer(message.parts, target, items, custom_calls, drop)
            continue
        content: list[Item] = []
        for part in message.parts:
            if isinstance(part, ToolResultPart):
                _say(message.role, content, target, items)
                content = []
                items.append(_write_result(part, custom_calls, drop))
            else:
                piece = _write_piece(part, drop)
                if piece is not None:
                    content.append(piece)
        _say(message.role, content, target, items)
    return items


def write_reasoning(part: ReasoningPart, target: Target) -> Item | None:
    """The item that gives a thought back; None where it must not or cannot return."""
    if not may_return(part, target.provider, relatives_of(target)):
        return None
    if part.redacted:
        summary = [{"type": "summary_text", "text": part.text}] if part.text and part.is_summary else []
        return {"type": "reasoning", "summary": summary, "encrypted_content": part.redacted}
    if part.text and not part.is_summary and part.origin and OWN_WORDS in target.quirks.reasoning_fields:
        return {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": part.text}]}
    return None


def _say(role: str, content: list[Item], target: Target, items: list[Item]) -> None:
    if not content:
        return
    if role == "developer" and not target.quirks.developer_role:
        role = "system"
    is_plain = len(content) == 1 and content[0].keys() == {"type", "text"}
    items.append({"role": role, "content": content[0]["text"] if is_plain else content})


def _write_answer(parts: Sequence[Part], target: Target, items: list[Item], custom_calls: set[str], drop: Drop) -> None:
    """An assistant's turn: what it thought, said and called, each an item of its own, in its order."""
    texts: list[str] = []
    went_back = was_lost = False
    for part in parts:
        if isinstance(part, TextPart):
            if part.text:
                texts.append(part.text)
            if part.cache:
                drop("cache_control")  # only what goes in can be marked
            continue
        _say_texts(texts, items)
        if isinstance(part, ReasoningPart):
            item = write_reasoning(part, target)
            if item is not None:
                items.append(item)
                went_back = True
            elif part.text or part.redacted or part.signature:
                was_lost = True
        elif isinstance(part, ToolCallPart):
            if part.is_custom:
                custom_calls.add(part.id)
            items.append(_write_call(part))
        else:
            raise _unsayable(f"{_name(part)} in a message of the assistant")
    _say_texts(texts, items)
    if was_lost and not went_back:  # the summary of a thought that went back encrypted is no loss
        drop("reasoning")


def _say_texts(texts: list[str], items: list[Item]) -> None:
    if len(texts) == 1:
        items.append({"role": "assistant", "content": texts[0]})
    elif texts:
        items.append({"role": "assistant", "content": [{"type": "output_text", "text": text} for text in texts]})
    texts.clear()


def _write_call(part: ToolCallPart) -> Item:
    if part.is_custom:
        return {"type": "custom_tool_call", "call_id": part.id, "name": part.name, "input": part.arguments}
    # An empty argument text is how some models call without arguments; here it must be JSON.
    return {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": part.arguments or "{}"}


def _write_result(part: ToolResultPart, custom_calls: set[str], drop: Drop) -> Item:
    if part.is_error:
        drop("tool_result.is_error")  # there is no field for it; the text of an error usually says so
    pieces = [piece for one in part.parts if (piece := _write_piece(one, drop)) is not None]
    if part.cache and pieces:
        _marked(pieces[-1], part.cache)
    elif part.cache:
        drop("cache_control")
    output: str | list[Item] = pieces
    if all(piece.keys() == {"type", "text"} for piece in pieces):
        output = "".join(piece["text"] for piece in pieces)
    kind = "custom_tool_call_output" if part.call_id in custom_calls else "function_call_output"
    return {"type": kind, "call_id": part.call_id, "output": output}


def _write_piece(part: Part, drop: Drop) -> Item | None:
    match part:
        case TextPart():
            return _marked({"type": "input_text", "text": part.text}, part.cache) if part.text else None
        case ImagePart():
            return _marked(_write_image(part), part.cache)
        case DocumentPart():
            return _marked(_write_document(part, drop), part.cache)
        case AudioPart() | OpaquePart() | ReasoningPart() | ToolCallPart() | ToolResultPart():
            raise _unsayable(_name(part))
        case _:
            assert_never(part)


def _marked(piece: Item, cache: CacheLifetime) -> Item:
    if cache:
        piece["prompt_cache_breakpoint"] = {"mode": "explicit"}
    return piece


def limit_breakpoints(items: Iterable[Item], most: int, drop: Drop) -> None:
    """Leave the last `most` of the breakpoints: each covers all that stands before it."""
    marked = [
        piece
        for item in items
        for pieces in (item.get("content"), item.get("output"))
        if isinstance(pieces, list)
        for piece in pieces
        if "prompt_cache_breakpoint" in piece
    ]
    for piece in marked[: max(len(marked) - most, 0)]:
        del piece["prompt_cache_breakpoint"]
        drop("cache_control")


def _write_image(part: ImagePart) -> Item:
    image: Item = {"type": "input_image", "detail": part.detail or "auto"}
    if part.file_id:
        image["file_id"] = part.file_id
    else:
        image["image_url"] = part.url or f"data:{part.media_type};base64,{part.data}"
    return image


def _write_document(part: DocumentPart, drop: Drop) -> Item:
    if part.wants_citations:
        drop("document.citations")
    if part.text:
        return {"type": "input_text", "text": "\n\n".join(filter(None, (part.title, part.context, part.text)))}
    if part.context:
        drop("document.context")
    file: Item = {"type": "input_file"}
    if part.file_id:
        file["file_id"] = part.file_id
    elif part.url:
        file["file_url"] = part.url
    else:
        media_type = part.media_type or "application/pdf"
        file["filename"] = part.title or f"document.{_EXTENSIONS.get(media_type, 'pdf')}"
        file["file_data"] = f"data:{media_type};base64,{part.data}"
    return file


_EXTENSIONS: Final = {"application/pdf": "pdf", "text/plain": "txt", "text/markdown": "md", "text/csv": "csv"}
"""A file must have a name, and its end tells what it is."""


def _name(part: Part) -> str:
    if isinstance(part, OpaquePart):
        return f"a content part of type {part.kind[:40]!r}"
    return {AudioPart: "sound", ImagePart: "an image", DocumentPart: "a document"}.get(type(part), "such a part")


def _unsayable(what: str) -> UnsupportedFeature:
    return UnsupportedFeature(f"this target cannot take {what}; leave it out or choose another model", param="messages")
