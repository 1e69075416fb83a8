"""Knows how a model's watch is shown and resumed from the command line, beside a gateway that may be running."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from yuzui.cli._checks_routing import told
from yuzui.cli._options import open_books
from yuzui.cli._orders import entry_of, os_user
from yuzui.cli._output import note, say, show_facts, write_json
from yuzui.cli._watch_facts import Seen, as_json, facts_of, how, promises_seen, shadow_facts
from yuzui.core.errors import ConfigError
from yuzui.core.ids import time_sorted_id
from yuzui.core.watching import PromiseKey, WatchOrder
from yuzui.io.database import DATABASE_NAME

if TYPE_CHECKING:
    from yuzui.config import Config
    from yuzui.io.books import SqliteBooks
    from yuzui.learned_routing import GuaranteedModel


def guaranteed_of(config: Config, folder: Path, names: frozenset[str]) -> dict[str, GuaranteedModel]:
    """The models of `names` that demand a guarantee, with their routers. Raise `ConfigError` for a wrong file."""
    from yuzui.io.learned_routers import load_routers
    from yuzui.wiring import with_prices

    mine = tuple(model for model in config.models if model.name in names)
    return dict(load_routers(dataclasses.replace(with_prices(config, folder), models=mine)))


def show_models(config: Config, folder: Path, names: frozenset[str], json: bool) -> None:
    """What watching and shadows know of the models `names`."""
    guaranteed = guaranteed_of(config, folder, names)
    seen: list[Seen] = []
    shadows = {}
    if (folder / DATABASE_NAME).is_file():
        books = open_books(folder)
        try:
            seen = list(promises_seen(config, guaranteed, books))
            shadows = {key: state for key, (_, state) in books.shadow_states().items() if key[0] in names}
        finally:
            books.stop()
    if json:
        write_json({
            "models": {name: told(model) for name, model in guaranteed.items()},
            "promises": [as_json(one) for one in seen],
            "shadows": [{"model": model, "target": target, "learnt": state}
                        for (model, target), state in shadows.items()],
        })  # fmt: skip
        return
    for place, name in enumerate(sorted(names)):
        if place:
            say("")
        facts = {"model": name}
        if name in guaranteed:
            facts["guarantee"] = told(guaranteed[name])
        for one in seen:
            if one.key.model == name:
                facts |= facts_of(one, config)
        for (model, target), state in shadows.items():
            if model == name:
                facts |= shadow_facts(target, state, config)
        show_facts(facts)
        for one in seen:
            if one.key.model == name and one.state.seen:
                note(how(one))
    if not seen and guaranteed:
        note(f"no gateway has watched them with the data folder {folder}")


def resume_model(config: Config, folder: Path, model: str, by: str, reason: str, json: bool) -> None:
    """Order that `model` is trusted again, and wait until it was done. Exits with 1 where it is refused."""
    from yuzui.promises import refusal

    guaranteed = guaranteed_of(config, folder, frozenset((model,)))
    if model not in guaranteed:
        raise ConfigError(f'{model} is no model with policy = "guaranteed"')
    if why := refusal(by, reason, "broken"):
        raise ConfigError(why)
    books = open_books(folder)
    try:
        wrong = [one.key for one in promises_seen(config, guaranteed, books) if one.state.stage != "holds"]
        if not wrong:
            raise ConfigError(f"the promise of {model} is neither broken nor tightened: there is nothing to resume")
        orders = [_order(key, by, reason) for key in wrong]
        for order in orders:
            books.add_watch_order(order)
    finally:
        books.stop()
    leaves = [_await(folder, order) for order in orders]
    if json:
        write_json({"model": model, "orders": [order.id for order in orders], "leaf_indexes": leaves})
    else:
        listed = ", ".join(f"{leaf} (yuzui explain {order.id})" for leaf, order in zip(leaves, orders, strict=True))
        say(f"{model} is trusted again, with a new test; recorded as entry {listed} of the audit log")


def _order(key: PromiseKey, by: str, reason: str) -> WatchOrder:
    now_ns = time.time_ns()
    id = time_sorted_id("wat_", now_ns, secrets.randbits(64))
    return WatchOrder(id=id, at_ns=now_ns, key=key, by=by, os_user=os_user(), reason=reason)


def _await(folder: Path, order: WatchOrder) -> int:
    def here(books: SqliteBooks) -> None:
        from yuzui.promises import Promises

        if any(one.id == order.id for one in books.open_watch_orders()):
            promises = Promises(books, now_ns=time.time_ns, bits64=lambda: secrets.randbits(64))
            asyncio.run(promises.resume(order))

    return entry_of(folder, order.id, lambda books: books.answer_to_watch_order(order.id), here)
