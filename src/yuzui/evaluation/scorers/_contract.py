"""What a scorer is: it says what it needs from the world (a judge's words, code run), and grades once it has that.

So every scorer is a function of its arguments; asking and running is somebody else's work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from yuzui.core.said_text import Called, said_text
from yuzui.evaluation.examples import Example, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model answered."""

    model: str
    text: str
    tool_calls: tuple[Json, ...] = ()
    """`name` and `arguments` each, the arguments as the model wrote them: JSON text."""
    finish_reason: str = ""

    @property
    def said(self) -> str:
        """As one text, with what it calls behind it: as routers and judges of single answers read it."""
        return said_text(self.text, [Called(str(one["name"]), str(one["arguments"])) for one in self.tool_calls])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question to the judge."""

    messages: tuple[Json, ...]
    max_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute:
    """Python source to be run where it can do no harm."""

    source: str


Need = Ask | Execute


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a need: a judge's words, or the end of a program."""

    ok: bool
    """The judge answered; the program ended with status 0."""
    text: str = ""
    why: str = ""
    """Where not `ok`: in a word or two (`not_permitted`, `timeout`, `memory`, `exception`)."""
    is_fault: bool = False
    """Not the answer's fault: nothing can be said of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """`score`: 0 (useless) to 1 (right); None where nothing can be said, and `detail["why"]` says why."""

    score: float | None
    detail: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values


class Scorer(Protocol):
    @property
    def name(self) -> str:
        """As the user wrote it: the name of its column."""
        ...

    def problem(self, example: Example) -> str:
        """What the example lacks for this scorer; "" for nothing."""
        ...

    def needs(self, example: Example, answer: Answer, reference: Answer | None) -> tuple[Need, ...]:
        """`reference`: the answer of the reference model, where there is one."""
        ...

    def grade(self, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        """`told`: one for each need, in their order."""
        ...


def unknown(why: str) -> Grade:
    return Grade(score=None, detail={"why": why})
