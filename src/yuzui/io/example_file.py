"""Examples out of and into files: JSON lines, or Parquet through pyarrow."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.evaluation.examples import Example, Json, read_example

MOST_BYTES: Final = 2 * 1024**3
MOST_EXAMPLES: Final = 1_000_000


def read_examples(path: Path) -> list[Example]:
    """All examples of the file. Raise `ConfigError`, which names the line or row."""
    examples: list[Example] = []
    for place, row in rows_of(path):
        if len(examples) == MOST_EXAMPLES:
            raise ConfigError(f"{path} has more than {MOST_EXAMPLES} examples: give a part of it")
        examples.append(read_example(row, place))
    if not examples:
        raise ConfigError(f"{path} has no examples")
    return examples


def rows_of(path: Path) -> Iterator[tuple[str, Json]]:
    """(where it stands, the object) for each line or row. Raise `ConfigError`."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConfigError(f"{path} is larger than {MOST_BYTES // 2**30} GiB: give a part of it")
        yield from _parquet(path) if path.suffix == ".parquet" else _lines(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error


def _lines(path: Path) -> Iterator[tuple[str, Json]]:
    decoder = msgspec.json.Decoder(Json)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            place = f"{path}:{number}"
            try:
                yield place, decoder.decode(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise ConfigError(f"{place} is not one JSON object per line: {error}") from error


def _parquet(path: Path) -> Iterator[tuple[str, Json]]:
    pyarrow = _pyarrow()
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}, row {number}", {name: _opened(name, value) for name, value in row.items()}
    except pyarrow.ArrowException as error:
        raise ConfigError(f"{path} is not Parquet that can be read: {error}") from error


def _opened(name: str, value: Any) -> Any:  # Any: JSON values
    """Columns of free shape stand in Parquet as JSON text."""
    if isinstance(value, str) and name in ("messages", "tools", "response_format", "references", "rubric", "tags"):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    return value


def write_examples(path: Path, examples: Sequence[Example]) -> None:
    """In the format that the name says; what is there is replaced, whole or not at all. Raise `ConfigError`."""
    write_rows(path, [msgspec.to_builtins(example) for example in examples])


def write_rows(path: Path, rows: Sequence[Json]) -> None:
    """As `write_examples`, for any objects."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        if path.suffix == ".parquet":
            pyarrow = _pyarrow()
            columns = list(dict.fromkeys([name for row in rows for name in row]))
            table = pyarrow.Table.from_pydict({name: [_closed(row.get(name)) for row in rows] for name in columns})
            pyarrow.parquet.write_table(table, partial)
        else:
            with open(partial, "wb", opener=_private) as file:
                file.writelines([msgspec.json.encode(row) + b"\n" for row in rows])
        partial.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _closed(value: Any) -> Any:  # Any: JSON values
    if isinstance(value, list) and value and all(isinstance(one, float) for one in value):
        return value  # numbers are a column of their own kind
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pyarrow() -> Any:  # Any: it has no types
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigError("Parquet needs pyarrow: pip install 'yuzui[evaluation]', or use JSON lines") from error
    return pyarrow
