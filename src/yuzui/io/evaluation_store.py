"""Runs of evaluations on disk: every answer and grade once, durable before the next step; one SQLite file per run.

A run that was killed goes on where it stopped: what is here is not asked again. The file holds prompts and answers:
it is for its owner's eyes only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from yuzui.core.errors import ConfigError, GatewayFault
from yuzui.evaluation.calls import Call, Result, Settings, answer_call, joined
from yuzui.evaluation.examples import Example, hash_of
from yuzui.evaluation.outcomes import Outcomes
from yuzui.evaluation.scorers._contract import Grade
from yuzui.io.database import CLI_BUSY_TIMEOUT_MS, make_private_folder, open_database

VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE examples (place INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, content BLOB NOT NULL) STRICT;
CREATE TABLE calls (
  key TEXT PRIMARY KEY, purpose TEXT NOT NULL, model TEXT NOT NULL, result BLOB NOT NULL,
  outcome TEXT NOT NULL, cost_nano INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE grades (
  call TEXT NOT NULL REFERENCES calls(key) ON DELETE CASCADE, scorer TEXT NOT NULL, score REAL, detail BLOB NOT NULL,
  PRIMARY KEY (call, scorer)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
"""


class EvaluationStore:
    """One run. Use as a context manager."""

    def __init__(self, path: Path, *, may_create: bool = False) -> None:
        """Raise `ConfigError` when there is none, or when it is something else."""
        if not path.is_file() and not may_create:
            raise ConfigError(f"there is no run {path}; `yuzui evaluate run` makes one")
        self.path = path
        make_private_folder(path.parent) if not path.parent.exists() else None
        try:
            self._database = open_database(path, busy_timeout_ms=CLI_BUSY_TIMEOUT_MS)
            version = int(self._database.pragma("user_version"))
            if version == 0 and not list(self._database.execute("SELECT 1 FROM sqlite_schema LIMIT 1")):
                with self._database:
                    self._database.execute(_SCHEMA)
                version = VERSION
        except (apsw.Error, GatewayFault) as error:
            raise ConfigError(f"{path} cannot be used as a run: {error}") from error
        if version != VERSION:
            self._database.close()
            raise ConfigError(f"{path} is no run of this version of Yuzui")

    def __enter__(self) -> EvaluationStore:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    # ---- what the run is of ------------------------------------------------------------------------------------------

    def begin(self, settings: Settings, examples: Sequence[Example]) -> None:
        """Begin, or go on, perhaps with more models, scorers and examples.

        Raise `ConfigError` when the run in this file is of other examples (one is missing, or asks or expects
        something else), parameters, or another reference or judge.
        """
        before = self.settings()
        if before is not None and self._is_empty():  # a first try that came to nothing binds nobody
            before = None
        is_grown = before is not None and self._is_grown(before, settings, examples)
        if before is not None:
            try:
                before = replace(before, examples_sha256=settings.examples_sha256) if is_grown else before
                settings = joined(before, settings)
            except ValueError as error:
                raise ConfigError(
                    f"the run {self.path} has another {error}: name another with --run, or remove it"
                ) from error
        with self._database:
            self._put("settings", settings)
            if before is None or is_grown:
                rows = [
                    (place, hash_of(example), msgspec.json.encode(example)) for place, example in enumerate(examples)
                ]
                self._database.execute("DELETE FROM examples")
                self._database.executemany("INSERT INTO examples VALUES (?, ?, ?)", rows)

    def _is_empty(self) -> bool:
        return self._database.execute("SELECT 1 FROM calls LIMIT 1").fetchone() is None

    def _is_grown(self, before: Settings, now: Settings, examples: Sequence[Example]) -> bool:
        """Every example that was there is there, and others are, too."""
        if before.examples_sha256 == now.examples_sha256:
            return False
        known = {hash_of(example): example for example in examples}
        return all(known.get(hash_of(one)) == one for one in self.examples())

    def settings(self) -> Settings | None:
        found = self._fact("settings")
        return None if found is None else msgspec.json.decode(found, type=Settings)

    def note(self, name: str, value: object) -> None:
        """Keep a fact about the run: what `GET /v1/models` said, say."""
        with self._database:
            self._put(name, value)

    def noted(self, name: str) -> Any:  # Any: JSON values
        found = self._fact(name)
        return None if found is None else msgspec.json.decode(found)

    def examples(self) -> list[Example]:
        rows = self._database.execute("SELECT content FROM examples ORDER BY place")
        return [msgspec.json.decode(_bytes(row[0]), type=Example) for row in rows]

    def _put(self, name: str, value: object) -> None:
        self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, msgspec.json.encode(value)))

    def _fact(self, name: str) -> bytes | None:
        found = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if found is None else _bytes(found[0])

    # ---- answers and grades ------------------------------------------------------------------------------------------

    def result(self, key: str) -> Result | None:
        found = self._database.execute("SELECT result FROM calls WHERE key = ?", (key,)).fetchone()
        return None if found is None else msgspec.json.decode(_bytes(found[0]), type=Result)

    def keep(self, call: Call, result: Result) -> None:
        """Durable when this returns. An answer that is there already stays; a failure gives way to what came later."""
        row = (call.key, call.purpose, call.model, msgspec.json.encode(result), result.outcome, result.cost_nano)
        with self._database:
            self._database.execute("DELETE FROM calls WHERE key = ? AND outcome = 'failed'", (call.key,))
            self._database.execute("INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?, ?, ?)", row)

    def forget_failures(self) -> int:
        """So that they are asked again; how many they were."""
        with self._database:
            self._database.execute("DELETE FROM calls WHERE outcome = 'failed'")
        return int(self._database.changes())

    def grade(self, key: str, scorer: str) -> Grade | None:
        query = "SELECT score, detail FROM grades WHERE call = ? AND scorer = ?"
        found = self._database.execute(query, (key, scorer)).fetchone()
        return None if found is None else Grade(score=_number(found[0]), detail=msgspec.json.decode(_bytes(found[1])))

    def keep_grade(self, key: str, scorer: str, grade: Grade) -> None:
        row = (key, scorer, grade.score, msgspec.json.encode(grade.detail))
        with self._database:
            self._database.execute("INSERT OR REPLACE INTO grades VALUES (?, ?, ?, ?)", row)

    def forget_grades(self, scorer: str) -> None:
        with self._database:
            self._database.execute("DELETE FROM grades WHERE scorer = ?", (scorer,))

    def spent_nano(self) -> int:
        """What all calls cost so far, as far as the gateway said."""
        found = self._database.execute("SELECT coalesce(sum(cost_nano), 0) FROM calls").fetchone()
        assert found is not None  # an aggregate has one row
        return int(str(found[0]))

    def outcomes(self) -> Outcomes:
        """All of it, as values. Raise `ConfigError` for a run that has not begun."""
        settings = self.settings()
        if settings is None:
            raise ConfigError(f"the run {self.path} has not begun")
        examples = self.examples()
        results: dict[tuple[int, str], Result] = {}
        grades: dict[tuple[int, str, str], Grade] = {}
        for place, example in enumerate(examples):
            for model in settings.asked:
                key = answer_call(example, model, settings.parameters).key
                result = self.result(key)
                if result is None:
                    continue
                results[place, model] = result
                rows = self._database.execute("SELECT scorer, score, detail FROM grades WHERE call = ?", (key,))
                for scorer, score, detail in rows:
                    grades[place, model, str(scorer)] = Grade(
                        score=_number(score), detail=msgspec.json.decode(_bytes(detail))
                    )
        listed = {str(entry["id"]): entry.get("yuzui") or {} for entry in self.noted("models") or ()}
        return Outcomes(settings=settings, examples=examples, results=results, grades=grades, listed=listed)

    def judge_results(self) -> Iterator[tuple[str, Result]]:
        """(model, how it ended) of every question to a judge."""
        for model, result in self._database.execute("SELECT model, result FROM calls WHERE purpose = 'judge'"):
            yield str(model), msgspec.json.decode(_bytes(result), type=Result)


def _bytes(value: apsw.SQLiteValue) -> bytes:
    assert isinstance(value, bytes)  # STRICT says so
    return value


def _number(value: apsw.SQLiteValue) -> float | None:
    assert value is None or isinstance(value, int | float)  # STRICT says so
    return None if value is None else float(value)
