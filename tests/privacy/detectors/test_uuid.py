"""UUIDs."""

from __future__ import annotations

import pytest

from privacy.kit import values

VALUE = "8a3f01c2-9b7d-4e55-a1f0-3c6d2b9e7f14"


@pytest.mark.parametrize(
    "text", [f"token {VALUE}", f"id={VALUE}", f'"session": "{VALUE}"', "user {" + VALUE + "}", f"key {VALUE.upper()}"]
)
def test_a_uuid_is_found_behind_what_it_names(text: str) -> None:
    assert [value.lower() for value in values(text, "uuid")] == [VALUE]


@pytest.mark.parametrize(
    "text",
    [
        VALUE,
        f"id a{VALUE}",
        f"id {VALUE}b",
        f"id {VALUE}-00",
        "id 00000000-0000-0000-0000-000000000000",
        "id some-very-long-kind-of-hyphenated",
    ],
)
def test_parts_words_and_zeros_are_left_alone(text: str) -> None:
    assert values(text, "uuid") == []
