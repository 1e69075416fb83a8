"""What yuzui.toml says of trials: whose requests go to another target first, and when that ends by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from yuzui.config_checks import check_name, convert, near
from yuzui.config_guarantee import GUARANTEED
from yuzui.core.errors import ConfigError
from yuzui.core.trial import Rollback, Trial, TrialKind

NO_COMPARISON: Final = Rollback(alpha=0.0)
"""Of an A/B trial that says nothing: only failures in a row end it."""
_Ratio = Annotated[float, msgspec.Meta(ge=1, le=100)]
_Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialsConfig:
    operators: tuple[str, ...] = ()
    """Who may stop and resume trials by hand."""


class TrialsTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    operators: list[str] = []


class RollbackTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    alpha: Annotated[float, msgspec.Meta(ge=0.0001, le=0.2)] = 0.01
    failures_ratio: _Ratio = 1.0
    first_token_ratio: Annotated[float, msgspec.Meta(ge=0, le=100)] = 1.25
    failure_rate: _Share = 0.0
    first_token_ms: Annotated[int, msgspec.Meta(ge=0, le=86_400_000)] = 0
    failures_in_a_row: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 10


class TrialTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    arm: str
    kind: TrialKind = "canary"
    percent: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    keys: list[str] = []
    teams: list[str] = []
    apps: list[str] = []
    rollback: dict[str, Any] | None = None
    outside_guarantee: bool = False


def read_operators(table: Mapping[str, object]) -> TrialsConfig:
    """Raise `ConfigError`."""
    read = convert(table, TrialsTable, "trials")
    for position, name in enumerate(read.operators):
        check_name(name, f"trials.operators[{position}]")
    return TrialsConfig(operators=tuple(read.operators))


def read_trials(
    tables: Sequence[Mapping[str, Any]],
    model: str,
    policy: str,
    may_fall_back: bool,
    targets: Collection[str],
    path: str,
) -> tuple[Trial, ...]:
    """The trials of one virtual model, in the operator's order. Raise `ConfigError`."""
    if tables and not may_fall_back:
        raise ConfigError(
            f"{path}.trials: with fallback = false a failing arm would fail its clients; remove fallback, or the trials"
        )
    trials: list[Trial] = []
    for position, table in enumerate(tables):
        here = f"{path}.trials[{position}]"
        trial = _trial(convert(table, TrialTable, here), model, policy, set(targets), here)
        if trial.name in {one.name for one in trials}:
            raise ConfigError(f"{here}.name: {trial.name!r} is used twice")
        trials.append(trial)
    return tuple(trials)


def _trial(item: TrialTable, model: str, policy: str, targets: set[str], path: str) -> Trial:
    check_name(item.name, f"{path}.name")
    if any(character in item.name for character in "/,;"):
        raise ConfigError(f"{path}.name: {item.name!r} stands in a header: leave out slash, comma and semicolon")
    if item.arm not in targets:
        raise ConfigError(f"{path}.arm: no target is named {item.arm!r}{near(item.arm, targets)}")
    audience = bool(item.keys or item.teams or item.apps)
    if item.percent is None and not audience:
        raise ConfigError(f"{path}.percent: say of how many requests, such as 5; or name keys, teams or apps")
    if policy == GUARANTEED and not item.outside_guarantee:
        raise ConfigError(
            f'{path}: policy = "{GUARANTEED}" promises a quality, and nothing is promised of what the arm answers; '
            "write outside_guarantee = true if that is meant"
        )
    if policy != GUARANTEED and item.outside_guarantee:
        raise ConfigError(f'{path}.outside_guarantee: only policy = "{GUARANTEED}" promises anything; leave it out')
    return Trial(
        model=model,
        name=item.name,
        arm=item.arm,
        kind=item.kind,
        percent=100.0 if item.percent is None else item.percent,
        keys=frozenset(item.keys),
        teams=frozenset(item.teams),
        apps=frozenset(item.apps),
        rollback=_rollback(item, f"{path}.rollback"),
    )


def _rollback(item: TrialTable, path: str) -> Rollback:
    if item.rollback is None:
        return Rollback() if item.kind == "canary" else NO_COMPARISON
    table = convert(item.rollback, RollbackTable, path)
    if 0 < table.first_token_ratio < 1:
        raise ConfigError(f"{path}.first_token_ratio: 1 or more (times as late as control), or 0 for no comparison")
    return Rollback(**msgspec.structs.asdict(table))
