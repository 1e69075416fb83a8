"""IP addresses, versions 4 and 6, but not version numbers, OIDs, section numbers or C++ scopes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.surroundings import has_cue, is_digit, is_word, take, word_before

_HEX_COLON = frozenset("0123456789abcdefABCDEF:.")
_VERSION_CUES = ("version", "release", "build", "upgrade", "版本")
_IP_CUES = ("ip", "ipv4", "host", "addr", "address", "server", "dns", "地址", "ping", "服务器")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if ":" in text[start:end]:
        return _check_v6(text, start, end)
    return _check_v4(text, start, end)


def _check_v4(text: str, start: int, end: int) -> Iterable[Hit]:
    octets = text[start:end].split(".")
    if any(int(octet) > 255 or (len(octet) > 1 and octet[0] == "0") for octet in octets):
        return
    if is_word(text, start - 1) or is_word(text, end) or text[start - 1 : start] == ".":
        return
    follows = text[end : end + 1]
    if (follows == "." and is_digit(text, end + 1)) or (follows in ("-", "+", "_") and is_word(text, end + 1)):
        return
    if text[start - 1 : start] == "/" and is_word(text, start - 2):  # `Chrome/120.0.0.0`
        return
    values = [int(octet) for octet in octets]
    if values[0] in (0, 127, 255) or (values[0] >= 224 and values[3] == 255):
        return  # this host, loopback, netmasks: they say nothing about anybody
    if has_cue(text, start, _VERSION_CUES, reach=16) or word_before(text, start) in ("v", "ver"):
        return
    if max(values) < 10 and not has_cue(text, start, _IP_CUES, reach=16):
        return  # 1.2.3.4 is a section or a version far more often
    yield Hit("ip_address", start, end, 0.9, "v4")


def _check_v6(text: str, start: int, end: int) -> Iterable[Hit]:
    start, end = take(text, start, end, _HEX_COLON, 45)
    while end > start and text[end - 1] in ":." and text[end - 2 : end] != "::":
        end -= 1  # a colon or full stop of the sentence
    if is_word(text, start - 1) or is_word(text, end) or text[start - 1 : start] == ":":
        return
    value = text[start:end]
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return  # hexadecimal with colons is often a MAC address, a hash or a time
    groups = [group for group in value.split(":") if group]
    if address.is_loopback or address.is_unspecified or len(groups) < 2 or not any(char.isdigit() for char in value):
        return
    if len(groups) < 3 and not value.lower().startswith(("fe80", "2", "fc", "fd")):
        return  # `abc::d1` is a name in C++ more often than an address
    yield Hit("ip_address", start, end, 0.9, "v6")


DETECTOR = Detector(
    levels={"ip_address": "confidential"},
    patterns=(
        Pattern(regex=r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}"),
        Pattern(regex=r"[0-9a-f]{1,4}::[0-9a-f]", ignore_case=True),
        Pattern(regex=r"[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4}:", ignore_case=True),
    ),
    check=_check,
)
