"""Issued stand-ins are found as models write them; nothing else is, and nothing waits that cannot become one."""

from __future__ import annotations

import pytest

from yuzui.privacy.matcher import Matcher

MAIL, MOBILE = "EMAIL_ABCDEFGHIJKL", "CN_MOBILE_MNOPQRSTUVWX"
MATCHER = Matcher([MAIL, MOBILE, "192.0.2.1", "192.0.2.10", "user.k3@example.com"])


@pytest.mark.parametrize(
    "text",
    [
        MAIL,
        MAIL.lower(),
        MAIL.title(),
        MAIL.replace("_", r"\_"),
        MAIL.replace("_", r"\\_"),
        MAIL.replace("_", ""),
        MAIL.replace("_", " "),
        MAIL.replace("_", "-"),
        MAIL.replace("_", "_**"),
        f"**{MAIL}**",
        f"x{MAIL}y",
        f"邮箱{MAIL}。",
        f"EMAIL {MAIL}",
    ],
)
def test_letters_are_found_however_models_write_them(text: str) -> None:
    found, _ = MATCHER.next(text)
    assert found is not None and found.token == MAIL


def test_parts_of_a_kind_are_as_loosely_joined() -> None:
    for spelled in ("CNMOBILEMNOPQRSTUVWX", "cn mobile mnopqrstuvwx", r"CN\_MOBILE\_MNOPQRSTUVWX"):
        found, _ = MATCHER.next(f"tel {spelled}!")
        assert found is not None and found.token == MOBILE and found.end == len(spelled) + 4


@pytest.mark.parametrize(
    "text", ["EMAIL_ABCDEFGHIJKM", "EMAIL\nABCDEFGHIJKL", "EMAIL_ABCDEF_GHIJKL", "EMAIL" + "_" * 9 + "ABCDEFGHIJKL"]
)
def test_what_was_not_issued_is_not_found(text: str) -> None:
    assert MATCHER.next(text) == (None, len(text))


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("at 192.0.2.1.", "192.0.2.1"),
        ("at 192.0.2.10", "192.0.2.10"),
        ("at 192.0.2.100", None),
        ("1192.0.2.1", None),
        ("x user.k3@example.com", "user.k3@example.com"),
        ("x user.k3@example.community", None),
        ("superuser.k3@example.com", None),
        ("USER.K3@example.com", None),
    ],
)
def test_likenesses_are_found_exactly_and_not_inside_longer_words(text: str, token: str | None) -> None:
    found, _ = MATCHER.next(text)
    assert (found.token if found else None) == token


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("hello", 5),
        ("see th", 6),
        ("see the", 6),
        ("see EMAIL", 4),
        ("see EMAIL_A", 4),
        ("see EMAIL_B", 11),
        ("see EMAIL_ABCDEFGHIJK", 4),
        ("192.0.2.1", 0),
        ("x192.0.2", 1),
        ("CN", 0),
        ("CN_MOBILX", 9),
    ],
)
def test_only_a_proper_prefix_of_an_issued_one_waits(text: str, settled: int) -> None:
    assert MATCHER.next(text, is_final=False) == (None, settled)


def test_the_character_in_front_of_a_piece_counts() -> None:
    assert MATCHER.next("192.0.2.1 ", before="1")[0] is None
    assert MATCHER.next("192.0.2.1 ", before=" ")[0] is not None


def test_without_stand_ins_all_is_settled() -> None:
    assert Matcher([]).next("EMAIL_ABCDEFGHIJKL", is_final=False) == (None, 18)
