"""Which files are read, in which encoding, and what is said of the others."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import pytest

from yuzui.cli._scan_tree import BLOCK_BYTES, DAMAGED, Entry, Unreadable, list_files, open_entry, read_text
from yuzui.core.errors import ConfigError

CHINESE = "姓名：张三，电话见附件。"


def read(data: bytes) -> tuple[str, str, bool]:
    text = read_text(BytesIO(data))
    return "".join(text.pieces()), text.encoding, text.is_guessed


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ("", "utf-8", False)),
        (CHINESE.encode(), (CHINESE, "utf-8", False)),
        (b"\xef\xbb\xbf" + CHINESE.encode(), (CHINESE, "utf-8", False)),
        (b"\xff\xfe" + CHINESE.encode("utf-16-le"), (CHINESE, "utf-16-le", False)),
        (b"\xfe\xff" + CHINESE.encode("utf-16-be"), (CHINESE, "utf-16-be", False)),
        (b"\xff\xfe\0\0" + CHINESE.encode("utf-32-le"), (CHINESE, "utf-32-le", False)),
        ("mail bob".encode("utf-16-le"), ("mail bob", "utf-16-le", True)),
        ("mail bob".encode("utf-16-be"), ("mail bob", "utf-16-be", True)),
        (CHINESE.encode("gb18030"), (CHINESE, "gb18030", True)),
        ("café: andré@example.com".encode("cp1252"), ("café: andré@example.com", "cp1252", True)),
        (b"a log\0 with a zero", ("a log\0 with a zero", "utf-8", False)),
        (b"\x1b[31mred\x1b[0m", ("\x1b[31mred\x1b[0m", "utf-8", False)),
    ],
)  # fmt: skip
def test_text_is_read_in_its_encoding(data: bytes, expected: tuple[str, str, bool]) -> None:
    assert read(data) == expected


def test_a_few_bad_bytes_do_not_hide_the_rest_of_a_text() -> None:
    data = (CHINESE * 5).encode() + b"\xff" + CHINESE.encode()
    text = read_text(BytesIO(data))
    assert (text.errors, text.is_guessed) == (DAMAGED, True)
    assert "".join(text.pieces()).encode("utf-8", DAMAGED) == data


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xfe", b"\xff\xfe\x00", bytes(range(128, 256)) * 3]
)
def test_what_is_no_text_is_said_to_be_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data)


def test_a_large_text_is_not_held_and_is_tried_to_its_end_before_it_counts() -> None:
    good = b"0123456789abcde\n" * (BLOCK_BYTES // 8)
    assert "".join(read_text(BytesIO(good)).pieces()).encode() == good
    late = good + "é".encode("cp1252") + b" and so on"
    assert read_text(BytesIO(late)).errors == DAMAGED


def test_folders_are_listed_in_order_and_links_and_version_control_are_not_followed(tmp_path: Path) -> None:
    for name in ("b/x.txt", "a.txt", ".git/config", "b/c/y.txt", "z.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", "utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "a.txt")
    (tmp_path / "round").symlink_to(tmp_path)
    listed = [
        (os.path.relpath(entry.name, tmp_path), entry.skipped) for entry in list_files([str(tmp_path)], ["*.bin"])
    ]
    assert listed == [
        (".git", "version control"), ("a.txt", ""), ("link", "symbolic link"), ("round", "symbolic link"),
        ("z.bin", "excluded"), ("b/x.txt", ""), ("b/c/y.txt", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("glob", "is_out"), [("*.txt", True), ("c", True), ("b/c", False), ("*/b/c/*", True), ("y", False)]
)
def test_globs_are_for_names_or_with_a_slash_for_paths(tmp_path: Path, glob: str, is_out: bool) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "y.txt").write_text("x", "utf-8")
    assert [bool(entry.skipped) for entry in list_files([str(tmp_path)], [glob])] == [is_out]


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for ever
    assert [entry.skipped for entry in list_files([str(tmp_path), str(tmp_path / "pipe")], [])] == [
        "not a regular file"
    ] * 2


def test_a_path_that_is_not_there_is_wrong_use() -> None:
    with pytest.raises(ConfigError, match="no such file"):
        list(list_files(["nowhere/at/all"], []))


def test_a_file_that_is_too_large_is_not_opened_by_halves(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * 101)
    with pytest.raises(Unreadable, match="larger than 100 bytes"), open_entry(Entry(name="large", path=path), 100):
        pass
