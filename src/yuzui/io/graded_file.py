"""Graded examples out of a file: JSON lines, or Parquet through pyarrow.

An example's answers may be nested (`answers`: model → facts) or flat, one column per fact and model: `score:MODEL`,
`text:MODEL`, `cost_usd:MODEL`, `input_tokens:MODEL`, `output_tokens:MODEL`, `was_cut:MODEL`, `log_probabilities:MODEL`,
`samples:MODEL`, `judged:MODEL` (a JSON object). Columns that are no fact of an example are an error, except those that
begin with `_`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.evaluation.graded import Graded

MOST_BYTES: Final = 2 * 1024**3
MOST_EXAMPLES: Final = 1_000_000


def read_graded(path: Path) -> list[Graded]:
    """All examples of the file. Raise `ConfigError`, which names the line or row."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{path} is larger than {MOST_BYTES // 2**30} GiB: give a part of it")
        rows = _parquet(path) if path.suffix == ".parquet" else _lines(path)
        examples: list[Graded] = []
        for place, row in rows:
            if len(examples) == MOST_EXAMPLES:
                raise ConfigError(f"{path} has more than {MOST_EXAMPLES} examples: give a part of it")
            examples.append(_example(row, place))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    if not examples:
        raise ConfigError(f"{path} has no examples")
    return examples


Row = dict[str, Any]  # Any: JSON


def _lines(path: Path) -> Iterator[tuple[str, Row]]:
    decoder = msgspec.json.Decoder(Row)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            place = f"{path}:{number}"
            try:
                yield place, decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise ConfigError(f"{place} is not one JSON object per line: {error}") from error


def _parquet(path: Path) -> Iterator[tuple[str, Row]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigError(
            "reading Parquet needs pyarrow: pip install 'yuzui[routing-fit]', or give JSON lines"
        ) from error
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}, row {number}", row
    except pyarrow.ArrowException as error:
        raise ConfigError(f"{path} is not Parquet that can be read: {error}") from error


def _example(row: Row, place: str) -> Graded:
    plain: Row = {}
    answers: dict[str, Row] = {}
    nested = row.get("answers")
    if isinstance(nested, dict):
        for model, answer in nested.items():
            if isinstance(answer, dict):
                answers[model] = {name: value for name, value in answer.items() if value is not None}
            elif answer is not None:  # an answer that is a bare number is its score
                answers[model] = {"score": answer}
    elif nested is not None:
        raise ConfigError(f"{place}: `answers` must be an object, model → facts")
    for name, value in row.items():
        fact, colon, model = name.partition(":")
        if name == "answers" or name.startswith("_") or value is None:
            continue
        if colon:
            answers.setdefault(model, {})[fact] = value
        else:
            plain[name] = value
    for answer in answers.values():
        if isinstance(answer.get("score"), bool):  # right or wrong
            answer["score"] = float(answer["score"])
        if isinstance(answer.get("judged"), str):  # a cell of a table
            answer["judged"] = _object(answer["judged"], f"{place}: judged")
    plain["answers"] = answers
    try:
        return msgspec.convert(plain, Graded, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(f"{place}: {error} (see docs/reference/graded-examples.md)") from error


def _object(cell: str, place: str) -> Row:
    try:
        return msgspec.json.decode(cell, type=Row)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{place} is no JSON object: {error} (see docs/reference/graded-examples.md)") from error
