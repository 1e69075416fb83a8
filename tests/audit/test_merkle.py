"""The tree against published vectors, and every proof against the definition of the tree."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.audit.merkle import (
    EMPTY_ROOT,
    HashReader,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root,
    subtree_root,
)

# Leaves and roots of the Certificate Transparency reference tests: github.com/transparency-dev/merkle, testonly/.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_PATH_0_OF_8 = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
CT_CONSISTENCY = {
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def by_definition(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node_hash(by_definition(leaves[:k]), by_definition(leaves[k:]))


def reader_of(leaves: Sequence[bytes]) -> HashReader:
    hashes = [leaf_hash(leaf) for leaf in leaves]

    def read(level: int, index: int) -> bytes:
        part = hashes[index << level : (index + 1) << level]
        assert len(part) == 1 << level, "only full subtrees may be asked for"
        return subtree_root(b"".join(part))

    return read


def some_leaves(count: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(count)]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_tests(size: int) -> None:
    leaves = CT_LEAVES[:size]
    assert root(size, reader_of(leaves)).hex() == CT_ROOTS[size]
    assert by_definition(leaves).hex() == CT_ROOTS[size]


def test_proofs_are_those_of_the_reference_tests() -> None:
    read = reader_of(CT_LEAVES)
    assert [one.hex() for one in inclusion_proof(0, 8, read)] == CT_PATH_0_OF_8
    for (old, new), expected in CT_CONSISTENCY.items():
        assert [one.hex() for one in consistency_proof(old, new, read)] == expected


@pytest.mark.parametrize("size", range(1, 40))
def test_every_leaf_of_every_small_tree_is_proven_and_no_other(size: int) -> None:
    leaves = some_leaves(size)
    read = reader_of(leaves)
    head = by_definition(leaves)
    for index in range(size):
        proof = inclusion_proof(index, size, read)
        assert is_included(leaf_hash(leaves[index]), index, size, proof, head)
        assert not is_included(leaf_hash(b"another"), index, size, proof, head)
        assert not is_included(leaf_hash(leaves[index]), (index + 1) % (size + 1), size, proof, head)
        assert not is_included(leaf_hash(leaves[index]), index, size, (*proof, head), head)
        assert not proof or not is_included(leaf_hash(leaves[index]), index, size, proof[:-1], head)


@pytest.mark.parametrize("new", range(40))
def test_every_earlier_tree_is_shown_to_be_a_beginning_and_no_other_root(new: int) -> None:
    leaves = some_leaves(new)
    read = reader_of(leaves)
    for old in range(new + 1):
        proof = consistency_proof(old, new, read)
        old_root, new_root = by_definition(leaves[:old]), by_definition(leaves)
        assert is_consistent(old, new, proof, old_root, new_root)
        assert not is_consistent(old, new, proof, leaf_hash(b"x"), new_root)
        assert not is_consistent(old, new, (*proof, new_root), old_root, new_root)
        if 0 < old < new:
            assert not is_consistent(old, new, proof, old_root, leaf_hash(b"x"))
            assert not is_consistent(old, new, proof[:-1], old_root, new_root)


@given(size=st.integers(1, 300), index=st.integers(0, 299), bit=st.integers(0, 255), which=st.integers(0, 9))
def test_a_proof_with_one_changed_bit_proves_nothing(size: int, index: int, bit: int, which: int) -> None:
    leaves = some_leaves(size)
    index %= size
    proof = list(inclusion_proof(index, size, reader_of(leaves)))
    if not proof:
        return
    which %= len(proof)
    changed = bytearray(proof[which])
    changed[bit // 8] ^= 1 << bit % 8
    proof[which] = bytes(changed)
    assert not is_included(leaf_hash(leaves[index]), index, size, proof, by_definition(leaves))


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (0, 0), (5, 5)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof(index, size, reader_of(some_leaves(size)))
    assert not is_included(leaf_hash(b""), index, size, (), EMPTY_ROOT)


def test_a_later_tree_is_no_beginning() -> None:
    with pytest.raises(IndexError):
        consistency_proof(3, 2, reader_of(some_leaves(3)))
    assert not is_consistent(3, 2, (), EMPTY_ROOT, EMPTY_ROOT)
