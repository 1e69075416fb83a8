"""Knows the pieces of `yuzui route start`: its steps as commands, and how many examples are left to certify."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from yuzui.cli._output import say

if TYPE_CHECKING:
    from yuzui.evaluation.examples import Example


def left_to_certify(examples: Sequence[Example]) -> int:
    """How many of them fitting will not see."""
    from yuzui.evaluation.graded import Graded, split_of
    from yuzui.evaluation.graded_rows import SPLITS

    are_named = all(example.split in SPLITS for example in examples)
    drawn = [Graded(prompt=one.last_question, answers={}, split=one.split if are_named else "") for one in examples]
    return len(split_of(drawn, "calib"))


def show_step(*words: str | Path) -> None:
    say("")
    say(f"$ yuzui {shlex.join([str(word) for word in words])}")


def given(option: str, value: str) -> tuple[str, ...]:
    return (option, value) if value else ()


def each(option: str, values: list[str] | None) -> list[str]:
    return [word for value in values or () for word in (option, value)]
