"""Private keys in text form."""

from __future__ import annotations

import pytest

from privacy.kit import RANDOM_LOOKING, values

DASHES = "-" * 5


def pem(label: str, body: str = RANDOM_LOOKING[:200]) -> str:
    return f"{DASHES}BEGIN {label}{DASHES}\n{body}\n{DASHES}END {label}{DASHES}"


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
def test_a_pem_key_is_found_from_dash_to_dash(kind: str) -> None:
    key = pem(f"{kind}PRIVATE KEY")
    assert values(f"use\n{key}\nok", "private_key") == [key]


def test_a_key_that_was_cut_off_is_still_a_key() -> None:
    cut = pem("RSA PRIVATE KEY")[:120]
    assert values(cut, "private_key") == [cut]


def test_public_keys_certificates_and_bare_headers_are_left_alone() -> None:
    assert values(pem("PUBLIC KEY") + pem("CERTIFICATE"), "private_key") == []
    assert values(f"A PEM file starts with {DASHES}BEGIN PRIVATE KEY{DASHES}!", "private_key") == []


def test_two_keys_are_two_findings() -> None:
    assert len(values(pem("PRIVATE KEY") + "\n\n" + pem("EC PRIVATE KEY"), "private_key")) == 2
