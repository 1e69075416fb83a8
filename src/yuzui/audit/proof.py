"""Knows the C2SP tlog-proof: one text that proves, offline, that an entry is in a log.

Source: https://c2sp.org/tlog-proof (commit 0065ea5b, read 2026-11-22). Our `extra` line holds the entry itself, so that
the file is all that a third party needs beside the public key; it is believed only after the proof held for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from yuzui.audit.checkpoint import Checkpoint, open_checkpoint
from yuzui.audit.merkle import HASH_SIZE, is_included, leaf_hash
from yuzui.audit.note import NoteInvalid, read_base64, read_vkey, write_base64

HEADER = "c2sp.org/tlog-proof@v1"


class ProofInvalid(ValueError):
    """The text is not a proof, or it does not prove what was asked. `str(error)` says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    index: int
    hashes: tuple[bytes, ...]
    """The leaf's sibling first, the root's child last."""
    checkpoint: bytes
    """The signed note, verbatim."""
    extra: bytes = b""
    """The entry; not covered by any signature until `verify_proof` hashed it."""


def write_proof(proof: InclusionProof) -> str:
    lines = [HEADER]
    if proof.extra:
        lines.append(f"extra {write_base64(proof.extra)}")
    lines.append(f"index {proof.index}")
    lines.extend(write_base64(one) for one in proof.hashes)
    return "\n".join(lines) + "\n\n" + proof.checkpoint.decode("utf-8")


def read_proof(text: str) -> InclusionProof:
    """Parse without believing; raise `ProofInvalid`."""
    head, gap, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != HEADER:
        raise ProofInvalid(f"a proof starts with the line {HEADER} and ends with a checkpoint")
    try:
        extra = read_base64(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else b""
        index = _read_index(lines.pop(0) if lines else "")
        hashes = tuple(read_base64(line) for line in lines)
    except NoteInvalid as error:
        raise ProofInvalid(f"the proof contains {error}") from error
    if any(len(one) != HASH_SIZE for one in hashes):
        raise ProofInvalid(f"a hash of the proof does not have {HASH_SIZE} bytes")
    return InclusionProof(index=index, hashes=hashes, checkpoint=checkpoint.encode("utf-8"), extra=extra)


def verify_proof(proof: InclusionProof, leaf: bytes, vkey: str, *, origin: str | None = None) -> Checkpoint:
    """The checkpoint under which `leaf` is in the log of `vkey`; raise `ProofInvalid`."""
    try:
        checkpoint = open_checkpoint(proof.checkpoint, read_vkey(vkey), origin=origin)
    except NoteInvalid as error:
        raise ProofInvalid(f"the proof's checkpoint is not valid: {error}") from error
    if not is_included(leaf_hash(leaf), proof.index, checkpoint.size, proof.hashes, checkpoint.root):
        raise ProofInvalid(f"the entry is not at index {proof.index} of the log of {checkpoint.size} entries")
    return checkpoint


def _read_index(line: str) -> int:
    digits = line.removeprefix("index ")
    if digits == line or not (digits.isascii() and digits.isdigit()) or (digits[0] == "0" and digits != "0"):
        raise ProofInvalid("the proof has no line 'index' with a decimal number")
    if len(digits) > 19:
        raise ProofInvalid("the proof's index is out of range")
    return int(digits)
