"""A run on disk: kept once, private, only ever the same run."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as replaced

from yuzui.core.errors import ConfigError
from yuzui.evaluation.calls import Result, Settings, answer_call
from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Grade
from yuzui.io.evaluation_store import EvaluationStore

EXAMPLES = [Example(id="1", prompt="a"), Example(id="2", prompt="b", tags=["t"])]
SETTINGS = Settings(models=("m",), scorers=("exact",), parameters={"temperature": 0}, examples_sha256="x")
CALL = answer_call(EXAMPLES[0], "m", {"temperature": 0})
ANSWER = Result(
    outcome="answered", text="hi", cost_nano=7, currency="USD", tool_calls=({"name": "f", "arguments": "{}"},)
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "one.sqlite3"


def test_what_was_kept_is_there_the_next_time(path: Path) -> None:
    with EvaluationStore(path, may_create=True) as store:
        assert store.settings() is None and store.noted("models") is None
        store.begin(SETTINGS, EXAMPLES)
        store.note("models", [{"id": "m", "yuzui": {"premises": "own"}}])
        store.keep(CALL, ANSWER)
        store.keep_grade(CALL.key, "exact", Grade(score=0.5, detail={"a": 1}))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with EvaluationStore(path) as store:
        assert store.settings() == SETTINGS and store.examples() == EXAMPLES
        assert store.result(CALL.key) == ANSWER and store.result("other") is None
        assert store.grade(CALL.key, "exact") == Grade(score=0.5, detail={"a": 1})
        assert store.grade(CALL.key, "chrf") is None and store.spent_nano() == 7
        found = store.outcomes()
        assert found.results == {(0, "m"): ANSWER} and found.score(0, "m", "exact") == 0.5
        assert found.premises("m") == "own"


def test_an_answer_stays_and_a_failure_gives_way(path: Path) -> None:
    failure = Result(outcome="failed", code="upstream_timeout")
    with EvaluationStore(path, may_create=True) as store:
        store.begin(SETTINGS, EXAMPLES)
        store.keep(CALL, failure)
        store.keep(CALL, ANSWER)
        store.keep(CALL, replace(ANSWER, text="later"))
        store.keep(CALL, failure)
        assert store.result(CALL.key) == ANSWER
        other = replace(CALL, key="k", purpose="judge")
        store.keep(other, failure)
        assert list(store.judge_results()) == [("m", failure)]
        assert store.forget_failures() == 1 and store.result("k") is None


def test_grades_can_be_forgotten_by_scorer(path: Path) -> None:
    with EvaluationStore(path, may_create=True) as store:
        store.begin(SETTINGS, EXAMPLES)
        store.keep(CALL, ANSWER)
        for name in ("exact", "chrf"):
            store.keep_grade(CALL.key, name, Grade(score=None))
        store.forget_grades("exact")
        assert store.grade(CALL.key, "exact") is None and store.grade(CALL.key, "chrf") == Grade(score=None)


def test_it_grows_and_does_not_become_another_run(path: Path) -> None:
    with EvaluationStore(path, may_create=True) as store:
        store.begin(replace(SETTINGS, examples_sha256="z"), EXAMPLES[:1])
        store.begin(SETTINGS, EXAMPLES)  # nothing was kept of the first try, so it binds nobody
        store.keep(CALL, ANSWER)
        store.begin(replace(SETTINGS, models=("n",)), EXAMPLES)
        found = store.settings()
        assert found is not None and found.models == ("m", "n") and len(store.examples()) == 2
        more = [Example(prompt="a third"), *EXAMPLES]
        store.begin(replace(SETTINGS, examples_sha256="y"), more)
        assert store.examples() == more and store.result(CALL.key) == ANSWER
        for others in (more[:-1], [*more[:-1], replaced(more[-1], references=["another"])]):
            with pytest.raises(ConfigError, match="has another examples"):
                store.begin(replace(SETTINGS, examples_sha256="w"), others)


def test_what_is_no_run_is_said(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no run"):
        EvaluationStore(path)
    (tmp_path / "text").write_text("not a database" * 100, "utf-8")
    with pytest.raises(ConfigError, match="cannot be used as a run"):
        EvaluationStore(tmp_path / "text")
    with EvaluationStore(path, may_create=True) as store:
        store._database.pragma("user_version", 99)
        with pytest.raises(ConfigError, match="has not begun"):
            store.outcomes()
    with pytest.raises(ConfigError, match="no run of this version"):
        EvaluationStore(path)
