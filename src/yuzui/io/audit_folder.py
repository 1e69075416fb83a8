"""Knows how to append to the audit log's folder so that a crash at any moment leaves a log that verifies.

Order of a publish: new tiles into `.staging/`, synced; renamed to their names, folders synced; then the checkpoint the
same way; then the partial tiles that were replaced are removed. Until the checkpoint is in place nobody looks at the
new tiles, so whatever a crash leaves there is written again, with the same bytes, by the next publish.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from yuzui.audit.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from yuzui.audit.frontier import Frontier, grow, read_frontier, root_of
from yuzui.audit.merkle import leaf_hash
from yuzui.audit.note import NoteInvalid, read_vkey, write_vkey
from yuzui.audit.proof import InclusionProof
from yuzui.audit.tiles import WIDTH, Tile, TilesInvalid, edge_tiles, superseded
from yuzui.audit.verify import CHECKPOINT_PATH, STAGING_PATH, VKEY_PATH
from yuzui.core.errors import GatewayFault
from yuzui.io import audit_reader

if sys.platform != "win32":
    import fcntl


_STEP = 32 * WIDTH  # bounds what one publish holds in memory and in `.staging/`


class AuditFolder:
    """The one writer of a log. `publish` blocks on the disk: call it in a worker thread, one call at a time."""

    def __init__(self, folder: Path, origin: str, private_key: Ed25519PrivateKey, lock: int | None) -> None:
        self._folder = folder
        self._origin = origin
        self._private_key = private_key
        self._lock = lock
        self._frontier = Frontier()
        self._checkpoint = b""
        self._is_stale = True

    @classmethod
    def open(cls, folder: Path, *, origin: str, private_key_file: Path) -> AuditFolder:
        """Continue the log in `folder`, or begin it. `private_key_file` must lie outside `folder`.

        Raise `GatewayFault` when another process writes to the log, when its key is missing or is another one, when
        it has another origin, or when its right edge is damaged.
        """
        if private_key_file.resolve().is_relative_to(folder.resolve()):
            raise _fault(f"the private key {private_key_file} must lie outside the audit folder, which is given away")
        folder.mkdir(parents=True, exist_ok=True)
        lock = _lock(folder)
        try:
            has_log = (folder / CHECKPOINT_PATH).exists() or (folder / "tile").exists()
            if has_log and not private_key_file.exists():
                raise _fault(
                    f"the audit log in {folder} exists but its private key {private_key_file} is missing; put the key "
                    "back from a backup, or move the folder away to begin a new log (keep it: it still verifies)"
                )
            private_key = _load_key(private_key_file) if private_key_file.exists() else _create_key(private_key_file)
            log = cls(folder, origin, private_key, lock)
            log._clear_staging()
            if has_log:
                log._load()
            else:
                log._begin()
        except BaseException:
            _unlock(lock)
            raise
        return log

    @property
    def size(self) -> int:
        """How many leaves are signed; the next leaf to publish has this index."""
        return self._frontier.size

    @property
    def vkey(self) -> str:
        """The public key, to be handed to whoever shall check the log."""
        return write_vkey(self._origin, self._private_key.public_key())

    def checkpoint_text(self) -> str:
        return self._checkpoint.decode("utf-8")

    def publish(self, leaves: Sequence[bytes]) -> None:
        """Append `leaves` and sign; durable when it returns. Many leaves (a catch-up) are signed in several steps.

        Raise `OSError` (disk) or `GatewayFault`; then `size` tells from which leaf on to try again.
        """
        if self._is_stale:
            self._recover()
        for at in range(0, len(leaves), _STEP):
            self._append(leaves[at : at + _STEP])

    def _append(self, leaves: Sequence[bytes]) -> None:
        try:
            frontier, files = grow(self._frontier, leaves)
        except TilesInvalid as error:
            raise _fault(f"a record cannot be put into the audit log: {error}") from error
        replaced = superseded(self._frontier.size, frontier.size)
        self._is_stale = True
        self._write((tile.path, data) for tile, data in files.items())
        self._sign(frontier)
        self._is_stale = False
        self._remove(replaced)

    def prove(self, index: int) -> InclusionProof:
        """See `audit_reader.prove`."""
        return audit_reader.prove(self._folder, index)

    def close(self) -> None:
        """Let another process write. Idempotent."""
        lock, self._lock = self._lock, None
        _unlock(lock)

    # ---- state ------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._write([(VKEY_PATH, f"{self.vkey}\n".encode())])
        self._sign(Frontier())
        self._is_stale = False

    def _load(self) -> None:
        """Take up the log from the disk. Its right edge must fit its checkpoint; all else is for `verify_folder`."""
        source = audit_reader.FolderSource(self._folder)
        stored_vkey, signed = source.read(VKEY_PATH), source.read(CHECKPOINT_PATH)
        if stored_vkey != f"{self.vkey}\n".encode():
            raise _fault(self._explain_vkey(stored_vkey))
        if signed is None:
            raise _fault(f"the audit log in {self._folder} has tiles but no checkpoint; put it back from a backup")
        try:
            head = open_checkpoint(signed, read_vkey(self.vkey))
            edge = {tile: source.read(tile.path) for tile in edge_tiles(head.size)}
            frontier = read_frontier(head.size, {tile: data for tile, data in edge.items() if data is not None})
        except (NoteInvalid, TilesInvalid, KeyError) as error:
            raise _fault(f"the audit log is damaged ({error}); run `yuzui audit verify`") from error
        leaves = b"".join([leaf_hash(entry) for entry in frontier.bundle])
        if root_of(frontier) != head.root or (frontier.tiles and frontier.tiles[0] != leaves):
            raise _fault("the audit log's newest tiles do not fit its checkpoint; run `yuzui audit verify`")
        self._frontier, self._checkpoint, self._is_stale = frontier, signed, False

    def _recover(self) -> None:
        """A publish broke off: believe the disk. The leaves at hand may no longer be the next ones."""
        believed = self._frontier.size
        self._clear_staging()
        self._load()
        if self._frontier.size != believed:
            raise _fault(f"the last publish did reach the disk: the log has {self.size} entries; go on from there")

    def _explain_vkey(self, stored: bytes | None) -> str:
        if stored is None:
            return f"the audit log in {self._folder} has lost its file `vkey`; its content should be: {self.vkey}"
        try:
            name = read_vkey(stored.decode("utf-8").removesuffix("\n")).name
        except (NoteInvalid, UnicodeDecodeError):
            return f"the file `vkey` of the audit log in {self._folder} is damaged; its content should be: {self.vkey}"
        if name != self._origin:
            return (
                f"the audit log in {self._folder} has the origin {name!r}, the configuration says {self._origin!r}; "
                "an origin cannot change: restore it, or move the folder away to begin a new log"
            )
        return f"the audit log in {self._folder} was signed with another private key; put the right one back"

    # ---- disk -------------------------------------------------------------------------------------------------------

    def _write(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Put `files` in place, each whole or not at all; durable when it returns."""
        staging = self._folder / STAGING_PATH
        staging.mkdir(exist_ok=True)
        staged: list[tuple[Path, Path]] = []
        for number, (path, data) in enumerate(files):
            temporary = staging / str(number)
            temporary.write_bytes(data)
            staged.append((temporary, self._folder / path))
        # Syncing after all are written lets the file system put them into one journal commit.
        for temporary, _ in staged:
            _sync_file(temporary)
        touched: dict[Path, None] = {}
        for temporary, final in staged:
            _make_folders(final.parent, touched)
            temporary.replace(final)
            touched[final.parent] = None
        for changed in touched:
            _sync_folder(changed)
        staging.rmdir()

    def _sign(self, frontier: Frontier) -> None:
        head = Checkpoint(origin=self._origin, size=frontier.size, root=root_of(frontier))
        signed = sign_checkpoint(head, self._private_key)
        self._write([(CHECKPOINT_PATH, signed)])
        self._frontier, self._checkpoint = frontier, signed

    def _remove(self, tiles: list[Tile]) -> None:
        """Partial files that a wider one replaced; they would do no harm, so a crash in between needs no repair."""
        for tile in tiles:
            path = self._folder / tile.path
            path.unlink(missing_ok=True)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()

    def _clear_staging(self) -> None:
        staging = self._folder / STAGING_PATH
        if staging.is_dir():
            for leftover in staging.iterdir():
                leftover.unlink()
            staging.rmdir()


_BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends


def _sync_file(path: Path) -> None:
    with path.open("r+b") as file:  # Windows syncs only what is open for writing
        os.fsync(file.fileno())


def _make_folders(folder: Path, touched: dict[Path, None]) -> None:
    """Create `folder` and its parents; note whose list of names changed."""
    if folder.is_dir():
        return
    _make_folders(folder.parent, touched)
    folder.mkdir(exist_ok=True)
    touched[folder.parent] = None


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return  # Windows has no handle for this; NTFS journals renames itself
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(folder: Path) -> int | None:
    """Hold the folder itself: a lock file would be a stranger in a log that is checked for strangers."""
    if sys.platform == "win32":
        return None  # the books' own lock keeps a second writer out
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise _fault(f"another process is writing to the audit log in {folder}") from error
    return descriptor


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _load_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:  # not a PEM; encrypted
        raise _fault(f"{path} is not an unencrypted private key in PEM format") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _fault(f"{path} is not an Ed25519 key")
    return key


def _create_key(path: Path) -> Ed25519PrivateKey:
    """A new key, in PEM (PKCS #8), readable by us alone; whole or not there at all."""
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)  # left by a crash: never used
    mode = stat.S_IRUSR | stat.S_IWUSR
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)
    return key


def _fault(message: str) -> GatewayFault:
    return GatewayFault(message, code="audit_unavailable")
