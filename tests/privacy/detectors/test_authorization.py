"""Credentials in headers."""

from __future__ import annotations

import pytest

from privacy.kit import RANDOM_LOOKING, values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"Authorization: Bearer {RANDOM_LOOKING[:40]}", RANDOM_LOOKING[:40]),
        ("'Proxy-Authorization': 'Basic dXNlcjpzM2NyM3Q='", "dXNlcjpzM2NyM3Q="),
        (f"curl -H 'authorization: token {RANDOM_LOOKING[:24]}'", RANDOM_LOOKING[:24]),
    ],
)
def test_what_follows_the_scheme_is_found(text: str, value: str) -> None:
    assert values(text, "authorization") == [value]


@pytest.mark.parametrize(
    "text",
    [
        "Basic authentication is used",
        "basic understanding",
        "Bearer tokens are opaque",
        "Bearer $TOKEN",
        "Basic Authorization",
    ],
)
def test_prose_is_left_alone(text: str) -> None:
    assert values(text, "authorization") == []
