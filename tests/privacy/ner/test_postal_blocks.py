"""A flat number and what stands around it."""

from __future__ import annotations

import pytest

from yuzui.privacy.ner.postal_blocks import postal_blocks


@pytest.mark.parametrize(
    ("text", "block"),
    [
        (
            "Send it to 12 Xyzzy Lane Apt. 3\nPlughville\nCA 90210\nThank you very much.",
            "12 Xyzzy Lane Apt. 3\nPlughville\nCA 90210",
        ),
        (
            "> 808 Plugh u. 12.\n> Suite 20\n> Xyzzy\n> Norway 6438",
            "808 Plugh u. 12.\n> Suite 20\n> Xyzzy\n> Norway 6438",
        ),
        ("the unit tests of Unit 7 pass", ""),
    ],
)
def test_a_flat_number_holds_the_lines_of_an_address_together(text: str, block: str) -> None:
    assert [text[one.start : one.end] for one in postal_blocks(text)] == ([block] if block else [])


def test_postal_blocks_are_linear_in_the_text() -> None:
    for text in ("Apt 1\n" * 10_000, "1 A " * 20_000, "Suite 5 " * 10_000, "\n>" * 40_000):
        postal_blocks(text)
