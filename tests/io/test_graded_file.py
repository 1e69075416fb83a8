from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow
import pyarrow.parquet
import pytest

from graded_kit import examples
from yuzui.core.errors import ConfigError
from yuzui.evaluation.graded import GradedAnswer
from yuzui.io.graded_file import read_graded


def written(folder: Path, *lines: str) -> Path:
    path = folder / "graded.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_nested_and_flat_and_bare_answers_are_one(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '{"prompt": "p", "answers": {"a": {"score": 1, "text": "x"}, "b": {"score": 0}}}',
        '{"prompt": "p", "score:a": true, "text:a": "x", "score:b": 0, "_note": "mine"}',
        '{"prompt": "p", "answers": {"a": {"score": 1, "text": "x"}, "b": 0}, "group": null}',
        "",
    )
    read = read_graded(path)
    assert len(read) == 3
    assert read[0] == read[1] == read[2]
    assert read[0].answers["a"] == GradedAnswer(score=1.0, text="x")


def test_what_is_written_as_json_is_read_as_it_was(tmp_path: Path) -> None:
    made = examples(20, 1)
    path = tmp_path / "graded.jsonl"
    path.write_bytes(b"\n".join(msgspec.json.encode(one) for one in made))
    assert read_graded(path) == made


def test_parquet_says_the_same(tmp_path: Path) -> None:
    made = examples(20, 1)
    rows = [
        {"prompt": one.prompt, "id": one.id, "group": one.group,
         **{f"{fact}:{model}": getattr(answer, fact) for model, answer in one.answers.items()
            for fact in ("score", "text", "input_tokens", "output_tokens")}}
        for one in made
    ]  # fmt: skip
    path = tmp_path / "graded.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    assert read_graded(path) == made


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", r"graded\.jsonl:1 is not one JSON object"),
        ("[]", r"graded\.jsonl:1 is not one JSON object"),
        ('{"answers": {}}', "missing required field `prompt`"),
        ('{"prompt": "p", "answers": []}', "must be an object"),
        ('{"prompt": "p", "answers": {"a": {"text": "x"}}}', "missing required field `score`"),
        ('{"prompt": "p", "answers": {"a": "good"}}', "Expected `float`"),
        ('{"prompt": "\\ud800", "score:a": 1}', "is not one JSON object"),
        ('{"prompt": "p", "difficulty": 3}', "unknown field `difficulty`"),
        ('{"prompt": "p", "scores:a": 1}', "unknown field `scores`"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_graded(written(tmp_path, line))


def test_no_file_no_examples_and_no_parquet_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_graded(tmp_path / "none.jsonl")
    with pytest.raises(ConfigError, match="has no examples"):
        read_graded(written(tmp_path, ""))
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(ConfigError, match="not Parquet that can be read"):
        read_graded(tmp_path / "x.parquet")
