from __future__ import annotations

from pathlib import Path

from guarantee_kit import certificate, config, write_router
from watch_kit import JUDGED, PUBLIC, TESTED, WATCH
from yuzui.cli._checks import Check
from yuzui.cli._checks_watch import check_watches
from yuzui.config import read
from yuzui.core.watching import WatchState
from yuzui.io.books import SqliteBooks
from yuzui.io.learned_routers import load_routers
from yuzui.standing import promises_of


def examined(folder: Path, more: str, tail: str = PUBLIC, state: WatchState | None = None) -> list[Check]:
    sha256 = write_router(folder / "r.json", certificate(tested=TESTED))
    settings = read(config("r.json", sha256) + more + tail, {"BIG": "x"}, source=folder / "yuzui.toml")
    if state is not None:
        books = SqliteBooks.open(folder / "data", exclusive=True)
        ((key, _),) = promises_of("support", load_routers(settings)["support"])
        books.save_watch(key, 0, state)
        books.stop()
    return check_watches(settings, folder / "data")


def test_a_watch_that_sees_something_is_well(tmp_path: Path) -> None:
    (check,) = examined(tmp_path, WATCH)
    assert (check.verdict, check.found) == ("ok", "100.0% of its requests, compared by exact")


def test_one_that_may_see_no_request_at_all_is_told(tmp_path: Path) -> None:
    (check,) = examined(tmp_path, WATCH, tail="")
    assert check.verdict == "warn" and "every request is at least internal" in check.found


def test_a_judge_of_its_own_answers_is_told(tmp_path: Path) -> None:
    (check,) = examined(tmp_path, JUDGED)
    assert check.verdict == "warn" and "vendor/big judges answers of its own" in check.found


def test_a_broken_promise_is_told_whether_it_is_still_watched_or_not(tmp_path: Path) -> None:
    state = WatchState(stage="broken", since_ns=1_795_000_000_000_000_000)
    (check,) = examined(tmp_path, WATCH, state=state)
    assert check.verdict == "warn" and "the reference answers since 2026-11-18" in check.found
    (check,) = examined(tmp_path, "", state=None)
    assert check.name == "promise of support" and "yuzui route resume" in check.fix


def test_what_cannot_be_compared_fails(tmp_path: Path) -> None:
    (check,) = examined(tmp_path, WATCH.replace('"exact"', '"numeric:take=third"'))
    assert check.verdict == "fail" and "models.support.watch.grade" in check.found


def test_nothing_is_said_where_nothing_is_promised(tmp_path: Path) -> None:
    plain = read(config("r.json", "a" * 64).partition("[[models]]")[0], {"BIG": "x"}, source=None)
    assert check_watches(plain, tmp_path) == []
