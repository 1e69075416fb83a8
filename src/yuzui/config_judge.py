"""The judge of yuzui.toml: which own model labels requests, what its labels count as; it may see everything."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated

import msgspec

from yuzui.config_checks import convert, near
from yuzui.core.errors import ConfigError
from yuzui.core.sensitivity import JudgeRules, Lattice
from yuzui.core.target import Target
from yuzui.privacy.judge import QUESTIONS

PATH = "sensitivity.judge"
BUILT_IN_MODELS = frozenset(("auto", "own", "vendor"))


class _Judge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    target: str
    labels: dict[str, str]
    deadline_ms: Annotated[int, msgspec.Meta(ge=1, le=600_000)] = 5000
    max_bytes: Annotated[int, msgspec.Meta(ge=1, le=2**24)] = 16_384
    models: list[str] = []
    apps: list[str] = []


def read_judge(table: object, lattice: Lattice) -> JudgeRules:
    """Raise `ConfigError` naming the key that cannot be used."""
    entry = convert(table, _Judge, PATH)
    if not entry.labels:
        raise ConfigError(f"{PATH}.labels: name at least one of {', '.join(QUESTIONS)}, with its level")
    levels: dict[str, int] = {}
    for label in QUESTIONS:  # in one order, whatever the file's: the question is the same, and so is its cache
        if label in entry.labels:
            try:
                levels[label] = lattice.level(entry.labels[label])
            except KeyError as error:
                raise ConfigError(
                    f"{PATH}.labels.{label}: {entry.labels[label]!r} is no sensitivity level; the levels are "
                    f"{', '.join(lattice.names)}"
                ) from error
    for label in entry.labels:
        if label not in levels:
            raise ConfigError(f"{PATH}.labels.{label}: no judge is asked for {label!r}{near(label, QUESTIONS)}")
    return JudgeRules(
        target=entry.target,
        labels=levels,
        deadline_ms=entry.deadline_ms,
        max_bytes=entry.max_bytes,
        models=frozenset(entry.models),
        apps=frozenset(entry.apps),
    )


def check_judge(judge: JudgeRules, lattice: Lattice, targets: Sequence[Target], models: Collection[str]) -> None:
    """Raise `ConfigError` unless the judge is our own, may see everything, and can be held to a schema."""
    named = {target.name: target for target in targets}
    target = named.get(judge.target)
    if target is None:
        raise ConfigError(f"{PATH}.target: no target is named {judge.target!r}{near(judge.target, named)}")
    if target.premises != "own":
        raise ConfigError(
            f"{PATH}.target: {target.name} is a vendor's; whoever labels requests sees all of them, so it must be on "
            '`premises = "own"`'
        )
    if target.clearance < lattice.top:
        raise ConfigError(
            f"{PATH}.target: {target.name} is cleared up to {lattice.names[target.clearance]}; a judge sees all, "
            f"so its clearance must be {lattice.names[lattice.top]}"
        )
    if "chat" not in target.serves or "json_schema" not in target.features:
        raise ConfigError(f"{PATH}.target: {target.name} cannot be held to a JSON schema; name a chat model that can")
    known = {*named, *models, *BUILT_IN_MODELS}
    for name in sorted(judge.models):
        if name not in known:
            raise ConfigError(f"{PATH}.models: no model is named {name!r}{near(name, known)}")
