"""Losing the key loses the originals, and never leaks them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.vault import NONCE_BYTES, Entry, Vault, VaultLocked, entries_of, entry_id

SECRET = b"a deployment's secret, 32 bytes."
NONCE = bytes(range(NONCE_BYTES))
ENTRIES = (Entry("EMAIL_A", "email", "wang@example.com"), Entry("PERSON_B", "person", "王小明"))


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=5), st.binary(min_size=12, max_size=12))
def test_what_is_sealed_can_be_opened(rows: list[tuple[str, str, str]], nonce: bytes) -> None:
    entries = tuple([Entry(*row) for row in rows])
    vault = Vault(SECRET, tenant="key_1")
    assert vault.open(vault.seal(entries, nonce)) == entries


@pytest.mark.parametrize(
    "other", [Vault(b"another secret of the same size.", tenant="key_1"), Vault(SECRET, tenant="key_2")]
)
def test_another_secret_or_tenant_opens_nothing_and_says_so_without_content(other: Vault) -> None:
    sealed = Vault(SECRET, tenant="key_1").seal(ENTRIES, NONCE)
    with pytest.raises(VaultLocked) as caught:
        other.open(sealed)
    assert "secret" in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert "wang" not in repr(caught.value)


def test_every_changed_byte_and_every_cut_is_noticed() -> None:
    vault = Vault(SECRET, tenant="key_1")
    sealed = vault.seal(ENTRIES, NONCE)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(VaultLocked):
            vault.open(bytes(changed))
        with pytest.raises(VaultLocked):
            vault.open(sealed[:at])


def test_sealed_bytes_hold_nothing_readable() -> None:
    sealed = Vault(SECRET, tenant="key_1").seal(ENTRIES, NONCE)
    assert b"wang" not in sealed and "王".encode() not in sealed and b"EMAIL" not in sealed


def test_secrets_and_nonces_have_a_least_size() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Vault(b"short", tenant="t")
    with pytest.raises(ValueError, match="12 bytes"):
        Vault(SECRET, tenant="t").seal((), b"short")


def test_an_entry_does_not_show_its_original() -> None:
    assert "wang" not in repr(ENTRIES[0]) and "EMAIL_A" in repr(ENTRIES[0])


def test_the_same_stand_ins_have_the_same_name_in_any_order() -> None:
    originals = {"B": "2", "A": "1"}
    assert entries_of(originals, {"A": "k", "B": "k"}) == (Entry("A", "k", "1"), Entry("B", "k", "2"))
    assert entry_id(["B", "A"]) == entry_id(["A", "B"]) != entry_id(["A"])
