"""Any cut of a stream gives the same text; nothing waits longer than it must."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.restore import EVERYWHERE, CallRestorer, Originals, Tally, TextRestorer
from yuzui.privacy.sinks import Sinks, listed

MAIL, NAME, SECRET = "EMAIL_ABCDEFGHIJKL", "PERSON_MNOPQRSTUVWX", "PASSWORD_YZ234567ABCD"
VALUES = {
    MAIL: "wang@corp.cn",
    NAME: "王小明",
    SECRET: 'a"b\\c\n',
    "12011112222": "13800138000",
    "user.k3@example.com": "li@corp.cn",
}
ORIGINALS = Originals(VALUES)
SINKS = Sinks(hosts=listed(["intranet.test"]))
PIECES = st.sampled_from(
    [*VALUES, MAIL.lower(), MAIL.replace("_", r"\_"), MAIL[:9], MAIL[:-1], NAME[:3], f"**{NAME}**", "EMAIL_**ABCDEFGHIJKL**",
     "https://evil.test/?q=", "https://intranet.test/?q=", "![x](", ")", " ", "\n", "e", "E", "p", "1", "，", "the ", "\\", '"']
)  # fmt: skip  # a list of pieces
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join)


def text_restorer(tally: Tally | None = None, sinks: Sinks = SINKS, *, is_json: bool = False) -> TextRestorer:
    return TextRestorer(ORIGINALS, sinks, tally or Tally(), is_json=is_json)


def call_restorer(name: str = "mail", tally: Tally | None = None, *, is_custom: bool = False) -> CallRestorer:
    return CallRestorer(ORIGINALS, SINKS, tally or Tally(), name=name, is_custom=is_custom)


def cut(text: str, data: st.DataObject) -> list[str]:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return [text[first:last] for first, last in zip([0, *places], [*places, len(text)], strict=True)]


@given(TEXTS, st.data())
def test_any_cut_of_a_text_gives_the_same(text: str, data: st.DataObject) -> None:
    whole, tally = text_restorer(), Tally()
    expected = whole.whole(text)
    restorer = text_restorer(tally)
    assert "".join([restorer.feed(piece) for piece in cut(text, data)]) + restorer.flush() == expected
    assert tally == whole.tally
    one_by_one = text_restorer()
    assert "".join([one_by_one.feed(char) for char in text]) + one_by_one.flush() == expected


@given(st.lists(PIECES | st.text(max_size=3), max_size=8), st.data(), st.booleans(), st.sampled_from((True, False)))
def test_any_cut_of_a_call_gives_the_same(
    said: list[str], data: st.DataObject, is_ascii: bool, is_custom: bool
) -> None:
    text = json.dumps({"a": said, "b": json.dumps({"c": "".join(said)})}, ensure_ascii=is_ascii)
    expected = call_restorer(is_custom=is_custom).whole(text)
    restorer = call_restorer(is_custom=is_custom)
    assert "".join([restorer.feed(piece) for piece in cut(text, data)]) + restorer.flush() == expected
    if not is_custom:
        json.loads(expected)


@given(st.text(), st.data())
def test_calls_that_are_no_json_are_cut_alike_too(text: str, data: st.DataObject) -> None:
    text += MAIL + text
    expected = call_restorer().whole(text)
    restorer = call_restorer()
    assert "".join([restorer.feed(piece) for piece in cut(text, data)]) + restorer.flush() == expected


def test_a_delta_without_a_beginning_goes_on_at_once() -> None:
    restorer = text_restorer()
    assert [restorer.feed(piece) for piece in ("Good day", " the ", "E", "MAIL", "_ABC ok")] == [
        "Good day", " the ", "", "", "EMAIL_ABC ok",
    ]  # fmt: skip  # one per piece
    assert restorer.flush() == ""


@pytest.mark.parametrize(
    ("text", "restored"),
    [
        (f"Write to {MAIL}.", "Write to wang@corp.cn."),
        (f"**{MAIL}**", "**wang@corp.cn**"),
        ("**EMAIL\\_ABCDEFGHIJKL**", "**wang@corp.cn**"),
        ("EMAIL_**ABCDEFGHIJKL**", "**wang@corp.cn**"),
        ("email abcdefghijkl", "wang@corp.cn"),
        ("call 12011112222!", "call 13800138000!"),
        ("call 120111122223", "call 120111122223"),
        (f"https://evil.test/?q={MAIL}", f"https://evil.test/?q={MAIL}"),
        (f"https://intranet.test/?q={MAIL}", "https://intranet.test/?q=wang@corp.cn"),
        (f"![x](https://evil.test/?q={MAIL}) {NAME}", f"![x](https://evil.test/?q={MAIL}) 王小明"),
        (f"{MAIL}{NAME}", "wang@corp.cn王小明"),
    ],
)
def test_texts_are_restored_for_the_reader(text: str, restored: str) -> None:
    assert text_restorer().whole(text) == restored


def test_what_was_never_issued_is_flagged_and_stays() -> None:
    tally = Tally()
    assert text_restorer(tally).whole(f"PERSON_AAAAAAAAAAAA and {NAME}") == "PERSON_AAAAAAAAAAAA and 王小明"
    assert (tally.restored, tally.foreign, tally.withheld) == (1, 1, 0)
    text_restorer(tally).whole(f"https://evil.test/{MAIL}")
    assert tally.withheld == 1


def test_in_json_answers_originals_are_escaped() -> None:
    assert json.loads(text_restorer(is_json=True).whole(json.dumps({"p": SECRET}))) == {"p": VALUES[SECRET]}


def test_arguments_stay_json_at_every_level() -> None:
    inner = json.dumps({"p": f"<{SECRET}>", "é": 1})
    text = json.dumps({"deep": inner, "say": f'"{SECRET}"', SECRET: [12011112222, "12011112222"]}, indent=1)
    restored = json.loads(call_restorer().whole(text))
    assert json.loads(restored["deep"]) == {"p": f"<{VALUES[SECRET]}>", "é": 1}
    assert restored["say"] == f'"{VALUES[SECRET]}"' and restored[VALUES[SECRET]] == [13800138000, "13800138000"]


def test_a_call_waits_from_its_first_stand_in_on_and_no_sooner() -> None:
    restorer = call_restorer()
    assert restorer.feed('{"to": "') == '{"to": "'
    assert restorer.feed(MAIL + '", "url": "') == ""
    assert restorer.feed('x"}') == ""
    assert restorer.flush() == 'wang@corp.cn", "url": "x"}'


def test_a_call_aimed_at_a_host_that_is_not_listed_gets_nothing() -> None:
    tally = Tally()
    text = json.dumps({"body": f"hello {MAIL}", "url": "https://evil.test/"})
    assert call_restorer("post", tally).whole(text) == text
    assert (tally.restored, tally.withheld) == (0, 1)
    assert "wang@corp.cn" in call_restorer().whole(text.replace("evil.test", "intranet.test"))


def test_a_stand_in_spelled_in_escapes_is_found() -> None:
    text = '{"to": "\\u0045MAIL_ABCDEFGHIJKL"}'
    restorer = call_restorer()
    assert "".join([restorer.feed(char) for char in text]) + restorer.flush() == '{"to": "wang@corp.cn"}'


@given(TEXTS, st.data())
def test_offsets_move_with_the_text(text: str, data: st.DataObject) -> None:
    restorer = text_restorer(sinks=EVERYWHERE)
    restored = restorer.whole(text)
    assert restorer.translate(len(text)) == len(restored)
    assert restorer.translate(0) == 0
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    assert [restorer.translate(at) for at in places] == sorted(restorer.translate(at) for at in places)
