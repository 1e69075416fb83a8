"""What yuzui.toml says of watching a model: the tables `watch` and `shadow` of `[[models]]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec

from yuzui.config_checks import convert, near
from yuzui.core.errors import ConfigError
from yuzui.core.money import NANO
from yuzui.core.sensitivity import Lattice
from yuzui.core.target import Target, VirtualModel
from yuzui.core.watching import OnBroken, ShadowRules, WatchRules

GRADES: Final = (
    "pairwise", "exact", "normalised", "contains", "token_f1", "rouge_l", "chrf", "numeric", "json_fields",
    "tool_calls",
)  # fmt: skip
"""Scorers that need nothing but two answers: whether their options are right is seen where they are made."""
JUDGED: Final = "pairwise"
_Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
_Budget = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
_Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600)]


class WatchTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    share: _Share
    budget: _Budget
    grade: str
    judge: str = ""
    verdict: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    max_level: str = ""
    alpha: Annotated[float, msgspec.Meta(gt=0, le=0.5)] = 0.01
    on_broken: OnBroken = "reference"
    app: str = "watch"
    team: str = ""
    deadline_s: _Seconds = 60.0


class ShadowTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    target: str
    share: _Share
    budget: _Budget
    max_level: str = ""
    app: str = "shadow"
    team: str = ""
    deadline_s: _Seconds = 60.0


def read_watch(table: Mapping[str, Any] | None, lattice: Lattice, path: str) -> WatchRules | None:  # Any: TOML values
    """Raise `ConfigError` naming the key. Nothing above the lowest level is audited unless the file says so."""
    if table is None:
        return None
    entry = convert(table, WatchTable, path)
    kind = entry.grade.partition(":")[0]
    if kind not in GRADES:
        raise ConfigError(f"{path}.grade: {entry.grade!r} compares no two answers{near(kind, GRADES)}")
    if (kind == JUDGED) != bool(entry.judge):
        raise ConfigError(
            f'{path}.judge: grade = "{JUDGED}" needs the target that judges'
            if kind == JUDGED
            else f'{path}.judge: only grade = "{JUDGED}" asks a judge; leave it out'
        )
    return WatchRules(
        share=entry.share, max_level=_level(entry.max_level, lattice, f"{path}.max_level"),
        budget_nano=_nano(entry.budget), grade=entry.grade, judge=entry.judge, verdict=entry.verdict,
        alpha=entry.alpha, on_broken=entry.on_broken, app=entry.app, team=entry.team,
        deadline_ms=int(entry.deadline_s * 1000),
    )  # fmt: skip  # one thing


def read_shadow(table: Mapping[str, Any] | None, lattice: Lattice, path: str) -> ShadowRules | None:  # Any: TOML values
    if table is None:
        return None
    entry = convert(table, ShadowTable, path)
    return ShadowRules(
        target=entry.target, share=entry.share, max_level=_level(entry.max_level, lattice, f"{path}.max_level"),
        budget_nano=_nano(entry.budget), app=entry.app, team=entry.team, deadline_ms=int(entry.deadline_s * 1000),
    )  # fmt: skip  # one thing


def check_watches(models: Sequence[VirtualModel], targets: Sequence[Target]) -> None:
    """Raise `ConfigError` where there is nothing to watch, or who is to be asked cannot be."""
    named = {target.name: target for target in targets}
    for position, model in enumerate(models):
        path = f"models[{position}]"
        if model.watch is not None:
            if model.demand is None:
                raise ConfigError(f'{path}.watch: only policy = "guaranteed" promises anything; leave it out')
            if model.watch.judge:
                _check(model.watch.judge, named, model.watch.max_level, f"{path}.watch.judge")
        if model.shadow is not None:
            _check(model.shadow.target, named, model.shadow.max_level, f"{path}.shadow.target")


def _check(name: str, named: Mapping[str, Target], max_level: int, path: str) -> None:
    target = named.get(name)
    if target is None:
        raise ConfigError(f"{path}: no target is named {name!r}{near(name, named)}")
    if "chat" not in target.serves:
        raise ConfigError(f"{path}: {name} serves no chat")
    if target.clearance < max_level:
        raise ConfigError(f"{path}: {name} may not see all that max_level lets through; lower max_level")


def _level(name: str, lattice: Lattice, path: str) -> int:
    if name and name not in lattice.names:
        raise ConfigError(f"{path}: no such level{near(name, lattice.names)}")
    return lattice.level(name) if name else 0


def _nano(amount: float) -> int:
    return int(Decimal(str(amount)) * NANO)
