"""Which policies there are: the files of this folder, by name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from yuzui.routing import policies
from yuzui.routing.policies._contract import Policy


def policy_names() -> tuple[str, ...]:
    """What `policy = "…"` may say in yuzui.toml, sorted."""
    this_file = __name__.rpartition(".")[2]
    names = (module.name for module in iter_modules(policies.__path__))
    return tuple(sorted(name for name in names if not name.startswith("_") and name != this_file))


def load_policies() -> Mapping[str, Policy]:
    """Name → policy. Called once, when a router is made."""
    return {name: import_module(f"{policies.__name__}.{name}").POLICY for name in policy_names()}
