"""Checkpoints: the example of the specification, a real one, and strictness."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from yuzui.audit.checkpoint import (
    Checkpoint,
    open_checkpoint,
    read_checkpoint_text,
    sign_checkpoint,
    write_checkpoint_text,
)
from yuzui.audit.note import NoteInvalid, read_vkey, write_vkey

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VERIFIER = read_vkey(write_vkey("log.example/audit", KEY.public_key()))
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
# The example in https://c2sp.org/tlog-checkpoint.
EXAMPLE = f"example.com/behind-the-sofa\n20852163\n{ROOT}\n"
SUMDB_VKEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUMDB_NOTE = (
    "go.sum database tree\n63096908\n8lHrQPRYe4KT4WQ9/Qk8/taKnD6IRHbFgfN7vQE2Y54=\n\n— sum.golang.org "
    "Az3gri/oVBN1jAhNZ/iS+W31psFAWRT20/GyrhpU6taFwulQGetBkH5S7wpGXdS935jiIGiUUAXBVHzT/P6fYhqAmAk=\n"
).encode()


def test_the_example_of_the_specification_reads_and_writes_back() -> None:
    checkpoint = read_checkpoint_text(EXAMPLE)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert write_checkpoint_text(checkpoint) == EXAMPLE


def test_a_tree_head_of_the_go_checksum_database_is_opened_under_its_own_origin() -> None:
    verifier = read_vkey(SUMDB_VKEY)
    assert open_checkpoint(SUMDB_NOTE, verifier, origin="go.sum database tree").size == 63_096_908
    with pytest.raises(NoteInvalid, match=r"of the log 'go\.sum database tree'"):
        open_checkpoint(SUMDB_NOTE, verifier)


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_what_is_signed_reads_back(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin="log.example/audit", size=size, root=root)
    assert open_checkpoint(sign_checkpoint(checkpoint, KEY), VERIFIER) == checkpoint


def test_extension_lines_survive() -> None:
    checkpoint = read_checkpoint_text(EXAMPLE + "extension\n")
    assert checkpoint.extensions == ("extension",)


@pytest.mark.parametrize(
    "text",
    [
        "", "log\n", f"log\n5\n{ROOT}", f"log\n05\n{ROOT}\n", f"log\n-5\n{ROOT}\n", f"log\n+5\n{ROOT}\n",
        f"log\n5 \n{ROOT}\n", f"log\n٥\n{ROOT}\n", f"log\n5\n{ROOT[:-1]}\n", "log\n5\nAAAA\n", f"\n5\n{ROOT}\n",
        f"log\n5\n{ROOT}\n\n", f"log\n{2**63}\n{ROOT}\n", f"log\n{10**25}\n{ROOT}\n",
    ],
)  # fmt: skip
def test_what_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteInvalid):
        read_checkpoint_text(text)


def test_an_origin_cannot_smuggle_in_another_size() -> None:
    with pytest.raises(NoteInvalid, match="line break"):
        sign_checkpoint(Checkpoint(origin=f"evil\n999\n{ROOT}", size=1, root=bytes(32)), KEY)
