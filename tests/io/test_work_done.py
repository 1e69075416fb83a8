from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from yuzui.core.booking import Closing
from yuzui.io.books import SqliteBooks
from yuzui.io.work_done import NS_PER_HOUR, WorkDone

START = 500_000 * NS_PER_HOUR


def closing(
    number: int, *, hour: int, model: str = "auto", team: str = "a", out: int = 10, outcome: str = "answered"
) -> Closing:
    return Closing(
        request_id=f"req_{number}", at_ns=START + hour * NS_PER_HOUR + number, key_id="k", app="x", team=team, model=model,
        target="own/a", outcome=outcome, window="", reserved_nano=0, spent_nano=7, is_estimated=False, input_tokens=100,  # type: ignore[arg-type]  # a test's own word
        output_tokens=out, postings=(), record=b"{}",
    )  # fmt: skip


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteBooks]:
    opened = SqliteBooks.open(tmp_path, exclusive=True)

    async def fill() -> None:
        for one in (
            closing(1, hour=0, out=10), closing(2, hour=0, out=30), closing(3, hour=0, model="b", team="z", out=20),
            closing(4, hour=5, out=20), closing(5, hour=5, out=0, outcome="refused"), closing(6, hour=900),
        ):  # fmt: skip
            await opened.close(one)

    asyncio.run(fill())
    yield opened
    opened.stop()


def of(books: SqliteBooks, models: list[str] | None = None, teams: list[str] | None = None) -> WorkDone:
    return books.work_done(START, START + 100 * NS_PER_HOUR, models or [], teams or [])


def test_work_is_summed_by_model_team_and_target(books: SqliteBooks) -> None:
    first, second = of(books).rows
    assert (first.model, first.team, first.target, first.requests) == ("auto", "a", "own/a", 3)
    assert (first.input_tokens, first.output_tokens, first.spent_nano) == (300, 60, 21)
    assert first.output_squares == 10**2 + 30**2 + 20**2
    assert (second.model, second.requests) == ("b", 1)


def test_the_busiest_hour_is_that_of_what_was_chosen(books: SqliteBooks) -> None:
    assert of(books).busiest_hour == 3
    assert of(books, models=["auto"]).busiest_hour == 2


def test_models_and_teams_choose(books: SqliteBooks) -> None:
    assert [row.model for row in of(books, models=["b", "nobody"]).rows] == ["b"]
    assert [row.team for row in of(books, teams=["a"]).rows] == ["a"]
    assert of(books, models=["b"], teams=["a"]).rows == ()


def test_a_period_without_work_has_neither(books: SqliteBooks) -> None:
    assert books.work_done(0, 1, [], []) == WorkDone(rows=(), busiest_hour=0)
