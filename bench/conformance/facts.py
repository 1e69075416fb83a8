"""Knows the neutral words of the matrix: what was asked of an upstream, what it really said, what the client was told.

Everything is compared in these words, never as bytes: a gateway may spell a request as it likes, as long as the vendor
that reads it understands what the client meant.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

Json = Any  # Any: JSON values of other people's formats are looked at, not modelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    media_type: str
    data: str
    """Base64, or an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """`signature` is what the vendor wants back unchanged, under whatever name it travels; `redacted` has no text."""

    text: str = ""
    signature: str = ""
    redacted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    id: str
    """Empty where the wire has none."""
    name: str
    arguments: str
    """As written: JSON text."""

    @property
    def values(self) -> Json:
        """The arguments as a value; nothing at all means `{}`; the text itself when it is not JSON."""
        try:
            return json.loads(self.arguments) if self.arguments.strip() else {}
        except ValueError:
            return self.arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    call_id: str
    name: str = ""
    text: str = ""
    images: tuple[Image, ...] = ()
    is_error: bool = False


@dataclass(slots=True, kw_only=True)
class Turn:
    """One turn of a conversation; neighbours of one role are one turn, for vendors merge them."""

    role: str
    text: str = ""
    images: list[Image] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    thoughts: list[Thought] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Asked:
    """What a request to an upstream says."""

    model: str = ""
    is_stream: bool = False
    system: str = ""
    turns: list[Turn] = field(default_factory=list)
    tools: dict[str, Json] = field(default_factory=dict)
    """Name → {"description", "schema"}."""
    tool_choice: str = ""
    """`auto`, `none`, `required`, or a tool's name."""
    schema: Json = None
    """The JSON schema that the answer must follow."""
    answer_tool: str = ""
    """The tool that carries the answer, where a schema is said as a forced tool."""
    knobs: dict[str, Json] = field(default_factory=dict)
    """`max_tokens`, `temperature`, `top_p`, `stop`, `seed`, `thinking` (whether thoughts are asked for)."""
    cache_marks: int = 0
    fields: dict[str, Json] = field(default_factory=dict)
    """The top-level fields of the body, for those that nobody knows."""
    complaints: list[str] = field(default_factory=list)
    """What the vendor would refuse about it, in a few words each."""

    def turn(self, role: str) -> Turn:
        """The turn to add to: the last one if it is `role`'s, else a new one."""
        if not self.turns or self.turns[-1].role != role:
            self.turns.append(Turn(role=role))
        return self.turns[-1]


@dataclass(slots=True, kw_only=True)
class Usage:
    """Input includes cache reads and writes, output includes reasoning. None: not said."""

    input: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    output: int | None = None
    reasoning: int | None = None


@dataclass(slots=True, kw_only=True)
class Failure:
    """An error as the client's library would raise it. `is_told_by`: `status`, `event`, `transport`."""

    is_told_by: str
    status: int = 0
    kind: str = ""
    """The dialect's own word for the class of error."""
    message: str = ""
    retry_after: str = ""


@dataclass(slots=True, kw_only=True)
class Told:
    """What a client was told."""

    text: str = ""
    thoughts: list[Thought] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    finish: str = ""
    """`stop`, `length`, `tool_calls`, `content_filter`; empty: no end was told."""
    refusal: str = ""
    usage: Usage = field(default_factory=Usage)
    failure: Failure | None = None
    pieces: int = 0
    """Stream events that brought text or arguments."""
    fields: dict[str, Json] = field(default_factory=dict)
    """Fields of the answer that nobody knows, by name."""
    echo: list[Json] = field(default_factory=list)
    """The answer as this dialect's client sends it back in the next request."""
    complaints: list[str] = field(default_factory=list)
    """What the dialect's official client cannot make sense of."""
    blemishes: list[str] = field(default_factory=list)
    """What it reads, but wrongly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What the model behind an upstream says in one step of a scenario."""

    text: str = ""
    pieces: tuple[str, ...] = ()
    """The text as it is streamed."""
    is_json: bool = False
    """The text follows the schema that was asked for: compared as a value."""
    thoughts: tuple[Thought, ...] = ()
    calls: tuple[Call, ...] = ()
    finish: str = "stop"
    refusal: str = ""
    usage: Usage = field(default_factory=Usage)
    breaks: str = ""
    """`refused`: an error instead of an answer; `error`: an error in mid-stream; `cut`: the line breaks;
    `ended`: the bytes end without the protocol's terminator."""
    has_unknown: bool = False
    """Whether the vendor answers with fields and events that nobody knows."""


UNKNOWN_NAME = "x_future_field"
UNKNOWN_VALUE = {"level": 3, "words": ["鱼", "嘴"]}
"""What stands in fields that nobody knows, both ways."""
RETRY_AFTER = "45"
"""Seconds that a refusing upstream asks to wait: longer than a gateway would wait by itself."""
