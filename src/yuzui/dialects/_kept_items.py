"""Items of the Responses API that the gateway keeps: their names, and how a client is shown a page of them.

Items without a name get one when they are listed or added: the same whenever they stand in the same place.
Source: openai 3.54.0 (`openai/types/responses/response_item_list.py`, `input_item_list_params.py`,
`openai/types/conversations/item_list_params.py`), read 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from yuzui.core.errors import InvalidRequest

MOST_LISTED: Final = 100
USUALLY_LISTED: Final = 20

Item = dict[str, Any]  # Any: checked JSON

_PREFIXES: Final = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
}
encode: Final = msgspec.json.Encoder().encode


def is_reference(item: Any) -> bool:  # Any: checked JSON
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        return False
    kind = item.get("type")
    return kind == "item_reference" or (kind is None and "role" not in item and "content" not in item)


def items_of(given: Any) -> list[Item]:  # Any: checked JSON
    """A request's `input` as items: a text is what its user says."""
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": given}]}]
    return list(given or ())


def name_of(item: Item, place: int) -> str:
    """Its own name, or the one that it gets at `place`."""
    name = item.get("id")
    return name if isinstance(name, str) and name else new_name(item, place)


def new_name(item: Item, place: int) -> str:
    digest = blake2b(encode((place, item)), digest_size=16).hexdigest()
    return f"{_PREFIXES.get(_kind(item), 'item')}_{digest}"


def resolve(own: Sequence[Item], known: Mapping[str, Item], *, stands_in_front: bool) -> list[Item]:
    """`own` with its references replaced by what they name, or left out where that stands in front of it already.

    Raise `InvalidRequest` for a name that is not known, and for one that is referred to twice.
    """
    items: list[Item] = []
    used: set[str] = set()
    for index, item in enumerate(own):
        if not is_reference(item):
            items.append(item)
            continue
        name = item["id"]
        if name not in known:
            raise InvalidRequest(
                f"`input[{index}].id` names an item that is not kept here; send the item itself",
                param=f"input[{index}].id",
            )
        if name in used:  # a few bytes of references could stand for any amount of text
            raise InvalidRequest(
                f"`input[{index}].id` names an item that is referred to already; refer to each item once",
                param=f"input[{index}].id",
            )
        used.add(name)
        if not stands_in_front:
            items.append(known[name])
    return items


def listed(item: Item, place: int) -> Item:
    """As the API lists it: with a type, a name and a status, its content in parts."""
    kind = _kind(item)
    changes: Item = {"id": name_of(item, place), "type": kind}
    content = item.get("content")
    if kind == "message" and isinstance(content, str):
        changes["content"] = [_text_part(content, is_said=item.get("role") == "assistant")]
    if kind in _PREFIXES and kind != "reasoning" and not item.get("status"):
        changes["status"] = "completed"
    return {**item, **changes}


def list_page(kept: Sequence[Item], query: str, owner: str) -> bytes:
    """The body for `…?after=…&limit=…&order=…`; the newest first unless asked. `owner`: whose items, in an error."""
    after, limit, is_ascending = _read_query(query)
    items = [listed(item, place) for place, item in enumerate(kept)]
    if not is_ascending:
        items.reverse()
    if after:
        names = [item["id"] for item in items]
        if after not in names:
            raise InvalidRequest(f"`after` names no item of this {owner}; send the last id of a page", param="after")
        items = items[names.index(after) + 1 :]
    return page_of(items[:limit], has_more=len(items) > limit)


def page_of(page: Sequence[Item], *, has_more: bool = False) -> bytes:
    return encode(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": has_more,
        }
    )


def _kind(item: Item) -> str:
    return item.get("type") or "message"


def _text_part(text: str, *, is_said: bool) -> Item:
    if is_said:
        return {"type": "output_text", "text": text, "annotations": []}
    return {"type": "input_text", "text": text}


def _read_query(query: str) -> tuple[str, int, bool]:
    asked = parse_qs(query, keep_blank_values=True, max_num_fields=100)
    order = asked.get("order", ["desc"])[-1]
    if order not in ("asc", "desc"):
        raise InvalidRequest("`order` has an unknown value; use asc or desc", param="order")
    number = asked.get("limit", [str(USUALLY_LISTED)])[-1]
    limit = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 0
    if not 1 <= limit <= MOST_LISTED:
        raise InvalidRequest(f"`limit` must be a number from 1 to {MOST_LISTED}", param="limit")
    return asked.get("after", [""])[-1], limit, order == "asc"
