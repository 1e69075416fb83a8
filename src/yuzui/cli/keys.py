"""Knows how virtual keys are made, shown, replaced and taken back from a shell, also beside a running gateway."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from yuzui.admission.keys import SECRET_RANDOM_BYTES, key_hash, make_secret
from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, data_dir_of, load_config, open_books
from yuzui.cli._output import note, say, show_table, write_json
from yuzui.cli._text import read_amount_nano, read_duration_s, show_moment, show_money
from yuzui.core.booking import KeyRecord
from yuzui.core.caller import BudgetPeriod
from yuzui.core.errors import ConfigError
from yuzui.core.ids import time_sorted_id
from yuzui.core.money import NANO
from yuzui.io.database import DATABASE_NAME
from yuzui.io.secrets import load_secrets

if TYPE_CHECKING:
    from yuzui.config import Config
    from yuzui.io.books import BudgetRow, SqliteBooks

app = typer.Typer(no_args_is_help=True, help="Create, list, rotate and revoke the keys that applications send.")

KeyState = Literal["active", "expired", "revoked", "ending"]
COUNTRY_LETTERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyWish:
    """What the operator wants a new key to be; names are not checked yet."""

    app: str
    team: str = ""
    floor: str = ""
    models: tuple[str, ...] = ()
    """Empty: all."""
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    concurrency: int = 0
    budget_nano: int | None = None
    period: BudgetPeriod = "month"
    own_only: bool = False
    may_mask: bool = True
    forbidden_jurisdictions: tuple[str, ...] = ()
    expires_in_s: int | None = None


def add_key(books: SqliteBooks, data_dir: Path, wish: KeyWish, now_ns: int) -> tuple[KeyRecord, str]:
    """A new key in the books and its secret, which is in no file and cannot be shown again."""
    secret = make_secret(secrets.token_bytes(SECRET_RANDOM_BYTES))
    record = KeyRecord(
        id=time_sorted_id("key_", now_ns, secrets.randbits(64)),
        key_hash=key_hash(load_secrets(data_dir).pepper, secret),
        app=wish.app,
        team=wish.team,
        floor=wish.floor,
        models=wish.models or None,
        own_only=wish.own_only,
        may_mask=wish.may_mask,
        forbidden_jurisdictions=wish.forbidden_jurisdictions,
        requests_per_minute=wish.requests_per_minute,
        tokens_per_minute=wish.tokens_per_minute,
        concurrency=wish.concurrency,
        budget_nano=wish.budget_nano,
        budget_period=wish.period,
        created_ns=now_ns,
        expires_ns=None if wish.expires_in_s is None else now_ns + wish.expires_in_s * NANO,
    )
    books.add_key(record)
    return record, secret


def state_of(record: KeyRecord, now_ns: int) -> KeyState:
    """`ending`: rotated, and still accepted until its grace is over."""
    if record.revoked_ns is not None:
        return "revoked" if record.revoked_ns <= now_ns else "ending"
    if record.expires_ns is not None and record.expires_ns <= now_ns:
        return "expired"
    return "active"


@app.command()
def create(
    app_name: Annotated[str, typer.Option("--app", metavar="NAME", help="Who will use it; costs are reported by it.")],
    team: Annotated[str, typer.Option(metavar="NAME", help="The team that pays.")] = "",
    floor: Annotated[str, typer.Option(metavar="LEVEL", help="Every request counts as at least this sensitive.")] = "",
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="May ask for this model only; repeat for several.")
    ] = None,
    rpm: Annotated[int, typer.Option(min=0, metavar="N", help="Requests per minute; 0: no limit.")] = 0,
    tpm: Annotated[int, typer.Option(min=0, metavar="N", help="Tokens per minute; 0: no limit.")] = 0,
    concurrency: Annotated[int, typer.Option(min=0, metavar="N", help="Requests at once; 0: no limit.")] = 0,
    budget: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Hard cap per period in the book currency: 25, 0.50.")
    ] = None,
    period: Annotated[BudgetPeriod, typer.Option(help="What the budget renews with.")] = "month",
    own_only: Annotated[bool, typer.Option("--own-only", help="Never leaves own premises.")] = False,
    no_masking: Annotated[
        bool, typer.Option("--no-masking", help="Nothing goes masked to a target that may not see the original.")
    ] = False,
    forbid_jurisdiction: Annotated[
        list[str] | None, typer.Option(metavar="XX", help="Never goes to this country (ISO 3166); repeat for several.")
    ] = None,
    expires: Annotated[str | None, typer.Option(metavar="AGE", help="Stops working after, such as 30d or 24h.")] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Make a key and show it, this once. A running gateway accepts it within a second."""
    settings = load_config(config)
    wish = KeyWish(
        app=_name(app_name, "--app"),
        team=_name(team, "--team") if team else "",
        floor=_known_level(floor, settings),
        models=_known_models(model or [], settings),
        requests_per_minute=rpm,
        tokens_per_minute=tpm,
        concurrency=concurrency,
        budget_nano=None if budget is None else read_amount_nano(budget, settings.money.currency),
        period=period,
        own_only=own_only,
        may_mask=not no_masking,
        forbidden_jurisdictions=_countries(forbid_jurisdiction or []),
        expires_in_s=None if expires is None else read_duration_s(expires),
    )
    folder = data_dir_of(data_dir)
    books = open_books(folder, may_create=True)
    try:
        is_first = not books.has_keys()
        record, secret = add_key(books, folder, wish, time.time_ns())
    finally:
        books.stop()
    _show_secret(record, secret, json)
    if is_first:
        note("it is the first: from now on every request needs a key, also from this machine")


@app.command("list")
def list_keys(config: ConfigOption = None, data_dir: DataDirOption = None, json: JsonOption = False) -> None:
    """Show all keys with their limits and what they spent. Secrets are not stored, so none is shown."""
    currency = load_config(config).money.currency
    folder = data_dir_of(data_dir)
    now_ns = time.time_ns()
    records, spent = _all_keys(folder)
    if json:
        write_json([
            _as_json(record, now_ns) | {"budgets": [
                {"window": row.window, "cap_nano": row.cap_nano, "reserved_nano": row.reserved_nano,
                 "spent_nano": row.spent_nano} for row in spent[record.id]]}
            for record in records
        ])  # fmt: skip
        return
    if not records:
        say(f"no keys yet in {folder}: on loopback anybody may ask; make one with `yuzui keys create --app NAME`")
        return
    rows = []
    for record in records:
        latest = spent[record.id][-1].spent_nano if spent[record.id] else 0
        rows.append((record.id, record.app, record.team, state_of(record, now_ns), _limits(record),
                     _budget(record, latest, currency), show_moment(record.created_ns)))  # fmt: skip
    show_table(("id", "app", "team", "state", "limits", "spent of budget", "created (UTC)"), rows, whole=frozenset({0}))


def _all_keys(folder: Path) -> tuple[list[KeyRecord], dict[str, list[BudgetRow]]]:
    """Keys, and the budgets of each by its id. Where no books are, no keys are: a folder is not made for a look."""
    if not (folder / DATABASE_NAME).is_file():
        return [], {}
    books = open_books(folder)
    try:
        records = books.list_keys()
        return records, {record.id: books.budgets(record.id) for record in records}
    finally:
        books.stop()


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `yuzui keys list` shows it.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Take a key back: a running gateway refuses it within a second."""
    load_config(config)
    books = open_books(data_dir_of(data_dir))
    try:
        is_known = books.revoke_key(key_id, time.time_ns())
    finally:
        books.stop()
    if not is_known:
        _unknown_key(key_id)
    if json:
        write_json({"id": key_id, "revoked": True})
    else:
        say(f"{key_id} is revoked")


@app.command()
def rotate(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key to replace.")],
    grace: Annotated[str, typer.Option(metavar="AGE", help="How long the old key still works; 0: not at all.")] = "24h",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Make a new key with the same rights and let the old one end. Its budget begins anew; its history stays."""
    load_config(config)
    folder = data_dir_of(data_dir)
    grace_s = 0 if grace.strip() in ("0", "0s") else read_duration_s(grace)
    now_ns = time.time_ns()
    books = open_books(folder)
    try:
        old = next((record for record in books.list_keys() if record.id == key_id), None)
        if old is None:
            _unknown_key(key_id)
        if state_of(old, now_ns) != "active":
            raise ConfigError(f"{key_id} is {state_of(old, now_ns)} already; make a new key with `yuzui keys create`")
        secret = make_secret(secrets.token_bytes(SECRET_RANDOM_BYTES))
        record = replace(
            old,
            id=time_sorted_id("key_", now_ns, secrets.randbits(64)),
            key_hash=key_hash(load_secrets(folder).pepper, secret),
            created_ns=now_ns,
            rotated_from=old.rotated_from or old.id,  # the first of the line: its conversations stay recognised
        )
        books.add_key(record)
        books.revoke_key(old.id, now_ns + grace_s * NANO)
    finally:
        books.stop()
    _show_secret(record, secret, json)
    end = f"works until {show_moment(now_ns + grace_s * NANO)} UTC" if grace_s else "is revoked"
    note(f"the old one, {old.id}, {end}")


# ---- what the operator typed ----------------------------------------------------------------------------------------


def _name(text: str, option: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > 128:
        raise ConfigError(f"{option} must be 1 to 128 printable characters")
    return text.strip()


def _known_level(floor: str, config: Config) -> str:
    names = config.sensitivity.lattice.names
    if floor and floor not in names:
        raise ConfigError(f"--floor: {floor!r} is no sensitivity level; the levels are {', '.join(names)}")
    return floor


def _known_models(names: list[str], config: Config) -> tuple[str, ...]:
    known = {"auto", "own", "vendor", *(m.name for m in config.models), *(t.name for t in config.targets)}
    for name in names:
        if name not in known:  # the server may run with another configuration: worth a word, not a refusal
            note(f"warning: the configuration has no model {name!r}; known are {', '.join(sorted(known))}")
    return tuple(names)


def _countries(codes: list[str]) -> tuple[str, ...]:
    for code in codes:
        if len(code) != COUNTRY_LETTERS or not (code.isascii() and code.isalpha()):
            raise ConfigError(f"--forbid-jurisdiction: {code!r} is not a two-letter country code such as US or CN")
    return tuple(sorted({code.upper() for code in codes}))


# ---- what the operator sees -----------------------------------------------------------------------------------------


def _unknown_key(key_id: str) -> NoReturn:
    note(f"error: there is no key {key_id}; see `yuzui keys list`")
    raise typer.Exit(1)


def _show_secret(record: KeyRecord, secret: str, json: bool) -> None:
    if json:
        write_json({"id": record.id, "key": secret})
        return
    say(secret)
    note(f"this is {record.id} for {record.app}; it is not stored and cannot be shown again")


def _limits(record: KeyRecord) -> str:
    parts = [
        f"floor {record.floor}" if record.floor else "",
        "own only" if record.own_only else "",
        "" if record.may_mask else "no masking",
        f"not to {'/'.join(record.forbidden_jurisdictions)}" if record.forbidden_jurisdictions else "",
        f"models {', '.join(record.models)}" if record.models is not None else "",
        f"{record.requests_per_minute} req/min" if record.requests_per_minute else "",
        f"{record.tokens_per_minute} tok/min" if record.tokens_per_minute else "",
        f"{record.concurrency} at once" if record.concurrency else "",
        f"until {show_moment(record.expires_ns)}" if record.expires_ns is not None else "",
    ]
    return "; ".join(part for part in parts if part) or "none"


def _budget(record: KeyRecord, spent_nano: int, currency: str) -> str:
    if record.budget_nano is None:
        return "no budget"
    cap = show_money(record.budget_nano, currency)
    return f"{show_money(spent_nano, currency)} of {cap} per {record.budget_period}"


def _as_json(record: KeyRecord, now_ns: int) -> dict[str, object]:
    return {
        "id": record.id, "app": record.app, "team": record.team, "state": state_of(record, now_ns),
        "floor": record.floor, "models": record.models, "own_only": record.own_only, "may_mask": record.may_mask,
        "forbidden_jurisdictions": record.forbidden_jurisdictions, "rpm": record.requests_per_minute,
        "tpm": record.tokens_per_minute, "concurrency": record.concurrency, "budget_nano": record.budget_nano,
        "period": record.budget_period, "created_ns": record.created_ns, "expires_ns": record.expires_ns,
        "revoked_ns": record.revoked_ns, "rotated_from": record.rotated_from,
    }  # fmt: skip
