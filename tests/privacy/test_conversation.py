"""Labels stick to a conversation, and to nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.kit import CONFIDENTIAL, RESTRICTED
from yuzui.core.booking import Learnt
from yuzui.core.sensitivity import Finding
from yuzui.privacy.conversation import ConversationMemory

SYSTEM = {"role": "system", "content": "You are a careful assistant of the sales team."}
SECRET = {"role": "user", "content": "The number of the customer is 13800138000, call him"}
ANSWER = "I have drafted the note to the customer as you asked."
FOLLOW_UP = {"role": "user", "content": "Make it shorter"}


def body(*messages: Any) -> dict[str, Any]:  # Any: JSON values
    return {"model": "auto", "messages": list(messages)}


def said(text: str, role: str = "assistant") -> dict[str, str]:
    return {"role": role, "content": text}


def finding_in(number: int) -> tuple[Finding, ...]:
    return (Finding(kind="cn_mobile", detector="cn_mobile", start=0, end=1, path=f"$.messages[{number}].content"),)


@pytest.fixture
def memory() -> ConversationMemory:
    memory = ConversationMemory(b"a key", capacity=1000)
    memory.learn("key1", body(SYSTEM, SECRET), "chat-7", RESTRICTED, [ANSWER], finding_in(1))
    return memory


@pytest.mark.parametrize(
    ("messages", "conversation_id"),
    [
        ([SYSTEM, SECRET, said(ANSWER), FOLLOW_UP], ""),
        ([said(ANSWER)], ""),
        ([said(ANSWER, "user")], ""),
        ([said(f"\n{ANSWER}  "), FOLLOW_UP], ""),
        ([SYSTEM, said(ANSWER), FOLLOW_UP], ""),
        ([{"role": "assistant", "content": [{"type": "text", "text": ANSWER}]}], ""),
        ([SECRET], ""),
        ([FOLLOW_UP], "chat-7"),
    ],
)
def test_a_sensitive_conversation_is_recognised_by_any_piece_of_it(
    memory: ConversationMemory,
    messages: list[Any],
    conversation_id: str,  # Any: JSON values
) -> None:
    assert memory.recall("key1", body(*messages), conversation_id) == RESTRICTED


@pytest.mark.parametrize(
    ("messages", "conversation_id"),
    [([SYSTEM], ""), ([SYSTEM, FOLLOW_UP], "chat-8"), ([FOLLOW_UP], ""), ([said("Yes.")], ""), ([], "")],
)
def test_the_shared_prompt_and_short_texts_do_not_mark_other_conversations(
    memory: ConversationMemory,
    messages: list[Any],
    conversation_id: str,  # Any: JSON values
) -> None:
    assert memory.recall("key1", body(*messages), conversation_id) is None


def test_another_caller_sees_nothing_of_it(memory: ConversationMemory) -> None:
    assert memory.recall("key2", body(SYSTEM, SECRET, said(ANSWER)), "chat-7") is None


def test_short_answers_are_not_remembered_alone() -> None:
    memory = ConversationMemory(b"k", capacity=10)
    memory.learn("key1", body(SECRET), "", RESTRICTED, ["Yes."], finding_in(0))
    assert memory.recall("key1", body(said("Yes.")), "") is None
    assert memory.recall("key1", body(SECRET, said("Yes.")), "") == RESTRICTED


def test_the_label_wanders_along_when_only_the_answer_came_back() -> None:
    memory = ConversationMemory(b"k", capacity=100)
    memory.learn("key1", body(SECRET), "", RESTRICTED, [ANSWER], finding_in(0))
    second = body(said(ANSWER), FOLLOW_UP)
    level = memory.recall("key1", second, "")
    assert level == RESTRICTED
    memory.learn("key1", second, "", level, ["A much shorter draft of that note, as asked."])
    assert memory.recall("key1", body(said("A much shorter draft of that note, as asked.")), "") == RESTRICTED


def test_a_picture_marks_the_conversation_from_its_message_on() -> None:
    memory = ConversationMemory(b"k", capacity=100)
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}
    memory.learn("key1", body(SYSTEM, picture), "", CONFIDENTIAL, ["ok"])
    assert memory.recall("key1", body(SYSTEM, picture, said("ok"), FOLLOW_UP), "") == CONFIDENTIAL
    assert memory.recall("key1", body(SYSTEM), "") is None


def test_learning_returns_only_news_and_raises_but_never_lowers(memory: ConversationMemory) -> None:
    again = memory.learn("key1", body(SYSTEM, SECRET), "chat-7", RESTRICTED, [ANSWER], finding_in(1))
    lower = memory.learn("key1", body(SYSTEM, SECRET), "chat-7", CONFIDENTIAL, [ANSWER], finding_in(1))
    assert not (again.hashes or again.texts or lower.hashes or lower.texts)
    assert memory.recall("key1", body(said(ANSWER)), "") == RESTRICTED


def test_rows_kept_by_the_books_bring_it_back(memory: ConversationMemory) -> None:
    fresh = ConversationMemory(b"a key", capacity=1000)
    learnt = memory.learn("key1", body(SECRET), "chat-9", RESTRICTED, [], finding_in(0))
    fresh.load([learnt])
    assert fresh.recall("key1", body(), "chat-9") == RESTRICTED
    other_key = ConversationMemory(b"another key", capacity=1000)
    other_key.load([Learnt(conversation=bytes(16), level=RESTRICTED, hashes=(bytes(24),), texts=(("forms", b"no"),))])
    assert other_key.recall("key1", body(SECRET), "chat-9") is None


def test_rows_hold_no_text_and_depend_on_the_key() -> None:
    first = ConversationMemory(b"one", capacity=9).learn("k", body(SECRET), "c", 3, [ANSWER], finding_in(0))
    second = ConversationMemory(b"two", capacity=9).learn("k", body(SECRET), "c", 3, [ANSWER], finding_in(0))
    assert set(first.hashes).isdisjoint(second.hashes) and first.conversation != second.conversation
    assert all(len(row) == 24 for row in first.hashes) and len(first.hashes) == 4


def test_no_caller_can_push_out_what_another_has_learnt() -> None:
    memory = ConversationMemory(b"k", capacity=50)
    memory.learn("quiet", body(SECRET), "theirs", RESTRICTED, [ANSWER], finding_in(0))
    for number in range(500):
        memory.learn("loud", body(), f"chat-{number}", RESTRICTED, [])
    assert len(memory) == 50
    assert memory.recall("quiet", body(), "theirs") == RESTRICTED
    assert memory.recall("loud", body(), "chat-499") == RESTRICTED
    assert memory.recall("loud", body(), "chat-0") is None
    for caller in range(60):  # a crowd of callers: each keeps its share, the loudest pays for it
        memory.learn(f"one of many {caller}", body(), "only", RESTRICTED, [])
    assert len(memory) == 50


def test_the_oldest_are_forgotten_first_and_the_size_is_bounded() -> None:
    memory = ConversationMemory(b"k", capacity=3)
    for number in range(5):
        memory.learn(f"key{number}", body(), f"chat-{number}", RESTRICTED, [])
    assert len(memory) == 3
    assert [memory.recall(f"key{n}", body(), f"chat-{n}") for n in range(5)] == [None, None, 3, 3, 3]


def test_a_memory_without_key_or_room_is_refused() -> None:
    with pytest.raises(ValueError, match="secret"):
        ConversationMemory(b"", capacity=1)
    with pytest.raises(ValueError, match="capacity"):
        ConversationMemory(b"k", capacity=0)


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda i: st.lists(i) | st.dictionaries(st.text(), i), max_leaves=8
    ),
    st.text(),
)
def test_no_body_breaks_it(value: Any, answer: str) -> None:  # Any: JSON values
    memory = ConversationMemory(b"k", capacity=50)
    for shape in ({"messages": value}, {"messages": [value]}, {"messages": [{"role": value, "content": value}]}):
        memory.learn("k", shape, "", 2, [answer])
        memory.recall("k", shape, "")


def test_each_choice_each_thought_and_each_tool_call_of_an_answer_is_recognised_alone() -> None:
    memory = ConversationMemory(b"a key", capacity=1000)
    other, thought = "Another draft of that note, in other words.", "The customer wants to be called at home."
    arguments = '{"whom":"the customer","about":"the contract"}'
    memory.learn("k", body(SECRET), "", RESTRICTED, [ANSWER, other, thought, arguments], finding_in(0))
    call = {"id": "c", "type": "function", "function": {"name": "call", "arguments": arguments}}
    for message in (
        said(ANSWER), said(other), {**said("Hm."), "reasoning_content": thought},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "assistant", "content": None, "function_call": call["function"]},
    ):  # fmt: skip
        assert memory.recall("k", body(message, FOLLOW_UP), "") == RESTRICTED
    for harmless in ({"tool_calls": [{"function": "x"}, 7]}, {"tool_calls": 7}, {"reasoning_content": None}):
        assert memory.recall("k", body({**said("Hm."), **harmless}), "") is None
