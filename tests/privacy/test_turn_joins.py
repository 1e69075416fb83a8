"""Values over neighbouring turns are found with both halves in their places; what merely stands beside another is not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.sensitivity import Finding
from yuzui.privacy.leaves import read_leaves, spell_path
from yuzui.privacy.mask import Masking, Unmaskable, mask
from yuzui.privacy.scan import Scanner
from yuzui.privacy.surrogates import Namer
from yuzui.privacy.turn_joins import (
    EARLIER,
    MOST_PIECES,
    find_across_requests,
    find_across_turns,
    may_go_on,
    repeats,
    tail_of,
)

from .kit import make_rules

SCANNER = Scanner(make_rules())
NAMER = Namer(b"a secret of masking, 32 bytes ..", tenant="t", scope="c")
KEY = "sk-" + "proj-q7Rk2Xw9Zt4Lm8Vb3Nc6"
CARD = "4111 1111 1111 " + "1111"


def chat(*texts: Any) -> dict[str, Any]:  # Any: contents
    return {"messages": [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]}


def users(*texts: Any) -> dict[str, Any]:  # Any: as above
    return chat(*[one for text in texts for one in (text, "Go on.")][:-1])


def texts_of(body: dict[str, Any], findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """(kind, characters) of findings, by the client's own texts."""
    texts = {spell_path(leaf.path): leaf.text for leaf in read_leaves(body).found if leaf.whole is None}
    return sorted({(one.kind, texts[one.path][one.start : one.end]) for one in findings})


@pytest.mark.parametrize(
    ("first", "second", "kind", "halves"),
    [
        ("my card is 4111 1111", "1111 1111", "bank_card", {"4111 1111", "1111 1111"}),
        ("my card is 4111 11", "the rest: 11 1111 1111, thanks", "bank_card", {"4111 11", "11 1111 1111"}),
        ("Charge 4111-1111-.", "1111-1111", "bank_card", {"4111-1111", "4111-1111-.", "1111-1111"}),
        ("call 13800", "138000", "cn_mobile", {"13800", "138000"}),
        ("我的手机号是138001", "38000", "cn_mobile", {"138001", "38000"}),
        ("我的手机是一三八零零", "一三八零零零", "cn_mobile", {"一三八零零", "一三八零零零"}),
        ("我的手机号是１３８００", "１３８０００", "cn_mobile", {"１３８００", "１３８０００"}),
        ("身份证 110101 1990", "0307 7758", "cn_resident_id", {"110101 1990", "0307 7758"}),
        ("my SSN is 536-22", "8145", "us_ssn", {"536-22", "8145"}),
        ("write to zhang.wei@", "corp.cn", "email", {"zhang.wei@", "corp.cn"}),
        ("account number 6222 0212", "3456 7890 123", "bank_account", {"6222 0212", "3456 7890 123"}),
        ("Use " + KEY, "Yd1Hs5Jf0Gp" * 4, "api_key",
         {KEY, "Yd1Hs5Jf0Gp" * 4}),
    ],
)  # fmt: skip  # a table
def test_a_value_over_two_turns_with_an_answer_in_between(first: str, second: str, kind: str, halves: set[str]) -> None:
    assert not [one for text in (first, second) for one in SCANNER.scan_text(text).findings if one.end == len(text)
                and kind != "bank_account"]  # fmt: skip  # neither half says it
    body = users(first, second)
    found = [one for one in SCANNER.scan(body).findings if one.kind == kind]
    assert {text for _, text in texts_of(body, found)} == halves
    assert {one.path for one in found} == {"$.messages[0].content", "$.messages[2].content"}


BODIES: list[dict[str, Any]] = [
    users([{"type": "text", "text": "Hi. My card is 4111 1111"}], [{"type": "text", "text": "1111 1111"}]),
    users([{"type": "text", "text": "Hi."}, {"type": "text", "text": "It is 4111 1111"}], "1111 1111"),
    {"input": [{"role": "user", "content": [{"type": "input_text", "text": "my card is 4111 1111"}]},
               {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "And?"}]},
               {"type": "message", "role": "user", "content": "1111 1111"}]},
    {"contents": [{"parts": [{"text": "my card is 4111 1111"}]}, {"role": "model", "parts": [{"text": "And?"}]},
                  {"role": "user", "parts": {"text": "1111 1111"}}]},
    {"messages": [{"role": "user", "content": "my card is 4111 1111"},
                  {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
                  {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "ok"}]},
                  {"role": "assistant", "content": "And?"}, {"role": "user", "content": "1111 1111"}]},
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "my card is 4111 1111"},
                  {"role": "tool", "tool_call_id": "t", "content": "12"}, {"role": "user", "content": "1111 1111"}]},
]  # fmt: skip  # a table


@pytest.mark.parametrize("body", BODIES)
def test_in_every_dialect_and_over_tools(body: dict[str, Any]) -> None:
    found = [one for one in SCANNER.scan(body).findings if one.kind == "bank_card"]
    assert texts_of(body, found) == [("bank_card", "1111 1111"), ("bank_card", "4111 1111")]


@given(st.lists(st.integers(1, len(CARD) - 1), min_size=1, max_size=MOST_PIECES - 1, unique=True))
def test_a_number_that_is_cut_anywhere_into_a_few_turns_is_found_in_all_of_them(cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(CARD)]
    pieces = [CARD[a:b] for a, b in pairwise(ends)]
    if not all(any(char.isdigit() for char in piece) for piece in pieces):
        return
    body = users("My card number is " + pieces[0], *pieces[1:])
    found = [one for one in SCANNER.scan(body).findings if one.kind == "bank_card"]
    assert {one.path for one in found} == {f"$.messages[{2 * number}].content" for number in range(len(pieces))}
    digits = {"".join(filter(str.isdigit, text)) for _, text in texts_of(body, found)}
    assert digits == {"".join(filter(str.isdigit, piece)) for piece in pieces}


@pytest.mark.parametrize(
    "texts",
    [
        ("what is 1234 * 5678?", "7006652"),
        ("write to ann@corp.cn", "WHT is the code"),
        ("my card is 4111 1111", "thank you", "1111 1111"),
        ("I was there in 2019", "and in 2021"),
        ("It costs 4111.", "Why not 1111?"),
        ("4111 1111", "",),
    ],
)  # fmt: skip  # a table
def test_what_only_stands_beside_another_is_nothing(texts: tuple[str, ...]) -> None:
    assert find_across_turns(users(*texts), SCANNER.look) == ([], [])


def test_what_is_whole_in_one_turn_is_found_there_once() -> None:
    body = users(f"my card is {CARD}", "and 2025 is the year")
    found = SCANNER.scan(body).findings
    assert texts_of(body, found) == [("bank_card", CARD)]


@pytest.mark.parametrize("body", BODIES)
def test_both_halves_are_masked_or_nothing_is(body: dict[str, Any]) -> None:
    scan = SCANNER.scan(body)
    masked = mask(body, scan.findings, scan.repeats, masking=Masking(kinds=frozenset({"bank_card"})), namer=NAMER)
    assert "1111" not in str(masked.body)
    assert not [one for one in SCANNER.scan(masked.body).findings if one.kind == "bank_card"]


def test_a_detector_that_breaks_at_a_seam_is_told() -> None:
    def broken(texts: Sequence[str]) -> tuple[list[list[Finding]], list[str]]:
        return [[] for _ in texts], ["bank_card"]

    assert find_across_turns(users("my card is 4111 1111", "1111 1111"), broken) == ([], ["bank_card"])


def test_many_turns_are_looked_at_in_one_go() -> None:
    calls: list[int] = []

    def look(texts: Sequence[str]) -> tuple[list[list[Finding]], list[str]]:
        calls.append(len(texts))
        return [[] for _ in texts], []

    find_across_turns(users(*[f"number {n} 55 66" for n in range(1000, 1400)]), look)
    assert len(calls) == 1 and calls[0] <= 200 * 2 * 4


def test_what_an_earlier_request_began_is_found_and_cannot_be_masked_half() -> None:
    tail = tail_of(chat("my card is 4111 1111"))
    body = chat("1111 1111")
    assert may_go_on(body) and not repeats(body, tail)
    found, failures = find_across_requests(tail, body, SCANNER.look)
    assert [(one.kind, one.path, one.start, one.end) for one in found] == [
        ("bank_card", "$.messages[0].content", 0, 9)
    ] and not failures
    assert found[0].place is not None and found[0].place.path[1] == EARLIER
    with pytest.raises(Unmaskable, match="earlier request"):
        mask(body, found, masking=Masking(kinds=frozenset({"bank_card"})), namer=NAMER)


def test_it_may_go_on_over_several_requests() -> None:
    tail = tail_of(chat("my card is 4111"))
    for _ in range(2):
        assert find_across_requests(tail, chat("1111"), SCANNER.look) == ([], [])
        tail = tail_of(chat("1111"), tail)
    found, _ = find_across_requests(tail, chat("1111"), SCANNER.look)
    assert [one.kind for one in found] == ["bank_card"]


def test_little_of_a_turn_is_remembered_and_of_most_nothing() -> None:
    assert tail_of(chat("Tell me a story about a dog, please.")) == ()
    (piece,) = tail_of(chat("x " * 5000 + "my card is 4111 1111"))
    assert piece.text.endswith("my card is 4111 1111") and len(piece.text) <= 64
    assert not may_go_on(chat("Go on, please."))


def test_who_sends_the_history_again_has_no_earlier_request() -> None:
    tail = tail_of(chat("my card is 4111 1111"))
    assert repeats(users("my card is 4111 1111", "1111 1111"), tail)
