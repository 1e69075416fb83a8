"""Tool calls, made or written as text, against the right ones: names, arguments field by field, in order or in any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import msgspec

from yuzui.evaluation.examples import Example, Json
from yuzui.evaluation.json_values import find_json, leaves
from yuzui.evaluation.permitted import right_arguments
from yuzui.evaluation.scorers._contract import Answer, Grade, Need, Told

MOST_FREE: Final = 12  # calls that are matched in any order: the search doubles with each


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallScorer:
    name: str
    order: Literal["same", "any"] = "same"
    partial: bool = False
    """Right arguments count each; else a call is right or wrong, and so is the answer."""
    where: Literal["calls", "text"] = "calls"
    """`text`: the calls stand in the answer's text, as JSON. What is no JSON is no call."""

    def problem(self, example: Example) -> str:
        if not example.references:
            return "it has no reference"
        try:
            for one in example.references:
                calls_of(one)
        except ValueError as error:
            return str(error)
        return ""

    def needs(self, example: Example, answer: Answer, reference: Answer | None) -> tuple[Need, ...]:
        return ()

    def grade(self, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        made = _written(answer.text) if self.where == "text" else [_call(call) for call in answer.tool_calls]
        score = max([self._score(made, calls_of(one)) for one in example.references])
        if not self.partial:
            score = float(score >= 1.0)
        return Grade(score=score, detail={"calls": [call["name"] for call in made]})

    def _score(self, made: Sequence[Json], wanted: Sequence[Json]) -> float:
        if not made or not wanted:
            return float(len(made) == len(wanted))
        if self.order == "same" or max(len(made), len(wanted)) > MOST_FREE:
            total = sum(_likeness(left, right) for left, right in zip(made, wanted, strict=False))
        else:
            total = _best(made, wanted)
        return total / max(len(made), len(wanted))


def calls_of(reference: Any) -> list[Json]:  # Any: JSON values
    """A right answer: one call, or a list of calls (an empty one: none is to be made); OpenAI's shape is read as well.

    Instead of `arguments` a call may have `permitted`: for each argument the list of values that are right.
    Raise `ValueError` for anything else.
    """
    if isinstance(reference, str):
        try:
            reference = msgspec.json.decode(reference)
        except msgspec.DecodeError as error:
            raise ValueError("a reference is neither a tool call nor a list of them") from error
    listed = reference if isinstance(reference, list) else [reference]
    if not all(isinstance(one, dict) for one in listed):
        raise ValueError("a reference is neither a tool call nor a list of them")
    return [_permitted(one) if "permitted" in one else _call(one) for one in listed]


def _permitted(call: Json) -> Json:
    permitted = call["permitted"]
    if not isinstance(call.get("name"), str) or not isinstance(permitted, dict) \
            or not all(isinstance(values, list) for values in permitted.values()):  # fmt: skip
        raise ValueError("`permitted` names each argument with a list of its right values, beside the call's `name`")
    return {"name": call["name"], "permitted": permitted}


def _written(text: str) -> list[Json]:
    """The calls that `text` is, alone or in its only fence: one, or a list of them."""
    try:
        found = find_json(text)
        return [_call(one) for one in (found if isinstance(found, list) else [found])]
    except (ValueError, AttributeError):  # no JSON, or JSON that is no call
        return []


def _call(call: Json) -> Json:
    inner = call.get("function", call)
    arguments = inner.get("arguments", {}) if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        raise ValueError("a tool call has a `name` and `arguments`")
    if isinstance(arguments, str):
        try:
            arguments = msgspec.json.decode(arguments or "{}")
        except msgspec.DecodeError:
            return {"name": inner["name"], "arguments": None}  # what a model wrote may be no JSON: no argument is right
    return {"name": inner["name"], "arguments": arguments}


def _likeness(made: Json, wanted: Json) -> float:
    """0 for another tool; else the F1 of the arguments' fields, or the share of right ones where values are listed."""
    if made["name"] != wanted["name"] or made["arguments"] is None:
        return 0.0
    if "permitted" in wanted:
        right = right_arguments(made["arguments"], wanted["permitted"])
        return 0.0 if right is None else right / len(wanted["permitted"]) if wanted["permitted"] else 1.0
    try:
        mine, theirs = leaves(made["arguments"]), leaves(wanted["arguments"])
    except ValueError:
        return 0.0
    return 2 * sum((mine & theirs).values()) / (sum(mine.values()) + sum(theirs.values()))


def _best(made: Sequence[Json], wanted: Sequence[Json]) -> float:
    """The most that any assignment of calls to wanted ones adds up to."""

    @cache
    def rest(place: int, taken: int) -> float:
        if place == len(made):
            return 0.0
        best = rest(place + 1, taken)
        for number, one in enumerate(wanted):
            if not taken >> number & 1:
                best = max(best, _likeness(made[place], one) + rest(place + 1, taken | 1 << number))
        return best

    return rest(0, 0)
