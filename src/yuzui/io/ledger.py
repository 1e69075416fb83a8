"""Knows how a batch of reservations and closings becomes one durable SQL statement, and what to do when it fails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import apsw
import msgspec

from yuzui.core.booking import Closing, Intent, KeptAnswer, Learnt, Receipt
from yuzui.core.errors import BudgetExceeded, GatewayFault
from yuzui.core.money import NANO
from yuzui.io.database import unavailable

MOST_OWED = 10_000
"""Closings kept in memory while the disk is full; beyond that the intents themselves are closed at the next start."""

# Everything of a transaction in one statement. The writer must get the interpreter back after each step of SQLite, and
# under load that costs a wait; so the whole batch is one step, and the second step, after the answer, commits.
_BOOK = """
INSERT INTO batch (first_seq, void, intents, closings, postings, memories, texts, lowered, kept, records)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
RETURNING (
  SELECT json_group_array(json_array(i.value ->> 0, b.cap - b.spent - b.reserved))
  FROM json_each(intents) i JOIN budget b ON b.key_id = i.value ->> 2 AND b.window = i.value ->> 3
  WHERE i.value ->> 3 <> '' AND NOT EXISTS (SELECT 1 FROM intent WHERE request_id = i.value ->> 0)
)
"""

_encode = msgspec.json.Encoder().encode
_decode_rejected = msgspec.json.Decoder(list[tuple[str, int]]).decode


@dataclass(frozen=True, slots=True)
class ReserveJob:
    """An intent, spelled for the statement on the caller's side: a value that has no JSON fails its own caller only."""

    intent: Intent
    row: bytes


@dataclass(frozen=True, slots=True)
class CloseJob:
    closing: Closing
    row: bytes
    legs: tuple[bytes, ...]
    memories: tuple[bytes, ...]
    texts: tuple[bytes, ...]
    lowered: bytes
    kept: tuple[bytes, ...]


Job = ReserveJob | CloseJob
Answer = Receipt | None
"""A closing's receipt; None for a reservation that was admitted."""


def reserve_job(intent: Intent) -> ReserveJob:
    """Raise `GatewayFault` when a field cannot be written."""
    i = intent
    row = (i.request_id, i.at_ns, i.key_id, i.window, i.cap_nano, i.reserved_nano)
    return ReserveJob(intent, _open_row(row))


def close_job(closing: Closing) -> CloseJob:
    """Raise `GatewayFault` when a field cannot be written."""
    c = closing
    row = (
        c.request_id, c.at_ns, c.key_id, c.app, c.team, c.model, c.target, c.outcome, c.window, c.reserved_nano,
        c.spent_nano, int(c.is_estimated), c.input_tokens, c.output_tokens,
    )  # fmt: skip
    legs = tuple(
        _open_row((leg, p.account, p.amount_nano, p.currency, p.price_version, p.rate))
        for leg, p in enumerate(c.postings)
    )
    lowered = c.lowered
    memories: list[bytes] = []
    texts: list[bytes] = []
    for learnt in learnt_parts(c):
        name = learnt.conversation.hex()
        memories += [_encode((one.hex(), learnt.level, c.at_ns, name, learnt.masked)) for one in learnt.hashes]
        texts += [_open_row((name, kind, learnt.level, c.at_ns, learnt.masked)) for kind, _ in learnt.texts]
    return CloseJob(
        closing, _open_row(row), legs, memories=tuple(memories), texts=tuple(texts),
        lowered=_open_row((lowered.order_id, lowered.conversation.hex(), lowered.level)) if lowered else b"",
        kept=tuple([_kept_row(one) for one in c.kept]),
    )  # fmt: skip


def learnt_parts(closing: Closing) -> list[Learnt]:
    """What conversation memory learnt, in its parts."""
    parts: list[Learnt] = []
    learnt = closing.memory
    while learnt is not None:
        parts.append(learnt)
        learnt = learnt.told
    return parts


def _kept_row(kept: KeptAnswer) -> bytes:
    return _open_row((kept.scope, kept.id, kept.level, kept.expires_ns, kept.names))


def _open_row(values: tuple[str | int | tuple[str, ...] | None, ...]) -> bytes:
    """`values` as JSON, without the brackets, so that the writer can add what it alone knows."""
    try:
        return _encode(values)[1:-1]
    except (UnicodeEncodeError, OverflowError) as error:
        raise GatewayFault("a name in the request cannot be written to the books", code="ledger_invalid") from error


def leaf_hash(record: bytes) -> bytes:
    """RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x00" + record).digest()


class Ledger:
    """The one writer. Belongs to the thread that calls `commit`."""

    def __init__(self, connect: Callable[[], apsw.Connection]) -> None:
        """`connect` opens the database anew; it is called again after every failure that is not the caller's."""
        self._connect = connect
        self._connection: apsw.Connection | None = None
        self._next_seq = 0
        self._owed: dict[str, CloseJob] = {}
        self._void: list[str] = []

    @property
    def owed(self) -> int:
        """Closings that could not be written yet: for metrics."""
        return len(self._owed)

    @property
    def size(self) -> int:
        """Requests closed so far, which is the number of audit leaves."""
        return self._next_seq

    def commit(self, jobs: list[Job]) -> list[Answer | Exception]:
        """Book `jobs` and return one answer each, when they are durable. Never raises what belongs to a job."""
        try:
            self._pay_owed()
            return self._commit_in_order(jobs)
        except apsw.Error as error:
            self._give_up(jobs, error)
            return [unavailable(error) for _ in jobs]
        except GatewayFault as fault:  # the database could not be opened
            self._owe(jobs)
            return [GatewayFault(fault.message, code=fault.code, retry_after_s=fault.retry_after_s) for _ in jobs]

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ---- one batch --------------------------------------------------------------------------------------------------

    def _commit_in_order(self, jobs: list[Job]) -> list[Answer | Exception]:
        """A request that is reserved and closed in the same batch takes two statements: first in, then out."""
        answers: list[Answer | Exception] = []
        start = 0
        reserved: set[str] = set()
        for position, job in enumerate(jobs):
            if isinstance(job, ReserveJob):
                reserved.add(job.intent.request_id)
            elif job.closing.request_id in reserved:
                answers += self._commit_part(jobs[start:position])
                start = position
                reserved.clear()
        answers += self._commit_part(jobs[start:])
        return answers

    def _commit_part(self, jobs: list[Job]) -> list[Answer | Exception]:
        try:
            return self._book(jobs)
        except apsw.ConstraintError:
            # Rare: a request id that the books know already, or a value that they refuse. Nothing was written.
            return [self._commit_alone(job) for job in jobs]

    def _commit_alone(self, job: Job) -> Answer | Exception:
        try:
            return self._book([job])[0]
        except apsw.ConstraintError as error:
            if isinstance(job, CloseJob):
                receipt = self._first_receipt(job.closing.request_id)
                if receipt is not None:
                    return receipt
            elif self._is_reserved(job.intent.request_id):
                return None
            fault = GatewayFault("the books refuse this entry", code="ledger_invalid")
            fault.__cause__ = error
            return fault

    def _book(self, jobs: Sequence[Job]) -> list[Answer | Exception]:
        """One transaction. Raise `apsw.Error`, and nothing was written."""
        connection = self._opened()
        intents: list[bytes] = []
        closings: list[bytes] = []
        postings: list[bytes] = []
        memories: list[bytes] = []
        texts: list[bytes] = []
        lowered: list[bytes] = []
        kept: list[bytes] = []
        records: list[bytes] = []
        offset = 1  # SQL counts bytes from one
        for job in jobs:
            if isinstance(job, CloseJob):
                record = job.closing.record
                for leg in job.legs:
                    postings.append(b"[%d,%b]" % (len(closings), leg))
                memories += job.memories
                if job.lowered:
                    lowered.append(b"[%d,%b]" % (len(closings), job.lowered))
                closings.append(b"[%b,%d,%d]" % (job.row, offset, len(record)))
            else:
                record = job.intent.record
                intents.append(b"[%b,%d,%d]" % (job.row, offset, len(record)))
            records.append(record)
            offset += len(record)
            if isinstance(job, CloseJob):
                blobs = [(kept, row, one.content) for row, one in zip(job.kept, job.closing.kept, strict=True)]
                data_of_texts = [data for learnt in learnt_parts(job.closing) for _, data in learnt.texts]
                blobs += [(texts, row, data) for row, data in zip(job.texts, data_of_texts, strict=True)]
                for rows, row, data in blobs:
                    rows.append(b"[%b,%d,%d]" % (row, offset, len(data)))
                    records.append(data)
                    offset += len(data)
        rejected = connection.execute(
            _BOOK,
            (self._next_seq, _array([_encode(i) for i in self._void]) if self._void else None, _array(intents),
             _array(closings), _array(postings), _array(memories), *(_array(one) if one else None for one in
             (texts, lowered, kept)), b"".join(records)),
        ).get  # fmt: skip
        # `get` ran the statement to its end: the transaction is on disk.
        self._void.clear()
        return self._answers(jobs, dict(_decode_rejected(rejected)) if rejected != "[]" else {})

    def _answers(self, jobs: Sequence[Job], rejected: dict[str, int]) -> list[Answer | Exception]:
        answers: list[Answer | Exception] = []
        for job in jobs:
            if isinstance(job, CloseJob):
                answers.append(Receipt(index=self._next_seq, leaf_hash=leaf_hash(job.closing.record)))
                self._next_seq += 1
            elif rejected and job.intent.request_id in rejected:
                answers.append(_over_budget(job.intent, rejected[job.intent.request_id]))
            else:
                answers.append(None)
        return answers

    def _first_receipt(self, request_id: str) -> Receipt | None:
        row = self._opened().execute(
            "SELECT seq, record FROM request JOIN leaf USING (seq) WHERE request_id = ?", (request_id,)
        ).fetchone()  # fmt: skip
        return None if row is None else Receipt(index=row[0], leaf_hash=leaf_hash(row[1]))

    def _is_reserved(self, request_id: str) -> bool:
        return bool(self._opened().execute("SELECT 1 FROM intent WHERE request_id = ?", (request_id,)).fetchall())

    # ---- failure and recovery ---------------------------------------------------------------------------------------

    def _opened(self) -> apsw.Connection:
        if self._connection is None:
            connection = self._connect()
            # After a failed flush, pages that the system calls clean may not be on disk. Moving the log into the
            # database writes them again, and flushes them with a descriptor that has not seen the failure.
            connection.pragma("wal_checkpoint(truncate)")
            self._next_seq = connection.execute("SELECT coalesce(max(seq) + 1, 0) FROM request").get
            self._connection = connection
        return self._connection

    def _give_up(self, jobs: list[Job], error: apsw.Error) -> None:
        if not isinstance(error, apsw.BusyError):
            # Never flush again on the connection that failed. Source: https://wiki.postgresql.org/wiki/Fsync_Errors
            connection, self._connection = self._connection, None
            if connection is not None:
                try:
                    connection.close()
                except apsw.Error:
                    connection.close(force=True)  # it is lost either way; the failure itself is reported to callers
        self._owe(jobs)

    def _owe(self, jobs: list[Job]) -> None:
        """Remember what to do once the disk is back: callers were told no, but money and records must not be lost."""
        for job in jobs:
            if isinstance(job, CloseJob):
                if len(self._owed) < MOST_OWED:
                    self._owed.setdefault(job.closing.request_id, job)
            elif len(self._void) < MOST_OWED:
                self._void.append(job.intent.request_id)

    def _pay_owed(self) -> None:
        if not self._owed and not self._void:
            return
        owed: list[Job] = list(self._owed.values())
        for start in range(0, max(len(owed), 1), 256):
            self._commit_part(owed[start : start + 256])
        self._owed.clear()


def _array(rows: list[bytes]) -> str:
    return (b"[" + b",".join(rows) + b"]").decode()


def _over_budget(intent: Intent, left_nano: int) -> BudgetExceeded:
    """Amounts are the caller's own; rounding is for reading only."""
    return BudgetExceeded(
        f"this request may cost up to {intent.reserved_nano / NANO:.6f}, but the budget of this key for "
        f"{intent.window} has {max(left_nano, 0) / NANO:.6f} left; lower max_tokens, wait for the next period, "
        "or ask for a higher budget"
    )
