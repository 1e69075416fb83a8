"""What is kept of a response, how a request continues one, and what the client is shown of it.

Kept is `{"input": [...], "response": {...}}`: every item that led to the answer, as it was sent, those of earlier
answers among them, and the response object as the client got it. Items without a name get one when they are listed:
the same whenever they stand in the same place. All functions are pure; where it lies is the books' matter.
Source: openai 3.54.0 (`openai/types/responses/response_item_list.py`, `input_item_list_params.py`,
`openai/resources/responses/`), read 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from yuzui.core import strict_json
from yuzui.core.chat import ChatRequest
from yuzui.core.errors import InvalidRequest, UpstreamInvalid
from yuzui.dialects.openai_responses_answer import whose_item
from yuzui.dialects.openai_responses_meaning import MeaningReader
from yuzui.dialects.openai_responses_request import parse

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
_encode: Final = msgspec.json.Encoder().encode
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
    """The kept answer that a request needs: the one that it continues, or that its last reference points into.

    A reference to an item with a name of the vendor's is returned as it is; `item_names` says where it stands.
    """
    previous = body.get("previous_response_id")
    if previous:
        return str(previous)
    items = body.get("input")
    for item in reversed(items) if isinstance(items, list) else ():
        if _is_reference(item):
            return whose_item(item["id"])
    return ""


def follow(request: ChatRequest, earlier: bytes) -> ChatRequest:
    """`request` with the earlier items in front of its own, and its references replaced by what they name.

    Instructions of the earlier request are not carried over, as at OpenAI.
    """
    kept = _read_kept(earlier)
    chain = kept.input + _read_output(kept.response).output
    known = {_name(item, place): item for place, item in enumerate(chain)}
    previous = request.body.get("previous_response_id")
    own = _own_items(request.body.get("input"))
    items = list(chain) if previous else []
    used: set[str] = set()
    for index, item in enumerate(own):
        if not _is_reference(item):
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
        if not previous:  # else it stands in front already
            items.append(known[name])
    body = {name: value for name, value in request.body.items() if name != "previous_response_id"}
    body["input"] = items
    asked, needed = parse(body)
    return replace(request, body=body, features=needed, follows=previous or "", read_meaning=MeaningReader(body, asked))


def item_names(kept: bytes) -> tuple[str, ...]:
    """By which names a client may refer to items of this answer, other than those that `whose_item` understands."""
    try:
        found = _read_output(_read_kept(kept).response)
    except _BAD as error:
        raise UpstreamInvalid(f"the target's answer cannot be kept: {type(error).__name__}") from error
    names = [item.get("id") for item in found.output]
    return tuple(name for name in names if isinstance(name, str) and whose_item(name) == name)


def _is_reference(item: Any) -> bool:  # Any: checked JSON
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        return False
    kind = item.get("type")
    return kind == "item_reference" or (kind is None and "role" not in item and "content" not in item)


def _own_items(given: Any) -> list[Item]:  # Any: checked JSON
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": given}]}]
    return list(given or ())


# ---- keeping -------------------------------------------------------------------------------------------------------


def to_keep(request: ChatRequest, answer: bytes) -> bytes:
    """What to keep of `request`, which has been through `follow`, and of its answer."""
    return strict_json.write({"input": _own_items(request.body.get("input")), "response": Raw(answer)})


def _name(item: Item, place: int) -> str:
    name = item.get("id")
    if isinstance(name, str):
        return name
    digest = blake2b(_encode((place, item)), digest_size=16).hexdigest()
    return f"{_PREFIXES.get(_kind(item), 'item')}_{digest}"


def _kind(item: Item) -> str:
    return item.get("type") or "message"


def _listed(item: Item, place: int) -> Item:
    """As the API lists it: with a type, a name and a status, its content in parts."""
    kind = _kind(item)
    changes: Item = {"id": _name(item, place), "type": kind}
    content = item.get("content")
    if kind == "message" and isinstance(content, str):
        changes["content"] = [_text_part(content, is_said=item.get("role") == "assistant")]
    if kind in _PREFIXES and kind != "reasoning" and not item.get("status"):
        changes["status"] = "completed"
    return {**item, **changes}


def _text_part(text: str, *, is_said: bool) -> Item:
    if is_said:
        return {"type": "output_text", "text": text, "annotations": []}
    return {"type": "input_text", "text": text}


# ---- showing -------------------------------------------------------------------------------------------------------


def show(kept: bytes) -> bytes:
    """The body for `GET /v1/responses/{id}`."""
    return bytes(_read_kept(kept).response)


def list_input_items(kept: bytes, query: str) -> bytes:
    """The body for `GET /v1/responses/{id}/input_items?after=…&limit=…&order=…`; the newest first unless asked."""
    after, limit, is_ascending = _read_query(query)
    items = [_listed(item, place) for place, item in enumerate(_read_kept(kept).input)]
    if not is_ascending:
        items.reverse()
    if after:
        names = [item["id"] for item in items]
        if after not in names:
            raise InvalidRequest("`after` names no item of this response; send the last id of a page", param="after")
        items = items[names.index(after) + 1 :]
    page = items[:limit]
    return _encode(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": len(items) > limit,
        }
    )


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


def deletion(id: str) -> bytes:
    """The body for `DELETE /v1/responses/{id}`."""
    return _encode({"id": id, "object": "response", "deleted": True})
