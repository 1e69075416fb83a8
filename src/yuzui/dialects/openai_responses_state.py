"""What is kept of a response, how a request continues one, and what the client is shown of it.

Kept is `{"input": [...], "response": {...}}`: every item that led to the answer, as it was sent, those of earlier
answers among them, and the response object as the client got it. All functions are pure; where it lies is the books'
matter. What is kept of a conversation: `openai_conversations`.
Source: openai 3.54.0 (`openai/resources/responses/`), read 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from yuzui.core import strict_json
from yuzui.core.chat import ChatRequest
from yuzui.core.errors import InvalidRequest, UpstreamInvalid
from yuzui.dialects import openai_conversations as conversations
from yuzui.dialects._kept_items import Item, encode, is_reference, items_of, list_page, name_of, resolve
from yuzui.dialects.openai_responses_answer import whose_item
from yuzui.dialects.openai_responses_meaning import MeaningReader
from yuzui.dialects.openai_responses_request import parse

_BAD: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Kept(Struct):
    input: list[Item]
    response: Raw


class _Output(Struct):
    output: list[Item] = []
    id: str = ""


_read_kept: Final = msgspec.json.Decoder(_Kept).decode
_read_output: Final = msgspec.json.Decoder(_Output).decode

# ---- continuing -----------------------------------------------------------------------------------------------------


def followed(body: Mapping[str, Any]) -> str:  # Any: checked JSON
    """What is kept that a request needs: the conversation that it belongs to, the answer that it continues, or the one
    that its last reference points into.

    A reference to an item with a name of the vendor's is returned as it is; `item_names` says where it stands.
    """
    joined = conversations.name_in(body.get("conversation"))
    if joined:
        return joined
    previous = body.get("previous_response_id")
    if previous:
        return _not_a_conversation(str(previous), "previous_response_id")
    items = body.get("input")
    for index, item in reversed(list(enumerate(items))) if isinstance(items, list) else ():
        if is_reference(item):
            return whose_item(_not_a_conversation(item["id"], f"input[{index}].id"))
    return ""


def _not_a_conversation(name: str, param: str) -> str:
    if name.startswith(conversations.PREFIX):
        raise InvalidRequest(f"`{param}` names a conversation; send it as `conversation`", param=param)
    return name


def follow(request: ChatRequest, earlier: bytes) -> ChatRequest:
    """`request` with the earlier items in front of its own, and its references replaced by what they name.

    Instructions of the earlier request are not carried over, as at OpenAI.
    """
    chain = conversations.read(earlier).items if request.joins else _chain(earlier)
    known = {name_of(item, place): item for place, item in enumerate(chain)}
    previous = request.body.get("previous_response_id")
    is_continued = bool(request.joins or previous)
    own = resolve(items_of(request.body.get("input")), known, stands_in_front=is_continued)
    body = {name: value for name, value in request.body.items() if name not in _STATE}
    body["input"] = [*chain, *own] if is_continued else own
    asked, needed = parse(body)
    return replace(
        request,
        body=body,
        features=needed,
        follows=previous or "",
        joined=earlier if request.joins else b"",
        read_meaning=MeaningReader(body, asked),
    )


_STATE: Final = ("previous_response_id", "conversation")


def _chain(earlier: bytes) -> list[Item]:
    kept = _read_kept(earlier)
    return kept.input + _read_output(kept.response).output


def item_names(kept: bytes) -> tuple[str, ...]:
    """By which names a client may refer to items of this answer, other than those that `whose_item` understands."""
    try:
        found = _read_output(_read_kept(kept).response)
    except _BAD as error:
        raise UpstreamInvalid(f"the target's answer cannot be kept: {type(error).__name__}") from error
    names = [item.get("id") for item in found.output]
    return tuple(name for name in names if isinstance(name, str) and whose_item(name) == name)


# ---- keeping -------------------------------------------------------------------------------------------------------


def to_keep(request: ChatRequest, answer: bytes) -> bytes:
    """What to keep of `request`, which has been through `follow`, and of its answer."""
    return strict_json.write({"input": items_of(request.body.get("input")), "response": Raw(answer)})


def to_join(request: ChatRequest, answer: bytes) -> bytes:
    """The conversation of `request`, which has been through `follow`, with what it asked and what it got."""
    conversation = conversations.read(request.joined)
    own = items_of(request.body.get("input"))[len(conversation.items) :]
    try:
        said = _read_output(answer).output
    except _BAD as error:
        raise UpstreamInvalid(f"the target's answer cannot be kept: {type(error).__name__}") from error
    conversation.add([*own, *said])
    return conversations.write(conversation)


# ---- showing -------------------------------------------------------------------------------------------------------


def show(kept: bytes) -> bytes:
    """The body for `GET /v1/responses/{id}`."""
    return bytes(_read_kept(kept).response)


def list_input_items(kept: bytes, query: str) -> bytes:
    """The body for `GET /v1/responses/{id}/input_items?after=…&limit=…&order=…`."""
    return list_page(_read_kept(kept).input, query, "response")


def deletion(id: str) -> bytes:
    """The body for `DELETE /v1/responses/{id}`."""
    return encode({"id": id, "object": "response", "deleted": True})
