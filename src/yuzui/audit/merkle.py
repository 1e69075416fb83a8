"""Knows the Merkle tree of RFC 6962: hashes, roots, inclusion and consistency proofs, and how to check them.

Sources: RFC 6962 section 2.1 (the tree), RFC 9162 sections 2.1.3.2 and 2.1.4.2 (checking without rebuilding the tree),
https://www.rfc-editor.org/rfc/rfc9162.html, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

HashReader = Callable[[int, int], bytes]
"""(level, index) → hash of the full subtree over leaves [index·2^level, (index+1)·2^level)."""


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def subtree_root(hashes: bytes) -> bytes:
    """Root over 2^k concatenated hashes. Siblings lie side by side, so one pass per level needs no list of nodes."""
    while len(hashes) > HASH_SIZE:
        hashes = b"".join([sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64)])
    return hashes


def root(size: int, read: HashReader) -> bytes:
    """MTH(D[0:size])."""
    return _range_hash(0, size, read) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: HashReader) -> tuple[bytes, ...]:
    """PATH(index, D[0:size]), the leaf's sibling first; raise `IndexError` when the leaf is not in the tree."""
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} is not in a tree of {size}")
    hashes: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            hashes.append(_range_hash(middle, high, read))
            high = middle
        else:
            hashes.append(_range_hash(low, middle, read))
            low = middle
    return tuple(reversed(hashes))


def consistency_proof(old: int, new: int, read: HashReader) -> tuple[bytes, ...]:
    """PROOF(old, D[0:new]); empty when there is nothing to show (`old` is 0 or `new`)."""
    if not 0 <= old <= new:
        raise IndexError(f"a tree of {new} has no earlier tree of {old}")
    if old in (0, new):
        return ()
    hashes: list[bytes] = []
    low, high = 0, new
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            hashes.append(_range_hash(middle, high, read))
            high = middle
        else:
            hashes.append(_range_hash(low, middle, read))
            low = middle
    if low:  # the old root itself is known to the verifier; any smaller piece of it must be shown
        hashes.append(_range_hash(low, high, read))
    return tuple(reversed(hashes))


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `proof` leads from the leaf **hash** at `index` to the root of a tree of `size`. RFC 9162 2.1.3.2."""
    if not 0 <= index < size:
        return False
    node, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            current = node_hash(current, sibling)
        node >>= 1
        last >>= 1
    return last == 0 and current == expected_root


def is_consistent(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the tree of `new` leaves begins with the tree of `old` leaves. RFC 9162 section 2.1.4.2."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof)
    if old & (old - 1) == 0:  # a full subtree: its root is the start of the path
        path.insert(0, old_root)
    if not path:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node >>= 1
        last >>= 1
    first = second = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            second = node_hash(second, step)
        node >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == new_root


def _split(count: int) -> int:
    """Largest power of two smaller than `count`, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_hash(low: int, high: int, read: HashReader) -> bytes:
    """MTH(D[low:high]); `low` is a multiple of the largest power of two in the range, as in all of the RFC's ranges."""
    parts: list[bytes] = []
    at = low
    while at < high:
        level = (high - at).bit_length() - 1
        parts.append(read(level, at >> level))
        at += 1 << level
    result = parts.pop()
    while parts:
        result = node_hash(parts.pop(), result)
    return result
