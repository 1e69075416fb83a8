"""The audit log of a real server: any changed byte is found, anything cut off, a folder that cannot be written."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from fault_upstream import FaultUpstream
from faults.load_kit import (
    HELLO,
    Journal,
    answers,
    ask,
    chat,
    check_books,
    command,
    data_dir,
    start,
    two_targets,
    until_true,
    write_config,
)
from gateway_kit import gateway
from yuzui.io.audit_folder import AuditFolder
from yuzui.io.audit_reader import verify_folder
from yuzui.io.books import SqliteBooks

REQUESTS = 300  # more than one tile of 256, so that there is a level above
FLIPS = 500


@pytest.fixture(scope="module")
def served_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a real server made, with 300 requests; beside it a checkpoint from when there were 40."""
    folder = tmp_path_factory.mktemp("served")

    async def main() -> None:
        async with FaultUpstream(answers) as own, FaultUpstream(answers) as vendor:
            write_config(folder, two_targets(own, vendor))
            served = await asyncio.to_thread(start, folder)
            try:
                await many(served.address, 40)
                await until_true(10, lambda: verify_folder(data_dir(folder) / "audit").size >= 40)
                code, out = command(folder, "audit", "checkpoint", "--json")
                assert code == 0
                (folder / "kept").write_text(json.loads(out)["checkpoint"], "utf-8")
                await many(served.address, REQUESTS - 40)
                assert served.stop() == 0
            finally:
                served.kill()

    asyncio.run(main())
    return folder


async def many(address: tuple[str, int], count: int) -> None:
    for begin in range(0, count, 20):
        bodies = [chat("assistant", stream=bool(n % 2)) for n in range(begin, min(begin + 20, count))]
        await asyncio.gather(*[ask(address, body) for body in bodies])


@pytest.fixture
def log(served_once: Path, tmp_path: Path) -> Path:
    """A copy of the log, alone: what an outsider has in hand."""
    return Path(shutil.copytree(data_dir(served_once) / "audit", tmp_path / "audit"))


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_the_log_of_a_real_server_verifies_and_holds_one_entry_per_request(served_once: Path) -> None:
    check_books(served_once, Journal())
    code, out = command(served_once, "audit", "verify", "--json")
    assert code == 0 and json.loads(out)["size"] == REQUESTS


def test_any_changed_byte_of_any_file_is_found(log: Path) -> None:
    assert verify_folder(log).ok
    files = files_of(log)
    chance = random.Random(7)
    missed = []
    for number in range(FLIPS):
        path = files[number % len(files)]
        whole = path.read_bytes()
        at = chance.randrange(len(whole))
        changed = bytearray(whole)
        changed[at] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        if verify_folder(log).ok:
            missed.append((path.name, at))
        path.write_bytes(whole)
    assert missed == [] and verify_folder(log).ok


def test_every_byte_of_the_small_files_counts(log: Path) -> None:
    for name in ("checkpoint", "vkey"):
        path = log / name
        whole = path.read_bytes()
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x01]) + whole[at + 1 :])
            assert not verify_folder(log).ok, (name, at)
        for changed in (whole[:-1], whole + b"\n", whole + b" ", b"", whole.replace(b"\n", b"\r\n")):
            path.write_bytes(changed)
            assert not verify_folder(log).ok, (name, changed[-10:])
        path.write_bytes(whole)


def test_a_file_that_is_gone_added_emptied_longer_or_swapped_is_found(log: Path) -> None:
    files = files_of(log)
    for path in files:
        whole = path.read_bytes()
        path.unlink()
        assert not verify_folder(log).ok, path
        for changed in (b"", whole[:-1], whole + b"\0", whole * 2, bytes(len(whole))):
            path.write_bytes(changed)
            assert not verify_folder(log).ok, (path, len(changed))
        path.write_bytes(whole)
    for first, second in pairwise(files):
        one, two = first.read_bytes(), second.read_bytes()
        first.write_bytes(two)
        second.write_bytes(one)
        assert not verify_folder(log).ok, (first, second)
        first.write_bytes(one)
        second.write_bytes(two)
    (log / "notes.txt").write_text("hello", "utf-8")
    assert not verify_folder(log).ok


def test_the_command_names_the_request_that_was_changed(served_once: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(data_dir(served_once) / "audit", data_dir(copy) / "audit")
    bundle = data_dir(copy) / "audit" / "tile" / "entries" / "000"
    whole = bundle.read_bytes()
    at = whole.index(b'"outcome":"answered"', 5000)
    bundle.write_bytes(whole[:at] + b'"outcome":"Answered"' + whole[at + 20 :])
    begin = whole.rindex(b'"id":"req_', 0, at) + len(b'"id":"')
    request_id = whole[begin : whole.index(b'"', begin)].decode()
    code, out = command_on(copy, "audit", "verify", "--json")
    assert code == 1
    assert [request_id in problem for problem in json.loads(out)["problems"]] == [True]


def command_on(folder: Path, *args: str) -> tuple[int, str]:
    write_config(
        folder, '[[targets]]\nname = "a"\nprovider = "scripted"\nmodel = "m"\npremises = "own"\nprice = "free"\n'
    )
    return command(folder, *args)


def test_whoever_kept_a_checkpoint_sees_what_was_cut_off(served_once: Path, log: Path, tmp_path: Path) -> None:
    """The thief has the signing key and makes a shorter log that is sound in itself: only history betrays it."""
    kept = (served_once / "kept").read_text("utf-8")
    whole = verify_folder(log, checkpoint=kept)
    assert whole.ok and whole.size == REQUESTS
    newest = whole.checkpoint.decode()
    books = SqliteBooks.open(data_dir(served_once), exclusive=False)
    leaves = books.unpublished(0, REQUESTS)
    books.stop()
    stolen = data_dir(served_once) / "secrets" / "audit.key"

    def forge(name: str, entries: list[bytes]) -> Path:
        folder = tmp_path / name
        forged = AuditFolder.open(folder, origin=whole.origin, private_key_file=stolen)
        forged.publish(entries)
        forged.close()
        assert verify_folder(folder, vkey=whole.vkey).ok, "sound in itself"
        return folder

    for size in (0, 1, 39, 255, 256, REQUESTS - 1):
        cut = forge(f"cut{size}", leaves[:size])
        report = verify_folder(cut, vkey=whole.vkey, checkpoint=newest)
        assert not report.ok and (size == 0 or "cut off" in " ".join(report.problems))
    other = forge("other", [leaves[1], leaves[0], *leaves[2:]])
    assert not verify_folder(other, checkpoint=newest).ok
    assert not verify_folder(other, checkpoint=kept).ok
    assert verify_folder(forge("same", leaves), checkpoint=kept).ok


def test_a_server_does_not_continue_a_log_that_books_or_key_do_not_fit(served_once: Path, tmp_path: Path) -> None:
    """An old copy of the books, a lost signing key, another key: each refused with a word on what to do."""
    breaks: list[tuple[str, Callable[[Path], object]]] = [
        ("audit log", lambda d: [path.rename(d.parent / path.name) for path in d.glob("books.sqlite3*")]),
        ("private key", lambda d: [(d / "secrets" / "audit.key").rename(d / "lost")]),
        ("another private key", _replace_key),
        ("damaged", lambda d: (d / "audit" / "checkpoint").write_bytes(b"x")),
    ]
    for number, (says, spoil) in enumerate(breaks):
        folder = tmp_path / str(number)
        shutil.copytree(served_once, folder)
        spoil(data_dir(folder))
        with pytest.raises(AssertionError, match="not ready") as caught:
            start(folder).kill()
        assert says in " ".join(str(caught.value).split()), says
        assert "Traceback" not in str(caught.value)


def _replace_key(folder: Path) -> None:
    key = folder / "secrets" / "audit.key"
    key.unlink()
    AuditFolder.open(folder / "elsewhere", origin="x.example/y", private_key_file=key).close()


def test_an_audit_folder_that_cannot_be_written_stops_the_service_and_starts_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fail closed, with a clear 503; recovery by itself. The leaves lie in the books meanwhile."""

    async def main() -> None:
        async with FaultUpstream(answers) as own, FaultUpstream(answers) as vendor:
            config = two_targets(own, vendor, more="[audit]\npublish_interval_s = 0.05")
            async with gateway(config, {"VENDOR_KEY": "vendor-secret"}) as running:
                monkeypatch.setattr("yuzui.io.publisher.OVERDUE_S", 0.2)
                host, port = running.base_url.removeprefix("http://").split(":")
                where = (host, int(port))
                audit = running.data_dir / "audit"
                staging = audit / ".staging"
                staging.write_bytes(b"")  # a file where the publisher needs a folder: works as root too
                assert (await ask(where, chat())).status == 200
                await until_true(5, lambda: running.service.gateway.closed_because)
                sent = len(vendor.calls)
                refused = await ask(where, chat())
                assert (refused.status, refused.code) == (503, "audit_unavailable")
                assert len(vendor.calls) == sent and int(refused.headers["retry-after"]) >= 1
                staging.unlink()
                await until_true(5, lambda: not running.service.gateway.closed_because)
                assert (await ask(where, chat())).status == 200
                size = running.service.books.size()
                await until_true(5, lambda: verify_folder(audit).size == size)
                report = verify_folder(audit)
                assert report.ok and report.size >= 3

    asyncio.run(main())


def test_nothing_that_a_client_sends_can_make_a_record_that_the_log_cannot_hold(tmp_path: Path) -> None:
    """Enormous names, thousands of fields and kinds: recorded shortened, and the log goes on."""
    kinds = [{"type": f"kind_{'x' * 20}_{number}", "n": 1} for number in range(4000)]

    async def main() -> None:
        async with FaultUpstream(answers) as own, FaultUpstream(answers) as vendor:
            config = two_targets(own, vendor, more="[audit]\npublish_interval_s = 0.05")
            async with gateway(config, {"VENDOR_KEY": "vendor-secret"}) as running:
                host, port = running.base_url.removeprefix("http://").split(":")
                where = (host, int(port))
                for body in (
                    chat("m" * 200_000),
                    chat("\u6f22" * 100_000),
                    chat("house/small", **{f"field_{number}": 1 for number in range(5000)}),
                    chat("house/small", [{"role": "user", "content": kinds}]),
                    chat("house/small", HELLO * 2000),
                    chat("x", **{"k" * 100_000: 1}),
                ):  # fmt: skip
                    answer = await ask(where, body)
                    assert answer.status in (200, 400, 403, 404), answer.body[:200]
                    assert max(len(value) for value in answer.headers.values()) < 4096
                size = await asyncio.to_thread(running.service.books.size)
                assert size == 6
                await until_true(5, lambda: verify_folder(running.data_dir / "audit").size == size)
                assert not running.service.gateway.closed_because

    asyncio.run(main())
