"""Nothing of a value leaves, everything comes back, and what cannot be masked is refused."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.kit import card, iban, make_rules, resident_id, scanner, vendor_key
from yuzui.core.chat import ReasoningPart
from yuzui.core.reasoning import seal, unseal
from yuzui.core.sensitivity import Finding
from yuzui.privacy.catalogue import DEFAULT_LEVELS
from yuzui.privacy.leaves import read_leaves
from yuzui.privacy.mask import Masked, Masking, Unmaskable, mask
from yuzui.privacy.restore import EVERYWHERE, CallRestorer, Originals, Tally, TextRestorer
from yuzui.privacy.surrogates import LOOKALIKE, Namer
from yuzui.privacy.values import Needles
from yuzui.privacy.vault import Entry

NAMER = Namer(b"a deployment's secret, 32 bytes.", tenant="key_1")
ALL = Masking(kinds=frozenset(DEFAULT_LEVELS))
LIKE = Masking(kinds=ALL.kinds, realistic=ALL.kinds)
MAIL = "wang@corp.cn"
VALUES = st.sampled_from([
    MAIL, MAIL.upper(), "13800138000", "+86 138-0013-8000", resident_id(), card(), iban(), "10.20.30.40", "(415) 234-5678",
    "password: Hunter22!x", "EMAIL_ABCDEFGHIJKL", "email abcdefghijkl", "https://u:s3cretpw@host.test/",
])  # fmt: skip  # a list of values
TEXTS = st.lists(VALUES | st.text(max_size=5) | st.sampled_from([" ", "\n", '"', "\\", ", "]), max_size=8).map("".join)


def masked(body: dict[str, Any], masking: Masking = ALL, known: tuple[Entry, ...] = ()) -> Masked:  # Any: JSON values
    result = scanner().scan(body)
    assert not result.failures
    return mask(body, result.findings, result.repeats, masking=masking, namer=NAMER, known=known)


def restored(value: Any, originals: Originals) -> Any:  # Any: JSON values
    """Every string of a body, also those that spell JSON, back as it was."""
    if isinstance(value, str):
        try:
            is_json = isinstance(json.loads(value), dict | list)
        except ValueError:
            is_json = False
        if is_json:
            return CallRestorer(originals, EVERYWHERE, Tally(), name="f").whole(value)
        return TextRestorer(originals, EVERYWHERE, Tally()).whole(value)
    if isinstance(value, dict):
        return {restored(key, originals): restored(item, originals) for key, item in value.items()}
    if isinstance(value, list):
        return [restored(item, originals) for item in value]
    return int(originals.of.get(str(value), value)) if type(value) is int else value


def meant(value: Any) -> Any:  # Any: JSON values
    """A value with all JSON in strings read: how its escapes are spelled means nothing."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return meant(json.loads(value))
        except ValueError:
            return value
    if isinstance(value, dict):
        return {key: meant(item) for key, item in value.items()}
    return [meant(item) for item in value] if isinstance(value, list) else value


def user(content: Any) -> dict[str, Any]:  # Any: JSON values
    return {"model": "auto", "messages": [{"role": "user", "content": content}]}


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from((ALL, LIKE)), st.booleans())
def test_what_is_masked_comes_back_and_nothing_of_it_is_left(
    first: str, second: str, masking: Masking, is_ascii: bool
) -> None:
    arguments = json.dumps(
        {"to": first, "n": [second, {first: 1}], "deep": json.dumps({"x": second})}, ensure_ascii=is_ascii
    )
    body = {
        "model": "auto",
        "messages": [
            {"role": "system", "content": first},
            {"role": "user", "content": second, "name": "u"},
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": arguments}}]},
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": second}]},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {"enum": [first]}}}}}],
        "metadata": {"k" + first: second},
    }  # fmt: skip  # a request
    result = masked(body, masking)
    originals = Originals(result.surrogates.originals)
    assert meant(restored(result.body, originals)) == meant(body)
    values = [(result.surrogates.kinds[token], text) for token, text in originals.of.items()]
    needles = Needles([(kind, text) for kind, text in values if kind != "typed"])
    said = "".join(
        [leaf.text + "\n" for leaf in read_leaves(result.body).found if leaf.whole is None and leaf.text[:1] != "{"]
    )
    for token in originals.of:
        said = said.replace(token, "<>")
    assert not needles.find(said)


@pytest.mark.parametrize("spell", [str.upper, str.lower, str.title])
def test_other_spellings_of_a_value_are_masked_and_come_back_each(spell: Any) -> None:  # Any: a method
    body = user(f"{MAIL} or {spell(MAIL)}")
    result = masked(body)
    assert "@" not in str(result.body)
    assert restored(result.body, Originals(result.surrogates.originals)) == body


def test_a_value_found_once_is_masked_wherever_it_stands() -> None:
    body = user("password: Hunter22!x") | {"tools": [{"function": {"name": "f", "description": "try Hunter22!x"}}]}
    result = masked(body)
    assert "Hunter22" not in str(result.body) and result.counts == {"password": 1}


def test_conversations_are_masked_the_same_turn_after_turn() -> None:
    turns: list[dict[str, Any]] = []  # Any: JSON values
    seen = set()
    for number in range(100):
        turns.append({"role": "user", "content": f"turn {number}: ask {MAIL}"})
        result = masked({"model": "m", "messages": turns})
        seen.add(result.body["messages"][0]["content"])
    assert len(seen) == 1


def test_a_value_in_two_parts_becomes_whole_in_the_first() -> None:
    value = resident_id()
    body = user(
        [
            {"type": "text", "text": "id " + value[:9]},
            {"type": "text", "text": value[9:]},
            {"type": "text", "text": "!"},
        ]
    )
    result = masked(body)
    texts = [part["text"] for part in result.body["messages"][0]["content"]]
    assert len(texts) == 2 and LOOKALIKE.fullmatch(texts[0][3:]) and texts[1] == "!"
    assert result.surrogates.originals == {texts[0][3:]: value}


def test_numbers_stay_numbers() -> None:
    body = user("x") | {"metadata": {"tel": 13800138000}}
    result = masked(body)
    number = result.body["metadata"]["tel"]
    assert type(number) is int and len(str(number)) == 11 and number != 13800138000
    assert restored(result.body, Originals(result.surrogates.originals)) == body


def test_arguments_keep_their_layout() -> None:
    arguments = '{ "to" : "a\\u0020wang@corp.cn",\n  "tel": 13800138000 }'
    body = {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}]}
    told = masked(body).body["messages"][0]["tool_calls"][0]["function"]["arguments"]
    assert told.startswith('{ "to" : "a\\u0020EMAIL_') and told.endswith(" }") and ',\n  "tel": 12' in told


def test_a_hidden_value_takes_its_whole_text_with_it() -> None:
    hidden = "hello " + "".join([chr(0xE0000 + ord(char)) for char in MAIL])
    result = masked(user(hidden))
    content = result.body["messages"][0]["content"]
    assert LOOKALIKE.fullmatch(content) and result.surrogates.originals[content] == hidden


def test_what_looks_like_a_stand_in_is_escaped_unless_it_was_one() -> None:
    old = Entry("EMAIL_ABCDEFGHIJKL", "email", MAIL)
    body = user(f"what is {old.token}?")
    assert old.token not in str(masked(body).body)
    result = masked(body, known=(old,))
    assert result.body == body and result.surrogates.originals == {old.token: MAIL}


def test_findings_that_only_spell_their_path_are_masked_too() -> None:
    body: dict[str, Any] = user([{"type": "text", "text": "Ann Lee is ill"}]) | {
        "metadata": {"Ann Lee": ["x", "Ann Lee"]}
    }  # Any: JSON
    masking = Masking(kinds=frozenset(("person",)))
    for path in ("$.messages[0].content[0].text", "$.metadata.#0~", "$.metadata.#0[1]"):
        found = Finding(kind="person", detector="ner", start=0, end=7, path=path)
        result = mask(body, [found], masking=masking, namer=NAMER)
        assert "Ann" not in str(result.body)
        assert restored(result.body, Originals(result.surrogates.originals)) == body


def test_kinds_that_are_not_maskable_stay() -> None:
    result = masked(user(f"{MAIL} 13800138000"), Masking(kinds=frozenset(("email",))))
    assert "13800138000" in str(result.body) and result.counts == {"email": 1}


@pytest.mark.parametrize(
    "body",
    [
        {"model": MAIL, "messages": []},
        user("x") | {"metadata": {"tel": 13800138000.0}},
        user("x") | {"metadata": {"tel": -13800138000}},
        user([1, 3, 8, 0, 0, 1, 3, 8, 0, 0, 0]) | {"metadata": {"d": [1, 3, 8, 0, 0, 1, 3, 8, 0, 0, 0]}},
        user("x") | {"n": 4111111111111111.0},
    ],
)
def test_what_cannot_be_masked_is_refused(body: dict[str, Any]) -> None:  # Any: JSON values
    with pytest.raises(Unmaskable) as caught:
        masked(body)
    assert MAIL not in str(caught.value)


def test_headers_and_places_that_are_not_there_are_refused() -> None:
    result = scanner().scan(user("x"), {"anthropic-beta": MAIL})
    with pytest.raises(Unmaskable, match="header"):
        mask(user("x"), result.findings, masking=ALL, namer=NAMER)
    for path in ("$.messages[9].content", "$.nothing.#3", "$.model[2]"):
        with pytest.raises(Unmaskable):
            mask(user("x"), [Finding(kind="email", detector="d", start=0, end=1, path=path)], masking=ALL, namer=NAMER)


def test_a_secret_of_a_vendor_is_masked_like_any_other() -> None:
    key = vendor_key("sk-proj-")
    result = masked(user(f"use {key} please"))
    assert key not in str(result.body)
    assert make_rules().kinds["api_key"] == 3


def test_the_body_itself_is_never_changed() -> None:
    body = user([{"type": "text", "text": MAIL}])
    before = json.dumps(body)
    masked(body)
    assert json.dumps(body) == before


def test_a_thought_under_our_seal_is_masked_in_it() -> None:
    thought = ReasoningPart(text=f"they are {MAIL}", signature="s", origin="deepseek", id="rs_1")
    sealed = seal(thought, with_text=True)
    body = user("x") | {"input": [{"type": "reasoning", "encrypted_content": sealed, "summary": []}]}
    result = masked(body)
    written = unseal(result.body["input"][0]["encrypted_content"])
    assert written is not None and (written.signature, written.origin, written.id) == ("s", "deepseek", "rs_1")
    assert restored(written.text, Originals(result.surrogates.originals)) == thought.text != written.text


def test_what_a_vendor_signed_stays_and_is_left_to_the_search_of_the_bytes() -> None:
    sealed = b64encode(seal(ReasoningPart(text="x", signature=MAIL)).encode()).decode()
    body = user("x") | {"contents": [{"parts": [{"thoughtSignature": sealed, "text": "x"}]}]}
    assert masked(body).body == body


def test_a_flood_of_values_is_refused_in_bounded_time() -> None:
    texts = [f"write to user{number}@corp.cn now" for number in range(4000)]
    with pytest.raises(Unmaskable, match="more values"):
        masked({"messages": [{"role": "user", "content": text} for text in texts]})


def test_what_a_vendor_encoded_of_stand_ins_stays() -> None:
    token = NAMER.name("password", "Hunter22!x")
    veiled = b64encode(f'they wrote password: "{token}" to me'.encode()).decode()
    body = user("password: Hunter22!x") | {"x": {"data": veiled, "encrypted_content": veiled}}
    assert masked(body).body["x"] == body["x"]
