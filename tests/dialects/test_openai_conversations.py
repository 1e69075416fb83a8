"""A conversation keeps its items in order, each under one name, and takes nothing that a request could not say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from yuzui.core.errors import InvalidRequest, NotFound
from yuzui.dialects.openai_conversations import (
    MOST_ADDED,
    Conversation,
    add_items,
    create,
    deletion,
    list_items,
    name_in,
    read,
    remove_item,
    show,
    show_item,
    update,
    write,
)

Json = dict[str, Any]  # Any: JSON


def said(text: str, **more: object) -> Json:
    return {"type": "message", "role": "user", "content": text, **more}


def names(conversation: Conversation) -> list[str]:
    return [item["id"] for item in conversation.items]


def test_a_conversation_is_what_was_written() -> None:
    made = create({"items": [said("Hi")], "metadata": {"topic": "天气"}}, 1_700_000_000)
    assert read(write(made)) == made
    assert json.loads(show(made, "conv_1")) == {
        "id": "conv_1", "object": "conversation", "created_at": 1_700_000_000, "metadata": {"topic": "天气"},
    }  # fmt: skip
    assert json.loads(deletion("conv_1")) == {"id": "conv_1", "object": "conversation.deleted", "deleted": True}
    assert create({}, 1) == Conversation(created_at=1, metadata={})
    assert create({"items": None, "metadata": None}, 1) == Conversation(created_at=1, metadata={})


def test_every_item_has_a_name_of_its_own_for_ever() -> None:
    conversation = create({"items": [said("Hi"), said("Hi"), said("Hi", id="msg_1")]}, 1)
    conversation.add([said("Hi", id="msg_1")])
    assert len(set(names(conversation))) == 4 and names(conversation)[2] == "msg_1"
    before = names(conversation)
    remove_item(conversation, before[0])
    assert names(conversation) == before[1:]
    conversation.add([said("Hi")])  # at a place where one stood before
    assert len({*before, *names(conversation)}) == 5
    assert json.loads(show_item(conversation, "msg_1"))["content"] == [{"type": "input_text", "text": "Hi"}]
    for gone in (before[0], "nobody"):
        with pytest.raises(NotFound, match="no item"):
            show_item(conversation, gone)
        with pytest.raises(NotFound):
            remove_item(conversation, gone)


def test_added_items_come_back_with_their_names() -> None:
    conversation = create({"items": [said("one")]}, 1)
    page = json.loads(add_items(conversation, {"items": [said("two"), said("three")]}))
    assert [item["id"] for item in page["data"]] == names(conversation)[1:]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (*names(conversation)[1:], False)
    assert [item["id"] for item in json.loads(list_items(conversation, "order=asc"))["data"]] == names(conversation)


def test_metadata_is_replaced_as_a_whole() -> None:
    conversation = create({"metadata": {"a": "1"}}, 1)
    update(conversation, {"metadata": {"b": "2"}})
    assert conversation.metadata == {"b": "2"}
    update(conversation, {"metadata": None})
    assert conversation.metadata == {}


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({"item": []}, "item", "`items` and `metadata`"),
        ({"items": "Hi"}, "items", "array"),
        ({"items": [said("x")] * (MOST_ADDED + 1)}, "items", "at most 20"),
        ({"items": [{"type": "item_reference", "id": "msg_1"}]}, "items[0]", "items themselves"),
        ({"items": [said("x"), {"type": "message", "role": "user"}]}, "items[1].content", "items[1].content"),
        ({"items": [{"type": "function_call", "call_id": "c", "name": "a\nb", "arguments": "{}"}]}, "items[0].name",
         "control"),
        ({"items": [5]}, "items[0]", "items[0]"),
        ({"metadata": [1]}, "metadata", "object"),
        ({"metadata": {"a": 1}}, "metadata", "512"),
        ({"metadata": {"a" * 65: "b"}}, "metadata", "64"),
        ({"metadata": {"a": "b" * 513}}, "metadata", "512"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata", "16"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_by_name(body: Json, param: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        create(body, 1)
    assert caught.value.param == param and words in caught.value.message


def test_changes_need_what_they_change() -> None:
    conversation = create({}, 1)
    with pytest.raises(InvalidRequest, match="`metadata` is missing"):
        update(conversation, {})
    with pytest.raises(InvalidRequest, match="`items` is missing"):
        add_items(conversation, {"items": []})


@pytest.mark.parametrize(("given", "name"), [(None, ""), ("conv_1", "conv_1"), ({"id": "conv_1"}, "conv_1")])
def test_a_request_names_its_conversation_in_two_ways(given: object, name: str) -> None:
    assert name_in(given) == name


@pytest.mark.parametrize("given", ["", {}, {"id": 5}, {"id": ""}, 5, [], "conv_\n1", "resp_1"])
def test_what_names_no_conversation_is_refused(given: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        name_in(given)
    assert caught.value.param == "conversation"
