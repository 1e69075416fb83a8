"""Where fetched models lie on this machine, what is known about each file, and who may change it right now."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
import platformdirs

from yuzui.engine.catalogue import NAME_PATTERN
from yuzui.engine.faults import ModelFault, Trust

RECORD_FILE = "model.json"
_SPARE_BYTES = 64 * 1024 * 1024


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Written beside the file when it has been verified; a file without its record counts as not there."""

    name: str
    file: str
    size_bytes: int
    sha256: str
    source: str
    """Where it came from, without credentials."""
    trust: Trust
    fetched_unix_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledModel:
    path: Path
    record: ModelRecord


@dataclass(frozen=True, slots=True)
class ModelCache:
    """A folder with one folder per model: `<root>/<name>/<file>` and its record."""

    root: Path

    def folder(self, name: str) -> Path:
        """Raise `ModelFault` for a name that could leave the cache."""
        if not NAME_PATTERN.fullmatch(name):
            raise ModelFault(f"{name!r} is not a model's name")
        return self.root / name

    def find(self, name: str) -> InstalledModel | None:
        """The verified model called `name`, or None. Compares the size, not the hash: this runs at every start."""
        folder = self.folder(name)
        try:
            record = msgspec.json.decode((folder / RECORD_FILE).read_bytes(), type=ModelRecord)
            path = folder / Path(record.file).name
            if path.stat().st_size != record.size_bytes:
                return None
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return InstalledModel(path=path, record=record)

    def installed(self) -> list[InstalledModel]:
        """All verified models, by name."""
        if not self.root.is_dir():
            return []
        names = sorted(entry.name for entry in self.root.iterdir() if NAME_PATTERN.fullmatch(entry.name))
        return [model for name in names if (model := self.find(name)) is not None]

    def adopt(self, part: Path, record: ModelRecord) -> Path:
        """Move the verified `part` to its place and write its record; whole or not at all, even if the power fails."""
        folder = self.folder(record.name)
        path = folder / record.file
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
        draft = folder / (RECORD_FILE + ".part")
        with draft.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / RECORD_FILE)
        return path

    def remove(self, name: str) -> int:
        """Delete `name` and its partial downloads; return the freed bytes. Raise `ModelFault` when it is not there."""
        folder = self.folder(name)
        if not folder.is_dir():
            raise ModelFault(f"no model called {name!r} in {self.root}")
        with self.locked(name):
            freed = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            for file in folder.iterdir():
                if file.name != _LOCK_FILE:
                    _delete(file)
        _delete(folder)
        return freed

    def check_space(self, needed_bytes: int) -> None:
        """Raise `ModelFault` unless `needed_bytes` and some room to live fit on the cache's disk."""
        self.root.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.root).free
        if free < needed_bytes + _SPARE_BYTES:
            raise ModelFault(
                f"not enough space in {self.root}: {needed_bytes / 1e6:,.0f} MB needed, {free / 1e6:,.0f} MB free; "
                "make room, or point YUZUI_CACHE_DIR at a larger disk"
            )

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[Path]:
        """Hold the model's folder against a second pull; raise `ModelFault` when somebody else holds it.

        The lock belongs to the open file, so it ends with its process, however that ends.
        """
        folder = self.folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / _LOCK_FILE).open("ab+") as file:
            if not _try_lock(file):
                raise ModelFault(f"another process is fetching or removing {name!r} right now; wait until it is done")
            yield folder


_LOCK_FILE = ".lock"


def default_cache() -> ModelCache:
    """`$YUZUI_CACHE_DIR/models`, or the platform's cache folder for us."""
    configured = os.environ.get("YUZUI_CACHE_DIR")
    base = Path(configured) if configured else Path(platformdirs.user_cache_dir("yuzui", appauthor=False))
    return ModelCache(base / "models")


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _try_lock(file: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
