"""The table `[capture]` of yuzui.toml: which applications' requests are kept as examples, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from yuzui.config_checks import convert, near
from yuzui.core.capture import USES, AnswerUse, CaptureRules
from yuzui.core.errors import ConfigError
from yuzui.core.sensitivity import SensitivityRules
from yuzui.core.target import Premises

PATH = "capture"


class CaptureTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    apps: list[str] = []
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    max_level: str = ""
    masked: bool = True
    retention_days: Annotated[float, msgspec.Meta(gt=0, le=3650)] = 30.0


def read_capture(table: Mapping[str, Any], rules: SensitivityRules) -> CaptureRules:  # Any: TOML values
    """Raise `ConfigError` naming the key. The level is `sensitivity.default` unless the file says another."""
    entry = convert(table, CaptureTable, PATH)
    names = rules.lattice.names
    if entry.max_level and entry.max_level not in names:
        raise ConfigError(f"{PATH}.max_level: no such level{near(entry.max_level, names)}")
    return CaptureRules(
        apps=frozenset(entry.apps),
        share=entry.share,
        max_level=rules.lattice.level(entry.max_level) if entry.max_level else rules.default,
        masked=entry.masked,
        retention_days=entry.retention_days,
    )


def read_answer_use(written: str, premises: Premises, path: str) -> AnswerUse:
    """An own model's answers are the house's; a vendor's are not to be used until somebody has read the contract."""
    if not written:
        return "train" if premises == "own" else "none"
    for use in USES:
        if use == written:
            return use
    raise ConfigError(f"{path}.answer_use: {written!r} is none of {', '.join(USES)}")
