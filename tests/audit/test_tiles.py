"""The layout: paths, which files a tree has, bundles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.audit.merkle import leaf_hash, root
from yuzui.audit.tiles import (
    ENTRIES,
    MAX_ENTRY_BYTES,
    Tile,
    TilesInvalid,
    edge_tiles,
    hash_reader,
    levels_of,
    read_bundle,
    read_path,
    superseded,
    tiles_at,
    width_in,
    write_bundle,
)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 0, 1), "tile/0/000.p/1"),
        (Tile(ENTRIES, 999, 255), "tile/entries/999.p/255"),
        (Tile(1, 1000), "tile/1/x001/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),  # the example of the specification
        (Tile(63, 1234067, 8), "tile/63/x001/x234/067.p/8"),
    ],
)
def test_a_path_names_its_tile_and_back(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert read_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile", "tile/0", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/0/00", "tile/0/0000", "tile/0/x000/001",
        "tile/0/001/000", "tile/0/x001", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/",
        "tile/0/000.p", "tile/0/000/5", "tile/0/٠٠٠", "tile/entries/000.tmp", "tiles/0/000", "tile/0/000.p/1/2",
        "tile/entries//000", "./tile/0/000", "tile/0/xx01/000",
    ],
)  # fmt: skip
def test_what_is_not_the_one_spelling_of_a_path_names_nothing(path: str) -> None:
    assert read_path(path) is None


@given(st.integers(-1, 63), st.integers(0, 10**12), st.integers(1, 256))
def test_every_path_reads_back(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert read_path(tile.path) == tile


def test_the_tree_of_70000_has_the_files_that_the_specification_counts() -> None:
    size = 70_000
    assert list(levels_of(size)) == [0, 1, 2]
    assert len([tile for tile in tiles_at(0, size) if tile.is_full]) == 273
    assert edge_tiles(size) == [Tile(ENTRIES, 273, 112), Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert [tile.is_full for tile in tiles_at(1, size)] == [True, False]


def test_the_tree_of_256_has_a_full_tile_and_one_of_width_1() -> None:
    assert list(tiles_at(0, 256)) == [Tile(0, 0)]
    assert edge_tiles(256) == [Tile(1, 0, 1)]


def test_an_empty_tree_has_no_files() -> None:
    assert edge_tiles(0) == []
    assert list(tiles_at(ENTRIES, 0)) == []
    assert list(levels_of(0)) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (0, 5, []),
        (5, 6, [Tile(ENTRIES, 0, 5), Tile(0, 0, 5)]),
        (255, 256, [Tile(ENTRIES, 0, 255), Tile(0, 0, 255)]),
        (257, 258, [Tile(ENTRIES, 1, 1), Tile(0, 1, 1)]),
        (257, 513, [Tile(ENTRIES, 1, 1), Tile(0, 1, 1), Tile(1, 0, 1)]),
        (256, 257, []),
        (7, 7, []),
    ],
)
def test_growing_replaces_exactly_the_partial_files_that_became_wider(old: int, new: int, expected: list[Tile]) -> None:
    assert superseded(old, new) == expected


@given(st.integers(0, 2**40), st.integers(-1, 4))
def test_the_files_of_a_level_hold_each_hash_once(size: int, level: int) -> None:
    count = size if level == ENTRIES else size >> 8 * level
    last = count // 256
    assert sum(width_in(level, index, size) for index in range(max(0, last - 2), last + 2)) == count - 256 * max(
        0, last - 2
    )


@given(st.lists(st.binary(max_size=300), max_size=40))
def test_a_bundle_reads_back(entries: list[bytes]) -> None:
    assert read_bundle(write_bundle(entries), len(entries)) == entries


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=10), st.integers(1, 200))
def test_a_bundle_that_is_cut_or_has_something_after_it_is_refused(entries: list[bytes], cut: int) -> None:
    data = write_bundle(entries)
    with pytest.raises(TilesInvalid):
        read_bundle(data[: max(0, len(data) - cut)], len(entries))
    with pytest.raises(TilesInvalid):
        read_bundle(data + b"\0" * cut, len(entries))


def test_the_longest_entry_fits_and_one_byte_more_does_not() -> None:
    entry = b"x" * MAX_ENTRY_BYTES
    assert read_bundle(write_bundle([entry]), 1) == [entry]
    with pytest.raises(TilesInvalid, match="65536 bytes"):
        write_bundle([entry + b"x"])


def test_a_tile_of_the_wrong_length_is_not_read() -> None:
    read = hash_reader(3, lambda tile: leaf_hash(b"one"))
    with pytest.raises(TilesInvalid, match=r"tile/0/000\.p/3 has 32 bytes"):
        root(3, read)
