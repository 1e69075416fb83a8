"""Knows the C2SP tlog-tiles layout: which files a tree of a given size consists of, their paths and their bytes.

Source: https://c2sp.org/tlog-tiles (editor's copy at commit 0ad71eb1, read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from yuzui.audit.merkle import HASH_SIZE, HashReader, subtree_root

WIDTH = 256
ENTRIES = -1
"""The `level` of an entry bundle."""
MAX_ENTRY_BYTES = 0xFFFF  # the length prefix is a uint16
_MAX_LEVEL = 63


class TilesInvalid(ValueError):
    """Bytes that are not the tile or the bundle that their name promises."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One file. `level` is `ENTRIES` for a bundle; `width` counts hashes or entries, `WIDTH` when full."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def is_full(self) -> bool:
        return self.width == WIDTH

    @property
    def start(self) -> int:
        """Index of its first entry; meaningful at level 0 and for bundles."""
        return self.index * WIDTH

    @property
    def path(self) -> str:
        """`tile/<L>/<N>[.p/<W>]`, relative to the log's folder."""
        whole = f"tile/{'entries' if self.level == ENTRIES else self.level}/{_index_path(self.index)}"
        return whole if self.is_full else f"{whole}.p/{self.width}"


def read_path(path: str) -> Tile | None:
    """The tile that `path` names, None when it names none. Only the one canonical spelling is accepted."""
    parts = path.split("/")
    if len(parts) < 3 or parts[0] != "tile":
        return None
    level = ENTRIES if parts[1] == "entries" else _decimal(parts[1], most=_MAX_LEVEL)
    width: int | None = WIDTH
    digits = parts[2:]
    if len(digits) > 1 and digits[-2].endswith(".p"):
        width = _decimal(digits.pop(), most=WIDTH - 1)
        digits[-1] = digits[-1].removesuffix(".p")
    number = "".join(part.removeprefix("x") for part in digits)
    if level is None or not width or not (number.isascii() and number.isdigit()):
        return None
    tile = Tile(level, int(number), width)
    return tile if tile.path == path else None


def count_at(level: int, size: int) -> int:
    """How many hashes (or entries) a tree of `size` leaves stores at a tile level."""
    return size if level == ENTRIES else size >> (8 * level)


def width_in(level: int, index: int, size: int) -> int:
    """How many hashes (or entries) of tile `index` belong to a tree of `size`: 0 to `WIDTH`."""
    return min(WIDTH, max(0, count_at(level, size) - index * WIDTH))


def levels_of(size: int) -> range:
    """The hash levels of a tree of `size`: level 0 up to the one that holds a single partial tile."""
    top = 0
    while size >> (8 * top):
        top += 1
    return range(top)


def tiles_at(level: int, size: int) -> Iterator[Tile]:
    """All files of one level, left to right."""
    full, rest = divmod(count_at(level, size), WIDTH)
    for index in range(full):
        yield Tile(level, index)
    if rest:
        yield Tile(level, full, rest)


def edge_tiles(size: int) -> list[Tile]:
    """The partial files of a tree: at most one bundle and one tile per level."""
    edges = []
    for level in (ENTRIES, *levels_of(size)):
        index, rest = divmod(count_at(level, size), WIDTH)
        if rest:
            edges.append(Tile(level, index, rest))
    return edges


def superseded(old: int, new: int) -> list[Tile]:
    """The partial files of a tree of `old` leaves that a tree of `new` leaves does not have."""
    kept = set(edge_tiles(new))
    return [tile for tile in edge_tiles(old) if tile not in kept]


def write_bundle(entries: Sequence[bytes]) -> bytes:
    """Each entry behind its length; raise `TilesInvalid` for one that is too long for the format."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise TilesInvalid(f"an entry of {len(entry)} bytes is over the format's {MAX_ENTRY_BYTES}")
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    return b"".join(parts)


def read_bundle(data: bytes, width: int) -> list[bytes]:
    """The `width` entries of a bundle; raise `TilesInvalid` when there are fewer or anything follows them."""
    entries: list[bytes] = []
    at, end = 0, len(data)
    for _ in range(width):
        if at + 2 > end:
            raise TilesInvalid(f"it ends after {len(entries)} of {width} entries")
        start = at + 2
        at = start + (data[at] << 8 | data[at + 1])
        entries.append(data[start:at])
    if at > end:
        raise TilesInvalid(f"entry {len(entries) - 1} of the bundle is cut short")
    if at < end:
        raise TilesInvalid(f"{end - at} bytes follow its {width} entries")
    return entries


def hash_reader(size: int, read_tile: Callable[[Tile], bytes]) -> HashReader:
    """Read any full subtree of a tree of `size` from its tiles; each tile is read once."""
    kept: dict[Tile, bytes] = {}

    def read(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, 8)
        first = index << height
        tile_index, offset = divmod(first, WIDTH)
        tile = Tile(tile_level, tile_index, width_in(tile_level, tile_index, size))
        data = kept.get(tile)
        if data is None:
            data = kept[tile] = read_tile(tile)
            if len(data) != tile.width * HASH_SIZE:
                raise TilesInvalid(f"{tile.path} has {len(data)} bytes, not {tile.width * HASH_SIZE}")
        return subtree_root(data[offset * HASH_SIZE : (offset + (1 << height)) * HASH_SIZE])

    return read


def _index_path(index: int) -> str:
    parts = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        parts.append(f"x{index % 1000:03d}")
    return "/".join(reversed(parts))


def _decimal(text: str, *, most: int) -> int | None:
    if not (text.isascii() and text.isdigit()) or (len(text) > 1 and text[0] == "0"):
        return None
    return int(text) if len(text) <= 3 and int(text) <= most else None
