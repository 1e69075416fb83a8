"""Knows the deployment's own keys: made once, outside the database, readable by their owner only."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from yuzui.core.errors import ConfigError
from yuzui.io.database import make_private_folder

FOLDER = "secrets"
KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """32 random bytes each. Losing `pepper` makes every virtual key invalid; losing the others breaks comparisons."""

    pepper: bytes = field(repr=False)
    """Under it the books keep the hashes of virtual keys."""
    content_key: bytes = field(repr=False)
    """Under it records hash requests and answers, so that nobody can guess content from the log."""
    memory_key: bytes = field(repr=False)
    """Under it conversation memory recognises messages."""
    archive_key: bytes = field(repr=False)
    """Under it kept answers are encrypted: without it they are lost, and never leaked."""
    masking_key: bytes = field(repr=False)
    """From it come the names of stand-ins and the keys of the vault: without it their originals are lost."""


def load_secrets(data_dir: Path) -> Secrets:
    """The keys in `data_dir`, made when they are missing. Raise `ConfigError` for one that is damaged or public."""
    folder = data_dir / FOLDER
    make_private_folder(data_dir)
    make_private_folder(folder)
    return Secrets(
        pepper=load_or_make(folder / "pepper"),
        content_key=load_or_make(folder / "content_key"),
        memory_key=load_or_make(folder / "memory_key"),
        archive_key=load_or_make(folder / "archive_key"),
        masking_key=load_or_make(folder / "masking_key"),
    )


def load_or_make(path: Path) -> bytes:
    """The 32 bytes in `path`. Two processes that start together agree on one value; a cut write leaves no file."""
    if not path.exists():
        _make(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ConfigError(f"secrets/{path.name} can be read by other users; run `chmod 600` on it, or replace it")
    value = path.read_bytes()
    if len(value) != KEY_BYTES:
        raise ConfigError(
            f"secrets/{path.name} has {len(value)} bytes instead of {KEY_BYTES}; restore it from a backup"
        )
    return value


def _make(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename, never replaces what another process made meanwhile
        except FileExistsError:
            return
        _sync_folder(path.parent)
    finally:
        draft.unlink()


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere folders cannot be opened, and need not be
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
