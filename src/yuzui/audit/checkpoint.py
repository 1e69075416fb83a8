"""Knows the C2SP checkpoint: the signed note that says how large a log is and which root it has.

Source: https://c2sp.org/tlog-checkpoint (commit 27938939, read 2026-11-22).
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from yuzui.audit.merkle import HASH_SIZE
from yuzui.audit.note import NoteInvalid, Verifier, open_note, read_base64, sign_note, write_base64

_MAX_SIZE = 1 << 63  # the largest tree whose indexes every implementation can hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def write_checkpoint_text(checkpoint: Checkpoint) -> str:
    lines = (checkpoint.origin, str(checkpoint.size), write_base64(checkpoint.root), *checkpoint.extensions)
    return "".join(f"{line}\n" for line in lines)


def read_checkpoint_text(text: str) -> Checkpoint:
    """The text of a note as a checkpoint; raise `NoteInvalid`."""
    if not text.endswith("\n"):
        raise NoteInvalid("the checkpoint does not end with a newline")
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise NoteInvalid("the checkpoint does not have the lines origin, size and root")
    digits = lines[1]
    if not (digits.isascii() and digits.isdigit()) or (digits[0] == "0" and digits != "0") or len(digits) > 19:
        raise NoteInvalid("the checkpoint's size is not a decimal number")
    size = int(digits)
    root = read_base64(lines[2])
    if len(root) != HASH_SIZE or size >= _MAX_SIZE:
        raise NoteInvalid("the checkpoint's root or size is out of range")
    return Checkpoint(origin=lines[0], size=size, root=root, extensions=tuple(lines[3:]))


def sign_checkpoint(checkpoint: Checkpoint, private_key: Ed25519PrivateKey) -> bytes:
    """The signed note; the key's name is the log's origin."""
    text = write_checkpoint_text(checkpoint)
    if read_checkpoint_text(text) != checkpoint:
        raise NoteInvalid("the checkpoint's origin or extensions contain a line break")
    return sign_note(text, checkpoint.origin, private_key)


def open_checkpoint(data: bytes, verifier: Verifier, *, origin: str | None = None) -> Checkpoint:
    """The checkpoint, if `verifier` signed it for its own log (or for `origin`, where the key has another name)."""
    checkpoint = read_checkpoint_text(open_note(data, verifier).text)
    expected = verifier.name if origin is None else origin
    if checkpoint.origin != expected:
        raise NoteInvalid(f"the checkpoint is of the log {checkpoint.origin!r}, not of {expected!r}")
    return checkpoint
