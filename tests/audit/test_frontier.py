"""Growing: however the leaves arrive, the files and the root are those of the whole tree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuzui.audit.frontier import Frontier, grow, read_frontier, root_of
from yuzui.audit.merkle import EMPTY_ROOT, inclusion_proof, is_included, leaf_hash, root, subtree_root
from yuzui.audit.tiles import ENTRIES, Tile, TilesInvalid, edge_tiles, hash_reader, levels_of, read_bundle, tiles_at

LEAVES = [b"%d" % number for number in range(70_000)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


def plain_root(size: int) -> bytes:
    """The root from the leaf hashes alone, without tiles."""
    return root(size, lambda level, index: subtree_root(b"".join(HASHES[index << level : (index + 1) << level])))


def grow_in(steps: list[int]) -> tuple[Frontier, dict[Tile, bytes]]:
    frontier, files = Frontier(), {}
    for step in steps:
        frontier, fresh = grow(frontier, LEAVES[frontier.size : frontier.size + step])
        files.update(fresh)
    return frontier, files


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=8))
def test_in_whatever_steps_a_log_grows_its_files_are_the_same(steps: list[int]) -> None:
    frontier, files = grow_in(steps)
    at_once, files_at_once = grow(Frontier(), LEAVES[: frontier.size])
    assert frontier == at_once
    assert root_of(frontier) == plain_root(frontier.size)
    assert {tile: files[tile] for tile in files_at_once} == files_at_once
    for level in (ENTRIES, *levels_of(frontier.size)):
        assert all(tile in files for tile in tiles_at(level, frontier.size))


def test_a_log_of_three_levels_has_the_root_and_the_proofs_of_its_leaves() -> None:
    frontier, files = grow_in([65_535, 1, 1, 4_463])
    assert frontier.size == 70_000
    head = root_of(frontier)
    assert head == plain_root(70_000)
    read = hash_reader(70_000, files.__getitem__)
    assert root(70_000, read) == head
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        assert is_included(HASHES[index], index, 70_000, inclusion_proof(index, 70_000, read), head)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 65_536, 65_537])
def test_the_frontier_reads_back_from_the_partial_files(size: int) -> None:
    frontier, files = grow(Frontier(), LEAVES[:size])
    assert read_frontier(size, {tile: files[tile] for tile in edge_tiles(size)}) == frontier


def test_only_files_that_change_are_written() -> None:
    frontier, _ = grow(Frontier(), LEAVES[:300])
    _, files = grow(frontier, LEAVES[300:310])
    assert list(files) == [Tile(ENTRIES, 1, 54), Tile(0, 1, 54)]
    assert read_bundle(files[Tile(ENTRIES, 1, 54)], 54) == LEAVES[256:310]


def test_an_empty_log_has_the_empty_root_and_growing_by_nothing_changes_nothing() -> None:
    assert root_of(Frontier()) == EMPTY_ROOT
    assert grow(Frontier(), []) == (Frontier(), {})


def test_a_leaf_that_is_too_long_is_refused() -> None:
    with pytest.raises(TilesInvalid):
        grow(Frontier(), [b"x" * 65_536])
