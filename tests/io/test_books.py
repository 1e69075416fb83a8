"""The books as the gateway and the commands use them: money, crashes, power cuts, keys."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from books_kit import DAY_NS, START_NS, a_closing, a_key, an_intent
from yuzui.audit.record import RequestRecord, read_record, write_record
from yuzui.core.booking import Intent, Learnt, Receipt
from yuzui.core.errors import BudgetExceeded, ConfigError, GatewayFault
from yuzui.io.books import SqliteBooks
from yuzui.io.database import DATABASE_NAME, open_database


@asynccontextmanager
async def gateway_books(data_dir: Path, vfs: str | None = None) -> AsyncIterator[SqliteBooks]:
    books = SqliteBooks.open(data_dir, exclusive=True, now_ns=lambda: START_NS, vfs=vfs)
    try:
        yield books
    finally:
        books.stop()


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteBooks]:
    books = SqliteBooks.open(tmp_path, exclusive=True, now_ns=lambda: START_NS)
    yield books
    assert books.verify_sums() == []
    books.stop()


@pytest.mark.parametrize("step", ["migrate", "KeyStore", "Ledger", "closing_of_dead", "GroupCommit"])
def test_books_that_cannot_be_opened_leave_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def leave_an_intent() -> None:
        async with gateway_books(tmp_path) as books:
            await books.reserve(an_intent("r1", reserved=1, cap=1))

    asyncio.run(leave_an_intent())

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(step)

    open_before = len(apsw.connections())
    with monkeypatch.context() as patched:
        patched.setattr(f"yuzui.io.books.{step}", fails)
        with pytest.raises(RuntimeError, match=step):
            SqliteBooks.open(tmp_path, exclusive=True)
    assert len(apsw.connections()) == open_before
    SqliteBooks.open(tmp_path, exclusive=True).stop()


# ---- money ----------------------------------------------------------------------------------------------------------


def test_two_hundred_concurrent_reservations_never_overspend_a_budget(books: SqliteBooks) -> None:
    async def main() -> list[object]:
        jobs = [books.reserve(an_intent(f"r{n}", reserved=7, cap=350)) for n in range(200)]
        return list(await asyncio.gather(*jobs, return_exceptions=True))

    answers = Counter(type(answer) for answer in asyncio.run(main()))
    assert answers == {type(None): 50, BudgetExceeded: 150}
    (row,) = books.budgets("k1")
    assert (row.reserved_nano, row.cap_nano) == (350, 350)


def test_keys_and_windows_have_budgets_of_their_own(books: SqliteBooks) -> None:
    async def main() -> None:
        await books.reserve(an_intent("r1", reserved=10, cap=10))
        await books.reserve(an_intent("r2", reserved=10, cap=10, window="2026-12"))
        await books.reserve(an_intent("r3", reserved=10, cap=10, key="k2"))
        await books.reserve(an_intent("r4", reserved=10**9, cap=0, window=""))
        with pytest.raises(BudgetExceeded):
            await books.reserve(an_intent("r5", reserved=1, cap=10))

    asyncio.run(main())
    assert [row.window for row in books.budgets("k1")] == ["2026-11", "2026-12"]


Step = tuple[str, int, int]
steps = st.lists(
    st.tuples(st.sampled_from(["reserve", "close", "close_again", "refuse"]), st.integers(0, 9), st.integers(0, 40)),
    max_size=40,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.randoms(use_true_random=False))
def test_any_interleaving_keeps_the_sums_and_never_exceeds_the_cap(
    tmp_path_factory: pytest.TempPathFactory, story: list[Step], order: random.Random
) -> None:
    """Every request runs its own steps in order; between requests anything goes, also in one batch."""
    cap = 100
    data_dir = tmp_path_factory.mktemp("books")
    spent: dict[str, int] = {}

    async def one(books: SqliteBooks, name: str, mine: list[Step]) -> None:
        is_reserved = 0
        for verb, _, amount in mine:
            if order.random() < 0.5:
                await asyncio.sleep(0)
            if verb == "reserve" and name not in spent:
                try:
                    await books.reserve(an_intent(name, reserved=amount, cap=cap))
                    is_reserved = is_reserved or amount
                except BudgetExceeded:
                    pass
            elif verb != "reserve":
                cost = min(amount, is_reserved) if verb == "close" else 0
                receipt = await books.close(a_closing(name, spent=cost))
                spent.setdefault(name, cost)
                assert receipt == await books.close(a_closing(name, spent=cost, record=b"another"))

    async def main() -> None:
        async with gateway_books(data_dir) as books:
            mine = {f"r{n}": [step for step in story if step[1] == n] for n in range(10)}
            await asyncio.gather(*(one(books, name, steps) for name, steps in mine.items()))
            assert books.verify_sums() == []
            for row in books.budgets("k1"):
                assert row.spent_nano == sum(spent.values())
                assert row.reserved_nano >= 0 and row.reserved_nano + row.spent_nano <= cap
            assert books.size() == len(spent)

    asyncio.run(main())
    shutil.rmtree(data_dir)


def test_what_closes_in_time_can_be_let_out_again(books: SqliteBooks) -> None:
    async def main() -> None:
        for n in range(20):
            await books.reserve(an_intent(f"r{n}", reserved=100, cap=100))
            await books.close(a_closing(f"r{n}", spent=0))
        await books.reserve(an_intent("last", reserved=100, cap=100))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE posting SET amount_nano = amount_nano + 1 WHERE leg = 0", "sum to 1 instead of 0"),
        ("UPDATE budget SET spent = spent - 1", "its requests sum to"),
        ("UPDATE budget SET reserved = reserved + 1", "its open requests sum to"),
        ("DELETE FROM budget", "there is no budget"),
        ("DELETE FROM posting", "has no postings"),
        ("PRAGMA foreign_keys=0; DELETE FROM leaf WHERE seq = 1", "some are missing"),
        ("PRAGMA foreign_keys=0; DELETE FROM request WHERE seq = 0", "some are missing"),
    ],
)
def test_sums_that_were_touched_are_found(tmp_path: Path, damage: str, words: str) -> None:
    async def main() -> None:
        async with gateway_books(tmp_path) as books:
            for name in ("r1", "r2", "r3"):
                await books.reserve(an_intent(name))
                await books.close(a_closing(name))
            await books.reserve(an_intent("open"))
            assert books.verify_sums() == []
            intruder = open_database(tmp_path / DATABASE_NAME, busy_timeout_ms=100)
            intruder.execute(damage)
            intruder.close()
            assert any(words in problem for problem in books.verify_sums())

    asyncio.run(main())


# ---- one gateway, many commands -------------------------------------------------------------------------------------


def test_a_second_gateway_on_the_same_folder_refuses_to_start(books: SqliteBooks, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="another gateway"):
        SqliteBooks.open(tmp_path, exclusive=True)


def test_a_gateway_that_stopped_leaves_the_folder_free(tmp_path: Path) -> None:
    for _ in range(2):
        SqliteBooks.open(tmp_path, exclusive=True).stop()


def test_a_command_beside_the_gateway_makes_and_revokes_keys(books: SqliteBooks, tmp_path: Path) -> None:
    assert books.find_key(b"h" * 32) is None and not books.has_keys()
    command = SqliteBooks.open(tmp_path, exclusive=False)
    command.add_key(a_key())
    books.refresh_keys()
    assert books.find_key(b"h" * 32) == a_key() and books.has_keys()
    assert command.revoke_key("key_1", START_NS)
    books.refresh_keys()
    found = books.find_key(b"h" * 32)
    assert found is not None and found.revoked_ns == START_NS
    with pytest.raises(GatewayFault, match="opened for reading"):
        asyncio.run(command.reserve(an_intent("r1")))
    command.stop()


def test_reports_read_what_the_gateway_wrote(books: SqliteBooks, tmp_path: Path) -> None:
    async def main() -> None:
        await books.reserve(an_intent("open"))
        for n, (app, spent) in enumerate((("shop", 5), ("shop", 6), ("desk", 40))):
            await books.close(a_closing(f"r{n}", app=app, spent=spent, at_ns=START_NS + n * DAY_NS))

    asyncio.run(main())
    command = SqliteBooks.open(tmp_path, exclusive=False)
    rows = command.costs(START_NS, START_NS + 9 * DAY_NS, "app")
    assert [(row.name, row.requests, row.spent_nano, row.input_tokens) for row in rows] == [
        ("desk", 1, 40, 10), ("shop", 2, 11, 20)]  # fmt: skip
    days = command.costs(START_NS, START_NS + 2 * DAY_NS, "day")
    assert [(row.name, row.spent_nano) for row in days] == [("2026-11-22", 5), ("2026-11-23", 6)]
    for by in ("team", "key", "model", "target"):
        assert sum(row.spent_nano for row in command.costs(0, START_NS * 2, by)) == 51
    assert command.record_of("r1") == (1, b'{"closed":"r1"}')
    assert command.record_of("nobody") is None
    assert command.is_open("open") and not command.is_open("r1")
    command.stop()


def test_the_publisher_gets_every_leaf_once_and_in_order(books: SqliteBooks) -> None:
    records = [bytes([n]) * (1 + n * 7 % 50) for n in range(100)]  # never empty, as in life

    async def main() -> list[bytes]:
        await asyncio.gather(*(books.close(a_closing(f"r{n}", record=record)) for n, record in enumerate(records)))
        got: list[bytes] = []
        while part := await asyncio.to_thread(books.unpublished, len(got), 7):
            got += part
        return got

    assert asyncio.run(main()) == records
    assert books.size() == 100


def test_conversation_memory_comes_back_in_order(books: SqliteBooks) -> None:
    async def main() -> None:
        for n in range(5):
            learnt = Learnt(
                conversation=b"t" * 8 + bytes([n]) * 8,
                level=n % 4,
                hashes=(bytes([n]) * 24, b"\xff" * 24),
                texts=(("prints", bytes([n]) * 16), ("forms", b"sealed")),
            )
            await books.close(a_closing(f"r{n}", memory=learnt))

    asyncio.run(main())
    last = b"t" * 8 + bytes([4]) * 8
    assert books.remembered(3, 1) == [
        Learnt(conversation=b"t" * 8 + bytes([3]) * 8, level=3, hashes=(b"\xff" * 24,)),
        Learnt(conversation=last, level=0, hashes=(bytes([4]) * 24, b"\xff" * 24)),
        Learnt(conversation=last, level=0, texts=(("forms", b"sealed"),)),
    ]
    everything = books.remembered(100, 100)
    in_full = Learnt(conversation=last, level=3, hashes=(b"\x09" * 24,), texts=(("prints", b"87654321"),))
    both = Learnt(
        conversation=last, level=3, masked=1, hashes=(b"\x08" * 24,), texts=(("prints", b"12345678"),), told=in_full
    )

    async def more() -> None:
        await books.close(a_closing("masked", memory=both))

    asyncio.run(more())
    assert books.remembered(2, 2) == [
        Learnt(conversation=last, level=3, masked=1, hashes=(b"\x08" * 24,)),
        Learnt(conversation=last, level=3, hashes=(b"\x09" * 24,)),
        Learnt(conversation=last, level=3, masked=1, texts=(("prints", b"12345678"),)),
        Learnt(conversation=last, level=3, texts=(("prints", b"87654321"),)),
    ]
    assert sum(len(one.hashes) for one in everything) == 10 and sum(len(one.texts) for one in everything) == 10
    assert ("prints", bytes([2]) * 16) in [text for one in everything for text in one.texts]


# ---- crashes --------------------------------------------------------------------------------------------------------


def leave_open(data_dir: Path, intents: list[Intent]) -> None:
    """What a gateway that dies between reserving and closing leaves behind."""

    async def main() -> None:
        async with gateway_books(data_dir) as books:
            for intent in intents:
                await books.reserve(intent)

    asyncio.run(main())


def test_what_a_dead_gateway_left_open_is_closed_at_its_ceiling(tmp_path: Path) -> None:
    record = RequestRecord(id="r1", at="2026-11-22T00:00:00.000Z", key_id="k1", app="shop", model="auto", plan=("a/b",))
    strange = an_intent("r2", reserved=0, window="")
    leave_open(tmp_path, [
        Intent(request_id="r1", at_ns=START_NS, key_id="k1", window="2026-11", cap_nano=100, reserved_nano=70,
               record=write_record(record)),
        Intent(request_id="r2", at_ns=START_NS, key_id="k1", window="", cap_nano=0, reserved_nano=0, record=b"\xff"),
    ])  # fmt: skip
    assert strange.window == ""
    books = SqliteBooks.open(tmp_path, exclusive=True, book_currency="CNY", now_ns=lambda: START_NS + 5 * 10**9)
    (budget,) = books.budgets("k1")
    assert (budget.spent_nano, budget.reserved_nano) == (70, 0)
    found = books.record_of("r1")
    assert found is not None
    closed = read_record(found[1])
    assert (closed.outcome, closed.error, closed.app, closed.plan) == ("unknown", "outcome_unknown", "shop", ("a/b",))
    assert closed.cost is not None and (closed.cost.book, closed.cost.book_currency) == (70, "CNY")
    (row,) = [row for row in books.costs(0, START_NS * 2, "app") if row.name == "shop"]
    assert (row.requests, row.spent_nano, row.estimated_requests) == (1, 70, 1)
    second = books.record_of("r2")
    assert second is not None and read_record(second[1]).id == "r2"
    assert books.verify_sums() == []
    books.stop()


def test_opening_again_closes_nothing_twice(tmp_path: Path) -> None:
    leave_open(tmp_path, [an_intent(f"r{n}") for n in range(600)])
    for _ in range(2):
        books = SqliteBooks.open(tmp_path, exclusive=True, now_ns=lambda: START_NS)
        assert books.size() == 600
        assert books.verify_sums() == []
        books.stop()


CHILD = """
import asyncio, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from books_kit import a_closing, an_intent
from yuzui.io.books import SqliteBooks

async def work(books, worker):
    for n in range(100000):
        name = f"w{worker}-{n}"
        await books.reserve(an_intent(name, reserved=3))
        os.write(1, f"reserved {name}\\n".encode())
        closing = asyncio.ensure_future(books.close(a_closing(name, spent=2)))
        if sys.argv[3] == "early":
            os.write(1, f"closed {name}\\n".encode())   # the negative control: success before it is durable
        await closing
        if sys.argv[3] == "durable":
            os.write(1, f"closed {name}\\n".encode())

async def main():
    books = SqliteBooks.open(Path(sys.argv[1]), exclusive=True)
    await asyncio.gather(*(work(books, worker) for worker in range(16)))

asyncio.run(main())
"""


def run_and_kill(data_dir: Path, mode: str, after_lines: int) -> list[tuple[str, str]]:
    """Start a gateway's books, kill it with SIGKILL after some acknowledgements, return all that it acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(data_dir), str(Path(__file__).parents[1]), mode], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(after_lines)]
    os.kill(process.pid, signal.SIGKILL)
    lines += process.stdout.read().splitlines(keepends=True)
    process.stdout.close()
    process.wait(10)
    words = [line.decode().split() for line in lines if line.endswith(b"\n")]
    return [(verb, name) for verb, name in words]


def lost_after_restart(data_dir: Path, acknowledged: list[tuple[str, str]]) -> set[str]:
    """Acknowledged closings that the books do not have; asserts everything that holds in any case."""
    books = SqliteBooks.open(data_dir, exclusive=True)
    try:
        assert books.verify_sums() == []  # includes integrity_check and "no gaps, nothing twice"
        reserved = {name for verb, name in acknowledged if verb == "reserved"}
        assert [name for name in reserved if books.record_of(name) is None] == [], "a reservation was forgotten"
        closed = {name for verb, name in acknowledged if verb == "closed"}
        return {name for name in closed if (books.record_of(name) or (0, b""))[1] != b'{"closed":"%b"}' % name.encode()}
    finally:
        books.stop()


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_kill_minus_nine_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    for round_number in range(4):
        data_dir = tmp_path / str(round_number)
        acknowledged = run_and_kill(data_dir, "durable", 40 + 130 * round_number)
        assert len(acknowledged) >= 40
        assert lost_after_restart(data_dir, acknowledged) == set()


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_the_kill_test_notices_success_that_is_told_too_early(tmp_path: Path) -> None:
    for round_number in range(20):
        data_dir = tmp_path / str(round_number)
        if lost_after_restart(data_dir, run_and_kill(data_dir, "early", 33 + round_number)):
            return
    pytest.fail("a gateway that tells success too early was not found out: the kill test proves nothing")


# ---- power cuts -----------------------------------------------------------------------------------------------------


class CuttableFile(apsw.VFSFile):
    def __init__(
        self, vfs: CuttableDisk, name: Any, flags: list[int]
    ) -> None:  # Any: apsw's URIFilename is not exported
        self.disk = vfs
        self.path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        super().__init__(vfs.base_vfs, name, flags)

    @override
    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self.disk.survives[self.path.name] = self.path.read_bytes()


class CuttableDisk(apsw.VFS):
    """Knows what would survive a power cut: of each file what it held when it was last flushed, and nothing later."""

    def __init__(self, name: str) -> None:
        self.base_vfs = ""
        self.survives: dict[str, bytes] = {}
        super().__init__(name, "")

    @override
    def xOpen(self, name: Any, flags: list[int]) -> CuttableFile:  # Any: see CuttableFile
        return CuttableFile(self, name, flags)

    @override
    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        self.survives.pop(Path(filename).name, None)

    def cut_into(self, folder: Path) -> None:
        folder.mkdir()
        for name, data in self.survives.items():
            (folder / name).write_bytes(data)


@pytest.mark.parametrize(("synchronous", "may_lose"), [("full", False), ("normal", True)])
def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path, synchronous: str, may_lose: bool) -> None:
    """With `normal` the same test must find losses: the negative control of the simulated disk."""
    disk = CuttableDisk(f"cuttable-{synchronous}")

    async def main() -> int:
        lost = 0
        async with gateway_books(tmp_path / "run", vfs=f"cuttable-{synchronous}") as books:
            await books.close(a_closing("first"))
            connection = books._ledger._connection
            assert connection is not None
            connection.pragma("synchronous", synchronous)
            for n in range(12):
                names = [f"r{n}-{m}" for m in range(5)]
                await asyncio.gather(*(books.close(a_closing(name)) for name in names))
                disk.cut_into(tmp_path / f"cut{n}")
                after = SqliteBooks.open(tmp_path / f"cut{n}", exclusive=False)
                assert after.verify_sums() == []
                lost += sum(after.record_of(name) is None for name in names)
                after.stop()
        return lost

    lost = asyncio.run(main())
    disk.unregister()
    assert (lost > 0) == may_lose


# ---- a disk that fails ----------------------------------------------------------------------------------------------


class FailingFile(apsw.VFSFile):
    def __init__(self, vfs: FailingDisk, name: Any, flags: list[int]) -> None:  # Any: see CuttableFile
        self.disk = vfs
        super().__init__(vfs.base_vfs, name, flags)

    @override
    def xSync(self, flags: int) -> None:
        self.disk.flushes += 1
        if self.disk.is_broken:
            raise apsw.IOError("input/output error")
        super().xSync(flags)


class FailingDisk(apsw.VFS):
    def __init__(self, name: str) -> None:
        self.base_vfs = ""
        self.is_broken = False
        self.flushes = 0
        super().__init__(name, "")

    @override
    def xOpen(self, name: Any, flags: list[int]) -> FailingFile:  # Any: see CuttableFile
        return FailingFile(self, name, flags)


async def refused_code(work: Awaitable[object]) -> str:
    try:
        await work
    except GatewayFault as fault:
        return fault.code
    return ""


def test_a_failed_flush_is_never_success_and_the_books_recover_without_a_restart(tmp_path: Path) -> None:
    disk = FailingDisk("failing")

    async def main() -> None:
        async with gateway_books(tmp_path, vfs="failing") as books:
            await books.reserve(an_intent("r1", reserved=10, cap=100))
            disk.is_broken = True
            first_connection = books._ledger._connection
            assert await refused_code(books.close(a_closing("r1", spent=8))) == "ledger_unavailable"
            assert await refused_code(books.reserve(an_intent("r2", reserved=10, cap=100))) == "ledger_unavailable"
            assert books._ledger._connection is not first_connection, "the connection that failed is never used again"
            assert books.owed == 1
            disk.is_broken = False
            await books.reserve(an_intent("r3", reserved=10, cap=100))
            assert books.owed == 0
            assert books.record_of("r1") is not None, "the closing is paid as soon as the disk is back"
            (budget,) = books.budgets("k1")
            assert (budget.spent_nano, budget.reserved_nano) == (8, 10)
            assert books.verify_sums() == []

    asyncio.run(main())
    disk.unregister()


def test_the_hash_of_a_receipt_is_that_of_the_stored_leaf(books: SqliteBooks) -> None:
    receipt = asyncio.run(_closed(books))
    (record,) = books.unpublished(receipt.index, 1)
    assert receipt.leaf_hash == hashlib.sha256(b"\x00" + record).digest()


async def _closed(books: SqliteBooks) -> Receipt:
    return await books.close(a_closing("r1"))
