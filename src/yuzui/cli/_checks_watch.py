"""Knows whether watching can see anything, and whether what it has seen needs a person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from yuzui.cli._checks import Check
from yuzui.cli._options import open_books
from yuzui.cli._text import show_moment
from yuzui.core.errors import ConfigError
from yuzui.io.database import DATABASE_NAME

if TYPE_CHECKING:
    from yuzui.cli._watch_facts import Seen
    from yuzui.config import Config
    from yuzui.core.target import VirtualModel


def check_watches(config: Config, data_dir: Path) -> list[Check]:
    """One line per watched or broken promise; `config` has its prices. Routers that are wrong are told elsewhere."""
    from yuzui.cli._watch_facts import promises_seen
    from yuzui.io.learned_routers import load_routers
    from yuzui.watching import make_watched

    if not any(model.watch or model.shadow or model.demand for model in config.models):
        return []
    try:
        make_watched(config)
    except ConfigError as error:
        return [Check(name="watching", verdict="fail", found=error.message,
                      fix="correct it: the gateway does not start like this")]  # fmt: skip
    try:
        guaranteed = load_routers(config)
    except ConfigError:
        return []
    seen: list[Seen] = []
    if (data_dir / DATABASE_NAME).is_file():
        books = open_books(data_dir)
        try:
            seen = list(promises_seen(config, guaranteed, books))
        finally:
            books.stop()
    checks = [_standing(one) for one in seen if one.state.stage != "holds"]
    broken = {one.key.model for one in seen if one.state.stage != "holds"}
    return checks + [_sees(model, config) for model in config.models if model.watch and model.name not in broken]


def _standing(seen: Seen) -> Check:
    state = seen.state
    what = "the reference answers" if state.stage == "broken" else "a stricter threshold is applied"
    return Check(
        name=f"promise of {seen.key.model}", verdict="warn",
        found=f"did not hold; {what} since {show_moment(state.since_ns)} UTC",
        fix=f"look at it (yuzui route status {seen.key.model}), then fit and certify anew, or yuzui route resume",
    )  # fmt: skip


def _sees(model: VirtualModel, config: Config) -> Check:
    rules, names = model.watch, config.sensitivity.lattice.names
    assert rules is not None
    name = f"watch over {model.name}"
    if rules.max_level < config.sensitivity.default:
        return Check(
            name=name, verdict="warn",
            found=f"sees nothing: every request is at least {names[config.sensitivity.default]}, and it may see "
            f"{names[rules.max_level]}",
            fix=f'models.watch.max_level = "{names[config.sensitivity.default]}", if the reference may be asked again',
        )  # fmt: skip
    if rules.judge in model.candidates:
        return Check(
            name=name, verdict="warn", found=f"{rules.judge} judges answers of its own",
            fix="name a judge that is no candidate: models find their own words better",
        )  # fmt: skip
    return Check(name=name, verdict="ok", found=f"{rules.share:.1%} of its requests, compared by {rules.grade}")
