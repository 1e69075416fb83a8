"""Labels of people on disk: JSON lines, each durable before the next item is shown; annotators may share a file."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.evaluation.labels import Label


def read_labels(path: Path) -> list[Label]:
    """In the order of the file; none where there is no file. A last line that was cut off is left out.

    Raise `ConfigError`, which names the line.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    lines = data.split(b"\n")
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(msgspec.json.decode(line, type=Label))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if number == len(lines):  # written while the machine went down
                continue
            raise ConfigError(f"{path}:{number} is no label: {error}") from error
    return found


def add_label(path: Path, label: Label) -> None:
    """Append, durably. Raise `ConfigError`."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _cut_rest(descriptor)
            os.write(descriptor, msgspec.json.encode(label) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error


def _cut_rest(descriptor: int) -> None:
    """What a crash left of a line goes: nobody was told that it was kept."""
    size = os.fstat(descriptor).st_size
    if not size:
        return
    most = min(size, 1024 * 1024)
    os.lseek(descriptor, size - most, os.SEEK_SET)
    tail = os.read(descriptor, most)
    if not tail.endswith(b"\n"):
        os.ftruncate(descriptor, size - most + tail.rfind(b"\n") + 1)
