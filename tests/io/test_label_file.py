"""Labels are appended durably, and a line that a crash cut goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from yuzui.core.errors import ConfigError
from yuzui.evaluation.labels import Label
from yuzui.io.label_file import add_label, read_labels

ONE = Label(item="i", kind="review", by="ann", label="accept", at="2026-11-26T00:00:00+00:00")
TWO = Label(item="j", kind="pairwise", by="bo", label="tie")


def test_they_come_out_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    assert read_labels(path) == []
    add_label(path, ONE)
    add_label(path, TWO)
    assert read_labels(path) == [ONE, TWO]


@pytest.mark.parametrize("rest", [b'{"item": "k', b"{", b'{"item":"k","kind":"review","by":"x","label":"accept'])
def test_a_cut_line_goes(tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / "labels.jsonl"
    add_label(path, ONE)
    with path.open("ab") as file:
        file.write(rest)
    assert read_labels(path) == [ONE]
    add_label(path, TWO)
    assert read_labels(path) == [ONE, TWO]


def test_what_is_no_label_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_bytes(b'{"item": 1}\n{}\n')
    with pytest.raises(ConfigError, match=r"labels.jsonl:1 is no label"):
        read_labels(path)
    with pytest.raises(ConfigError, match="cannot be written"):
        add_label(tmp_path / "no" / "labels.jsonl", ONE)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_labels(tmp_path)
