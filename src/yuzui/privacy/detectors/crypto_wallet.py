"""Addresses of crypto wallets: Bitcoin (base58 and bech32 with their checksums), Ethereum, Tron.

Sources: https://en.bitcoin.it/wiki/Base58Check_encoding, BIP 173 and 350, EIP-55.
"""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.checksums import base58_is_valid, bech32_is_valid
from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.surroundings import has_cue, is_word

KIND = "crypto_wallet"
_CUES_WORDS = """
    wallet eth ethereum bitcoin btc usdt address 钱包 地址 erc20 crypto coin token
"""
_CUES = tuple(_CUES_WORDS.split())
_BASE58 = frozenset("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
_BECH32 = frozenset("023456789acdefghjklmnpqrstuvwxyz")
_HEX = frozenset("0123456789abcdefABCDEF")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if not text[start].isalnum():
        start += 1  # the pattern saw what stands before
    if is_word(text, start - 1):
        return
    if text.startswith("0x", start):
        digits = sum(char.isdigit() for char in text[start + 2 : end])
        if (
            not is_word(text, end)
            and 4 <= digits < 40
            and len(set(text[start + 2 : end])) >= 8
            and has_cue(text, start, _CUES, reach=48)
        ):
            yield Hit(KIND, start, end, 0.85, "ethereum", because(near=True))
        return
    is_bech32 = text[start : start + 3].lower() == "bc1"
    alphabet = _BECH32 if is_bech32 else _BASE58
    last = start + (3 if is_bech32 else 1)
    limit = min(len(text), start + 92)
    while last < limit and (text[last].lower() if is_bech32 else text[last]) in alphabet:
        last += 1
    if is_word(text, last):
        return
    value = text[start:last]
    if bech32_is_valid(value) if is_bech32 else 26 <= len(value) <= 35 and base58_is_valid(value):
        yield Hit(KIND, start, last, 1.0, "bech32" if is_bech32 else "base58", because(checksum=True))


DETECTOR = Detector(
    levels={KIND: "confidential"},
    patterns=(
        Pattern(regex="(?:^|[^0-9A-Za-z])[13T][1-9A-HJ-NP-Za-km-z]{25}"),
        Pattern(regex="bc1[02-9ac-hj-np-z]{11}", ignore_case=True),
        Pattern(regex="0x[0-9a-fA-F]{40}"),
    ),
    check=_check,
)
