"""Items have names that last, and a page of them is a page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from yuzui.core.errors import InvalidRequest
from yuzui.dialects._kept_items import is_reference, items_of, list_page, listed, name_of, page_of, resolve

SAID: dict[str, Any] = {"role": "user", "content": "Hello"}  # Any: JSON
REFERENCE: dict[str, Any] = {"type": "item_reference", "id": "msg_1"}  # Any: JSON


def test_a_text_is_what_the_user_says() -> None:
    assert items_of("Hi") == [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]
    assert items_of(None) == [] and items_of([SAID]) == [SAID]


def test_a_name_is_the_items_own_or_comes_from_its_place() -> None:
    assert name_of({"id": "msg_7", **SAID}, 0) == "msg_7"
    assert name_of(SAID, 0) == name_of(dict(SAID), 0) != name_of(SAID, 1)
    assert name_of({**SAID, "id": ""}, 3).startswith("msg_")
    assert name_of({"type": "function_call"}, 0).startswith("fc_")
    assert name_of({"type": "mcp_call"}, 0).startswith("item_")


@pytest.mark.parametrize(
    ("item", "expected"),
    [(REFERENCE, True), ({"id": "msg_1"}, True), ({"id": "msg_1", **SAID}, False), ({"id": 5}, False), ("x", False)],
)
def test_references_are_told_from_items(item: object, expected: bool) -> None:
    assert is_reference(item) is expected


def test_a_reference_becomes_its_item_unless_that_stands_in_front() -> None:
    known = {"msg_1": SAID}
    assert resolve([REFERENCE], known, stands_in_front=False) == [SAID]
    assert resolve([REFERENCE, SAID], known, stands_in_front=True) == [SAID]
    for own, words in (([REFERENCE, REFERENCE], "once"), ([SAID, {"id": "msg_2"}], "not kept here")):
        with pytest.raises(InvalidRequest, match=words) as caught:
            resolve(own, known, stands_in_front=False)
        assert caught.value.param == "input[1].id"


def test_a_listed_item_says_all_that_the_api_says_of_it() -> None:
    assert listed({"id": "m", **SAID}, 0) == {
        "id": "m", "type": "message", "role": "user", "status": "completed",
        "content": [{"type": "input_text", "text": "Hello"}],
    }  # fmt: skip
    said = listed({"role": "assistant", "content": "Yes", "status": "incomplete"}, 0)
    assert said["content"] == [{"type": "output_text", "text": "Yes", "annotations": []}]
    assert said["status"] == "incomplete"


def test_pages_begin_behind_the_last_one() -> None:
    items = [{"id": f"m{n}", **SAID} for n in range(5)]
    page = json.loads(list_page(items, "limit=2&order=asc&after=m1", "conversation"))
    assert [item["id"] for item in page["data"]] == ["m2", "m3"]
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("m2", "m3", True)
    assert json.loads(list_page(items, "", "conversation"))["data"][0]["id"] == "m4"
    with pytest.raises(InvalidRequest, match="this conversation"):
        list_page(items, "after=m9", "conversation")
    assert json.loads(page_of([])) == {
        "object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False
    }  # fmt: skip
