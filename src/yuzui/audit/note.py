"""Knows the C2SP signed note: text with Ed25519 signature lines, and the one-line spelling of its public keys.

Reading is strict: what is accepted would be written back as the very same bytes, so no changed byte can hide in a
second spelling of the same note. Sources: https://c2sp.org/signed-note (commit 05528762, read 2026-11-22); the verifier
key `name+hash+base64` is defined by https://pkg.go.dev/golang.org/x/mod/sumdb/note.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"  # signature type identifier
_MAX_NOTE_BYTES = 1 << 20  # far above 16 post-quantum signatures, which the specification wants accepted
_MAX_SIGNATURES = 100


class NoteInvalid(ValueError):
    """Not a note, not signed by the key that was asked for, or signed wrongly. `str(error)` says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """A public key with its name, as one line: `vkey`."""

    name: str
    key_id: bytes
    public_key: Ed25519PublicKey
    vkey: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """`text` ends with a newline; nothing about it is true until `open_note` says so."""

    text: str
    signatures: tuple[NoteSignature, ...]


def write_vkey(name: str, public_key: Ed25519PublicKey) -> str:
    """`name+<8 hex digits of the key id>+base64(0x01 || public key)`."""
    raw = public_key.public_bytes_raw()
    return f"{_key_name(name)}+{_key_id(name, raw).hex()}+{write_base64(_ED25519 + raw)}"


def read_vkey(text: str) -> Verifier:
    """Raise `NoteInvalid` when `text` is not exactly one Ed25519 verifier key."""
    parts = text.split("+", 2)  # base64 may contain a plus
    if len(parts) != 3:
        raise NoteInvalid("a verifier key has the form name+hash+base64")
    name, hash_hex, encoded = parts
    raw = read_base64(encoded)
    if len(raw) != 33 or raw[:1] != _ED25519:
        raise NoteInvalid("the verifier key is not an Ed25519 key")
    key_id = _key_id(_key_name(name), raw[1:])
    if key_id.hex() != hash_hex:
        raise NoteInvalid("the verifier key's hash does not fit its name and key")
    return Verifier(name=name, key_id=key_id, public_key=Ed25519PublicKey.from_public_bytes(raw[1:]), vkey=text)


def sign_note(text: str, name: str, private_key: Ed25519PrivateKey) -> bytes:
    """The note with one signature. Raise `NoteInvalid` for a text that a note cannot hold."""
    raw = private_key.public_key().public_bytes_raw()
    signature = NoteSignature(
        name=_key_name(name), key_id=_key_id(name, raw), signature=private_key.sign(text.encode("utf-8"))
    )
    data = write_note(Note(text=text, signatures=(signature,)))
    if read_note(data).text != text:
        raise NoteInvalid("a note's text ends with a newline")
    return data


def write_note(note: Note) -> bytes:
    lines = "".join(f"— {s.name} {write_base64(s.key_id + s.signature)}\n" for s in note.signatures)
    return f"{note.text}\n{lines}".encode()


def read_note(data: bytes) -> Note:
    """Parse without believing; raise `NoteInvalid`."""
    if len(data) > _MAX_NOTE_BYTES:
        raise NoteInvalid(f"the note is larger than {_MAX_NOTE_BYTES} bytes")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteInvalid(f"the note is not UTF-8 (byte {error.start})") from error
    if any(char < " " and char != "\n" for char in whole):
        raise NoteInvalid("the note contains a control character")
    text, gap, tail = whole.rpartition("\n\n")
    if not gap or not text or not tail.endswith("\n"):
        raise NoteInvalid("the note has no text, blank line and signature lines")
    lines = tail[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise NoteInvalid(f"the note has more than {_MAX_SIGNATURES} signatures")
    return Note(text=text + "\n", signatures=tuple(_read_signature(line) for line in lines))


def open_note(data: bytes, verifier: Verifier) -> Note:
    """The note, signed by `verifier`; signatures by other keys are ignored, as the specification demands."""
    note = read_note(data)
    known = [s for s in note.signatures if s.name == verifier.name and s.key_id == verifier.key_id]
    if not known:
        raise NoteInvalid(f"the note carries no signature of {verifier.name} (key {verifier.key_id.hex()})")
    for signature in known:
        try:
            verifier.public_key.verify(signature.signature, note.text.encode("utf-8"))
        except InvalidSignature as error:
            raise NoteInvalid(f"the signature of {verifier.name} does not fit the text") from error
    return note


def _read_signature(line: str) -> NoteSignature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise NoteInvalid("a signature line does not have the form '— name base64'")
    raw = read_base64(parts[2])
    if len(raw) <= 4:
        raise NoteInvalid("a signature is too short")
    return NoteSignature(name=_key_name(parts[1]), key_id=raw[:4], signature=raw[4:])


def _key_name(name: str) -> str:
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise NoteInvalid(f"{name[:80]!r} is not a key name: no spaces, no plus sign, not empty")
    return name


def _key_id(name: str, raw_public_key: bytes) -> bytes:
    return sha256(name.encode("utf-8") + b"\n" + _ED25519 + raw_public_key).digest()[:4]


def write_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def read_base64(text: str) -> bytes:
    """RFC 4648 section 4 with padding, canonical: the unused bits of the last character are zero."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:  # ValueError: characters outside ASCII
        raise NoteInvalid("the note contains broken base64") from error
    if write_base64(data) != text:
        raise NoteInvalid("the note contains base64 in a second spelling")
    return data
