"""What the books hold of originals says nothing, and opens for its scope alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.sealing import open_keys, seal_keys

SECRET, TAG = b"k" * 32, b"8 bytes!"


@given(st.text(), st.lists(st.binary(max_size=40), max_size=20))
def test_what_is_sealed_opens_as_it_was(kind: str, keys: list[bytes]) -> None:
    kind = kind.encode("utf-8", "ignore").decode()
    assert open_keys(SECRET, TAG, seal_keys(SECRET, TAG, kind, keys)) == (kind, keys)


def test_it_opens_for_nobody_else() -> None:
    sealed = seal_keys(SECRET, TAG, "person", [b"key" * 8])
    assert b"person" not in sealed and b"key" not in sealed
    assert open_keys(b"other", TAG, sealed) is None
    assert open_keys(SECRET, b"another!", sealed) is None
    assert open_keys(SECRET, TAG, sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    assert open_keys(SECRET, TAG, b"") is None
