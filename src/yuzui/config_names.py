"""`[sensitivity.names]`: how names in plain words are searched for."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from yuzui.config_checks import convert
from yuzui.core.errors import ConfigError
from yuzui.core.sensitivity import NameRules
from yuzui.privacy.ner.spans import ASKED_FOR


def read_names(table: dict[str, Any]) -> NameRules:  # Any: TOML values
    """Raise `ConfigError` that names the key and what to write."""
    found = convert(table, _Names, "sensitivity.names")
    if found.enabled not in (True, False, "auto"):
        raise ConfigError(f'sensitivity.names.enabled: {found.enabled!r}; write true, false or "auto"')
    for kind in found.also:
        if kind not in ASKED_FOR:
            raise ConfigError(f"sensitivity.names.also: {kind!r}; write some of {', '.join(ASKED_FOR)}")
    kinds = NameRules().kinds.union(found.also)
    return NameRules(
        enabled=None if found.enabled == "auto" else bool(found.enabled),
        deadline_ms=found.deadline_ms,
        threads=found.threads,
        cache_mb=found.cache_mb,
        kinds=kinds,
    )


class _Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    enabled: bool | str = "auto"
    also: tuple[str, ...] = ()
    deadline_ms: Annotated[int, msgspec.Meta(ge=1, le=60_000)] = 500
    threads: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    cache_mb: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 16
