"""Arguments of a tool call against the values that are permitted for each: several wordings of one right call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from yuzui.evaluation.json_values import MOST_DEPTH

LEFT_OUT: Final = ""
"""Among the permitted values: the argument may as well not be there. Where none is permitted it must not be."""
_UNHEARD: Final = str.maketrans({**dict.fromkeys(" ,./-_*^"), "'": '"'})


def right_arguments(made: Any, permitted: Mapping[str, Sequence[Any]]) -> int | None:  # Any: JSON values
    """How many of `permitted` are right in `made`; None where `made` is no object or has an argument beside them."""
    if not isinstance(made, dict) or made.keys() - permitted.keys():
        return None
    return sum(_is_one_of(name, made, values, 0) for name, values in permitted.items())


def _is_one_of(name: str, made: Mapping[str, Any], values: Sequence[Any], depth: int) -> bool:  # Any: JSON values
    if name not in made:
        return not values or LEFT_OUT in [value for value in values if isinstance(value, str)]
    return any(_fits(made[name], value, depth) for value in values)


def _fits(made: Any, value: Any, depth: int) -> bool:  # Any: JSON values
    """Texts are the same but for case, spaces and light punctuation; 1 and 1.0 are one number; true is not 1.

    In a permitted object each field has a list of permitted values of its own.
    """
    if depth > MOST_DEPTH:
        return False
    if isinstance(value, str):
        return isinstance(made, str) and _heard(made) == _heard(value)
    if isinstance(value, bool) or isinstance(made, bool) or value is None:
        return made is value
    if isinstance(value, int | float):
        return isinstance(made, int | float) and made == value
    if isinstance(value, list):
        return (
            isinstance(made, list)
            and len(made) == len(value)
            and all(_fits(left, right, depth + 1) for left, right in zip(made, value, strict=True))
        )
    return (
        isinstance(made, dict)
        and isinstance(value, dict)
        and not made.keys() - value.keys()
        and all(
            _is_one_of(name, made, options if isinstance(options, list) else [options], depth + 1)
            for name, options in value.items()
        )
    )


def _heard(text: str) -> str:
    return text.translate(_UNHEARD).lower()
