"""Knows the cases: what happens in each (scenarios/), what a client of each dialect sends (cases/); found by listing.

A scenario is a list of steps. A step says what must reach the upstream (`asked`) and what the upstream answers
(`truth`), in neutral words; a case holds the bodies that a client of one dialect sends to mean it. Marks in a body:
`{model}`, `{mark}` (tells the upstream which cell is being asked), `{png}` and `{jpeg}` (base64), `"{echo}"` (the turn
that an earlier answer left, as this dialect's client sends it back) and `"{call:0}"` (the id of its first call).
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.facts import Call, Image, Json, Thought, Told, Truth, Usage

HERE = Path(__file__).parent
DIALECTS = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")
ORDER = (
    "plain", "streamed", "tools", "parallel_tools_streamed", "tool_results", "json_schema", "reasoning_two_turns",
    "images", "stop_by_length", "refusal", "usage_with_cache", "error_before_stream", "error_in_stream", "cut_stream",
    "unknown_fields",
)  # fmt: skip  # columns of the report; cases that are not named here come behind
IMAGES = {
    "png": Image(
        media_type="image/png",
        data="iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    ),
    "jpeg": Image(
        media_type="image/jpeg",
        data="/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP////////////////////////////////////////////////////////////////////"
        "//////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA=",
    ),
}
LONG = "".join(f"Line {number} of the levee, 第{number}行. " for number in range(400))
"""What a very long argument says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    is_stream: bool
    body: str
    """Which of the case's bodies is sent."""
    follows: int | None
    """The step whose answer goes back in this one."""
    needs_thinking: bool
    asked: dict[str, Json]
    truth: Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One scenario as a client of one dialect plays it."""

    name: str
    title: str
    dialect: str
    steps: tuple[Step, ...]
    bodies: dict[str, str]
    cannot: str = ""
    """Why the dialect cannot say this at all."""
    unsaid: frozenset[str] = field(default=frozenset())
    """Facts that the dialect cannot say."""


def load_cases() -> list[Case]:
    """All of them, in the report's order; raise `ValueError` for a file that is not one."""
    cases = []
    for path in sorted(HERE.glob("scenarios/*.toml"), key=lambda path: _rank(path.stem)):
        scenario = tomllib.loads(path.read_text("utf-8"))
        for dialect in DIALECTS:
            file = HERE / "cases" / dialect / path.name
            if file.is_file():
                cases.append(_case(path.stem, scenario, dialect, tomllib.loads(file.read_text("utf-8"))))
    return cases


def case_names() -> list[str]:
    return sorted((path.stem for path in HERE.glob("scenarios/*.toml")), key=_rank)


def _rank(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _case(name: str, scenario: dict[str, Any], dialect: str, own: dict[str, Any]) -> Case:
    if unknown := own.keys() - {"bodies", "asked", "unsaid", "cannot"}:
        raise ValueError(f"cases/{dialect}/{name}.toml: unknown keys {sorted(unknown)}")
    steps: list[Step] = []
    tables = scenario["steps"]
    for table in tables:
        if "same_as" in table:
            table = {**tables[table["same_as"]], **table}
        asked = copy.deepcopy(table["asked"]) | own.get("asked", {})
        if "must_call" in table:
            asked["tool_choice"] = table["must_call"]
        steps.append(
            Step(
                is_stream=table["mode"] == "stream",
                body=table.get("body", "main"),
                follows=table.get("follows"),
                needs_thinking=table.get("needs") == "thinking",
                asked=asked,
                truth=read_truth(table["truth"]),
            )
        )
    return Case(
        name=name,
        title=scenario["title"],
        dialect=dialect,
        steps=tuple(steps),
        bodies=own.get("bodies", {}),
        cannot=own.get("cannot", ""),
        unsaid=frozenset(own.get("unsaid", ())),
    )


def read_truth(table: dict[str, Any]) -> Truth:
    pieces = tuple(table.get("pieces", ()))
    return Truth(
        text=table.get("text", "") or "".join(pieces),
        pieces=pieces or ((table["text"],) if table.get("text") else ()),
        is_json=table.get("is_json", False),
        thoughts=tuple(Thought(**thought) for thought in table.get("thoughts", ())),
        calls=tuple(
            Call(id=f"call_{position}_made", name=call["name"], arguments=call["arguments"].replace("{long}", LONG))
            for position, call in enumerate(table.get("calls", ()))
        ),
        finish=table.get("finish", "stop"),
        refusal=table.get("refusal", ""),
        usage=Usage(**table.get("usage", {})),
        breaks=table.get("breaks", ""),
        has_unknown=table.get("has_unknown", False),
    )


# ---- filling in -----------------------------------------------------------------------------------------------------


def fill(value: Json, *, mark: str, model: str = "", earlier: Told | None = None) -> Json:
    """`value` (a parsed body, or expectations) with its marks replaced. A call's id that nobody gave is left out."""
    if isinstance(value, str):
        return _fill_text(value, mark, model, earlier)
    if isinstance(value, list):
        out: list[Json] = []
        for item in value:
            if item == "{echo}":
                out += earlier.echo if earlier else []
            else:
                out.append(fill(item, mark=mark, model=model, earlier=earlier))
        return out
    if isinstance(value, dict):
        filled = {key: fill(item, mark=mark, model=model, earlier=earlier) for key, item in value.items()}
        return {key: item for key, item in filled.items() if item is not _ABSENT}
    return value


def body_of(text: str, *, mark: str, model: str, earlier: Told | None) -> dict[str, Json]:
    filled: dict[str, Json] = fill(json.loads(text), mark=mark, model=model, earlier=earlier)
    return filled


_ABSENT = object()


def _fill_text(text: str, mark: str, model: str, earlier: Told | None) -> Json:
    found = re.fullmatch(r"\{call:(\d)\}", text)
    if found:
        calls = earlier.calls if earlier else []
        position = int(found[1])
        return (calls[position].id if position < len(calls) else "") or _ABSENT
    for name, image in IMAGES.items():
        text = text.replace(f"{{{name}}}", image.data)
    return text.replace("{mark}", mark).replace("{model}", model)
