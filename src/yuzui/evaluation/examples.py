"""One example to be answered: what is asked, what a good answer looks like, and where the example comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from yuzui.core.errors import ConfigError

MOST_NAMED: Final = 5

Json = dict[str, Any]  # Any: JSON values


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A line of the file. Exactly one of `prompt` and `messages` is there."""

    id: str = ""
    prompt: str = ""
    messages: list[Json] = []
    """As a client sends them to /v1/chat/completions."""
    tools: list[Json] = []
    response_format: Json | None = None
    references: list[Any] = []  # Any: texts, numbers, JSON values, tool calls
    """Right answers; a scorer takes the one that fits best."""
    setup: str = ""
    """Python source that is run before the answer's code: imports, and what the answer may refer to."""
    tests: str = ""
    """Python source that is run behind the answer's code; it fails by an exception."""
    rubric: list[str] = []
    """Statements that a judge says yes or no to."""
    tags: list[str] = []
    """Slices of the report."""
    split: str = ""
    source: str = ""
    """Where the example is from, and under which licence or terms."""
    group: str = ""
    """A topic or task, as `yuzui route fit` knows it."""

    @property
    def asked(self) -> list[Json]:
        """The messages that are sent."""
        return self.messages or [{"role": "user", "content": self.prompt}]

    @property
    def text(self) -> str:
        """What people wrote into it: for cleaning and for judges."""
        return self.prompt or "\n".join(texts_of(self.messages))

    @property
    def last_question(self) -> str:
        """The text of the last turn of the user."""
        turns = [turn for turn in self.asked if turn.get("role") == "user"]
        return "\n".join(texts_of(turns[-1:])) or self.text

    @property
    def slices(self) -> tuple[str, ...]:
        """Names of the slices that it belongs to: tags, group, split and source."""
        named = (("group", self.group), ("split", self.split), ("source", self.source))
        return (*dict.fromkeys(self.tags), *[f"{kind}={value}" for kind, value in named if value])


def texts_of(messages: Sequence[Mapping[str, Any]]) -> list[str]:  # Any: JSON values
    """Every text that stands in `messages`, in order; parts of other kinds have none."""
    found: list[str] = []
    for message in messages:
        content = message.get("content")
        if isinstance(content, str):
            found.append(content)
        elif isinstance(content, list):
            found += [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return found


def read_example(row: Json, place: str) -> Example:
    """`reference` (one right answer) may stand for `references`; null counts as left out; `_…` is ignored.

    Raise `ConfigError`, which names the place.
    """
    plain = {name: value for name, value in row.items() if value is not None and not name.startswith("_")}
    if "reference" in plain:
        if "references" in plain:
            raise ConfigError(f"{place}: write `reference` for one right answer, or `references` for several; not both")
        plain["references"] = [plain.pop("reference")]
    for name in ("rubric", "tags"):
        if isinstance(plain.get(name), str):
            plain[name] = [plain[name]]
    if isinstance(plain.get("id"), int):
        plain["id"] = str(plain["id"])
    try:
        example = msgspec.convert(plain, Example)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(f"{place}: {error} (see docs/how-to/evaluate.md)") from error
    if bool(example.prompt) == bool(example.messages):
        raise ConfigError(f"{place}: an example has a `prompt`, or `messages`, and not both")
    for position, message in enumerate(example.messages):
        if not isinstance(message.get("role"), str):
            raise ConfigError(f"{place}: messages[{position}] has no `role`")
    return example


def hash_of(example: Example) -> str:
    """SHA-256 over what is sent: two examples with the same hash have the same answers. Hex, 32 digits of it."""
    return digest(example.asked, example.tools, example.response_format)


def digest(*values: object) -> str:
    """A short stable name of `values`: the first 128 bits of SHA-256 over their JSON with sorted keys."""
    return hashlib.sha256(msgspec.json.encode(values, order="sorted")).hexdigest()[:32]


def check_unique(examples: Sequence[Example]) -> None:
    """Raise `ConfigError` for two examples that ask the same, or have one id: their answers could not be told apart."""
    if not examples:
        raise ConfigError("there are no examples")
    seen: dict[str, int] = {}
    wrong: list[str] = []
    for place, example in enumerate(examples):
        for key, what in ((f"hash {hash_of(example)}", "ask the same"), (f"id {example.id}", "have one id")):
            if key == "id ":
                continue
            if key in seen:
                wrong.append(f"examples {seen[key] + 1} and {place + 1} {what}")
            seen.setdefault(key, place)
    if wrong:
        more = f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise ConfigError(f"{'; '.join(wrong[:MOST_NAMED])}{more}: take duplicates out with `yuzui evaluate clean`")


def name_of(example: Example, place: int) -> str:
    """Its id, else its number in the file, from 1."""
    return example.id or f"#{place + 1}"
