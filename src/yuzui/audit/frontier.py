"""Knows the right edge of a growing tree: all that is needed to append leaves without reading the tree again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from yuzui.audit.merkle import EMPTY_ROOT, HASH_SIZE, leaf_hash, node_hash, subtree_root
from yuzui.audit.tiles import ENTRIES, WIDTH, Tile, levels_of, read_bundle, write_bundle

_FULL = WIDTH * HASH_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The partial files of a tree of `size` leaves; under 10 kB of hashes per level and at most 255 entries."""

    size: int = 0
    tiles: tuple[bytes, ...] = ()
    """Hashes of the partial tile of each level, lowest first; empty where the level ends with a full tile."""
    bundle: tuple[bytes, ...] = ()
    """Entries of the partial bundle."""


def root_of(frontier: Frontier) -> bytes:
    """The tree's root: the full subtrees along the edge, folded from the right."""
    result: bytes | None = None
    for hashes in frontier.tiles:
        for low, high in reversed(_perfect_runs(len(hashes) // HASH_SIZE)):
            left = subtree_root(hashes[low * HASH_SIZE : high * HASH_SIZE])
            result = left if result is None else node_hash(left, result)
    return EMPTY_ROOT if result is None else result


def grow(frontier: Frontier, leaves: Sequence[bytes]) -> tuple[Frontier, dict[Tile, bytes]]:
    """Append `leaves`; also every file that is new in the larger tree, bundles first, then level by level.

    Costs O(leaves + log size). Raise `TilesInvalid` for a leaf that is too long; nothing has changed then.
    """
    if not leaves:
        return frontier, {}
    size = frontier.size + len(leaves)
    files: dict[Tile, bytes] = {}
    first = frontier.size - len(frontier.bundle)
    entries = [*frontier.bundle, *leaves]
    for at in range(0, len(entries), WIDTH):
        part = entries[at : at + WIDTH]
        files[Tile(ENTRIES, (first + at) // WIDTH, len(part))] = write_bundle(part)
    fresh = b"".join([leaf_hash(leaf) for leaf in leaves])
    tiles: list[bytes] = []
    for level in levels_of(size):
        kept = frontier.tiles[level] if level < len(frontier.tiles) else b""
        index = (frontier.size >> (8 * level)) // WIDTH
        if not fresh:
            tiles.append(kept)
            continue
        hashes = kept + fresh
        complete: list[bytes] = []
        for at in range(0, len(hashes), _FULL):
            part_hashes = hashes[at : at + _FULL]
            files[Tile(level, index + at // _FULL, len(part_hashes) // HASH_SIZE)] = part_hashes
            if len(part_hashes) == _FULL:
                complete.append(subtree_root(part_hashes))
        tiles.append(hashes[len(complete) * _FULL :])
        fresh = b"".join(complete)
    grown = Frontier(size=size, tiles=tuple(tiles), bundle=tuple(entries[len(entries) - size % WIDTH :]))
    return grown, files


def read_frontier(size: int, edge: dict[Tile, bytes]) -> Frontier:
    """The frontier of a tree of `size` from its partial files (see `edge_tiles`); raise `TilesInvalid`, `KeyError`."""
    tiles: list[bytes] = []
    for level in levels_of(size):
        index, width = divmod(size >> (8 * level), WIDTH)
        tiles.append(edge[Tile(level, index, width)] if width else b"")
    index, width = divmod(size, WIDTH)
    bundle = read_bundle(edge[Tile(ENTRIES, index, width)], width) if width else []
    return Frontier(size=size, tiles=tuple(tiles), bundle=tuple(bundle))


def _perfect_runs(count: int) -> list[tuple[int, int]]:
    """`count` nodes as runs of 2^k, largest first: 11 → [0,8) [8,10) [10,11)."""
    runs: list[tuple[int, int]] = []
    at = 0
    while at < count:
        step = 1 << ((count - at).bit_length() - 1)
        runs.append((at, at + step))
        at += step
    return runs
