"""Stand-ins that look like the value: for code, queries and fluent text, where `EMAIL_…` would be in the way.

Every one is taken from what is reserved for examples or can never be assigned, so that it is nobody's: a kind for which
there is no such range has none here, and its values get a name of letters. Same script, length and layout; a check
digit that is right where the kind has one; the sex where an identity number tells it.

Sources, 2026-11:
555-0100 to 555-0199: https://nationalnanpa.com/number_resource_info/555_numbers.html;
numbers for drama: https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama;
documentation: RFC 5737 (IPv4), RFC 3849 (IPv6), RFC 2606 (host names);
area 666 is never assigned: https://www.ssa.gov/kc/SSAFactSheet--IssuingSSNs.pdf;
test cards: https://docs.stripe.com/testing. Regions of GB/T 2260 begin with 11 to 82, so none with 70; ISO 3166 leaves
XX to its users; the numbering plan of the MIIT has no mobile numbers from 110 to 129.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Final

from yuzui.privacy.checksums import luhn_check_digit, mod97, resident_id_check, social_credit_check

Bytes = Iterator[int]
"""Endless keyed bytes: the same for the same value."""

_MAIL_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_MAIL_HOSTS: Final = ("example.com", "example.org", "example.net")
_TEST_CARDS: Final = {"3": "378282", "4": "424242", "5": "555555", "6": "601111"}
"""First six digits of documented test cards, by the network's first digit."""
_UNION_PAY: Final = "620000"
_V4_NETS: Final = ("192.0.2.", "198.51.100.", "203.0.113.")
_UNASSIGNED_REGION: Final = "70"
_MEN: Final = "明强军磊勇杰涛超刚平"
_WOMEN: Final = "芳娜敏静丽艳娟霞玲燕"
_EITHER: Final = "文林晨安宁宇新春云海"
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_FIRST_MEN: Final = ("James", "Daniel", "Thomas", "Peter", "Martin", "Robert", "Andrew", "Simon", "Oliver", "Frank")
_FIRST_WOMEN: Final = ("Anna", "Laura", "Sarah", "Emma", "Julia", "Helen", "Alice", "Clara", "Maria", "Nora")
_TRADES: Final = """
    Miller Carter Fisher Baker Mason Turner Cooper Parker Walker Hunter
    Porter Archer Sawyer Potter Weaver Gardner Shepherd Marsh Brook Field
"""  # and places: everybody's names
_LAST: Final = tuple(_TRADES.split())


def imitate(kind: str, surface: str, stream: Bytes) -> str:
    """A stand-in of the shape of `surface`, or "" where there is no reserved range that could hold it."""
    maker = _MAKERS.get(kind)
    return maker(surface, stream) if maker is not None else ""


def imitate_number(kind: str, surface: str, stream: Bytes) -> str:
    """The same as digits alone, for a number in JSON: as many as `surface` has, the first of them no 0."""
    if not surface.isascii() or not surface.isdigit() or kind not in _NUMERIC:
        return ""
    token = imitate(kind, surface, stream)
    return token if token.isascii() and token.isdigit() and len(token) == len(surface) and token[0] != "0" else ""


def _digits(stream: Bytes, count: int) -> str:
    return "".join([str(next(stream) * 10 // 256) for _ in range(count)])


def _pick(stream: Bytes, choices: tuple[str, ...] | str) -> str:
    return choices[(next(stream) << 8 | next(stream)) % len(choices)]


def _laid_out(surface: str, digits: str) -> str:
    """`digits` in the places of the digits of `surface`; "" when the numbers of them differ."""
    places = [at for at, char in enumerate(surface) if char.isdigit()]
    if len(places) != len(digits):
        return ""
    chars = list(surface)
    for at, digit in zip(places, digits, strict=True):
        chars[at] = digit
    return "".join(chars)


def _ascii_digits(surface: str) -> str:
    return "".join([char for char in surface if char in "0123456789"])


def _email(surface: str, stream: Bytes) -> str:
    local = "".join([_pick(stream, _MAIL_LETTERS) for _ in range(8)])
    return f"user.{local}@{_pick(stream, _MAIL_HOSTS)}"


def _cn_mobile(surface: str, stream: Bytes) -> str:
    digits = _ascii_digits(surface)
    if len(digits) < 11:
        return ""  # in Chinese numerals
    return _laid_out(surface, digits[:-11] + "12" + _digits(stream, 9))


def _phone(surface: str, stream: Bytes) -> str:
    digits = _ascii_digits(surface)
    bare = surface.lstrip(" (")
    if bare.startswith("+44") and len(digits) == 12:
        return _laid_out(surface, "447700900" + _digits(stream, 3))
    is_abroad = bare.startswith(("+", "00", "0"))
    if len(digits) == 11 and digits[0] == "1" and (bare.startswith("+1") or not is_abroad):
        return _laid_out(surface, "1" + _north_american(stream))
    if len(digits) == 10 and not is_abroad:
        return _laid_out(surface, _north_american(stream))
    return ""


def _north_american(stream: Bytes) -> str:
    """Area codes begin with 2 to 9 and have no 9 in the middle."""
    area = str(2 + next(stream) % 8) + str(next(stream) % 9) + str(next(stream) % 10)
    return f"{area}55501{_digits(stream, 2)}"


def _bank_card(surface: str, stream: Bytes) -> str:
    digits = _ascii_digits(surface)
    if not 13 <= len(digits) <= 19:
        return ""
    prefix = _UNION_PAY if digits.startswith("62") else _TEST_CARDS.get(digits[0], _TEST_CARDS["4"])
    payload = prefix + _digits(stream, len(digits) - len(prefix) - 1)
    return _laid_out(surface, payload + luhn_check_digit(payload))


def _us_ssn(surface: str, stream: Bytes) -> str:
    group, serial = 1 + int(_digits(stream, 4)) % 99, 1 + int(_digits(stream, 6)) % 9999
    return _laid_out(surface, f"666{group:02d}{serial:04d}")


def _cn_resident_id(surface: str, stream: Bytes) -> str:
    chars = [char for char in surface.upper() if char.isalnum()]
    value = "".join(chars)
    if len(value) != 18 or not value[:17].isdigit() or not value.isascii():
        return ""
    year, month, day = 1950 + next(stream) % 55, 1 + next(stream) % 12, 1 + next(stream) % 28
    sequence = int(_digits(stream, 3))
    sequence -= (sequence - int(value[16])) % 2  # odd for men, even for women
    first = f"{_UNASSIGNED_REGION}{_digits(stream, 4)}{year}{month:02d}{day:02d}{sequence % 1000:03d}"
    return _relaid(surface, first + resident_id_check(first))


def _cn_social_credit_code(surface: str, stream: Bytes) -> str:
    value = "".join([char for char in surface if char.isalnum()])
    if len(value) != 18 or not value.isascii():
        return ""
    first = f"91{_UNASSIGNED_REGION}{_digits(stream, 4)}MA{''.join([_pick(stream, _CODE) for _ in range(7)])}"
    return _relaid(surface, first + social_credit_check(first))


_CODE: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100 does without I, O, S, V, Z


def _iban(surface: str, stream: Bytes) -> str:
    value = "".join([char for char in surface if char.isalnum()])
    if not value.isascii() or not 15 <= len(value) <= 34:
        return ""
    account = _digits(stream, len(value) - 4)
    return _relaid(surface, f"XX{98 - mod97(f'{account}XX00'):02d}{account}")


def _relaid(surface: str, value: str) -> str:
    """`value` in the places of the letters and digits of `surface`, whose number is the same."""
    source = iter(value)
    return "".join([next(source) if char.isalnum() else char for char in surface])


def _ip_address(surface: str, stream: Bytes) -> str:
    try:
        address = ipaddress.ip_address(surface)
    except ValueError:
        return ""
    if address.version == 4:
        return f"{_pick(stream, _V4_NETS)}{next(stream)}"
    groups = [f"{next(stream) << 8 | next(stream):x}" for _ in range(6)]
    return str(ipaddress.IPv6Address("2001:db8:" + ":".join(groups)))


def _person(surface: str, stream: Bytes) -> str:
    """A name of the same script; its sex is that of a title in front or behind, if it has one."""
    if all("\u4e00" <= char <= "\u9fff" for char in surface) and 2 <= len(surface) <= 4:
        title = next((title for title in ("先生", "女士", "小姐") if surface.endswith(title) and len(surface) > 2), "")
        given = {"先生": _MEN, "女士": _WOMEN, "小姐": _WOMEN}.get(title, _EITHER)
        count = max(0, len(surface) - len(title) - 1)
        return _pick(stream, _SURNAMES) + "".join([_pick(stream, given) for _ in range(count)]) + title
    words = surface.split(" ")
    if not surface.isascii() or not all(word.rstrip(".").isalpha() for word in words):
        return ""
    title = words[0] if words[0].rstrip(".") in ("Mr", "Mrs", "Ms", "Miss", "Dr") else ""
    first: tuple[str, ...] = _FIRST_MEN if title.rstrip(".") == "Mr" else _FIRST_WOMEN
    if not title or title.startswith("Dr"):
        first = _FIRST_MEN + _FIRST_WOMEN
    names = len(words) - bool(title)
    written = [_pick(stream, first) for _ in range(names - 1)] + [_pick(stream, _LAST)]
    return " ".join([title, *written] if title else written)


_NUMERIC: Final = frozenset(("cn_mobile", "phone", "bank_card", "us_ssn", "cn_resident_id"))
_MAKERS: Final[dict[str, Callable[[str, Bytes], str]]] = {
    "bank_card": _bank_card,
    "cn_mobile": _cn_mobile,
    "cn_resident_id": _cn_resident_id,
    "cn_social_credit_code": _cn_social_credit_code,
    "email": _email,
    "iban": _iban,
    "ip_address": _ip_address,
    "person": _person,
    "phone": _phone,
    "us_ssn": _us_ssn,
}
