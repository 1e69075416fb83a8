"""How a watch is shown and resumed on the command line, with and without a gateway beside it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from guarantee_kit import certificate, config, write_router
from watch_kit import PUBLIC, TESTED, WATCH
from yuzui.audit.record import read_record
from yuzui.cli._route_watch import guaranteed_of
from yuzui.config import read
from yuzui.core.watching import PromiseKey, ShadowState, WatchState
from yuzui.evaluation.promise_watch import PromiseWatch, Terms
from yuzui.io.books import SqliteBooks
from yuzui.standing import promises_of

from .conftest import Run


def broken() -> WatchState:
    watch = PromiseWatch(Terms(promised=0.02, alpha=0.01), WatchState(since_ns=1_795_000_000_000_000_000))
    watch.pay(2_000_000)
    watch.note_ungraded("blocked")
    while watch.add(1.0, 1_795_000_000_000_000_001, is_audit=True) is None:
        watch.add(0.0, 1, is_audit=False)
    return watch.state


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    """A configuration, and a data folder that a gateway has left behind."""
    sha256 = write_router(tmp_path / "r.json", certificate(tested=TESTED))
    path = tmp_path / "yuzui.toml"
    path.write_text(config("r.json", sha256) + WATCH + PUBLIC, "utf-8")
    SqliteBooks.open(tmp_path / "data", exclusive=True).stop()
    return path


def key_of(path: Path) -> PromiseKey:
    settings = read(path.read_text("utf-8"), {"BIG": "x"}, source=path)
    guaranteed = guaranteed_of(settings, path.parent / "data", frozenset(("support",)))
    ((key, _),) = promises_of("support", guaranteed["support"])
    return key


def save(path: Path, state: WatchState) -> None:
    books = SqliteBooks.open(path.parent / "data", exclusive=False)
    books.save_watch(key_of(path), 0, state)
    books.save_shadow("support", "house/other", ShadowState(
        asked=4, answered=3, failed={"upstream_timeout": 1}, duration_ms=300, usual_duration_ms=600, slowest_ms=200,
        cost_nano=3000, usual_cost_nano=6000, agreed=1, comparable=2, likeness=1.5, dropped={"budget": 2},
    ))  # fmt: skip
    books.stop()


def test_a_model_that_nobody_watched_yet_is_told_so(run: Run, watched: Path) -> None:
    told = run("route", "status", "support", "--config", watched, "--data-dir", watched.parent / "none")
    assert told.exit_code == 0 and "no gateway has watched" in told.stderr
    told = run("route", "status", "--config", watched, "--data-dir", watched.parent / "data")
    assert told.exit_code == 0, told.stderr
    assert "holds: nothing speaks against it" in told.stdout and "nothing seen yet" in told.stdout


def test_a_broken_promise_is_shown_with_its_figures_and_how_they_were_computed(run: Run, watched: Path) -> None:
    save(watched, broken())
    told = run("route", "status", "support", "--config", watched, "--data-dir", watched.parent / "data")
    assert told.exit_code == 0, told.stderr
    for words in (
        "broken since 2026-11-18", "only the reference answers", "of 100", "said nothing", "blocked 1", "95 %",
        "0.002 USD", "exact, for 100 USD a day", "shadow house/other", "25.0% failed (upstream_timeout 1)",
        "100 ms on average", "50.0% of 2", "likeness of the texts 0.50", "budget 2",
    ):  # fmt: skip
        assert words in told.stdout, words
    assert "Wealth begins at 1" in told.stderr
    facts = json.loads(
        run("route", "status", "support", "--config", watched, "--data-dir", watched.parent / "data", "--json").stdout
    )
    (promise,) = facts["promises"]
    assert promise["stage"] == "broken" and promise["log_wealth"] > 4.6 and promise["loss"]["low"] > 0
    assert facts["shadows"][0]["target"] == "house/other"


def test_a_name_that_stands_for_nothing_is_refused(run: Run, watched: Path) -> None:
    told = run("route", "status", "suport", "--config", watched)
    assert told.exit_code == 2 and "there is support" in told.stderr


def test_a_person_resumes_it_without_a_gateway(run: Run, watched: Path) -> None:
    save(watched, broken())
    where = ("--config", watched, "--data-dir", watched.parent / "data")
    assert run("route", "resume", "support", "--by", "Ann Lee", "--reason", " ", *where).exit_code == 2
    told = run("route", "resume", "support", "--by", "Ann Lee", "--reason", "weights are back", *where, "--json")
    assert told.exit_code == 0, told.stderr
    answer = json.loads(told.stdout)
    books = SqliteBooks.open(watched.parent / "data", exclusive=False)
    found = books.record_of(answer["orders"][0])
    (version, state) = books.watch_states()[key_of(watched)]
    books.stop()
    assert found is not None and found[0] == answer["leaf_indexes"][0]
    record = read_record(found[1])
    assert record.outcome == "promise_resumed" and record.watch is not None and record.watch.by == "Ann Lee"
    assert (version, state.stage, state.seen) == (2, "holds", 0) and state.all_cost_nano == 2_000_000
    again = run("route", "resume", "support", "--by", "Ann Lee", "--reason", "weights are back", *where)
    assert again.exit_code == 2 and "nothing to resume" in again.stderr
    story = run("explain", answer["orders"][0], "--data-dir", watched.parent / "data", "--config", watched)
    assert "resumed" in story.stdout and "Ann Lee" in story.stdout


def test_a_running_gateway_resumes_it_itself(run: Run, watched: Path) -> None:
    from gateway_kit import gateway

    save(watched, broken())
    text = watched.read_text("utf-8").replace('"r.json"', f'"{watched.parent / "r.json"}"')
    where = ("--config", watched, "--data-dir", watched.parent / "data")

    async def story() -> None:
        async with gateway(text, {"BIG": "k"}, data_dir=watched.parent / "data") as running:
            assert running.service.gateway.snapshot.guaranteed["support"].is_broken
            told = await asyncio.to_thread(run, "route", "resume", "support", "--by", "Ann", "--reason", "fine", *where)
            assert told.exit_code == 0, told.stderr
            assert not running.service.gateway.snapshot.guaranteed["support"].is_broken

    asyncio.run(story())


def test_only_a_guaranteed_model_is_resumed(run: Run, watched: Path) -> None:
    told = run("route", "resume", "house/small", "--by", "Ann", "--reason", "x", "--config", watched)
    assert told.exit_code == 2 and "no model with policy" in told.stderr
