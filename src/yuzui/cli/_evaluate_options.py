"""Knows what the commands of an evaluation share: where runs lie, and how parameters and functions are named."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from yuzui.core.errors import ConfigError

if TYPE_CHECKING:
    from yuzui.evaluation.scorers.functions import Function

SUFFIX: Final = ".sqlite3"
FOLDER: Final = "evaluation"

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Its name (runs lie in the data folder), or its file.")]
UnsafeCodeOption = Annotated[
    bool, typer.Option("--unsafe-code", help="Run code in answers as yourself, where there is no sandbox.")
]
JudgeOption = Annotated[
    str, typer.Option("--judge", metavar="MODEL", help="Who judges, for pairwise, pointwise and rubric.")
]
KeyOption = Annotated[
    str, typer.Option("--key", metavar="KEY", envvar="YUZUI_KEY", help="The virtual key to ask with.")
]


def run_file(named: str, data_dir: Path) -> Path:
    """`support` → DATA_DIR/evaluation/support.sqlite3; what looks like a path is one."""
    path = Path(named)
    if path.suffix == SUFFIX or len(path.parts) > 1:
        return path
    return data_dir / FOLDER / f"{named}{SUFFIX}"


def read_parameters(written: list[str] | None) -> dict[str, Any]:  # Any: JSON values
    """`temperature=0`, `stop=["\\n"]`: JSON where it is JSON, else a text. Raise `ConfigError`."""
    found: dict[str, Any] = {}
    for one in written or ():
        name, equals, value = one.partition("=")
        if not equals or not name.isidentifier():
            raise ConfigError(f"--param {one}: write name=value, such as temperature=0")
        if name in ("model", "messages", "tools", "response_format", "stream", "n"):
            raise ConfigError(f"--param {name}: that is not the run's to say")
        try:
            found[name] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            found[name] = value
    return found


def names_of(written: str, option: str) -> tuple[str, ...]:
    """`a,b`. Raise `ConfigError` for none."""
    names = tuple(dict.fromkeys([name.strip() for name in written.split(",") if name.strip()]))
    if not names:
        raise ConfigError(f"{option} names no model")
    return names


def load_function(module: str, name: str) -> Function:
    """The user's own, from this folder or the environment. Raise `ConfigError`."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # the edge: what a user's module does when it is imported is unknown
        raise ConfigError(f"--scorer {module}:{name}: {module} cannot be imported: {error}") from error
    if not callable(found):
        raise ConfigError(f"--scorer {module}:{name}: {module} has no function {name}")
    function: Function = found
    return function
