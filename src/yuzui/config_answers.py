"""The table `[answers]` of yuzui.toml: what happens to findings in what targets say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from yuzui.config_checks import convert, near, near_kind
from yuzui.core.errors import ConfigError
from yuzui.core.sensitivity import SensitivityRules
from yuzui.privacy.answer_scan import Action, AnswerRules

PATH = "answers"
_LEAST_REACH = AnswerRules().reach
_PATTERN_REACH = 64  # nobody knows how many words an operator's own pattern begins with


def read_answers(table: Mapping[str, Any], rules: SensitivityRules) -> AnswerRules:  # Any: TOML values
    """A kind has its own action, else that of the highest level named that is not above its own, else `action`. Raise
    `ConfigError` naming the key."""
    entry = convert(table, AnswersTable, PATH)
    steps: dict[int, Action] = {-1: _action(entry.action, "action")}
    for name, action in entry.levels.items():
        if name not in rules.lattice.names:
            raise ConfigError(f"{PATH}.levels.{name}: no such level{near(name, rules.lattice.names)}")
        steps[rules.lattice.level(name)] = _action(action, f"levels.{name}")
    actions = {kind: steps[max(step for step in steps if step <= level)] for kind, level in rules.kinds.items()}
    for kind, action in entry.kinds.items():
        if kind not in actions:
            raise ConfigError(f"{PATH}.kinds.{kind}: no detector finds {kind!r}{near_kind(kind, actions)}")
        actions[kind] = _action(action, f"kinds.{kind}")
    reach = max([_LEAST_REACH, *[len(term) + 1 for words in rules.terms for term in words.terms]])
    return AnswerRules(
        actions=actions,
        otherwise=steps[max(steps)],
        reach=max(reach, _PATTERN_REACH) if rules.patterns else reach,
    )


def _action(name: str, key: str) -> Action:
    for action in get_args(Action):
        if action == name:
            known: Action = action
            return known
    raise ConfigError(f"{PATH}.{key}: {name!r} is no action{near(name, get_args(Action))}")


class AnswersTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    action: str = "note"
    levels: dict[str, str] = {}
    kinds: dict[str, str] = {}
