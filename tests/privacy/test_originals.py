"""What was found earlier is found again in the ways that people write it."""

from __future__ import annotations

import pytest

from yuzui.privacy.originals import Originals
from yuzui.privacy.words import WordValues

TAG, CHAT = b"8 bytes!", b"8 bytes!a chat.."
WORDS = WordValues(b"secret")


@pytest.fixture
def originals() -> Originals:
    known = Originals(WORDS, 1000)
    for kind, value in (
        ("person", "王小明"), ("person", "John Smith"), ("email", "li.wei83@corp.example"), ("cn_mobile", "138-1234-5678"),
        ("password", "correct horse battery"),
    ):  # fmt: skip
        known.sources.learn(TAG, known.keys_of(kind, value), CHAT, 2, kind)
    return known


def found(originals: Originals, text: str, *, same: bool, tag: bytes = TAG) -> list[tuple[str, str]]:
    chats = {CHAT} if same else set()
    echoes = originals.find(tag, lambda: text, WORDS.read(text), originals.numbers(text), chats)
    return [(text[echo.start : echo.end], echo.kind) for echo in echoes]


@pytest.mark.parametrize(
    ("text", "echoes"),
    [
        ("请转告王小明一声", [("王小明", "person")]),
        ("mail wangxiaoming@x.example", [("wangxiaoming", "person")]),
        ("as SMITH, JOHN said", [("SMITH, JOHN", "person")]),
        ("his account is li_wei83", [("li_wei83", "email")]),
        ("ring 13812345678 now", [("13812345678", "cn_mobile")]),
        ("ring +86 138 1234 5678 now", [("+86 138 1234 5678", "cn_mobile")]),
        ("it is Correct-Horse Battery!", [("Correct-Horse Battery", "password")]),
        ("Mr Smith and 王先生 agree", []),
        ("a smith is a craftsman, 王 is a king", []),
    ],
)
def test_anywhere_in_the_scope_only_what_can_hardly_be_somebody_else(
    originals: Originals, text: str, echoes: list[tuple[str, str]]
) -> None:
    assert found(originals, text, same=False) == echoes
    assert found(originals, text, same=False, tag=b"another!") == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [("as SMITH, JOHN said", "full"), ("ring 13812345678 now", "number"), ("ask Mr. Wang", "titled"),
     ("J. Smith signed", "short")],
)  # fmt: skip  # one form, one rule
def test_each_echo_says_which_form_it_is(originals: Originals, text: str, rule: str) -> None:
    [echo] = originals.find(TAG, lambda: text, WORDS.read(text), originals.numbers(text), {CHAT})
    assert echo.rule == rule


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Mr Smith and Dr. Smith", ["Smith", "Smith"]),
        ("问一下王先生,王总在吗", ["王", "王"]),
        ("老王说过", ["王"]),
        ("ask Mr. Wang", ["Wang"]),
        ("J. Smith signed", ["J. Smith"]),
        ("a smith is a craftsman, 王 is a king", []),
        ("李先生", []),
    ],
)
def test_in_the_same_conversation_also_surname_and_title(originals: Originals, text: str, values: list[str]) -> None:
    assert [value for value, _ in found(originals, text, same=True)] == values


def test_what_is_forgotten_is_not_found() -> None:
    known = Originals(WORDS, 18)
    for name in ("Peter Parker", "Miles Morales"):
        known.sources.learn(TAG, known.keys_of("person", name), CHAT, 2, "person")
    assert [value for value, _ in found(known, "Peter Parker met Miles Morales", same=True)] == ["Miles Morales"]
