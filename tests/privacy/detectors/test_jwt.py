"""JSON Web Tokens."""

from __future__ import annotations

import base64
import json

from privacy.kit import values


def part(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_token_is_found_whole() -> None:
    token = ".".join((part({"alg": "HS256", "typ": "JWT"}), part({"sub": "42", "name": "x"}), "c2lnbmF0dXJl" * 3))
    assert values(f"Authorization: Bearer {token}\n", "jwt") == [token]


def test_a_header_alone_or_other_base64_is_left_alone() -> None:
    assert values(part({"alg": "HS256", "typ": "JWT"}), "jwt") == []
    assert values("x" + part({"alg": "HS256"}) + "." + part({"sub": "4242424242"}), "jwt") == []
