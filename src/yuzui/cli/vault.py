"""Knows how a named person with a reason sees what stand-ins stand for, and has it erased before its time."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, data_dir_of, load_config, open_books
from yuzui.cli._orders import entry_of, os_user
from yuzui.cli._output import note, say, show_table, write_json
from yuzui.cli._text import show_moment
from yuzui.core.booking import VaultOrder
from yuzui.core.errors import ConfigError
from yuzui.core.ids import time_sorted_id

if TYPE_CHECKING:
    from yuzui.config import Config
    from yuzui.io.books import SqliteBooks
    from yuzui.io.vault_rows import Contents, VaultRows
    from yuzui.privacy.vault import Entry

app = typer.Typer(no_args_is_help=True, help="Show what stand-ins stand for, or erase it, with a name and a reason.")

Action = Literal["open", "erase"]
SECRETS = ("archive_key", "masking_key")
_TIME_DIGITS = 12

TokensArgument = Annotated[
    list[str] | None, typer.Argument(metavar="STAND_IN…", help="As the vendor saw them: PERSON_K7Q2M4XABCDE.")
]
RequestOption = Annotated[str, typer.Option("--request", metavar="ID", help="All that this request was masked with.")]
ConversationOption = Annotated[
    str,
    typer.Option("--conversation", metavar="NAME", help="All that the requests of this conversation were masked with."),
]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who asks: one of masking.openers.")]
ReasonOption = Annotated[str, typer.Option(metavar="TEXT", help="Why; it stands in the audit log for ever.")]
KeyOption = Annotated[
    str, typer.Option("--key", metavar="ID", help="Whose stand-ins they are, where several have them.")
]
TeamOption = Annotated[str, typer.Option("--team", metavar="NAME", help="Only those of this team's keys.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What somebody asks for: by exactly one of the three."""

    tokens: tuple[str, ...]
    request: str
    conversation: str
    key: str
    team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What was found of it, under one key."""

    scope: str
    entries: tuple[Entry, ...]
    conversation: str = ""


@app.command("open")
def open_vault(
    tokens: TokensArgument = None,
    by: ByOption = "",
    reason: ReasonOption = "",
    request: RequestOption = "",
    conversation: ConversationOption = "",
    key: KeyOption = "",
    team: TeamOption = "",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Show the originals. Who asked, when, why and for which stand-ins is in the audit log before anything is shown."""
    settings, folder = load_config(config), data_dir_of(data_dir)
    meant = Meant(tokens=tuple(tokens or ()), request=request, conversation=conversation, key=key, team=team)
    found = _select(folder, settings, meant, by, reason)
    orders = _record(folder, settings, "open", found, meant, by, reason)
    if json:
        write_json({"orders": orders, "key_id": found.scope, "entries": [
            {"stand_in": entry.token, "kind": entry.kind, "original": entry.original} for entry in found.entries
        ]})  # fmt: skip
        return
    show_table(("stand-in", "kind", "original"), [(entry.token, entry.kind, entry.original) for entry in found.entries])
    note(f"key {found.scope}; recorded as {_told(orders)}")


@app.command()
def erase(
    tokens: TokensArgument = None,
    by: ByOption = "",
    reason: ReasonOption = "",
    request: RequestOption = "",
    conversation: ConversationOption = "",
    key: KeyOption = "",
    team: TeamOption = "",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Erase the originals from the vault before their time, wherever under that key they are kept.

    A later request that holds the value puts it there again. Nothing is shown.
    """
    settings, folder = load_config(config), data_dir_of(data_dir)
    meant = Meant(tokens=tuple(tokens or ()), request=request, conversation=conversation, key=key, team=team)
    found = _select(folder, settings, meant, by, reason)
    orders = _record(folder, settings, "erase", found, meant, by, reason)
    erased = sorted({entry.token for entry in found.entries})
    if json:
        write_json({"orders": orders, "key_id": found.scope, "erased": erased})
    else:
        say(f"erased: the originals of {len(erased)} stand-in{'s' if len(erased) != 1 else ''} of key {found.scope}; "
            f"recorded as {_told(orders)}")  # fmt: skip


@app.command()
def status(config: ConfigOption = None, data_dir: DataDirOption = None, json: JsonOption = False) -> None:
    """Tell how much the vault holds for each key, and until when. Nothing is opened."""
    days = load_config(config).masking.retention_days
    books = open_books(data_dir_of(data_dir))
    try:
        counts = books.vault_counts()
    finally:
        books.stop()
    if json:
        write_json([
            {"key_id": one.scope, "mappings": one.mappings, "requests": one.requests,
             "oldest_ns": _made_ns(one.oldest_request), "first_expires_ns": one.first_expires_ns,
             "last_expires_ns": one.last_expires_ns}
            for one in counts
        ])  # fmt: skip
    elif not counts:
        say("the vault is empty")
    else:
        show_table(("key", "mappings", "requests", "oldest (UTC)", "first goes (UTC)", "last goes (UTC)"), [
            (one.scope, str(one.mappings), str(one.requests),
             show_moment(_made_ns(one.oldest_request)) if one.oldest_request else "-",
             show_moment(one.first_expires_ns), show_moment(one.last_expires_ns))
            for one in counts
        ])  # fmt: skip
        note(f"masking.retention_days is {days:g}")


def _select(folder: Path, settings: Config, meant: Meant, by: str, reason: str) -> Selected:
    """Raise `ConfigError` for all that can be said before anything is asked of the gateway."""
    from yuzui.opening import refusal

    if sum(map(bool, (meant.tokens, meant.request, meant.conversation))) != 1:
        raise ConfigError("name either stand-ins, or --request ID, or --conversation NAME")
    if why := refusal(by, reason, 1, settings.masking.openers):
        raise ConfigError(why)
    books = open_books(folder)
    try:
        scopes = _scopes(books, meant)
        vault = _vault(books, folder)
        if meant.request:
            return _of_request(books, vault, settings, meant, scopes)
        if meant.conversation:
            return _of_conversation(books, folder, vault, settings, meant, scopes)
        return _of_tokens(vault, settings, meant, scopes)
    finally:
        books.stop()


def _vault(books: SqliteBooks, folder: Path) -> VaultRows:
    from yuzui.io.archive import BookArchive
    from yuzui.io.secrets import FOLDER, load_secrets
    from yuzui.io.vault_rows import VaultRows

    for name in SECRETS:  # a new one would open nothing, and would then be taken for the right one
        if not (folder / FOLDER / name).is_file():
            raise ConfigError(f"{folder / FOLDER / name} is missing: without it the vault stays closed; restore it")
    kept = load_secrets(folder)
    return VaultRows(books, BookArchive(books, kept.archive_key, lambda: 0.0), kept.masking_key, time.time_ns)


def _scopes(books: SqliteBooks, meant: Meant) -> set[str]:
    """Whose stand-ins may be meant; scopes of callers."""
    keys = books.list_keys()
    known = set(books.vault_scopes())
    if meant.key:
        found = {record.rotated_from or record.id for record in keys if record.id == meant.key}
        if not found and meant.key not in known:  # `loopback` is a scope without a key
            raise ConfigError(f"--key: there is no key {meant.key}; see `yuzui keys list`")
        known = found or {meant.key}
    if meant.team:
        of_team = {record.rotated_from or record.id for record in keys if record.team == meant.team}
        if not of_team:
            raise ConfigError(f"--team: no key belongs to team {meant.team!r}; see `yuzui keys list`")
        known &= of_team
    return known


def _of_tokens(vault: VaultRows, settings: Config, meant: Meant, scopes: set[str]) -> Selected:
    found: list[Selected] = []
    read: list[Contents] = []
    for scope in sorted(scopes):
        contents = vault.read(scope)
        read.append(contents)
        if entries := contents.named(meant.tokens):
            found.append(Selected(scope=scope, entries=tuple(entries)))
    if len(found) > 1:
        raise ConfigError(
            f"several keys have such stand-ins: {', '.join(one.scope for one in found)}; name one with --key"
        )
    missing = set(meant.tokens) - {entry.token for one in found for entry in one.entries}
    if missing:
        raise ConfigError(_why_missing(f"{len(missing)} of the {len(meant.tokens)} stand-ins", read, settings))
    return found[0]


def _of_request(books: SqliteBooks, vault: VaultRows, settings: Config, meant: Meant, scopes: set[str]) -> Selected:
    from yuzui.audit.record import read_record

    row = books.record_of(meant.request)
    if row is None:
        raise ConfigError(f"no request is called {meant.request!r} here")
    record = read_record(row[1])
    read: list[Contents] = []
    for scope in sorted(scopes):
        contents = vault.read(scope)
        read.append(contents)
        if entries := contents.of_requests((meant.request,)):
            return Selected(scope=scope, entries=tuple(entries), conversation=record.conversation)
    if not record.masked and not any(meant.request in contents.requests for contents in read):
        raise ConfigError(f"{meant.request} was not masked, or nothing of it was kept: no stand-ins are known of it")
    raise ConfigError(_why_missing(f"what {meant.request} was masked with", read, settings))


def _of_conversation(
    books: SqliteBooks, folder: Path, vault: VaultRows, settings: Config, meant: Meant, scopes: set[str]
) -> Selected:
    from yuzui.audit.record import read_record
    from yuzui.cli.labels import find

    chat = find(books, folder, meant.conversation, meant.key)
    if chat.scope not in scopes:
        raise ConfigError(f"the vault holds nothing of {meant.conversation!r} under these keys")
    contents = vault.read(chat.scope)
    ids = []
    for id in contents.requests:
        row = books.record_of(id)
        if row is not None and read_record(row[1]).conversation == chat.conversation.hex():
            ids.append(id)
    entries = contents.of_requests(ids)
    if not entries:
        raise ConfigError(_why_missing(f"what {meant.conversation!r} was masked with", [contents], settings))
    return Selected(scope=chat.scope, entries=tuple(entries), conversation=chat.conversation.hex())


def _why_missing(what: str, read: Sequence[Contents], settings: Config) -> str:
    """Not in the vault: since when it cannot be, and what else could hide it."""
    days = settings.masking.retention_days
    words = (
        f"the vault does not know {what}: never issued under these keys, erased, or older than masking.retention_days "
        f"({days:g})"
    )
    if expired := sum(contents.expired for contents in read):
        words += f"; {expired} entries are over their time and stay closed"
    if locked := sum(contents.locked for contents in read):
        words += (
            f"; {locked} entries do not open with the secrets here: if {' or '.join(SECRETS)} was replaced, restore "
            "the one that they were sealed with"
        )
    return words


def _record(
    folder: Path, settings: Config, action: Action, found: Selected, meant: Meant, by: str, reason: str
) -> list[dict[str, str | int]]:
    """Have the audit log say it; return the ids of the entries and where they stand. Nothing is shown before that."""
    from yuzui.opening import MOST_TOKENS

    tokens = sorted({entry.token for entry in found.entries})
    orders: list[dict[str, str | int]] = []
    for start in range(0, len(tokens), MOST_TOKENS):
        now_ns = time.time_ns()
        order = VaultOrder(
            id=time_sorted_id("vlt_", now_ns, secrets.randbits(64)), at_ns=now_ns, action=action, scope=found.scope,
            tokens=tuple(tokens[start : start + MOST_TOKENS]), request_id=meant.request,
            conversation=found.conversation, by=by, os_user=os_user(), reason=reason,
        )  # fmt: skip
        orders.append({"id": order.id, "leaf_index": _carry_out(folder, settings, order)})
    return orders


def _carry_out(folder: Path, settings: Config, order: VaultOrder) -> int:
    """Index of the entry that tells of it."""
    from yuzui.opening import obey

    books = open_books(folder)
    try:
        books.add_vault_order(order)
    finally:
        books.stop()

    def here(books: SqliteBooks) -> None:
        if any(one.id == order.id for one in books.open_vault_orders()):
            asyncio.run(obey(order, books, _vault(books, folder), settings.masking.openers))
            _publish(books, folder, settings)

    return entry_of(folder, order.id, lambda books: books.answer_to_vault_order(order.id), here)


def _publish(books: SqliteBooks, folder: Path, settings: Config) -> None:
    """No gateway runs: the log is brought up to the books here, so that it can be verified at once."""
    from yuzui.io.audit_folder import AuditFolder
    from yuzui.io.publisher import Publisher

    audit = AuditFolder.open(
        folder / "audit", origin=settings.audit.origin, private_key_file=folder / "secrets" / "audit.key"
    )
    try:
        Publisher(books, audit).publish()
    finally:
        audit.close()


def _told(orders: list[dict[str, str | int]]) -> str:
    return ", ".join(f"entry {order['leaf_index']} of the audit log (yuzui explain {order['id']})" for order in orders)


def _made_ns(request_id: str) -> int:
    """When an id was made: see `time_sorted_id`; 0 for none."""
    digits = request_id.partition("_")[2][:_TIME_DIGITS]
    return int(digits, 16) * 1_000_000 if len(digits) == _TIME_DIGITS else 0
