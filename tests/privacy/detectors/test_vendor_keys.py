"""The table of vendors' prefixes."""

from __future__ import annotations

from yuzui.privacy.detectors._vendor_keys import ALPHABETS, VENDOR_KEYS


def test_there_are_some_hundreds_and_each_row_was_read() -> None:
    assert len(VENDOR_KEYS) >= 250
    assert all(key.alphabet in ALPHABETS.values() and 10 <= key.least <= key.most for key in VENDOR_KEYS.values())


def test_a_prefix_has_its_own_length_even_when_another_begins_alike() -> None:
    assert VENDOR_KEYS["sk-"].least < VENDOR_KEYS["sk-ant-api03-"].least
    assert VENDOR_KEYS["SK"].most - VENDOR_KEYS["SK"].least <= 4
