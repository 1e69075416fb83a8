"""Proof files: the format of the specification, and what they prove."""

from __future__ import annotations

import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from yuzui.audit.checkpoint import Checkpoint, sign_checkpoint
from yuzui.audit.frontier import Frontier, grow, root_of
from yuzui.audit.merkle import inclusion_proof
from yuzui.audit.note import write_base64, write_vkey
from yuzui.audit.proof import InclusionProof, ProofInvalid, read_proof, verify_proof, write_proof
from yuzui.audit.tiles import hash_reader

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "log.example/audit"
VKEY = write_vkey(ORIGIN, KEY.public_key())


def proof_of(index: int, size: int) -> InclusionProof:
    leaves = [b"leaf %d" % number for number in range(size)]
    frontier, files = grow(Frontier(), leaves)
    hashes = inclusion_proof(index, size, hash_reader(size, files.__getitem__))
    signed = sign_checkpoint(Checkpoint(origin=ORIGIN, size=size, root=root_of(frontier)), KEY)
    return InclusionProof(index=index, hashes=hashes, checkpoint=signed, extra=leaves[index])


PROOF = proof_of(5, 11)


def test_a_proof_has_the_lines_of_the_specification() -> None:
    expected = "\n".join(
        [
            "c2sp.org/tlog-proof@v1",
            f"extra {write_base64(b'leaf 5')}",
            "index 5",
            *[write_base64(one) for one in PROOF.hashes],
            "",
            PROOF.checkpoint.decode(),
        ]
    )
    assert write_proof(PROOF) == expected
    assert read_proof(expected) == PROOF


def test_a_log_of_one_entry_needs_no_hashes() -> None:
    proof = dataclasses.replace(proof_of(0, 1), extra=b"")
    assert write_proof(proof).startswith("c2sp.org/tlog-proof@v1\nindex 0\n\nlog.example/audit\n1\n")
    assert read_proof(write_proof(proof)) == proof
    assert verify_proof(proof, b"leaf 0", VKEY).size == 1


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 600), st.integers(0, 599))
def test_every_proof_reads_back_and_holds_for_its_entry_only(size: int, index: int) -> None:
    proof = proof_of(index % size, size)
    again = read_proof(write_proof(proof))
    assert again == proof
    assert verify_proof(again, again.extra, VKEY).size == size
    with pytest.raises(ProofInvalid, match="the entry is not at index"):
        verify_proof(again, b"another", VKEY)


@pytest.mark.parametrize("bit", range(8))
def test_any_flipped_bit_of_a_proof_file_is_noticed(bit: int) -> None:
    data = write_proof(PROOF).encode()
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        with pytest.raises((ProofInvalid, UnicodeDecodeError)):
            proof = read_proof(changed.decode())
            verify_proof(proof, proof.extra, VKEY)


def test_a_proof_of_another_log_proves_nothing() -> None:
    other = write_vkey(ORIGIN, Ed25519PrivateKey.generate().public_key())
    with pytest.raises(ProofInvalid, match="checkpoint is not valid"):
        verify_proof(PROOF, PROOF.extra, other)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "starts with"),
        ("c2sp.org/tlog-proof@v2\nindex 0\n\nx", "starts with"),
        ("c2sp.org/tlog-proof@v1\n\nx", "index"),
        ("c2sp.org/tlog-proof@v1\nindex 01\n\nx", "index"),
        ("c2sp.org/tlog-proof@v1\nindex\n\nx", "index"),
        ("c2sp.org/tlog-proof@v1\nindex -1\n\nx", "index"),
        (f"c2sp.org/tlog-proof@v1\nindex {10**30}\n\nx", "out of range"),
        ("c2sp.org/tlog-proof@v1\nextra !!\nindex 0\n\nx", "base64"),
        ("c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx", "32 bytes"),
        ("c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA\n\nx", "base64"),
    ],
)
def test_what_is_not_a_proof_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ProofInvalid, match=reason):
        read_proof(text)
