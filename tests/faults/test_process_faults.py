"""The process dies, is told to stop, to read its file again, loses its disk: no acknowledged record is lost."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from fault_upstream import Call, FaultUpstream, piece
from faults.load_kit import (
    HELLO,
    YUZUI,
    Journal,
    Served,
    answers,
    ask,
    call,
    chat,
    check_books,
    command,
    data_dir,
    new_key,
    one_kill,
    start,
    start_process,
    two_targets,
    until_answered,
    until_true,
    write_config,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

READY_S = 3.0 * 3  # promised are 3 s on a quiet machine; tests share theirs with other tests


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    served = start(folder)
    try:
        yield served
    finally:
        served.kill()


# ---- kill -9 --------------------------------------------------------------------------------------------------------


def test_kill_nine_in_the_middle_of_load_loses_no_acknowledged_record(tmp_path: Path) -> None:
    async def main() -> None:
        async with FaultUpstream(slow_words) as own, FaultUpstream(slow_words) as vendor:
            write_config(tmp_path, two_targets(own, vendor))
            _, key = new_key(tmp_path, "--budget", "100")
            journal = Journal()
            for _ in range(2):
                ready_s = await one_kill(tmp_path, key, journal, callers=12, after=60)
                assert ready_s < READY_S
            last = await asyncio.to_thread(start, tmp_path)
            code, out = await asyncio.to_thread(
                command, tmp_path, "explain", journal.acknowledged[-1].request_id, "--json"
            )
            assert code == 0 and json.loads(out)["outcome"] == "answered"
            assert await asyncio.to_thread(last.stop) == 0
            audit = check_books(tmp_path, journal)
            assert len(journal.acknowledged) >= 100 and journal.broken
            assert audit.outcomes.get("unknown", 0) >= len({answer.request_id for answer in journal.begun}) > 0
            for answer in journal.begun:
                code, out = command(tmp_path, "explain", answer.request_id, "--json")
                story = json.loads(out)
                assert code == 0 and story["outcome"] in ("unknown", "answered")
            assert command(tmp_path, "audit", "verify")[0] == 0
            assert command(tmp_path, "explain", "req_nobody", "--json")[0] == 1

    asyncio.run(main())


async def slow_words(call: Call) -> None:
    await asyncio.sleep(0.01)
    if b'"stream":true' not in call.body:
        await answers(call)
        return
    await call.start_stream()
    for _ in range(4):
        await call.event(piece("word "))
        await asyncio.sleep(0.01)
    await call.event(piece(finish="stop"))
    await call.event(piece(usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}))
    await call.end_stream()


# ---- SIGTERM --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_that_ends_within_the_drain_timeout_is_whole(tmp_path: Path, number: signal.Signals) -> None:
    go_on = asyncio.Event()

    async def waits(call: Call) -> None:
        await call.start_stream()
        await call.event(piece("first "))
        await go_on.wait()
        await call.event(piece("last"))
        await call.event(piece(finish="stop"))
        await call.end_stream()

    async def main() -> None:
        async with FaultUpstream(waits) as own, FaultUpstream(answers) as vendor:
            write_config(tmp_path, two_targets(own, vendor, server="drain_timeout_s = 10"))
            with serving(tmp_path) as served:
                line = await call(served.address, chat("house/small", stream=True))
                await line.read_head()
                await line.read_some()
                served.signal(number)
                await until_true(5, lambda: not listens(served))
                go_on.set()
                answer = await line.read_all()
                assert answer.text == "first last" and answer.receipt
                assert answer.body.endswith(b"data: [DONE]\n\n")
                assert await asyncio.to_thread(served.wait) == 0
            check_books(tmp_path, Journal([answer]))

    asyncio.run(main())


def listens(served: Served) -> bool:

    try:
        socket.create_connection(served.address, timeout=1).close()
    except OSError:
        return False
    return True


def test_what_outlasts_the_drain_timeout_ends_with_server_restarting_and_a_record(tmp_path: Path) -> None:
    async def endless(call: Call) -> None:
        if b'"stream":true' in call.body:
            await call.start_stream()
            await call.event(piece("word "))
        await call.client_left(30)

    async def main() -> None:
        async with FaultUpstream(endless) as own, FaultUpstream(endless) as vendor:
            write_config(tmp_path, two_targets(own, vendor, server="drain_timeout_s = 0.5"))
            with serving(tmp_path) as served:
                streams = [await call(served.address, chat(stream=True)) for _ in range(5)]
                for line in streams:
                    await line.read_head()
                    await line.read_some()
                plain = await call(served.address, chat())
                await until_true(5, lambda: len(vendor.calls) == 6)
                served.signal(signal.SIGTERM)
                ended = [await line.read_all() for line in streams]
                refused = await plain.read_all()
                assert await asyncio.to_thread(served.wait) == 0
            for answer in ended:
                assert answer.events[-1]["error"]["code"] == "server_restarting"
                assert b"[DONE]" not in answer.body
                assert all(c["finish_reason"] is None for e in answer.events[:-1] for c in e["choices"])
            assert (refused.status, refused.code) == (503, "server_restarting")
            audit = check_books(tmp_path, Journal([*ended, refused]))
            assert audit.outcomes == {"failed": 6}

    asyncio.run(main())


# ---- SIGHUP ---------------------------------------------------------------------------------------------------------


def test_a_reload_takes_effect_for_new_requests_and_a_bad_file_for_none(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def waits(call: Call) -> None:
        await call.start_stream()
        await call.event(piece("first "))
        await go_on.wait()
        await call.event(piece("last"))
        await call.event(piece(finish="stop"))
        await call.end_stream()

    async def main() -> None:
        async with FaultUpstream(waits) as own, FaultUpstream(answers) as vendor:
            good = two_targets(own, vendor)
            write_config(tmp_path, good)
            with serving(tmp_path) as served:
                running = await call(served.address, chat("assistant", stream=True))
                await running.read_head()
                await running.read_some()
                for bad, why in bad_files(good):
                    write_config(tmp_path, bad)
                    reads = served.log.count('"reload_refused"')
                    served.signal(signal.SIGHUP)
                    await until_true(5, partial(has_refused, served, reads))
                    assert why in served.log.splitlines()[-1]
                    assert (await ask(served.address, chat())).status == 200
                write_config(tmp_path, good.replace('name = "house/small"', 'name = "house/new"').replace(
                    '"house/small", ', ''))  # fmt: skip
                served.signal(signal.SIGHUP)
                await until_true(5, lambda: '"reloaded"' in served.log)
                assert (await ask(served.address, chat("house/small"))).code == "model_not_found"
                answer = await ask(served.address, chat("assistant"))
                assert answer.headers["x-yuzui-target"] == "vendor/big"
                go_on.set()
                old = await running.read_all()
                assert old.text == "first last" and old.headers["x-yuzui-target"] == "house/small"
                assert served.stop() == 0
            check_books(tmp_path, Journal([answer, old]))

    asyncio.run(main())


def has_refused(served: Served, times: int) -> bool:
    return served.log.count('"reload_refused"') > times


def bad_files(good: str) -> list[tuple[str, str]]:
    """(a file that must change nothing, what the log must say)"""
    return [
        (good + "\n[[", "yuzui.toml"),
        (good + "\n[sensitivity]\nlevles = []", "levels"),
        (good.replace("output = 2", 'output = "dear"'), "targets[1].price.output"),
        (good.replace('"house/small", "vendor/big"', '"house/smal"'), "house/small"),
        (good + '\n[sensitivity]\nlevels = ["public", "internal", "confidential", "restricted", "secret"]', "restart"),
        (good + '\n[money]\ncurrency = "CNY"\nrates = { USD = 7 }', "restart"),
        ("", "target"),
    ]


# ---- the folder -----------------------------------------------------------------------------------------------------


def test_a_second_gateway_refuses_the_folder_and_commands_work_beside_the_first(tmp_path: Path) -> None:
    async def main() -> None:
        async with FaultUpstream(answers) as own, FaultUpstream(answers) as vendor:
            write_config(tmp_path, two_targets(own, vendor))
            _, key = new_key(tmp_path)
            with serving(tmp_path) as served:
                second = start_process(tmp_path)
                assert second.wait(20) != 0
                assert second.stdout is not None
                second.stdout.close()
                assert "another gateway runs on this data folder" in " ".join(served.log.split())
                answer = await ask(served.address, chat(), key=key)
                index = int(answer.receipt.partition(":")[0])
                await until_true(10, lambda: published(tmp_path) > index)
                for args in (
                    ("explain", answer.request_id), ("keys", "list"), ("costs",), ("audit", "verify"),
                    ("audit", "prove", answer.request_id), ("audit", "checkpoint"), ("models", "list"),
                ):  # fmt: skip
                    code, out = await asyncio.to_thread(command, tmp_path, *args, "--json")
                    assert code == 0, (args, out)
                    json.loads(out)
                assert (await ask(served.address, chat(), key=key)).status == 200
                assert served.stop() == 0

    asyncio.run(main())


def published(folder: Path) -> int:
    code, out = command(folder, "audit", "checkpoint", "--json")
    return int(json.loads(out)["size"]) if code == 0 else 0


def test_everything_in_the_data_folder_belongs_to_its_owner_only(tmp_path: Path) -> None:
    async def main() -> None:
        async with FaultUpstream(answers) as own, FaultUpstream(answers) as vendor:
            write_config(tmp_path, two_targets(own, vendor))
            data_dir(tmp_path).mkdir(mode=0o755)
            _, key = new_key(tmp_path)
            with serving(tmp_path) as served:
                await ask(served.address, chat(), key=key)
                assert served.stop() == 0
        open_to_others = {
            str(path.relative_to(tmp_path)): oct(stat.S_IMODE(path.stat().st_mode))
            for path in [data_dir(tmp_path), *data_dir(tmp_path).rglob("*")]
            if path.stat().st_mode & 0o077
        }
        assert open_to_others == {}

    asyncio.run(main())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_a_public_address_without_a_key_is_refused(tmp_path: Path, host: str) -> None:
    write_config(tmp_path, f'[server]\nhost = "{host}"\n[embedded]\nenabled = false\n' + ONE_TARGET)
    process = start_process(tmp_path)
    assert process.stdout is not None
    try:
        out = process.stdout.readline()
        assert out == "" and process.wait(20) != 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert "yuzui keys create" in " ".join((tmp_path / "stderr.log").read_text("utf-8").split())


ONE_TARGET = '[[targets]]\nname = "a"\nprovider = "scripted"\nmodel = "m"\npremises = "own"\nprice = "free"\n'


# ---- the disk -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process need Linux")
def test_a_full_disk_is_a_clear_503_and_recovery_needs_no_restart(tmp_path: Path) -> None:
    async def main() -> None:
        async with FaultUpstream(answers) as own, FaultUpstream(answers) as vendor:
            write_config(tmp_path, two_targets(own, vendor))
            _, key = new_key(tmp_path, "--budget", "100")
            journal = Journal()
            with serving(tmp_path) as served:
                journal.answers += [await ask(served.address, chat(stream=bool(n % 2)), key=key) for n in range(6)]
                sent = len(vendor.calls)
                unlimited = resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
                refused = [await ask(served.address, chat(stream=bool(n % 2)), key=key) for n in range(6)]
                for answer in refused:
                    assert (answer.status, answer.code) == (503, "ledger_unavailable"), answer.body
                    assert int(answer.headers["retry-after"]) >= 1 and not answer.receipt
                assert len(vendor.calls) == sent, "nothing leaves without a durable intent"
                resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, unlimited)
                await until_answered(10, served.address, chat(), key=key)
                journal.answers += [await ask(served.address, chat(stream=bool(n % 2)), key=key) for n in range(6)]
                assert served.stop() == 0
            audit = check_books(tmp_path, journal)
            assert audit.outcomes["answered"] == 13

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process need Linux")
def test_an_answer_that_cannot_be_settled_never_looks_complete_and_is_booked_once_later(tmp_path: Path) -> None:
    """The disk fills after the intent: what was consumed is owed, and paid when the disk comes back."""
    go_on = asyncio.Event()

    async def waits(call: Call) -> None:
        if b'"stream":true' in call.body:
            await call.start_stream()
            await call.event(piece("first "))
            await go_on.wait()
            await call.event(piece(finish="stop"))
            await call.event(piece(usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}))
            await call.end_stream()
        else:
            await go_on.wait()
            await answers(call)

    async def main() -> None:
        async with FaultUpstream(answers) as own, FaultUpstream(waits) as vendor:
            write_config(tmp_path, two_targets(own, vendor))
            _, key = new_key(tmp_path, "--budget", "100")
            with serving(tmp_path) as served:
                stream = await call(served.address, chat(stream=True), key=key)
                await stream.read_head()
                await stream.read_some()
                plain = await call(served.address, chat(), key=key)
                await until_true(5, lambda: len(vendor.calls) == 2)
                unlimited = resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
                go_on.set()
                cut, refused = await stream.read_all(), await plain.read_all()
                assert cut.events[-1]["error"]["code"] == "ledger_unavailable" and b"[DONE]" not in cut.body
                assert (refused.status, refused.code) == (503, "ledger_unavailable")
                assert not cut.receipt and not refused.receipt
                resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, unlimited)
                await until_answered(10, served.address, chat(), key=key)
                assert served.stop() == 0
            audit = check_books(tmp_path, Journal([cut, refused]))
            assert audit.outcomes == {"answered": audit.size}
            code, out = command(tmp_path, "explain", cut.request_id, "--json")
            assert code == 0 and json.loads(out)["usage"]["output"] == 5

    asyncio.run(main())


def test_a_log_that_nobody_reads_does_not_stop_the_gateway(tmp_path: Path) -> None:
    """Standard error is a full pipe: lines are dropped, requests are not."""

    async def main() -> None:
        async with FaultUpstream(fails) as own, FaultUpstream(answers) as vendor:
            write_config(tmp_path, two_targets(own, vendor))
            reading, writing = os.pipe()
            os.set_blocking(writing, False)
            with pytest.raises(BlockingIOError):
                while True:
                    os.write(writing, b"x" * 4096)
            os.set_blocking(writing, True)
            process = subprocess.Popen(  # noqa: ASYNC220 - it starts in a millisecond, and nothing else runs here
                [YUZUI, "serve", "--config", tmp_path / "yuzui.toml", "--port", "0", "--data-dir", data_dir(tmp_path),
                 "--json"],
                stdout=subprocess.PIPE, stderr=writing, text=True, env={**os.environ, "VENDOR_KEY": "vendor-secret"},
            )  # fmt: skip
            os.close(writing)
            assert process.stdout is not None
            try:
                host, port = json.loads(process.stdout.readline())["address"].removeprefix("http://").split(":")
                for _ in range(10):
                    answer = await ask((host, int(port)), {"model": "assistant", "messages": HELLO})
                    assert answer.status == 200
            finally:
                process.kill()
                process.wait()
                process.stdout.close()
                os.close(reading)

    asyncio.run(main())


async def fails(call: Call) -> None:
    await call.json({"error": {"message": "no", "type": "server_error", "code": None}}, "500 X")
