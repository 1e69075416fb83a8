"""Labels stick to a conversation, and to nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.kit import CONFIDENTIAL, RESTRICTED
from yuzui.core.booking import Learnt
from yuzui.core.sensitivity import Finding
from yuzui.privacy.conversation import ConversationMemory, TraceCache, Traces

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


# ---- what must always hold -------------------------------------------------------------------------------------------

LONG = " ".join(
    f"Paragraph {n} settles that party {n * 3} pays party {n * 5 + 1} within {n + 10} days." for n in range(12)
)
LONG_ZH = "".join(f"第{n}条约定甲方在{n + 3}月之内向乙方交付编号为{n * 17}的样品并承担运输费用，" for n in range(12))

steps = st.lists(
    st.tuples(
        st.sampled_from(("key1", "key2")), st.sampled_from(("", "c1", "c2")), st.integers(1, 3),
        st.sampled_from((ANSWER, LONG, LONG_ZH, "Yes.")), st.sampled_from((SECRET, FOLLOW_UP, SYSTEM)),
    ),
    max_size=8,
)  # fmt: skip


@given(steps)
def test_memory_never_lowers_and_scopes_never_see_each_other(
    taught: list[tuple[str, str, int, str, dict[str, str]]],
) -> None:
    memory = ConversationMemory(b"k", capacity=10_000)
    highest: dict[tuple[str, str], int] = {}
    for scope, name, level, answer, message in taught:
        memory.learn(scope, body(SYSTEM, message), name, level, [answer])
        for thing in (name, answer):
            if thing and thing != "Yes.":
                highest[scope, thing] = max(highest.get((scope, thing), 0), level)
    for scope in ("key1", "key2", "key3"):
        for thing in ("c1", "c2"):
            assert (memory.recall(scope, body(), thing) or 0) == highest.get((scope, thing), 0)
        for thing in (ANSWER, LONG, LONG_ZH):
            assert (memory.recall(scope, body(said(thing)), "") or 0) == highest.get((scope, thing), 0)
        for text in (LONG, LONG_ZH):
            part = f"Look: {text[40:280]} What of it?"
            assert (memory.recall(scope, body(said(part, "user")), "") or 0) == highest.get((scope, text), 0)


@given(steps, st.integers(0, 8))
def test_a_restart_changes_nothing(taught: list[tuple[str, str, int, str, dict[str, str]]], declassified: int) -> None:
    memory, kept = ConversationMemory(b"k", capacity=10_000), list[Learnt]()
    for scope, name, level, answer, message in taught:
        kept.append(memory.learn(scope, body(SYSTEM, message), name, level, [answer], NAMED))
    if declassified < len(kept):
        conversation = kept[declassified].conversation
        memory.declassify(conversation, 1)
        kept = [
            replace(one, level=min(one.level, 1)) if one.conversation == conversation else one for one in kept
        ]  # as the books do it
    after = ConversationMemory(b"k", capacity=10_000)
    after.load(kept)
    for scope in ("key1", "key2"):
        for name in ("", "c1", "c2"):
            for text in (ANSWER, LONG, LONG[50:300], LONG_ZH[20:90], "Has assistant answered? Ask Mr Careful."):
                asked = body(said(text, "user"))
                there = memory.recollect(memory.read(scope, asked, (name,)))
                assert after.recollect(after.read(scope, asked, (name,))) == there


NAMED = (Finding(kind="person", detector="names", start=10, end=27, path="$.messages[0].content"),)


@given(start=st.integers(0, len(LONG_ZH) - 45), before=st.text(max_size=60), after=st.text(max_size=60))
def test_every_copy_of_enough_characters_is_recognised(start: int, before: str, after: str) -> None:
    memory = copied_from(LONG_ZH)
    copy = before + " " + LONG_ZH[start : start + 45] + " " + after  # numbers count as one: 45 characters are 29 words
    assert memory.recall("key1", body(said(copy, "user")), "") == RESTRICTED


@lru_cache
def copied_from(text: str) -> ConversationMemory:
    memory = ConversationMemory(b"k", capacity=100)
    memory.learn("key1", body(SECRET), "", RESTRICTED, [text], finding_in(0))
    return memory


@pytest.mark.parametrize(
    "copy",
    [
        LONG[100:330].upper(),
        LONG[100:330].replace(" ", "\n> "),
        LONG[100:330].replace(" pays ", " **pays** "),
        "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in LONG[100:330]),
        LONG_ZH[30:100].replace("，", "\n- "),
    ],
)
def test_layout_does_not_hide_a_copy(copy: str) -> None:
    memory = copied_from(LONG if "e" in copy.lower() or "ｅ" in copy.lower() else LONG_ZH)
    for found in (
        body(said(copy, "user")),
        {"input": f"See below.\n{copy}"},
        {"contents": [{"parts": [{"text": "See below."}, {"text": copy}]}]},
        body(
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": json.dumps({"note": copy})}}]}
        ),
        body({"role": "user", "content": [{"type": "text", "text": copy[:90]}, {"type": "text", "text": copy[90:]}]}),
    ):
        assert memory.recall("key1", found, "") == RESTRICTED


def test_what_an_answer_repeats_of_its_rules_marks_nobody() -> None:
    rules = {"role": "system", "content": LONG}
    memory = ConversationMemory(b"k", capacity=100)
    memory.learn("key1", body(rules, SECRET), "", RESTRICTED, [f"{LONG} {LONG_ZH}"], finding_in(1))
    assert memory.recall("key1", body(rules, FOLLOW_UP), "") is None
    assert memory.recall("key1", body(rules, said(LONG_ZH, "user")), "") == RESTRICTED


def test_of_a_long_text_only_what_stands_near_a_finding_is_known_by_its_parts() -> None:
    boilerplate = " ".join(f"licence{n} grants{n * 7 % 31} use{n * 3 % 17}" for n in range(600))
    text = f"{boilerplate} Call 13800138000 about {LONG}"
    start = text.index("13800138000")
    found = (Finding(kind="cn_mobile", detector="d", start=start, end=start + 11, path="$.messages[0].content"),)
    memory = ConversationMemory(b"k", capacity=100)
    memory.learn("key1", body(said(text, "user")), "", RESTRICTED, [], found)
    assert memory.recall("key1", body(said(boilerplate[:9000], "user")), "") is None
    assert memory.recall("key1", body(said(f"hm {LONG[:300]}", "user")), "") == RESTRICTED


def test_one_conversation_is_declassified_and_others_stay() -> None:
    memory = ConversationMemory(b"k", capacity=1000)
    first = memory.learn("key1", body(SECRET), "c1", RESTRICTED, [LONG], finding_in(0))
    second = memory.learn("key1", body(SECRET), "c2", CONFIDENTIAL, [LONG_ZH], finding_in(0))
    assert memory.level_of(first.conversation) == RESTRICTED and memory.level_of(bytes(16)) == -1
    memory.declassify(first.conversation, 1)
    assert memory.recall("key1", body(), "c1") == memory.recall("key1", body(said(LONG[:300])), "") == 1
    assert memory.recall("key1", body(), "c2") == memory.recall("key1", body(said(LONG_ZH[:90])), "") == CONFIDENTIAL
    assert memory.recall("key1", body(SECRET), "") == CONFIDENTIAL, "the other conversation said it too"
    assert memory.conversation_named("key1", "c1") == first.conversation != second.conversation
    assert memory.conversation_named("key2", "c1") not in (first.conversation, second.conversation)


def test_a_conversation_without_a_name_goes_on_under_the_same() -> None:
    memory = ConversationMemory(b"k", capacity=1000)
    first = memory.learn("key1", body(SYSTEM, SECRET), "", RESTRICTED, [ANSWER], finding_in(1))
    further = memory.learn(
        "key1", body(SYSTEM, SECRET, said(ANSWER), FOLLOW_UP), "", RESTRICTED, ["Shorter, as asked: call him."],
        finding_in(1),
    )  # fmt: skip
    other = memory.learn("key1", body(SYSTEM, FOLLOW_UP, SECRET), "", RESTRICTED, [ANSWER], finding_in(2))
    assert first.conversation == further.conversation != other.conversation


def test_all_is_marked_where_nobody_knows_what_it_was() -> None:
    memory = ConversationMemory(b"k", capacity=1000)
    memory.learn("key1", body(SYSTEM, said(LONG, "user")), "", RESTRICTED, [], is_whole=True)
    assert memory.recall("key1", body(said(f"and {LONG[60:300]}", "user")), "") == RESTRICTED
    assert memory.recall("key1", body(SYSTEM, FOLLOW_UP), "") is None


def test_traces_are_kept_within_bounds() -> None:
    cache = TraceCache(100)
    for number in range(50):
        cache.put(bytes([number]), Traces([b"value"] * 10, (), ()))
    cache.put(b"huge", Traces([b"value"] * 99, (), ()))
    assert cache.get(b"huge") is None and cache.get(bytes([49])) is not None and cache.get(bytes([0])) is None
    assert sum(cache.get(bytes([number])) is not None for number in range(50)) <= 10


# ---- under masking ---------------------------------------------------------------------------------------------------

SPOKEN = "This answer is long enough to be known when it comes back alone."
IN_FIRST = (Finding(kind="email", detector="email", start=0, end=1, path="$.messages[0].content"),)


def talk(*texts: str) -> dict[str, Any]:  # Any: JSON values
    return body(*[said(text, ("user", "assistant")[number % 2]) for number, text in enumerate(texts)])


@pytest.fixture
def empty() -> ConversationMemory:
    return ConversationMemory(b"k", capacity=1000)


def test_what_was_answered_under_masking_counts_as_it_was_then(empty: ConversationMemory) -> None:
    empty.learn("k", talk("q"), "c1", 2, [SPOKEN, LONG], IN_FIRST, masked_level=0, was_masked=True, also=["r1"])
    for again in (talk("q", SPOKEN, "and now?"), talk(f"He wrote: {LONG[50:300]}")):
        assert empty.recall("k", again, "c1") == 2
        assert empty.recall("k", again, "c1", is_masked=True) == 0
    assert empty.recall_kept("k", "r1") == 0
    assert empty.recall_kept("k", "r2") is None and empty.recall_kept("other", "r1") is None


@pytest.mark.parametrize("answer", [SPOKEN, "Ill."])
def test_what_was_answered_in_full_keeps_its_level_also_under_masking(empty: ConversationMemory, answer: str) -> None:
    empty.learn("k", talk("q"), "", 2, [answer, LONG], IN_FIRST, masked_level=0, also=["r1"])
    assert empty.recall("k", talk("q", answer, "and now?"), "", is_masked=True) == 2
    assert empty.recall("k", talk(f"He wrote: {LONG[50:300]}"), "", is_masked=True) == 2
    assert empty.recall("k", talk("q"), "", is_masked=True) == 0, "without the answer all of it is masked again"
    assert empty.recall_kept("k", "r1") is None


def test_a_conversation_that_was_answered_in_full_once_stays_so(empty: ConversationMemory) -> None:
    empty.learn("k", talk("q"), "c1", 2, ["short"], IN_FIRST, masked_level=0, was_masked=True)
    assert empty.recall("k", talk("x"), "c1", is_masked=True) == 0
    empty.learn("k", talk("q", "short", "r"), "c1", 2, ["other"], IN_FIRST, masked_level=0)
    assert empty.recall("k", talk("x"), "c1", is_masked=True) == 2
    empty.learn("k", talk("y"), "c1", 2, ["more"], IN_FIRST, masked_level=0, was_masked=True)
    assert empty.recall("k", talk("x"), "c1", is_masked=True) == 2


def test_words_that_were_said_in_full_are_not_excepted_by_saying_them_again(empty: ConversationMemory) -> None:
    empty.learn("k", talk("a"), "", 2, [SPOKEN], IN_FIRST)
    empty.learn("k", talk("b"), "", 2, [SPOKEN], IN_FIRST, masked_level=0, was_masked=True)
    assert empty.recall("k", talk("c", SPOKEN), "", is_masked=True) == 2


@pytest.mark.parametrize("was_masked", [True, False])
def test_a_restart_knows_what_was_masked(empty: ConversationMemory, was_masked: bool) -> None:
    learnt = empty.learn("k", talk("q"), "c1", 2, [SPOKEN], IN_FIRST, masked_level=0, was_masked=was_masked)
    after = ConversationMemory(b"k", capacity=1000)
    after.load([learnt])
    for memory in (empty, after):
        assert memory.recall("k", talk("x"), "c1", is_masked=True) == (0 if was_masked else 2)
        assert memory.recall("k", talk("q"), "", is_masked=True) == 0
        assert memory.recall("k", talk("x"), "c1") == 2
    after.declassify(learnt.conversation, 1)
    assert after.recall("k", talk("x"), "c1", is_masked=True) == (0 if was_masked else 1)


def test_an_answer_is_remembered_without_what_was_asked() -> None:
    memory = ConversationMemory(b"a key", capacity=1000)
    asked = body(SYSTEM, said("Hello there, how are you today?", "user"))
    learnt = memory.learn_answer("key1", asked, "", RESTRICTED, [ANSWER, "42"], masked_level=CONFIDENTIAL)
    assert (learnt.level, learnt.masked) == (RESTRICTED, CONFIDENTIAL)
    for follows in (ANSWER, "42"):
        later = body(*asked["messages"], said(follows), FOLLOW_UP)
        assert memory.recall("key1", later, "") == RESTRICTED
        assert memory.recall("key1", later, "", is_masked=True) == CONFIDENTIAL
    assert memory.recall("key1", asked, "") is None
    assert memory.recall("key1", body(said("42")), "") is None  # too short to be known elsewhere
    assert memory.recall("key2", body(said(ANSWER)), "") is None
    again = ConversationMemory(b"a key", capacity=1000)
    again.load([learnt])
    assert again.recall("key1", body(said(ANSWER)), "") == RESTRICTED


def test_an_answer_marks_its_conversation_by_its_names() -> None:
    memory = ConversationMemory(b"a key", capacity=1000)
    learnt = memory.learn_answer(
        "key1", body(FOLLOW_UP), "chat-9", RESTRICTED, ["42"], also=("resp_1",), masked_level=RESTRICTED
    )
    assert memory.recall("key1", body(said("And?", "user")), "chat-9") == RESTRICTED
    assert memory.recall("key1", body(said("And?", "user")), "resp_1") == RESTRICTED
    assert learnt.conversation == memory.conversation_named("key1", "chat-9")
