"""Which scorers there are, and what a user may write to get one: `numeric:tolerance=0.01,take=first`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.evaluation.scorers._contract import Scorer
from yuzui.evaluation.scorers.code import CodeScorer
from yuzui.evaluation.scorers.functions import Function, FunctionScorer
from yuzui.evaluation.scorers.json_answers import FieldScorer, SchemaScorer
from yuzui.evaluation.scorers.judges import PairwiseScorer, PointwiseScorer, RubricScorer
from yuzui.evaluation.scorers.numeric import NumericScorer
from yuzui.evaluation.scorers.texts import COMPARISONS, TextScorer
from yuzui.evaluation.scorers.tool_calls import ToolCallScorer

JUDGED: Final = frozenset(("pairwise", "pointwise", "rubric"))
RUN: Final = frozenset(("code",))
_BUILT_IN: Final[Mapping[str, Any]] = {  # Any: dataclasses, which have no common type
    "numeric": NumericScorer,
    "json_schema": SchemaScorer,
    "json_fields": FieldScorer,
    "tool_calls": ToolCallScorer,
    "code": CodeScorer,
    "pairwise": PairwiseScorer,
    "pointwise": PointwiseScorer,
    "rubric": RubricScorer,
}
NAMES: Final = (*COMPARISONS, *_BUILT_IN)
_CHOICES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("numeric", "take"): ("last", "first", "any"),
    ("numeric", "unit"): ("optional", "required"),
    ("tool_calls", "order"): ("same", "any"),
    ("tool_calls", "where"): ("calls", "text"),
    ("json_fields", "text"): ("same", "normalised"),
}
_FUNCTION: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def read_scorer(written: str, load: Callable[[str, str], Function]) -> Scorer:
    """`load(module, function)` imports the user's own. Raise `ConfigError` for what is no scorer."""
    kind, _, rest = written.partition(":")
    if kind in COMPARISONS:
        if rest:
            raise ConfigError(f"--scorer {written}: {kind} takes no options")
        return TextScorer(name=written, compare=COMPARISONS[kind])
    if kind in _BUILT_IN:
        return _built_in(written, kind, rest)
    if _FUNCTION.fullmatch(written):
        return FunctionScorer(name=written, function=load(kind, rest))
    raise ConfigError(f"--scorer {written}: there is {', '.join(NAMES)}, or write module:function for one of your own")


def kind_of(written: str) -> str:
    return written.partition(":")[0]


def _built_in(written: str, kind: str, rest: str) -> Scorer:
    options: dict[str, Any] = {}  # Any: converted by the scorer's own types
    known = [field.name for field in fields(_BUILT_IN[kind]) if field.name != "name"]
    for part in filter(None, rest.split(",")):
        name, equals, value = part.partition("=")
        if not equals or name not in known:
            allowed = ", ".join([f"{one}=…" for one in known]) or "no options"
            raise ConfigError(f"--scorer {written}: {kind} takes {allowed}, not {part!r}")
        choices = _CHOICES.get((kind, name))
        if choices is not None and value not in choices:
            raise ConfigError(f"--scorer {written}: {name} is one of {', '.join(choices)}")
        options[name] = value
    try:
        scorer: Scorer = msgspec.convert({"name": written, **options}, _BUILT_IN[kind], strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"--scorer {written}: {error}") from error
    for name in ("tolerance", "absolute"):
        if not 0 <= getattr(scorer, name, 0) < 1e300:
            raise ConfigError(f"--scorer {written}: {name} must not be negative")
    return scorer
