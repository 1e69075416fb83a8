"""Signed notes: real ones of the Go checksum database, and no changed byte that still reads."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from yuzui.audit.note import NoteInvalid, open_note, read_note, read_vkey, sign_note, write_note, write_vkey

# The public key of sum.golang.org (cmd/go/internal/modfetch/key.go) and a tree head that it signed in 2026.
SUMDB_VKEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUMDB_TEXT = "go.sum database tree\n63096908\n8lHrQPRYe4KT4WQ9/Qk8/taKnD6IRHbFgfN7vQE2Y54=\n"
SUMDB_NOTE = (
    f"{SUMDB_TEXT}\n— sum.golang.org "
    "Az3gri/oVBN1jAhNZ/iS+W31psFAWRT20/GyrhpU6taFwulQGetBkH5S7wpGXdS935jiIGiUUAXBVHzT/P6fYhqAmAk=\n"
).encode()
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VERIFIER = read_vkey(write_vkey("log.example/audit", KEY.public_key()))
NOTE = sign_note("one\n\ntwo\n", "log.example/audit", KEY)


def test_a_note_of_the_go_checksum_database_is_opened() -> None:
    note = open_note(SUMDB_NOTE, read_vkey(SUMDB_VKEY))
    assert note.text == SUMDB_TEXT
    assert write_note(note) == SUMDB_NOTE
    assert note.signatures[0].key_id.hex() == "033de0ae"


def test_the_key_of_the_go_checksum_database_is_spelled_as_its_owners_do() -> None:
    verifier = read_vkey(SUMDB_VKEY)
    assert write_vkey(verifier.name, verifier.public_key) == SUMDB_VKEY


def test_a_signed_note_opens_with_its_key_and_with_no_other() -> None:
    assert open_note(NOTE, VERIFIER).text == "one\n\ntwo\n"
    other = read_vkey(write_vkey("log.example/audit", Ed25519PrivateKey.generate().public_key()))
    with pytest.raises(NoteInvalid, match=r"no signature of log\.example/audit"):
        open_note(NOTE, other)


@pytest.mark.parametrize("bit", range(8))
def test_any_flipped_bit_of_a_note_or_of_its_key_is_noticed(bit: int) -> None:
    for data, verifier in ((NOTE, VERIFIER), (SUMDB_NOTE, read_vkey(SUMDB_VKEY))):
        for at in range(len(data)):
            with pytest.raises(NoteInvalid):
                open_note(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :], verifier)
    for at in range(len(SUMDB_VKEY)):
        changed = SUMDB_VKEY[:at] + chr(ord(SUMDB_VKEY[at]) ^ 1 << bit) + SUMDB_VKEY[at + 1 :]
        with pytest.raises(NoteInvalid):
            read_vkey(changed)


def test_signatures_of_unknown_keys_are_ignored() -> None:
    witness = sign_note("one\n\ntwo\n", "witness.example", Ed25519PrivateKey.generate())
    both = NOTE + witness.split(b"\n\n")[-1]
    assert len(open_note(both, VERIFIER).signatures) == 2


def test_a_wrong_signature_beside_a_right_one_spoils_the_note() -> None:
    forged = sign_note("another\n", "log.example/audit", KEY).split(b"\n\n")[-1]
    with pytest.raises(NoteInvalid, match="does not fit"):
        open_note(NOTE + forged, VERIFIER)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "blank line"),
        (b"text\n", "blank line"),
        (b"text\n\n", "blank line"),
        (b"text\n\n\xe2\x80\x94 a AAAAAAA=", "blank line"),
        (b"\n\n\xe2\x80\x94 a AAAAAAA=\n", "blank line"),
        (b"te\rxt\n\n\xe2\x80\x94 a AAAAAAA=\n", "control character"),
        (b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n", "UTF-8"),
        (b"text\n\n- a AAAAAAA=\n", "form"),
        (b"text\n\n\xe2\x80\x94 a  AAAAAAA=\n", "form"),
        (b"text\n\n\xe2\x80\x94 a AAAAAAB=\n", "second spelling"),
        (b"text\n\n\xe2\x80\x94 a AAAAAAA\n", "base64"),
        (b"text\n\n\xe2\x80\x94 a AAAAAA==\n", "too short"),
        (b"text\n\n\xe2\x80\x94 a+b AAAAAAA=\n", "key name"),
        (b"x" * (1 << 20) + b"\n", "larger than"),
        (b"text\n\n" + b"\xe2\x80\x94 a AAAAAAA=\n" * 101, "more than 100"),
    ],
)
def test_what_is_not_a_note_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(NoteInvalid, match=reason):
        read_note(data)


@pytest.mark.parametrize("text", ["", "\n", "no newline", "tab\there\n"])
def test_a_text_that_a_note_cannot_hold_is_not_signed(text: str) -> None:
    with pytest.raises(NoteInvalid):
        sign_note(text, "log.example/audit", KEY)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb"])
def test_a_key_name_has_no_space_and_no_plus(name: str) -> None:
    with pytest.raises(NoteInvalid):
        write_vkey(name, KEY.public_key())


@pytest.mark.parametrize(
    "text", ["", "a", "a+b", "a+00000000+", "a+00000000+Af8=", f" {SUMDB_VKEY}", f"{SUMDB_VKEY}\n"]
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(NoteInvalid):
        read_vkey(text)


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1).map(lambda line: line + "\n"))
def test_every_line_can_be_signed_and_reads_back(text: str) -> None:
    assert open_note(sign_note(text, "log.example/audit", KEY), VERIFIER).text == text
