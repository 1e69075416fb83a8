"""Knows how the label of a conversation is looked at and, by a named person with a reason, lowered."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, data_dir_of, load_config, open_books
from yuzui.cli._orders import entry_of, os_user
from yuzui.cli._output import say, show_facts, write_json
from yuzui.cli._text import show_moment
from yuzui.core.booking import LabelOrder
from yuzui.core.errors import ConfigError
from yuzui.core.ids import time_sorted_id

if TYPE_CHECKING:
    from yuzui.core.sensitivity import SensitivityRules
    from yuzui.io.books import SqliteBooks
    from yuzui.privacy.conversation import ConversationMemory

app = typer.Typer(no_args_is_help=True, help="Show the label of a conversation, and lower it with a name and a reason.")

NO_KEY: Final = "loopback"

WhatArgument = Annotated[
    str, typer.Argument(metavar="CONVERSATION|REQUEST_ID", help="The client's name for it, or one of its requests.")
]
KeyOption = Annotated[
    str, typer.Option("--key", metavar="ID", help="Whose conversation it is, where two have the name.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """A conversation that somebody means."""

    scope: str
    conversation: bytes


@app.command()
def show(
    what: WhatArgument,
    key: KeyOption = "",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Tell which label a conversation has, and since when. No content is stored, so none is shown."""
    lattice = load_config(config).sensitivity.lattice
    folder = data_dir_of(data_dir)
    books = open_books(folder)
    try:
        meant = find(books, folder, what, key)
        row = books.labels_of(meant.conversation)
        kept = [level for id, level in books.kept_levels(meant.scope) if id == what]
    finally:
        books.stop()
    highest = max([row.level, *map(lattice.level_or_top, kept)])
    label = lattice.names[min(highest, lattice.top)] if highest >= 0 else ""
    if json:
        write_json({"conversation": meant.conversation.hex(), "key_id": meant.scope, "label": label,
                    "entries": row.entries, "first_ns": row.first_ns, "last_ns": row.last_ns})  # fmt: skip
    elif not label:
        say("no label is remembered: requests of it count as what the key, the default and their own findings say")
    else:
        show_facts({"label": label, "conversation": meant.conversation.hex(), "key": meant.scope or "unknown",
                    "entries": str(row.entries), "first (UTC)": show_moment(row.first_ns) if row.entries else "-",
                    "last (UTC)": show_moment(row.last_ns) if row.entries else "-"})  # fmt: skip


@app.command()
def declassify(
    what: WhatArgument,
    to: Annotated[str, typer.Option("--to", metavar="LEVEL", help="What it counts as from now on.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides: one of sensitivity.declassifiers.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it stands in the audit log for ever.")],
    key: KeyOption = "",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Lower what is remembered of a conversation, within a second also in a running gateway.

    What is found anew in a later request still counts. Who, when, why, from which level to which: all of it goes into
    the audit log.
    """
    from yuzui.declassifying import refusal

    rules = load_config(config).sensitivity
    folder = data_dir_of(data_dir)
    books = open_books(folder)
    try:
        meant = find(books, folder, what, key)
        now_ns = time.time_ns()
        order = LabelOrder(
            id=time_sorted_id("lab_", now_ns, secrets.randbits(64)), at_ns=now_ns, scope=meant.scope,
            conversation=meant.conversation, to_level=to, by=by, os_user=os_user(), reason=reason,
        )  # fmt: skip
        why = refusal(order, rules, rules.lattice.top + 1)  # all that can be said before the label is known
        if why:
            raise ConfigError(why)
        books.add_order(order)
    finally:
        books.stop()
    index = _carry_out(folder, order, rules)
    if json:
        write_json({"id": order.id, "conversation": meant.conversation.hex(), "to": to, "leaf_index": index})
    else:
        say(f"lowered to {to}; entry {index} of the audit log tells of it (yuzui explain {order.id})")


def find(books: SqliteBooks, folder: Path, what: str, key: str) -> Meant:
    """The conversation that `what` names: a request of it, or a client's name for it under one of the keys.

    Raise `ConfigError` when there is none, or when several keys have one of that name.
    """
    from yuzui.audit.record import read_record

    scopes = {record.id: record.rotated_from or record.id for record in books.list_keys()} | {NO_KEY: NO_KEY}
    if key and key not in scopes:
        raise ConfigError(f"--key: there is no key {key}; see `yuzui keys list`")
    found = books.record_of(what)
    if found is not None:
        record = read_record(found[1])
        if not record.conversation:
            raise ConfigError(f"{what} taught no label: its conversation has none that is remembered from it")
        return Meant(scope=scopes.get(record.key_id, record.key_id), conversation=bytes.fromhex(record.conversation))
    memory = _memory(books, folder)
    wanted = {scopes[key]} if key else set(scopes.values())
    meant = [Meant(scope=scope, conversation=memory.conversation_named(scope, what)) for scope in sorted(wanted)]
    known = [
        one
        for one in meant
        if memory.level_of(one.conversation) >= 0 or any(id == what for id, _ in books.kept_levels(one.scope))
    ]
    if len(known) > 1:
        raise ConfigError(
            f"several keys have a conversation {what!r}: {', '.join(m.scope for m in known)}; name one with --key"
        )
    if not known:
        raise ConfigError(f"no request and no labelled conversation is called {what!r} in {folder}")
    return known[0]


def _memory(books: SqliteBooks, folder: Path) -> ConversationMemory:
    """As the gateway would have it after a start."""
    from yuzui.io.secrets import load_secrets
    from yuzui.privacy.conversation import ConversationMemory
    from yuzui.wiring import REMEMBERED_MESSAGES, REMEMBERED_TEXTS

    memory = ConversationMemory(load_secrets(folder).memory_key, capacity=REMEMBERED_MESSAGES)
    memory.load(books.remembered(REMEMBERED_MESSAGES, REMEMBERED_TEXTS))
    return memory


def _carry_out(folder: Path, order: LabelOrder, rules: SensitivityRules) -> int:
    """Index of the entry that tells of it."""
    from yuzui.declassifying import carry_out
    from yuzui.io.archive import BookArchive
    from yuzui.io.secrets import load_secrets

    def here(books: SqliteBooks) -> None:
        if any(one.id == order.id for one in books.open_orders()):
            archive = BookArchive(books, load_secrets(folder).archive_key, lambda: 0.0)
            asyncio.run(carry_out(order, books, _memory(books, folder), archive, rules))

    return entry_of(folder, order.id, lambda books: books.answer_to(order.id), here)
