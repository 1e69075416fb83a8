"""The artefact of `yuzui route fit` as a file: read whole, replaced whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from yuzui.core.errors import ConfigError
from yuzui.routing.artefact import Artefact, read_artefact


def read_routing(path: Path) -> Artefact:
    """Raise `ConfigError` for a file that is not there, was changed or is of another version."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    return read_artefact(raw, str(path))


def write_routing(path: Path, raw: bytes) -> None:
    """Put `raw` at `path`; a reader sees the old file or the new one. Raise `ConfigError` when it cannot be written."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
