"""IP addresses, and what only looks like one."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    "address",
    [
        "203.0.113.77",
        "10.17.22.102",
        "8.8.8.80",
        "2001:db8::8a2e:370:7334",
        "fe80::1ff:fe23:4567:890a",
        "2001:db8:85a3:0:0:8a2e:370:7334",
    ],
)
def test_an_address_is_found(address: str) -> None:
    assert values(f"from {address}, port 80", "ip_address") == [address]
    assert values(f"http://{address}/x" if "." in address else f"[{address}]:443", "ip_address") == [address]


@pytest.mark.parametrize(
    "text",
    [
        "version 10.20.30.40",
        "v10.20.30.40",
        "1.2.3.4",
        "section 3.1.4.2",
        "Chrome/120.0.0.0",
        "1.3.6.1.4.1.311",
        "256.10.10.10",
        "127.0.0.1",
        "0.0.0.0",
        "255.255.255.0",
        "1.20.3.4-rc5",
        "010.020.030.040",
        "std::abs",
        "a::b",
        "::1",
        "12:34:56",
        "00:1a:2b:3c:4d:5e",
        "dead::beef",
    ],
)
def test_versions_scopes_times_and_masks_are_left_alone(text: str) -> None:
    assert values(text, "ip_address") == []


def test_a_cue_settles_the_small_ones() -> None:
    assert values("DNS server 1.1.1.1", "ip_address") == ["1.1.1.1"]
