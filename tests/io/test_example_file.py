"""Examples come out of files as they went in, and what is wrong is said with its line."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from yuzui.core.errors import ConfigError
from yuzui.evaluation.examples import Example
from yuzui.io.example_file import read_examples, rows_of, sha256_of, write_examples, write_rows

EXAMPLES = [
    Example(id="1", prompt="你好", references=["a", 3, {"b": [1]}], tags=["x"], split="test"),
    Example(messages=[{"role": "user", "content": "q"}], tools=[{"type": "function"}], rubric=["short"], source="mine"),
]


@pytest.mark.parametrize("name", ["examples.jsonl", "examples.parquet"])
def test_they_come_out_as_they_went_in(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_examples(path, EXAMPLES)
    assert read_examples(path) == EXAMPLES
    if name.endswith("jsonl"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert len(sha256_of(path)) == 64


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"prompt": "a"}\n{"prompt": \n', "x.jsonl:2 is not one JSON object"),
        (b'{"prompt": "a"}\n\n{"question": "b"}\n', "x.jsonl:3: "),
        (b"\n", "has no examples"),
        (b'{"prompt": "\xff"}\n', "x.jsonl:1 is not"),
        (b"[1]\n", "x.jsonl:1 is not"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        read_examples(path)
    assert said in caught.value.message


def test_a_byte_order_mark_is_no_character(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"prompt": "a"}\n')
    assert read_examples(path) == [Example(prompt="a")]


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_examples(tmp_path / "none.jsonl")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ConfigError, match="is not Parquet"):
        read_examples(tmp_path / "x.parquet")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_examples(tmp_path / "no" / "x.jsonl", EXAMPLES)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"yuzui\[evaluation\]"):
        read_examples(tmp_path / "x.parquet")


def test_rows_of_any_shape(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_rows(path, [{"a": 1, "answers": {"m": {"score": 1.0}}}, {"a": 2, "b": None}])
    assert [row["a"] for _, row in rows_of(path)] == [1, 2]
