"""No piece of a key that is long enough to help anybody is told, and nothing else is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.io.hidden import LEAST_CHARS, hide

KEY = "Ab9Zk3Lm7Xw2Vb8Nq5Rt"
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=ACCESSKEYOFOURS12345/20261126/eu-west-1/bedrock/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
)
URL = "https://api.example.com/v1/chat"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (f"invalid key {KEY}", "invalid key [key]"),
        (f"invalid key '{KEY}' of {KEY}!", "invalid key '[key]' of [key]!"),
        (f"key begins with {KEY[:12]}...", "key begins with [key]..."),
        (f"key ends with {KEY[-10:]}", "key ends with [key]"),
        (f"it has {KEY[5:16]} inside", "it has [key] inside"),
        (f"Bearer {KEY}", "Bearer [key]"),
        (f"only {KEY[:9]}", f"only {KEY[:9]}"),
        ("nothing of ours", "nothing of ours"),
        ("", ""),
    ],
)
def test_pieces_of_a_key_are_hidden(words: str, told: str) -> None:
    assert hide(words, URL, {"Authorization": f"Bearer {KEY}", "content-type": "application/json"}) == told


def test_a_signature_and_a_session_are_hidden_but_not_the_scheme() -> None:
    headers = {"authorization": SIGNED, "x-amz-security-token": KEY, "x-amz-date": "20261126T000000Z"}
    words = (
        f"AWS4-HMAC-SHA256 of ACCESSKEYOFOURS12345 with 5d672d79c15b13162d9279b0855cfba6 and {KEY} at 20261126T000000Z"
    )
    assert hide(words, URL, headers) == "AWS4-HMAC-SHA256 of [key] with [key] and [key] at 20261126T000000Z"


def test_keys_in_the_query_and_in_headers_of_the_operators_are_hidden() -> None:
    url = f"{URL}?api-version=2026-01-01&key={KEY}"
    words = f"{KEY} and other-secret-of-ours for version 2026-01-01"
    assert hide(words, url, {"x-own": "other-secret-of-ours"}) == "[key] and [key] for version 2026-01-01"


def test_what_everybody_may_know_is_told() -> None:
    headers = {"user-agent": "yuzui/1.2.3-long", "accept": "application/json", "anthropic-version": "2023-06-01"}
    words = "yuzui/1.2.3-long wants application/json and 2023-06-01"
    assert hide(words, URL, headers) == words


@given(st.text(), st.text(), st.text(alphabet="abcdefgh0123", min_size=20, max_size=60), st.data())
def test_no_long_piece_of_a_secret_stays(before: str, after: str, secret: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(secret) - LEAST_CHARS))
    end = data.draw(st.integers(start + LEAST_CHARS, len(secret)))
    told = hide(f"{before}{secret[start:end]}{after}", URL, {"x-api-key": secret})
    assert not any(secret[at : at + LEAST_CHARS] in told for at in range(len(secret) - LEAST_CHARS + 1))
