"""Knows the books: money, keys and audit leaves in one SQLite file, durable before anybody hears of success."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

import apsw

from yuzui.capturing import PREFIX as CAPTURES
from yuzui.core.booking import (
    Closing,
    DecisionOutcome,
    Intent,
    KeptAnswer,
    KeyRecord,
    LabelOrder,
    Learnt,
    Receipt,
    TrialOrder,
    VaultOrder,
)
from yuzui.core.errors import GatewayFault
from yuzui.core.watching import PromiseKey, ShadowState, WatchOrder, WatchState
from yuzui.io.database import (
    BUSY_TIMEOUT_MS,
    CLI_BUSY_TIMEOUT_MS,
    DATABASE_NAME,
    FolderLock,
    make_private_folder,
    migrate,
    open_database,
    unavailable,
)
from yuzui.io.group_commit import GroupCommit
from yuzui.io.key_store import KeyStore
from yuzui.io.label_store import (
    LabelRow,
    OrderAnswer,
    add_order,
    answer_to,
    labels_of,
    open_orders,
    remembered,
)
from yuzui.io.ledger import Answer, Job, Ledger, close_job, reserve_job
from yuzui.io.recovery import closing_of_dead
from yuzui.io.sums import find_wrong_sums
from yuzui.io.trial_store import (
    add_trial_order,
    answer_to_trial_order,
    end_trial_order,
    keep_trial_states,
    open_trial_orders,
    trial_orders_in_force,
    trial_records,
    trial_states,
)
from yuzui.io.vault_store import (
    PREFIX,
    VaultCount,
    VaultRow,
    add_vault_order,
    answer_to_vault_order,
    end_vault_order,
    open_vault_orders,
    rewrite_vault_row,
    vault_counts,
    vault_rows,
    vault_scopes,
)
from yuzui.io.watch_store import (
    add_watch_order,
    answer_to_watch_order,
    end_watch_order,
    open_watch_orders,
    save_shadow,
    save_watch,
    shadow_states,
    watch_states,
)
from yuzui.io.work_done import OtherCalls, WorkDone, other_calls, work_done

CostKey = Literal["app", "team", "key", "model", "target", "day"]

MOST_REMEMBERED = 1_000_000
"""Messages of labelled conversations that are kept; older ones are dropped at start."""
MOST_TEXTS = 100_000
"""Texts and values of them that are known by their parts; a kilobyte each."""

_DECISIONS = ", ".join([f"'{outcome}'" for outcome in get_args(DecisionOutcome)])
"""Leaves that no request stands behind."""
_GROUPS: dict[CostKey, str] = {
    "app": "app",
    "team": "team",
    "key": "key_id",
    "model": "model",
    "target": "target",
    "day": "strftime('%Y-%m-%d', at_ns / 1000000000, 'unixepoch')",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """What one app (team, key, …) consumed; nano-units of the book currency."""

    name: str
    requests: int
    input_tokens: int
    output_tokens: int
    spent_nano: int
    estimated_requests: int


def paid_to_others(rows: Sequence[CostRow], calls: Sequence[OtherCalls]) -> list[CostRow]:
    """`rows` by target, what each request spent counted for whom it was paid to; requests and tokens stay with the one
    that answered. The largest first."""
    found = {row.name: row for row in rows}
    for call in calls:
        for name, amount in ((call.target, -call.spent_nano), (call.paid, call.spent_nano)):
            row = found.get(name) or CostRow(
                name=name, requests=0, input_tokens=0, output_tokens=0, spent_nano=0, estimated_requests=0
            )
            found[name] = replace(row, spent_nano=row.spent_nano + amount)
    return sorted(found.values(), key=lambda row: (-row.spent_nano, row.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRow:
    """One period of one key; nano-units of the book currency."""

    window: str
    cap_nano: int
    reserved_nano: int
    spent_nano: int


class SqliteBooks:
    """The `Books` port on one file in the data folder. Open it with `SqliteBooks.open`."""

    def __init__(self, path: Path, *, lock: FolderLock | None, vfs: str | None, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        timeout_ms = BUSY_TIMEOUT_MS if lock else CLI_BUSY_TIMEOUT_MS

        def connect() -> apsw.Connection:
            return open_database(path, busy_timeout_ms=timeout_ms, vfs=vfs)

        self._connection_lock = threading.Lock()
        self._writer: GroupCommit[Job, Answer] | None = None
        with ExitStack() as opened:
            if lock is not None:
                opened.callback(lock.release)
            self._keys_connection = opened.enter_context(closing(connect()))
            migrate(self._keys_connection)
            self._keys = KeyStore(self._keys_connection)
            self._connection = opened.enter_context(closing(connect()))
            self._ledger = opened.enter_context(closing(Ledger(connect)))
            self._opened = opened.pop_all()

    @classmethod
    def open(
        cls,
        data_dir: Path,
        *,
        exclusive: bool,
        book_currency: str = "USD",
        vfs: str | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> SqliteBooks:
        """The books in `data_dir`, made if they are missing.

        `exclusive`: as the gateway. Raise `ConfigError` when another one runs here; close what a dead one left open,
        at its ceiling in `book_currency`. Otherwise as a command beside it: reads, and changes of keys.
        Raise `GatewayFault` when the file cannot be used.
        """
        make_private_folder(data_dir)
        lock = FolderLock(data_dir) if exclusive else None
        books = cls(data_dir / DATABASE_NAME, lock=lock, vfs=vfs, now_ns=now_ns)
        if exclusive:
            try:
                books._start_writing(book_currency)
            except BaseException:
                books.stop()
                raise
        return books

    def stop(self) -> None:
        """Commit what is queued and close the file. Call it when no request is running any more."""
        if self._writer is not None:
            self._writer.stop()
        with self._connection_lock:
            self._opened.close()

    # ---- the port ---------------------------------------------------------------------------------------------------

    def find_key(self, key_hash: bytes) -> KeyRecord | None:
        return self._keys.find(key_hash)

    def has_keys(self) -> bool:
        return self._keys.has_keys()

    async def reserve(self, intent: Intent) -> None:
        await self._open_writer().submit(reserve_job(intent))

    def close(self, closing: Closing) -> asyncio.Future[Receipt]:
        # A closing is always answered with a receipt; only reservations are answered with None.
        return cast("asyncio.Future[Receipt]", self._open_writer().submit(close_job(closing), is_ending=True))

    # ---- for the gateway's background tasks -------------------------------------------------------------------------

    def refresh_keys(self) -> None:
        """See changes of keys made by other processes; call it every half second on the event loop's thread."""
        self._keys.refresh()

    def unpublished(self, from_index: int, limit: int) -> list[bytes]:
        """Audit leaves `from_index`, `from_index + 1`, …, at most `limit`. Blocks; callable from any thread."""
        # One row instead of `limit`: fetching each row takes the interpreter lock from the event loop once.
        text = self._execute(
            "SELECT group_concat(hex(record), ' ') FROM (SELECT record FROM leaf WHERE seq >= ? ORDER BY seq LIMIT ?)",
            (from_index, limit),
        )[0][0]
        return [bytes.fromhex(part) for part in cast(str, text).split(" ")] if text is not None else []

    def size(self) -> int:
        """How many audit leaves there are. Blocks; callable from any thread."""
        return cast(int, self._execute("SELECT coalesce(max(seq) + 1, 0) FROM request")[0][0])

    def remembered(self, hashes: int, texts: int) -> list[Learnt]:
        """The latest entries of conversation memory, oldest first: so many hashes, so many texts."""
        return remembered(self._execute, hashes, texts)

    def raise_remembered(self, level: int) -> None:
        """Count all of conversation memory as `level`: its ranks have lost their meaning. Before serving only."""
        for table in ("conversation_memory", "labelled_text"):
            self._execute(
                f"UPDATE {table} SET level = ?, masked = NULL WHERE level <> ? OR masked IS NOT NULL", (level, level)
            )

    def open_orders(self) -> list[LabelOrder]:
        """Label orders that nobody has carried out or refused, oldest first. One indexed read."""
        return open_orders(self._execute)

    def refuse_order(self, order_id: str, why: str) -> None:
        self._execute("UPDATE label_order SET is_open = 0, refused = ? WHERE id = ? AND is_open", (why, order_id))

    @property
    def pending(self) -> int:
        """Jobs in the writer's queue: for metrics."""
        return self._writer.pending if self._writer else 0

    @property
    def owed(self) -> int:
        """Closings that wait in memory for the disk to come back: for metrics and readiness."""
        return self._ledger.owed

    # ---- kept answers ------------------------------------------------------------------------------------------------

    def kept_answer(self, scope: str, answer_id: str) -> tuple[str, bytes, str] | None:
        """(level name, encrypted content, id) of what is kept under that id, or under the name of one of its items, and
        is not over its time. Blocks; callable from any thread."""
        rows = self._execute(
            # By its own id first: items are named by vendors, and one could be named like another answer.
            "SELECT level, content, id FROM kept_answer WHERE scope = ?1 AND expires_ns > ?3 "
            "AND id IN (?2, (SELECT id FROM kept_name WHERE scope = ?1 AND name = ?2)) ORDER BY id <> ?2 LIMIT 1",
            (scope, answer_id, self._now_ns()),
        )
        return cast(tuple[str, bytes, str], rows[0]) if rows else None

    def forget_answer(self, scope: str, answer_id: str) -> bool:
        """Whether there was one. Blocks for a commit; callable from any thread."""
        rows = self._execute("DELETE FROM kept_answer WHERE scope = ? AND id = ? RETURNING 1", (scope, answer_id))
        return bool(rows)

    def keep_answer(self, kept: KeptAnswer) -> None:
        """In place of what was kept under the same id. Blocks for a commit; callable from any thread."""
        self._execute(
            "INSERT OR REPLACE INTO kept_answer (scope, id, level, expires_ns, content) VALUES (?, ?, ?, ?, ?)",
            (kept.scope, kept.id, kept.level, kept.expires_ns, kept.content),
        )

    def shorten_answers(self, longest_s: float, *, in_vault: bool = False) -> None:
        """Let no kept answer (`in_vault`: no original) outlast `longest_s` from now. Blocks for a commit; callable from
        any thread."""
        until_ns = self._now_ns() + int(longest_s * 1_000_000_000)
        self._execute(
            "UPDATE kept_answer SET expires_ns = ?1 WHERE expires_ns > ?1 "
            "AND substr(scope, 1, instr(scope, ':')) = ?2",  # whose answers they are has no colon
            (until_ns, PREFIX if in_vault else ""),
        )

    def shorten_captured(self, longest_s: float) -> None:
        """Let no example outlast `longest_s` from now. Blocks for a commit; callable from any thread."""
        until_ns = self._now_ns() + int(longest_s * 1_000_000_000)
        self._execute(
            "UPDATE kept_answer SET expires_ns = ?1 WHERE expires_ns > ?1 AND substr(scope, 1, length(?2)) = ?2",
            (until_ns, CAPTURES),
        )

    def relabel_answer(self, scope: str, answer_id: str, before: str, level: str, content: bytes) -> None:
        """`level` and `content` in place of what is kept, if that is still at `before`. Blocks for a commit."""
        self._execute(
            "UPDATE kept_answer SET level = ?, content = ? WHERE scope = ? AND id = ? AND level = ?",
            (level, content, scope, answer_id, before),
        )

    def forget_expired_answers(self, most: int = 1000) -> int:
        """Remove up to `most` answers that are over their time; say how many. Blocks; callable from any thread."""
        rows = self._execute(
            "DELETE FROM kept_answer WHERE rowid IN "
            "(SELECT rowid FROM kept_answer WHERE expires_ns <= ? LIMIT ?) RETURNING 1",
            (self._now_ns(), most),
        )
        return len(rows)

    # ---- for the command line ---------------------------------------------------------------------------------------

    def add_key(self, record: KeyRecord) -> None:
        self._keys.add(record)

    def list_keys(self) -> list[KeyRecord]:
        return self._keys.all()

    def revoke_key(self, key_id: str, at_ns: int) -> bool:
        """False when there is no such key. A running gateway acts on it within a second."""
        return self._keys.revoke(key_id, at_ns)

    def add_order(self, order: LabelOrder) -> None:
        """A running gateway carries it out within a second; see `answer_to`."""
        add_order(self._execute, order)

    def answer_to(self, order_id: str) -> OrderAnswer:
        return answer_to(self._execute, order_id)

    def labels_of(self, conversation: bytes) -> LabelRow:
        """What is remembered of a conversation. Reads the whole memory."""
        return labels_of(self._execute, conversation)

    def kept_levels(self, scope: str) -> list[tuple[str, str]]:
        """(id, level name) of every answer and conversation that is kept for `scope`."""
        rows = self._execute("SELECT id, level FROM kept_answer WHERE scope = ? ORDER BY id", (scope,))
        return cast(list[tuple[str, str]], rows)

    def vault_scopes(self) -> list[str]:
        return vault_scopes(self._execute)

    def vault_rows(self, scope: str) -> list[VaultRow]:
        """Blocks; callable from any thread, as all of the vault's."""
        return vault_rows(self._execute, scope)

    def vault_counts(self) -> list[VaultCount]:
        return vault_counts(self._execute)

    def rewrite_vault_row(
        self, scope: str, id: str, before: bytes, after: bytes | None, names: tuple[str, ...] = ()
    ) -> bool:
        """`after` in place of `before`, None: nothing; False when that does not lie there any more."""
        return rewrite_vault_row(self._execute, scope, id, before, after, names)

    def add_vault_order(self, order: VaultOrder) -> None:
        """A running gateway carries it out within a second; see `answer_to_vault_order`."""
        add_vault_order(self._execute, order)

    def open_vault_orders(self) -> list[VaultOrder]:
        return open_vault_orders(self._execute)

    def end_vault_order(self, order_id: str, refused: str = "") -> None:
        end_vault_order(self._execute, order_id, refused)

    def answer_to_vault_order(self, order_id: str) -> OrderAnswer:
        return answer_to_vault_order(self._execute, order_id)

    def watch_states(self, model: str = "") -> dict[PromiseKey, tuple[int, WatchState]]:
        """Blocks; callable from any thread, as all of watching's."""
        return watch_states(self._execute, model)

    def save_watch(self, key: PromiseKey, version: int, state: WatchState) -> bool:
        """False where another version than `version` lies there; 0 is none at all."""
        return save_watch(self._execute, key, version, state)

    def shadow_states(self, model: str = "") -> dict[tuple[str, str], tuple[int, ShadowState]]:
        return shadow_states(self._execute, model)

    def save_shadow(self, model: str, target: str, state: ShadowState) -> None:
        save_shadow(self._execute, model, target, state)

    def add_watch_order(self, order: WatchOrder) -> None:
        """A running gateway carries it out within a second; see `answer_to_watch_order`."""
        add_watch_order(self._execute, order)

    def open_watch_orders(self) -> list[WatchOrder]:
        return open_watch_orders(self._execute)

    def end_watch_order(self, order_id: str, *, leaf: int = -1, refused: str = "") -> None:
        end_watch_order(self._execute, order_id, leaf=leaf, refused=refused)

    def answer_to_watch_order(self, order_id: str) -> OrderAnswer:
        return answer_to_watch_order(self._execute, order_id)

    def trial_states(self) -> dict[str, bytes]:
        """Trial id → what is known of it. Blocks; callable from any thread, as all about trials."""
        return trial_states(self._execute)

    def keep_trial_states(self, states: Mapping[str, bytes]) -> None:
        keep_trial_states(self._execute, states, self._now_ns())

    def add_trial_order(self, order: TrialOrder) -> None:
        """A running gateway carries it out within a second; see `answer_to_trial_order`."""
        add_trial_order(self._execute, order)

    def open_trial_orders(self) -> list[TrialOrder]:
        return open_trial_orders(self._execute)

    def end_trial_order(self, order_id: str, refused: str = "") -> None:
        end_trial_order(self._execute, order_id, refused)

    def trial_orders_in_force(self) -> list[TrialOrder]:
        return trial_orders_in_force(self._execute)

    def trial_records(self, model: str, since_ns: int, until_ns: int) -> Iterator[bytes]:
        """Records of requests for `model` that were in a trial, in order."""
        return trial_records(self._execute, model, since_ns, until_ns)

    def answer_to_trial_order(self, order_id: str) -> OrderAnswer:
        return answer_to_trial_order(self._execute, order_id)

    def record_of(self, request_id: str) -> tuple[int, bytes] | None:
        """(leaf index, record) of a closed request."""
        rows = self._execute(
            "SELECT seq, record FROM request JOIN leaf USING (seq) WHERE request_id = ?", (request_id,)
        )
        return cast(tuple[int, bytes], rows[0]) if rows else None

    def is_open(self, request_id: str) -> bool:
        """Whether the request is admitted and not closed yet."""
        return bool(self._execute("SELECT 1 FROM intent WHERE request_id = ?", (request_id,)))

    def costs(self, since_ns: int, until_ns: int, by: CostKey) -> list[CostRow]:
        """What was spent from `since_ns` up to but not including `until_ns`; the largest first, days in order (UTC)."""
        order = "1" if by == "day" else "5 DESC, 1"
        rows = self._execute(
            f"SELECT {_GROUPS[by]}, count(*), sum(input_tokens), sum(output_tokens), sum(spent), sum(is_estimated) "
            f"FROM request WHERE at_ns >= ? AND at_ns < ? AND outcome NOT IN ({_DECISIONS}) "
            f"GROUP BY 1 ORDER BY {order}",
            (since_ns, until_ns),
        )
        found = [
            CostRow(name=r[0], requests=r[1], input_tokens=r[2], output_tokens=r[3], spent_nano=r[4],
                    estimated_requests=r[5])
            for r in cast(list[tuple[str, int, int, int, int, int]], rows)
        ]  # fmt: skip
        return paid_to_others(found, other_calls(self._execute, since_ns, until_ns)) if by == "target" else found

    def work_done(self, since_ns: int, until_ns: int, models: Sequence[str], teams: Sequence[str]) -> WorkDone:
        """Tokens by model, team and target, and the busiest hour; of all models and teams where none is named."""
        return work_done(self._execute, since_ns, until_ns, models, teams)

    def budgets(self, key_id: str) -> list[BudgetRow]:
        """Every period of the key in which money was reserved or spent, in order of their names."""
        rows = self._execute('SELECT "window", cap, reserved, spent FROM budget WHERE key_id = ? ORDER BY 1', (key_id,))
        return [
            BudgetRow(window=r[0], cap_nano=r[1], reserved_nano=r[2], spent_nano=r[3])
            for r in cast(list[tuple[str, int, int, int]], rows)
        ]

    def verify_sums(self) -> list[str]:
        """Everything in the books that does not add up, in words; empty when all is well. Reads the whole file."""
        with self._connection_lock:
            try:
                return find_wrong_sums(self._connection)
            except apsw.Error as error:
                raise unavailable(error) from error

    # ---- inside -----------------------------------------------------------------------------------------------------

    def _open_writer(self) -> GroupCommit[Job, Answer]:
        if self._writer is None:
            raise GatewayFault("these books were opened for reading", code="ledger_unavailable")
        return self._writer

    def _execute(self, sql: str, bindings: tuple[int | str | bytes, ...] = ()) -> list[tuple[apsw.SQLiteValue, ...]]:
        with self._connection_lock:
            try:
                return self._connection.execute(sql, bindings).fetchall()
            except apsw.Error as error:
                raise unavailable(error) from error

    def _start_writing(self, book_currency: str) -> None:
        self._close_what_the_dead_left(book_currency)
        for table, most in (("conversation_memory", MOST_REMEMBERED), ("labelled_text", MOST_TEXTS)):
            self._execute(f"DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - ?", (most,))
        self._writer = GroupCommit(self._ledger.commit)

    def _close_what_the_dead_left(self, book_currency: str) -> None:
        """We hold the lock: whoever wrote these intents is dead, and what its targets did with them is unknown."""
        rows = self._execute('SELECT request_id, at_ns, key_id, "window", reserved, record FROM intent ORDER BY rowid')
        left = [
            Intent(request_id=r[0], at_ns=r[1], key_id=r[2], window=r[3], cap_nano=0, reserved_nano=r[4], record=r[5])
            for r in cast(list[tuple[str, int, str, str, int, bytes]], rows)
        ]
        at_ns = self._now_ns()
        for start in range(0, len(left), 256):
            jobs: list[Job] = [
                close_job(closing_of_dead(intent, at_ns, book_currency)) for intent in left[start : start + 256]
            ]
            for answer in self._ledger.commit(jobs):
                if isinstance(answer, Exception):
                    raise answer
