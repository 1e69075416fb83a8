"""Ages, nations, places, addresses of the web, paths and handles, and what only looks like them."""

from __future__ import annotations

import pytest

from yuzui.privacy.ner.quasi import quasi_spans, with_neighbours
from yuzui.privacy.ner.spans import NameSpan


def found(text: str, kind: str) -> list[str]:
    return [text[one.start : one.end] for one in quasi_spans(text) if one.kind == kind]


@pytest.mark.parametrize(
    ("text", "ages"),
    [
        ("a 34-year-old man, aged 7, and i'm 31 y/o", ["34", "7", "31"]),
        ("He just turned 46 years old; I'll turn 21.", ["46", "21"]),
        ("when he was 64.", ["64"]),
        ("turn 90 degrees, turned 5% and 12 years later", []),
        ("i am 100% sure, she is 5 km away, version aged 1.2", []),
    ],
)
def test_ages(text: str, ages: list[str]) -> None:
    assert sorted(found(text, "age")) == sorted(ages)


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://xyzzy.example/a?b=c.", ["https://xyzzy.example/a?b=c"]),
        ("(www.xyzzy.org/x), wss://h.test/q", ["www.xyzzy.org/x", "wss://h.test/q"]),
        ("on plugh.com or xyzzy.co.uk today", ["plugh.com", "xyzzy.co.uk"]),
        ("the end.It was so, at a.b.in", ["a.b.in"]),
        ("mail ada@plugh.com, self.info(x), os.path, 1.2.3", []),
        ("https://URL_ABCDEFGHIJKL/x", []),  # a stand-in
    ],
)
def test_addresses_of_the_web(text: str, urls: list[str]) -> None:
    assert found(text, "url") == urls


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (r"in C:\Users\xyzzy\Desktop\My Work\a b.txt'", [r"C:\Users\xyzzy\Desktop\My Work\a b.txt"]),
        ('File "/home/xyzzy/src/a.py", line 3', ["/home/xyzzy/src/a.py"]),
        ("/Users/plugh/x and /home/user/x, /etc/passwd", ["/Users/plugh/x"]),
        ("https://x.test/home/plugh", []),
    ],
)
def test_paths_in_homes(text: str, paths: list[str]) -> None:
    assert found(text, "file_path") == paths


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("ask @xyzzy_83 or @Plugh.", ["xyzzy_83", "Plugh"]),
        ("username: xyzzy83, github.com/plugh", ["xyzzy83", "plugh"]),
        ("@property\n    @contextlib.contextmanager\n * @param x\n@pytest.fixture()", []),
        ("ada@plugh.org, npm i @scope/name, user name is required", []),
        ("@USERNAME_ABCDEFGHIJKL", []),  # a stand-in
    ],
)
def test_handles(text: str, handles: list[str]) -> None:
    assert found(text, "username") == handles


def test_places_in_capitals_and_small_and_those_that_are_words_too() -> None:
    text = "from New York to dubai, CHINA and Chad; a turkey named chad, china_plate, New Yorker"
    assert found(text, "location") == ["New York", "dubai", "CHINA", "Chad"]


def test_peoples() -> None:
    assert found("the Germans, a Danish poet; i am polish, polish it", "nationality") == ["Germans", "Danish", "polish"]


def test_it_is_linear_in_the_text() -> None:
    for text in (
        "a." * 30_000,
        "a-" * 30_000,
        "@a " * 20_000,
        "/home/a" * 9_000,
        "C:\\Users\\a b" * 5_000,
        "New " * 15_000,
        "a" * 60_000,
        "/home/a/" + "b c" * 20_000,
        "www." * 15_000,
        "@" + "a." * 30_000,
    ):
        list(quasi_spans(text))


def test_places_one_after_another_are_one_and_nothing_else_is_joined() -> None:
    text = "Xyzzy, Goa, India, Ada, Plugh"
    kinds = ("proper_noun", "location", "location", "person", "proper_noun")
    spans, at = [], 0
    for word, kind in zip(text.split(", "), kinds, strict=True):
        spans.append(NameSpan(at, at + len(word), kind, 0.7, "m"))  # type: ignore[arg-type]  # kinds of this table
        at += len(word) + 2
    joined = [(text[one.start : one.end], one.kind) for one in with_neighbours(text, spans)]
    assert joined == [("Xyzzy, Goa, India", "location"), ("Ada", "person"), ("Plugh", "proper_noun")]
