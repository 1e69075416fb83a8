"""Conversations of the Responses API, as they are kept and shown: items in order, and the client's metadata.

Kept is `{"created_at": …, "metadata": {…}, "added": N, "items": […]}`; every item has a name, `added` counts all that
were ever there. All functions are pure; where it lies is the books' matter.
Source: openai 3.54.0 (`openai/resources/conversations/`, `openai/types/conversations/`), read 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from yuzui.core.errors import InvalidRequest, NotFound, YuzuiError
from yuzui.dialects._explain import check_name
from yuzui.dialects._kept_items import Item, encode, is_reference, list_page, listed, name_of, new_name, page_of
from yuzui.dialects.openai_responses_request import parse

MOST_ADDED: Final = 20
"""Items in one request to add some; an answer may bring any number."""
PREFIX: Final = "conv_"

_MOST_PAIRS: Final = 16
_MOST_KEY_CHARS: Final = 64
_MOST_VALUE_CHARS: Final = 512


class Conversation(Struct):
    created_at: int
    metadata: dict[str, str]
    added: int = 0
    items: list[Item] = []

    def add(self, items: Sequence[Item]) -> list[Item]:
        """Take copies of `items`, each under a name of its own, which they are returned with."""
        known = {item["id"] for item in self.items}
        new: list[Item] = []
        for item in items:
            name = name_of(item, self.added)
            if name in known:
                name = new_name(item, self.added)
            known.add(name)
            new.append({**item, "id": name})
            self.added += 1
        self.items.extend(new)
        return new

    def find(self, name: str) -> int:
        for place, item in enumerate(self.items):
            if item["id"] == name:
                return place
        raise NotFound(f"this conversation has no item {name[:100]!r}; list its items", code="item_not_found")


read: Final = msgspec.json.Decoder(Conversation).decode
"""What `write` made."""
write: Final = encode


def name_in(given: object) -> str:
    """The id in a request's `conversation`, which is a text or `{"id": …}`; "" when there is none."""
    if given is None:
        return ""
    name = given.get("id") if isinstance(given, dict) else given
    if not isinstance(name, str) or not name.startswith(PREFIX):
        raise InvalidRequest('`conversation` must be the id of one, or {"id": "conv_…"}', param="conversation")
    return check_name(name, "conversation")


def create(body: Mapping[str, Any], at_s: int) -> Conversation:  # Any: checked JSON
    """From the body of `POST /v1/conversations`."""
    _check_fields(body, ("items", "metadata"))
    conversation = Conversation(created_at=at_s, metadata=_read_metadata(body.get("metadata")))
    conversation.add(_read_items(body.get("items") or []))
    return conversation


def update(conversation: Conversation, body: Mapping[str, Any]) -> None:  # Any: checked JSON
    """From the body of `POST /v1/conversations/{id}`: the metadata, as a whole."""
    _check_fields(body, ("metadata",))
    if "metadata" not in body:
        raise InvalidRequest("`metadata` is missing; it is what can be changed", param="metadata")
    conversation.metadata = _read_metadata(body["metadata"])


def add_items(conversation: Conversation, body: Mapping[str, Any]) -> bytes:  # Any: checked JSON
    """From the body of `POST /v1/conversations/{id}/items`; returns the body that answers it."""
    _check_fields(body, ("items",))
    items = _read_items(body.get("items"))
    if not items:
        raise InvalidRequest(f"`items` is missing; send up to {MOST_ADDED}", param="items")
    before = len(conversation.items)
    added = conversation.add(items)
    return page_of([listed(item, before + place) for place, item in enumerate(added)])


def show(conversation: Conversation, id: str) -> bytes:
    """The body for `GET /v1/conversations/{id}`."""
    return encode(
        {
            "id": id,
            "object": "conversation",
            "created_at": conversation.created_at,
            "metadata": conversation.metadata,
        }
    )


def list_items(conversation: Conversation, query: str) -> bytes:
    """The body for `GET /v1/conversations/{id}/items?…`."""
    return list_page(conversation.items, query, "conversation")


def show_item(conversation: Conversation, name: str) -> bytes:
    """The body for `GET /v1/conversations/{id}/items/{name}`. Raise `NotFound`."""
    place = conversation.find(name)
    return encode(listed(conversation.items[place], place))


def remove_item(conversation: Conversation, name: str) -> None:
    """Raise `NotFound`."""
    del conversation.items[conversation.find(name)]


def deletion(id: str) -> bytes:
    """The body for `DELETE /v1/conversations/{id}`."""
    return encode({"id": id, "object": "conversation.deleted", "deleted": True})


def _check_fields(body: Mapping[str, Any], known: tuple[str, ...]) -> None:  # Any: checked JSON
    for name in body:
        if name not in known:
            words = " and ".join(f"`{one}`" for one in known)
            raise InvalidRequest(f"`{name[:100]}` is no field here; {words} can be sent", param=name[:100])


def _read_items(given: Any) -> list[Item]:  # Any: checked JSON
    if not isinstance(given, list):
        raise InvalidRequest("`items` must be an array of items", param="items")
    if len(given) > MOST_ADDED:
        raise InvalidRequest(f"`items` has {len(given)} items; send at most {MOST_ADDED} at a time", param="items")
    for index, item in enumerate(given):
        if is_reference(item):
            raise InvalidRequest(
                f"`items[{index}]` refers to an item; a conversation keeps items themselves", param=f"items[{index}]"
            )
    if given:
        try:
            parse({"model": "any", "input": given})
        except YuzuiError as error:  # it speaks of `input`, which is the same list in a request
            error.message = error.message.replace("`input", "`items")
            if error.param is not None and error.param.startswith("input"):
                error.param = "items" + error.param.removeprefix("input")
            raise
    return list(given)


def _read_metadata(given: Any) -> dict[str, str]:  # Any: checked JSON
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > _MOST_PAIRS:
        raise InvalidRequest(f"`metadata` must be an object of at most {_MOST_PAIRS} texts", param="metadata")
    for key, value in given.items():
        if len(key) > _MOST_KEY_CHARS or not isinstance(value, str) or len(value) > _MOST_VALUE_CHARS:
            raise InvalidRequest(
                f"`metadata` takes keys of up to {_MOST_KEY_CHARS} characters and texts of up to {_MOST_VALUE_CHARS}",
                param="metadata",
            )
    return given
