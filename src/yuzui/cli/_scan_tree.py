"""Knows which files `yuzui scan` reads, and how their bytes become text; what cannot be read is told, never dropped."""

from __future__ import annotations

import codecs
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from yuzui.core.errors import ConfigError

STDIN: Final = "-"
VERSION_FOLDERS: Final = frozenset((".git", ".hg", ".svn", ".jj", ".bzr"))
DAMAGED: Final = "surrogateescape"
BLOCK_BYTES: Final = 1024 * 1024
_HEAD_BYTES: Final = 64 * 1024
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins like that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HAN: Final = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")  # GB 2312, in which nearly all text in GB 18030 is written
_HIGH: Final = bytes(range(0x80, 0x100))
_CONTROLS: Final = frozenset(map(chr, (*range(9), 11, *range(14, 27), *range(28, 32), 127)))  # ESC colours logs


class Unreadable(Exception):
    """Why a file was not read; the message goes behind its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file to scan, or one that is not scanned, with the reason."""

    name: str
    path: Path | None
    """None: standard input."""
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a file says."""

    encoding: str
    errors: str
    """`DAMAGED`: a byte that is not of the encoding is half a surrogate, as Python's error handler makes it."""
    is_guessed: bool
    """Neither UTF-8 nor marked: what fits best."""
    mark_bytes: int
    """Size of the byte order mark, which is no part of the text."""
    size_bytes: int
    pieces: Callable[[], Iterator[str]]


def list_files(paths: Sequence[str], excluded: Sequence[str]) -> Iterator[Entry]:
    """Files below `paths`, in the order of their names. Raise `ConfigError` for a path that does not exist."""
    for given in paths:
        if given == STDIN:
            yield Entry(name=STDIN, path=None)
            continue
        path = Path(given)
        try:
            mode = path.stat().st_mode  # a link that is named is followed
        except FileNotFoundError as error:
            raise ConfigError(f"{given}: there is no such file or folder") from error
        except OSError as error:
            yield Entry(name=given, path=path, skipped=_os_words(error))
            continue
        if _is_excluded(given, path.name, excluded):
            yield Entry(name=given, path=path, skipped="excluded")
        elif stat.S_ISDIR(mode):
            yield from _below(path, excluded)
        else:
            yield Entry(name=given, path=path, skipped="" if stat.S_ISREG(mode) else "not a regular file")


def _below(folder: Path, excluded: Sequence[str]) -> Iterator[Entry]:
    """Depth first, without recursion: folders may be nested as deep as they like."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            yield Entry(name=str(here), path=here, skipped=_os_words(error))
            continue
        folders: list[Path] = []
        for entry in entries:
            path = here / entry.name
            name = str(path)
            if entry.is_symlink():
                yield Entry(name=name, path=path, skipped="symbolic link")
            elif _is_excluded(name, entry.name, excluded):
                yield Entry(name=name, path=path, skipped="excluded")
            elif entry.is_dir(follow_symlinks=False):
                if entry.name in VERSION_FOLDERS:
                    yield Entry(name=name, path=path, skipped="version control")
                else:
                    folders.append(path)
            elif entry.is_file(follow_symlinks=False):
                yield Entry(name=name, path=path)
            else:
                yield Entry(name=name, path=path, skipped="not a regular file")
        waiting.extend(reversed(folders))


def _is_excluded(path: str, name: str, excluded: Sequence[str]) -> bool:
    """A pattern without a slash is for names, one with a slash for whole paths; `*` goes over slashes."""
    plain = path.replace(os.sep, "/").removeprefix("./")
    return any(fnmatchcase(plain if "/" in glob else name, glob.removeprefix("./").rstrip("/")) for glob in excluded)


@contextmanager
def open_entry(entry: Entry, most_bytes: int) -> Iterator[BinaryIO]:
    """Its bytes, seekable. Raise `Unreadable`."""
    if entry.path is None:
        data = sys.stdin.buffer.read(most_bytes + 1)  # not seekable, and its decoding may take a second try
        if len(data) > most_bytes:
            raise Unreadable(f"larger than {most_bytes} bytes; raise --max-mib")
        yield BytesIO(data)
        return
    try:
        file = entry.path.open("rb")
    except OSError as error:
        raise Unreadable(_os_words(error)) from error
    with file:
        if os.fstat(file.fileno()).st_size > most_bytes:
            raise Unreadable(f"larger than {most_bytes} bytes; raise --max-mib")
        yield file


def read_text(file: BinaryIO) -> Text:
    """Find out how the bytes are to be read, all of them. Raise `Unreadable`."""
    try:
        head = file.read(_HEAD_BYTES)
        size = file.seek(0, os.SEEK_END)
    except OSError as error:
        raise Unreadable(_os_words(error)) from error
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return _decoded(file, encoding, size, len(mark), is_guessed=False)
    wide = _wide_encoding(head)
    if wide:
        return _decoded(file, wide, size, 0, is_guessed=True)
    try:
        return _decoded(file, "utf-8", size, 0, is_guessed=False)
    except Unreadable:
        if b"\0" in head:
            raise Unreadable("binary") from None
    if _is_damaged_utf8(head):
        return _decoded(file, "utf-8", size, 0, is_guessed=True, errors=DAMAGED)
    for encoding, fits in (("gb18030", _is_gb18030), ("cp1252", _is_text)):
        try:
            text = _decoded(file, encoding, size, 0, is_guessed=True)
        except Unreadable:
            continue
        if fits(head, text):
            return text
    raise Unreadable("binary, or in an encoding that is not known here")


def _decoded(
    file: BinaryIO, encoding: str, size: int, mark_bytes: int, *, is_guessed: bool, errors: str = "strict"
) -> Text:
    """All of it is decoded once before any of it is used: half of a file must not count as the file."""

    def pieces() -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(encoding)(errors)
        file.seek(mark_bytes)
        try:
            while block := file.read(BLOCK_BYTES):
                yield decoder.decode(block)
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise Unreadable(f"not valid {encoding}") from error
        except OSError as error:
            raise Unreadable(_os_words(error)) from error

    if size > BLOCK_BYTES:
        for _ in pieces():
            pass
        kept: Callable[[], Iterator[str]] = pieces
    else:
        whole = list(pieces())
        kept = partial(iter, whole)
    return Text(encoding=encoding, errors=errors, is_guessed=is_guessed, mark_bytes=mark_bytes, size_bytes=size,
                pieces=kept)  # fmt: skip  # as it is declared


def _is_damaged_utf8(head: bytes) -> bool:
    """UTF-8 but for a few bytes: a log that was cut, a file that was glued together."""
    bad = sum("\udc80" <= char <= "\udcff" for char in head.decode("utf-8", DAMAGED))
    return bad * 10 <= len(head) - len(head.translate(None, _HIGH))


def _wide_encoding(head: bytes) -> str:
    """UTF-16 without a mark: every second byte of Latin text is zero."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half < 2 or min(even, odd) * 10 > half:
        return ""
    if odd * 3 > half:
        return "utf-16-le"
    return "utf-16-be" if even * 3 > half else ""


def _is_gb18030(head: bytes, text: Text) -> bool:
    """Western text decodes as GB 18030 too, swallowing the character behind each accent; but its accents come alone."""
    high = len(head) - len(head.translate(None, _HIGH))
    return len(_HAN.findall(head)) * 2 >= high * 0.9 and _is_text(head, text)


def _is_text(_head: bytes, text: Text) -> bool:
    return all(_CONTROLS.isdisjoint(piece) for piece in text.pieces())


def _os_words(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
