"""Knows how to check a whole log: every byte of every file against the entries, the entries against the signature.

Pure: the files come through `LogSource`. Entries are hashed again from scratch and every stored hash is compared, so a
changed byte is found in whichever file it is; the level above tells which of two disagreeing files is the changed one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

import msgspec

from yuzui.audit.checkpoint import Checkpoint, open_checkpoint
from yuzui.audit.frontier import Frontier, grow, read_frontier, root_of
from yuzui.audit.merkle import HASH_SIZE, root, subtree_root
from yuzui.audit.note import NoteInvalid, Verifier, read_note, read_vkey
from yuzui.audit.record import read_record
from yuzui.audit.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    TilesInvalid,
    count_at,
    edge_tiles,
    hash_reader,
    levels_of,
    read_bundle,
    read_path,
    tiles_at,
    width_in,
)

CHECKPOINT_PATH = "checkpoint"
VKEY_PATH = "vkey"
STAGING_PATH = ".staging"
"""Where a publisher writes before it renames; what a crash leaves there belongs to nothing."""
MAX_PROBLEMS = 1000  # a log that is wholly gone need not be described entry by entry


class LogSource(Protocol):
    """A log's files, by their path relative to its folder."""

    def read(self, path: str) -> bytes | None:
        """None when there is no such file."""
        ...

    def paths(self) -> Iterable[str]:
        """Every file of the folder; bundles last, so that a publish in between shows more entries, never fewer."""
        ...

    def names(self, folder: str) -> Iterable[str]:
        """Names inside `folder`; empty when there is no such folder."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    ok: bool
    size: int
    """Entries under the checkpoint that was checked; 0 when no checkpoint could be believed."""
    problems: tuple[str, ...]
    """What was changed: file, entry index and request id where they can be known."""
    notes: tuple[str, ...] = ()
    """Harmless facts: entries that are not signed yet, a leftover of an interrupted publish."""
    origin: str = ""
    root: bytes = b""
    vkey: str = ""
    """The key that the checkpoint was checked with."""
    is_key_pinned: bool = False
    """False: the key came from the folder itself, so whoever could replace all of the folder could replace the key."""
    checkpoint: bytes = b""
    """The signed checkpoint as it was read: keep it elsewhere and hand it in next time."""


class _Full(Exception):
    """Enough problems."""


@dataclass(slots=True, kw_only=True)
class _Findings:
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, problem: str) -> None:
        if len(self.problems) >= MAX_PROBLEMS:
            self.problems.append(f"stopped after {MAX_PROBLEMS} problems")
            raise _Full
        self.problems.append(problem)


def verify_log(source: LogSource, *, vkey: str | None = None, checkpoint: str | None = None) -> VerifyReport:
    """Check the log against its own checkpoint, the pinned `vkey` and an older `checkpoint` kept elsewhere (a note)."""
    findings = _Findings()
    signed = source.read(CHECKPOINT_PATH) or b""
    verifier = _check_key(source, vkey, findings)
    head = _check_head(signed, verifier, findings)
    if head is not None and verifier is not None:
        try:
            _check_tree(source, head, findings)
            if checkpoint is not None:
                _check_history(source, head, checkpoint, verifier, findings)
        except _Full:
            pass  # the report says that it stopped
    return VerifyReport(
        ok=not findings.problems,
        size=head.size if head else 0,
        problems=tuple(findings.problems),
        notes=tuple(findings.notes),
        origin=head.origin if head else "",
        root=head.root if head else b"",
        vkey=verifier.vkey if verifier else "",
        is_key_pinned=vkey is not None,
        checkpoint=signed,
    )


# ---- key and checkpoint ---------------------------------------------------------------------------------------------


def _check_key(source: LogSource, pinned: str | None, findings: _Findings) -> Verifier | None:
    stored = source.read(VKEY_PATH)
    verifier: Verifier | None = None
    if stored is None:
        findings.add("vkey: the file is missing")
    else:
        try:
            verifier = read_vkey(stored.decode("utf-8").removesuffix("\n"))
            if stored != f"{verifier.vkey}\n".encode():
                findings.add("vkey: the file does not end with exactly one newline")
        except (NoteInvalid, UnicodeDecodeError) as error:
            findings.add(f"vkey: {error}")
    if pinned is None:
        return verifier
    try:
        wanted = read_vkey(pinned.strip())
    except NoteInvalid as error:
        findings.add(f"the key to check with is not a verifier key: {error}")
        return None
    if verifier is not None and verifier.vkey != wanted.vkey:
        findings.add(f"vkey: the log shows the key {verifier.vkey}, not the expected {wanted.vkey}")
    return wanted


def _check_head(signed: bytes, verifier: Verifier | None, findings: _Findings) -> Checkpoint | None:
    if not signed:
        findings.add("checkpoint: the file is missing or empty")
        return None
    if verifier is None:
        findings.add("checkpoint: cannot be checked without a key")
        return None
    try:
        head = open_checkpoint(signed, verifier)
        strangers = [s.name for s in read_note(signed).signatures if s.key_id != verifier.key_id]
    except NoteInvalid as error:
        findings.add(f"checkpoint: {error}")
        return None
    if strangers:
        findings.add(f"checkpoint: signatures that this log did not write: {', '.join(strangers)}")
    return head


# ---- the tree -------------------------------------------------------------------------------------------------------


def _check_tree(source: LogSource, head: Checkpoint, findings: _Findings) -> None:
    paths = list(source.paths())  # early: what later publishes add must not look like a stranger under this checkpoint
    reader = TileReader(source, head.size)
    before = len(findings.problems)
    computed, stored = _check_levels(reader, findings)
    computed_root = root_of(Frontier(size=head.size, tiles=tuple(computed)))
    _judge_edges(reader, computed, stored, is_computed_right=computed_root == head.root, findings=findings)
    if computed_root != head.root and len(findings.problems) == before:
        findings.add(
            f"checkpoint: its root is not that of the {head.size} entries in the folder: "
            "entries were changed and all hashes above them computed anew, or the checkpoint is of another state"
        )
    _check_other_files(source, reader, paths, findings)


class TileReader:
    """The tiles of a tree of `size`; a tile that a later publish replaced is read from its successor."""

    def __init__(self, source: LogSource, size: int) -> None:
        self._source = source
        self.size = size

    def read(self, tile: Tile) -> bytes | None:
        """The file's bytes, cut to the tile when only a wider file is left; None when there is none."""
        data = self._source.read(tile.path)
        if data is not None or tile.is_full:
            return data
        for wider in self._wider(tile):
            data = self._source.read(wider.path)
            if data is not None:
                return _cut(data, tile)
        return None

    def _wider(self, tile: Tile) -> list[Tile]:
        names = self._source.names(tile.path.rpartition("/")[0])
        widths = {int(name) for name in names if name.isascii() and name.isdigit() and len(name) <= 3}
        partial = sorted((width for width in widths if tile.width < width < WIDTH), reverse=True)
        # The full tile once more at the end: the partial ones may have gone while we looked at them.
        return [Tile(tile.level, tile.index, width) for width in (WIDTH, *partial, WIDTH)]

    def hashes(self, tile: Tile, findings: _Findings) -> bytes | None:
        """A hash tile of the right length; None after saying what is wrong."""
        data = self.read(tile)
        if data is None:
            findings.add(f"{tile.path}: the file is missing")
        elif len(data) != tile.width * HASH_SIZE:
            findings.add(f"{tile.path}: the file has {len(data)} bytes, not {tile.width * HASH_SIZE}")
        else:
            return data
        return None

    def leaf_hashes(self, bundle: Tile, findings: _Findings) -> bytes | None:
        """The entries of a bundle, hashed; None after saying why it cannot be read. Every entry must be a record."""
        data = self.read(bundle)
        last = bundle.start + bundle.width - 1
        if data is None:
            findings.add(f"{bundle.path}: the file is missing (entries {bundle.start} to {last})")
            return None
        try:
            entries = read_bundle(data, bundle.width)
        except TilesInvalid as error:
            findings.add(f"{bundle.path}: entries {bundle.start} to {last} cannot be told apart: {error}")
            return None
        for at, entry in enumerate(entries):
            try:
                read_record(entry)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                findings.add(f"{bundle.path}: entry {bundle.start + at} is not a request record: {error}")
        return b"".join([sha256(b"\x00" + entry).digest() for entry in entries])

    def name_entry(self, index: int) -> str:
        """`entry 12 (req_…)`, for people."""
        bundle = Tile(ENTRIES, index // WIDTH, width_in(ENTRIES, index // WIDTH, self.size))
        try:
            record = read_record(read_bundle(self.read(bundle) or b"", bundle.width)[index % WIDTH])
        except (TilesInvalid, msgspec.DecodeError, UnicodeDecodeError):
            return f"entry {index}"
        return f"entry {index} ({record.id})"


def _cut(data: bytes, tile: Tile) -> bytes:
    """The part of a wider file that is `tile`."""
    if tile.level != ENTRIES:
        return data[: tile.width * HASH_SIZE]
    at = 0
    for _ in range(tile.width):
        if at + 2 > len(data):
            break  # whoever reads the bundle says what is missing
        at += 2 + (data[at] << 8 | data[at + 1])
    return data[:at]


def _check_levels(reader: TileReader, findings: _Findings) -> tuple[list[bytes], list[bytes]]:
    """Go through all levels from the entries up. Return the edges (see `Frontier.tiles`) as computed and as stored."""
    computed: list[bytes] = []
    stored: list[bytes] = []
    below: list[bytes] = []
    for level in levels_of(reader.size):
        above: list[bytes] = []
        edge = edge_file = b""
        parents = _Parents(reader, level + 1)
        for tile in tiles_at(level, reader.size):
            if level == 0:
                known = reader.leaf_hashes(Tile(ENTRIES, tile.index, tile.width), findings)
            else:
                known = b"".join(below[tile.start : tile.start + tile.width])
            file = reader.hashes(tile, findings)
            if tile.is_full:
                above.append(_judge_full(reader, tile, known, file, parents, findings))
            else:
                edge = known or file or b""
                edge_file = file or edge
        below = above
        computed.append(edge)
        stored.append(edge_file)
    return computed, stored


class _Parents:
    """What the level above says about the full tiles of a level; empty where it is damaged itself."""

    def __init__(self, reader: TileReader, level: int) -> None:
        self._reader = reader
        self._level = level
        self._index = -1
        self._data = b""

    def hash_of(self, index: int) -> bytes:
        parent, offset = divmod(index, WIDTH)
        if parent != self._index:
            tile = Tile(self._level, parent, width_in(self._level, parent, self._reader.size))
            self._index, self._data = parent, self._reader.read(tile) or b""
        return self._data[offset * HASH_SIZE : (offset + 1) * HASH_SIZE]


def _judge_full(
    reader: TileReader, tile: Tile, known: bytes | None, file: bytes | None, parents: _Parents, findings: _Findings
) -> bytes:
    """Name what was changed about one full tile; return the hash with which to compute the level above."""
    if known is not None and known == file:
        return subtree_root(known)
    # From here on the log is damaged: find out which side the level above agrees with, and go on with that one.
    parent = parents.hash_of(tile.index)
    is_known_right = known is not None and subtree_root(known) == parent
    if known is not None and file is not None:
        _name_difference(reader, tile, known, file, is_known_right=is_known_right, findings=findings)
    for candidate in (known, file):
        if candidate is not None and subtree_root(candidate) == parent:
            return parent
    remaining = known or file
    return subtree_root(remaining) if remaining else parent.ljust(HASH_SIZE, b"\0")


def _judge_edges(
    reader: TileReader, computed: list[bytes], stored: list[bytes], *, is_computed_right: bool, findings: _Findings
) -> None:
    for level, (known, file) in enumerate(zip(computed, stored, strict=True)):
        if known != file:
            tile = Tile(level, count_at(level, reader.size) // WIDTH, len(file) // HASH_SIZE)
            _name_difference(reader, tile, known, file, is_known_right=is_computed_right, findings=findings)


def _name_difference(
    reader: TileReader, tile: Tile, known: bytes, file: bytes, *, is_known_right: bool, findings: _Findings
) -> None:
    """Say which hashes of `tile` and the things under it do not fit each other, and which of the two was changed."""
    places = [
        at
        for at in range(tile.width)
        if known[at * HASH_SIZE : (at + 1) * HASH_SIZE] != file[at * HASH_SIZE : (at + 1) * HASH_SIZE]
    ]
    for at in places:
        if tile.level > 0:
            below = Tile(tile.level - 1, tile.start + at).path
            findings.add(f"{tile.path}: hash {at} is not that of {below}")
        elif is_known_right:
            findings.add(f"{tile.path}: hash {at} was changed; entry {tile.start + at} itself is intact")
        else:
            bundle = Tile(ENTRIES, tile.index, tile.width)
            name = reader.name_entry(tile.start + at)
            findings.add(f"{bundle.path}: {name} was changed; it does not have the hash in {tile.path}")


# ---- everything else in the folder ----------------------------------------------------------------------------------


def _check_other_files(source: LogSource, reader: TileReader, paths: list[str], findings: _Findings) -> None:
    """Files beside the tree's own: leftovers of a publish are noted, all others are problems."""
    beyond: list[Tile] = []
    for path in paths:
        if path in (CHECKPOINT_PATH, VKEY_PATH):
            continue
        if path.startswith(f"{STAGING_PATH}/"):
            findings.notes.append(f"{path}: left by a publish that is not finished")
            continue
        tile = read_path(path)
        if tile is None:
            findings.add(f"{_printable(path)}: the file does not belong to the log")
            continue
        width = width_in(tile.level, tile.index, reader.size)
        if tile.width < width:
            _check_stale(source, reader, tile, findings)
        elif tile.width > width:
            beyond.append(tile)
    if beyond:
        _check_beyond(source, reader, beyond, findings)


def _check_stale(source: LogSource, reader: TileReader, tile: Tile, findings: _Findings) -> None:
    """A partial file that a larger one replaced must be the beginning of that one."""
    data = source.read(tile.path)
    whole = reader.read(Tile(tile.level, tile.index, width_in(tile.level, tile.index, reader.size)))
    if data is not None and whole is not None and data != _cut(whole, tile):
        findings.add(f"{tile.path}: an older partial file that is not the beginning of its successor")


def _check_beyond(source: LogSource, reader: TileReader, beyond: list[Tile], findings: _Findings) -> None:
    """Files of entries after the checkpoint must be exactly what appending these entries to the log gives."""
    edge = {tile: reader.read(tile) for tile in edge_tiles(reader.size)}
    try:
        frontier = read_frontier(reader.size, {tile: data for tile, data in edge.items() if data is not None})
        entries = _entries_beyond(reader.size, source, beyond)
    except (KeyError, TilesInvalid) as error:
        findings.add(f"{beyond[0].path}: a file beyond the checkpoint that cannot be checked: {error}")
        return
    _, files = grow(frontier, entries)
    expected = {(tile.level, tile.index): (tile, data) for tile, data in files.items()}
    for tile in beyond:
        data = source.read(tile.path)
        if data is None:
            continue  # a later publish replaced it while we were reading
        found = expected.get((tile.level, tile.index))
        if found is None or found[0].width < tile.width or _cut(found[1], tile) != data:
            findings.add(f"{tile.path}: the file neither belongs to the log at this checkpoint nor continues it")
    if entries:
        findings.notes.append(f"entries after the checkpoint that are not signed yet: {len(entries)}")


def _entries_beyond(size: int, source: LogSource, beyond: list[Tile]) -> list[bytes]:
    widest = {tile.index: tile.width for tile in sorted(beyond, key=lambda tile: tile.width) if tile.level == ENTRIES}
    entries: list[bytes] = []
    index = size // WIDTH
    while index in widest:
        tile = Tile(ENTRIES, index, widest[index])
        data = TileReader(source, tile.start + tile.width).read(tile)
        if data is None:
            break
        entries += read_bundle(data, tile.width)[max(0, size - tile.start) :]
        if not tile.is_full:
            break
        index += 1
    return entries


def _check_history(
    source: LogSource, head: Checkpoint, older_note: str, verifier: Verifier, findings: _Findings
) -> None:
    """The log under `head` must begin with the log under the older checkpoint."""
    try:
        older = open_checkpoint(older_note.encode("utf-8"), verifier)
    except NoteInvalid as error:
        findings.add(f"the older checkpoint: {error}")
        return
    if older.size > head.size:
        findings.add(
            f"checkpoint: the log has {head.size} entries, but {older.size} were signed before: "
            f"{older.size - head.size} entries were cut off or an old state was put back"
        )
        return
    reader = TileReader(source, head.size)
    try:
        found = root(older.size, hash_reader(head.size, lambda tile: reader.read(tile) or b""))
    except TilesInvalid as error:
        findings.add(f"the older checkpoint cannot be compared: {error}")
        return
    if found != older.root:
        findings.add(
            f"checkpoint: the first {older.size} entries are not those that were signed before: history differs"
        )


def _printable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode("utf-8")
