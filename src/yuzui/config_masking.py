"""The table `[masking]` of yuzui.toml, and what a virtual model says of masking."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from yuzui.config_checks import check_name, convert, near, near_kind
from yuzui.core.errors import ConfigError
from yuzui.core.sensitivity import SensitivityRules
from yuzui.privacy.mask import Masking
from yuzui.privacy.sinks import Sinks, listed

Switch = Literal["on", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskingConfig:
    masking: Masking
    """No kinds: nothing is masked."""
    sinks: Sinks
    retention_days: float = 30.0
    """How long originals lie in the vault; 0: not at all."""
    openers: tuple[str, ...] = ()
    """Names of those who may see or erase what the vault holds; empty: nobody may."""


def read_masking(table: Mapping[str, Any], rules: SensitivityRules) -> MaskingConfig:  # Any: TOML values
    """Raise `ConfigError`."""
    read = convert(table, MaskingTable, "masking")
    for name in ("kinds", "realistic"):
        for kind in getattr(read, name):
            if kind not in rules.kinds:
                raise ConfigError(f"masking.{name}: no detector finds {kind!r}{near_kind(kind, rules.kinds)}")
    if strangers := sorted(set(read.realistic) - set(read.kinds)):
        raise ConfigError(f"masking.realistic: {strangers[0]!r} is not masked; write it under masking.kinds too")
    for position, name in enumerate(read.openers):
        check_name(name, f"masking.openers[{position}]")
    return MaskingConfig(
        masking=Masking(kinds=frozenset(read.kinds), realistic=frozenset(read.realistic)),
        sinks=Sinks(hosts=listed(read.restore_hosts), withheld_tools=frozenset(read.withhold_tools)),
        retention_days=read.retention_days,
        openers=tuple(read.openers),
    )


def read_model_kinds(
    switch: Switch, kinds: Collection[str] | None, allowed: Collection[str], path: str
) -> frozenset[str] | None:
    """The kinds that requests for one virtual model may have masked; None: all of `allowed`. Raise `ConfigError`.

    A model only narrows: a kind that `[masking]` does not have is an error, so that nobody believes it masked.
    """
    if switch == "off":
        if kinds:
            raise ConfigError(f'{path}.masked_kinds: the model says masking = "off"; leave one of the two out')
        return frozenset()
    if kinds is None:
        return None
    if not kinds:
        raise ConfigError(f'{path}.masked_kinds is empty; write masking = "off" to mask nothing')
    if strangers := sorted(set(kinds) - set(allowed)):
        raise ConfigError(
            f"{path}.masked_kinds: {strangers[0]!r} is not one of masking.kinds{near(strangers[0], set(allowed))}; a "
            "model masks fewer kinds, never others"
        )
    return frozenset(kinds)


class MaskingTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kinds: list[str] = []
    realistic: list[str] = []
    restore_hosts: list[str] = []
    withhold_tools: list[str] = []
    openers: list[str] = []
    retention_days: Annotated[float, msgspec.Meta(ge=0, le=3650)] = 30.0
