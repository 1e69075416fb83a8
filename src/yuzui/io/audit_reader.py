"""Knows how to read the audit log's folder: verify it, find a request in it, prove an entry. Never writes.

All of it works on a copy and while a server publishes into the folder: the checkpoint is read first, and files that a
later publish replaced are read from their successors.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from yuzui.audit.checkpoint import Checkpoint, open_checkpoint
from yuzui.audit.merkle import inclusion_proof
from yuzui.audit.note import NoteInvalid, read_vkey
from yuzui.audit.proof import InclusionProof, ProofInvalid, verify_proof
from yuzui.audit.record import read_record
from yuzui.audit.tiles import (
    ENTRIES,
    MAX_ENTRY_BYTES,
    WIDTH,
    Tile,
    TilesInvalid,
    hash_reader,
    read_bundle,
    tiles_at,
    width_in,
)
from yuzui.audit.verify import CHECKPOINT_PATH, VKEY_PATH, TileReader, VerifyReport, verify_log
from yuzui.core.errors import GatewayFault, NotFound


def verify_folder(folder: Path, *, vkey: str | None = None, checkpoint: str | None = None) -> VerifyReport:
    """Check everything in `folder`, offline. `vkey`: the key to insist on; `checkpoint`: an older one kept elsewhere.

    Raise `OSError` when a file cannot be read at all (permissions, a broken disk).
    """
    source = FolderSource(folder)
    report = verify_log(source, vkey=vkey, checkpoint=checkpoint)
    if not report.ok and source.read(CHECKPOINT_PATH) != report.checkpoint:
        # Somebody published meanwhile. Reading follows replaced files, but not through every race: look once more.
        report = verify_log(source, vkey=vkey, checkpoint=checkpoint)
    return report


def read_head(folder: Path) -> tuple[Checkpoint, bytes]:
    """The log's checkpoint, its signature checked with the folder's own key, and its bytes. Raise `GatewayFault`."""
    source = FolderSource(folder)
    signed, key = source.read(CHECKPOINT_PATH), source.read(VKEY_PATH)
    if signed is None or key is None:
        raise _fault(f"{folder} holds no audit log; is the data folder right?")
    try:
        return open_checkpoint(signed, read_vkey(key.decode("utf-8").removesuffix("\n"))), signed
    except (NoteInvalid, UnicodeDecodeError) as error:
        raise _damaged(str(error)) from error


def prove(folder: Path, index: int) -> InclusionProof:
    """A proof, checked before it is returned, that entry `index` is in the log; its `extra` is the entry itself.

    Raise `NotFound` for an index beyond the checkpoint, `GatewayFault` when the log is damaged.
    """
    head, signed = read_head(folder)
    if not 0 <= index < head.size:
        raise NotFound(
            f"the signed log has {head.size} entries, none with index {index} yet; new ones are signed within seconds",
            code="audit_entry_not_found",
        )
    source = FolderSource(folder)
    reader = TileReader(source, head.size)
    bundle = Tile(ENTRIES, index // WIDTH, width_in(ENTRIES, index // WIDTH, head.size))
    try:
        leaf = read_bundle(reader.read(bundle) or b"", bundle.width)[index % WIDTH]
        hashes = inclusion_proof(index, head.size, hash_reader(head.size, lambda tile: reader.read(tile) or b""))
        proof = InclusionProof(index=index, hashes=hashes, checkpoint=signed, extra=leaf)
        verify_proof(proof, leaf, (source.read(VKEY_PATH) or b"").decode("utf-8").removesuffix("\n"))
    except (TilesInvalid, ProofInvalid) as error:
        raise _damaged(str(error)) from error
    return proof


def find_index(folder: Path, request_id: str) -> int | None:
    """Index of the entry of `request_id` under the checkpoint; None when there is none (or it is not signed yet).

    Reads the bundles, the newest first: people ask about what just happened. Raise `GatewayFault` for a damaged log.
    """
    head, _ = read_head(folder)
    reader = TileReader(FolderSource(folder), head.size)
    needle = msgspec.json.encode(request_id)
    for bundle in reversed(list(tiles_at(ENTRIES, head.size))):
        data = reader.read(bundle)
        if data is None:
            raise _damaged(f"{bundle.path} is missing")
        if needle not in data:
            continue
        try:
            for at, entry in enumerate(read_bundle(data, bundle.width)):
                if needle in entry and read_record(entry).id == request_id:
                    return bundle.start + at
        except (TilesInvalid, msgspec.DecodeError) as error:
            raise _damaged(f"{bundle.path}: {error}") from error
    return None


class FolderSource:
    """The files of a folder as a `LogSource`."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def read(self, path: str) -> bytes | None:
        try:
            with open(f"{self._folder}/{path}", "rb", opener=_open_without_waiting) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    return None  # a pipe or a device in place of a file: never wait for it, never read without end
                return file.read() if status.st_size <= _MAX_FILE_BYTES else file.read(_MAX_FILE_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def names(self, folder: str) -> list[str]:
        try:
            return [entry.name for entry in Path(self._folder, folder).iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def paths(self) -> Iterator[str]:
        """Symbolic links count as files: a log has none, so they are reported as strangers or read like the rest."""
        waiting = [""]
        while waiting:
            prefix = waiting.pop()
            try:
                with os.scandir(f"{self._folder}/{prefix}") as found:
                    # What waits longest is read last: bundles come after all hashes (see `LogSource.paths`).
                    entries = sorted(found, key=lambda entry: (entry.name != "entries", entry.name))
            except FileNotFoundError:
                continue  # a publish removed the folder of a tile that is full now
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{prefix}{entry.name}/")
                else:
                    yield prefix + entry.name


_MAX_FILE_BYTES = WIDTH * (2 + MAX_ENTRY_BYTES)  # a full bundle of the longest entries


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _fault(message: str) -> GatewayFault:
    return GatewayFault(message, code="audit_unavailable")


def _damaged(detail: str) -> GatewayFault:
    return _fault(f"the audit log is damaged ({detail}); run `yuzui audit verify` to see what was changed")
