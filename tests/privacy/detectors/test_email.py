"""E-mail addresses, plain and disguised."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    "address",
    [
        "wang.jianhua@example.com",
        "o'reilly+tag@sub.example.co.uk",
        "x@y.io",
        "xn--fiqz9sxok@xn--fsqu00a.xn--fiqs8s",
        "ｗａｎｇ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "wаng@exаmple.com",
        "wang.jianhua%40example.com",
        "wang.jianhua%2540example.com",
        "wang [at] example [dot] com",
        "wang dot jianhua at example dot com",
        "wang(at)example(dot)com",
        "wa\u200bng@example.com",
    ],
)
def test_an_address_is_found_in_every_disguise(address: str) -> None:
    assert values(f"邮箱：{address}", "email") == [address]


@pytest.mark.parametrize(
    "text",
    [
        "@property",
        "git@github.com:a/b.git",
        "icon@2x.png",
        "react@18.2.0",
        "a @ b",
        "user@localhost",
        "look at that dot",
        "@example.com",
        "a@b..com",
    ],
)
def test_decorators_packages_and_pictures_are_left_alone(text: str) -> None:
    assert values(text, "email") == []


def test_the_password_of_a_login_in_an_address_is_no_mailbox() -> None:
    assert values("clone https://anna:qk29zz1@git.corp.cn/a.git", "email") == []
    assert values("see https://anna@corp.cn and mailto:li@corp.cn", "email") == ["anna@corp.cn", "li@corp.cn"]


def test_the_full_stop_of_the_sentence_does_not_belong_to_it() -> None:
    assert values("Mail a.b@example.com. Thanks", "email") == ["a.b@example.com"]
