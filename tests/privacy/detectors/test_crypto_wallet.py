"""Addresses of crypto wallets. The examples are those of the specifications."""

from __future__ import annotations

import pytest

from privacy.kit import values

GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
BECH32 = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
EIP55 = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


@pytest.mark.parametrize("address", [GENESIS, BECH32, BECH32.upper()])
def test_an_address_with_its_checksum_is_found(address: str) -> None:
    assert values(f"send to {address}!", "crypto_wallet") == [address]


def test_an_ethereum_address_needs_a_cue() -> None:
    assert values(f"my wallet is {EIP55}", "crypto_wallet") == [EIP55]
    assert values(f"hash {EIP55}", "crypto_wallet") == []


@pytest.mark.parametrize("address", [GENESIS[:-1] + "b", BECH32[:-1] + "5", "x" + GENESIS, GENESIS + "1"])
def test_a_wrong_checksum_or_a_part_is_left_alone(address: str) -> None:
    assert values(f"send to {address}!", "crypto_wallet") == []
