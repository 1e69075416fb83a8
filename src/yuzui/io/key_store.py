"""Knows the virtual keys: looked up by hash in memory first, in SQL on a miss, and forgotten when anything changes."""

from __future__ import annotations

from collections import OrderedDict
from typing import cast

import apsw
import msgspec

from yuzui.core.booking import KeyRecord
from yuzui.core.caller import BudgetPeriod
from yuzui.core.errors import ConfigError
from yuzui.io.database import unavailable

MOST_CACHED = 4096
"""Of known keys, and apart from them of unknown ones: a flood of wrong keys must not push out the right ones."""

_COLUMNS = (
    "id, key_hash, app, team, floor, models, own_only, forbidden_jurisdictions, requests_per_minute, "
    "tokens_per_minute, concurrency, budget_nano, budget_period, created_ns, expires_ns, revoked_ns, rotated_from, "
    "may_mask"
)
_FIND = f"SELECT {_COLUMNS} FROM virtual_key WHERE key_hash = ?"
_LIST = f"SELECT {_COLUMNS} FROM virtual_key ORDER BY created_ns, id"
_ADD = f"INSERT INTO virtual_key ({_COLUMNS}) VALUES ({', '.join('?' * 18)})"

_Row = tuple[
    str,
    bytes,
    str,
    str,
    str,
    str | None,
    int,
    str,
    int,
    int,
    int,
    int | None,
    str,
    int,
    int | None,
    int | None,
    str,
    int,
]
_read_names = msgspec.json.Decoder(tuple[str, ...]).decode


class KeyStore:
    """One connection, used by one thread: the event loop's in a gateway, the command's in the command line."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._known: OrderedDict[bytes, KeyRecord] = OrderedDict()
        self._unknown: OrderedDict[bytes, None] = OrderedDict()
        self._generation = -1
        self._has_keys = False
        self.lookups = 0
        """How many look-ups went to SQL: for metrics."""
        self.refresh()

    def find(self, key_hash: bytes) -> KeyRecord | None:
        """The key with this hash, revoked or not. Raise `GatewayFault` when the books cannot be read."""
        record = self._known.get(key_hash)
        if record is not None:
            self._known.move_to_end(key_hash)
            return record
        if key_hash in self._unknown:
            self._unknown.move_to_end(key_hash)
            return None
        return self._look_up(key_hash)

    def has_keys(self) -> bool:
        """Whether a key was ever created: revoking the last one must not open the gateway to everybody."""
        return self._has_keys

    def refresh(self) -> None:
        """Forget what is cached if another process changed a key. One indexed read; call it twice a second."""
        try:
            generation = self._connection.execute("SELECT value FROM meta WHERE name = 'key_generation'").get
            if generation != self._generation:
                self._known.clear()
                self._unknown.clear()
                self._has_keys = bool(self._connection.execute("SELECT EXISTS (SELECT 1 FROM virtual_key)").get)
                self._generation = generation
        except apsw.Error as error:
            raise unavailable(error) from error

    def add(self, record: KeyRecord) -> None:
        """Raise `ConfigError` when the id or the secret is taken."""
        r = record
        values = (
            r.id, r.key_hash, r.app, r.team, r.floor, None if r.models is None else _write_names(r.models),
            int(r.own_only), _write_names(r.forbidden_jurisdictions), r.requests_per_minute, r.tokens_per_minute,
            r.concurrency, r.budget_nano, r.budget_period, r.created_ns, r.expires_ns, r.revoked_ns, r.rotated_from,
            int(r.may_mask),
        )  # fmt: skip
        try:
            self._connection.execute(_ADD, values)
        except apsw.ConstraintError as error:
            raise ConfigError(f"the key {r.id} is in the books already, or one of its limits is negative") from error
        except apsw.Error as error:
            raise unavailable(error) from error
        self.refresh()

    def all(self) -> list[KeyRecord]:
        try:
            return [_read(row) for row in self._connection.execute(_LIST)]
        except apsw.Error as error:
            raise unavailable(error) from error

    def revoke(self, key_id: str, at_ns: int) -> bool:
        """The key stops working at `at_ns`, unless it stopped before. False when there is no such key."""
        try:
            self._connection.execute(
                "UPDATE virtual_key SET revoked_ns = min(coalesce(revoked_ns, ?1), ?1) WHERE id = ?2", (at_ns, key_id)
            )
            found = self._connection.changes() > 0
        except apsw.Error as error:
            raise unavailable(error) from error
        self.refresh()
        return found

    def _look_up(self, key_hash: bytes) -> KeyRecord | None:
        self.lookups += 1
        try:
            rows = self._connection.execute(_FIND, (key_hash,)).fetchall()
        except apsw.Error as error:
            raise unavailable(error) from error
        if not rows:
            self._unknown[key_hash] = None
            if len(self._unknown) > MOST_CACHED:
                self._unknown.popitem(last=False)
            return None
        record = _read(rows[0])
        self._known[key_hash] = record
        if len(self._known) > MOST_CACHED:
            self._known.popitem(last=False)
        return record


def _write_names(names: tuple[str, ...]) -> str:
    return msgspec.json.encode(names).decode()


def _read(row: tuple[apsw.SQLiteValue, ...]) -> KeyRecord:
    r = cast(_Row, row)  # the table is STRICT, its columns have these types
    return KeyRecord(
        id=r[0], key_hash=r[1], app=r[2], team=r[3], floor=r[4], models=None if r[5] is None else _read_names(r[5]),
        own_only=bool(r[6]), forbidden_jurisdictions=_read_names(r[7]), requests_per_minute=r[8],
        tokens_per_minute=r[9], concurrency=r[10], budget_nano=r[11],
        budget_period=cast(BudgetPeriod, r[12]),  # a CHECK constraint holds the set
        created_ns=r[13], expires_ns=r[14], revoked_ns=r[15], rotated_from=r[16], may_mask=bool(r[17]),
    )  # fmt: skip
