"""Knows which commands there are, and turns every failure into one line and an exit code.

A command's module is imported when it is invoked (or listed in the help), never before: `yuzui serve` must not pay for
the tables, the progress bars and the client libraries of the others.

Exit codes: 0 done; 1 the answer is no (unknown request, changed log, failed check); 2 it could not be asked
(wrong usage, wrong configuration, unusable folder); 130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command
from typing_extensions import override

from yuzui import __version__
from yuzui.cli._text import clean
from yuzui.core.errors import YuzuiError

COMMANDS: Final = (
    "serve", "init", "demo", "keys", "models", "prices", "scan", "explain", "labels", "vault", "costs", "route",
    "trial", "evaluate", "label", "backtest", "tco", "audit", "doctor",
)  # fmt: skip
"""In the order of the help; each is the module of that name in this package, with a `typer.Typer` called `app`."""

HELP_OPTIONS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
DONE, NEGATIVE, USAGE, INTERRUPTED = 0, 1, 2, 130


class _Commands(MutableMapping[str, Any]):  # Any: click's command class has no public name in typer
    """The commands by name, each imported when it is looked up."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    @override
    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            if name not in COMMANDS:
                raise KeyError(name)
            command = get_command(importlib.import_module(f"yuzui.cli.{name}").app)
            command.name = name
            _make_plain(command)
            self._loaded[name] = command
        return self._loaded[name]

    @override
    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    @override
    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    @override
    def __len__(self) -> int:
        return len(COMMANDS)


def _make_plain(command: Any) -> None:
    """Help as plain text, which every terminal and screen reader shows well; no completion options."""
    command.rich_markup_mode = None
    command.context_settings = {**HELP_OPTIONS, **(command.context_settings or {})}
    command.params = [one for one in command.params if one.name not in ("install_completion", "show_completion")]
    for inner in getattr(command, "commands", {}).values():
        _make_plain(inner)


class LazyGroup(TyperGroup):
    """The `yuzui` command: loads subcommands late and reports failures early."""

    def __init__(self, **attributes: Any) -> None:  # Any: typer's own keyword arguments, passed on
        attributes["commands"] = None
        super().__init__(**attributes)
        self.commands = _Commands()

    @override
    def list_commands(self, ctx: Any) -> list[str]:  # Any: click's context has no public name in typer
        return list(COMMANDS)

    @override
    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run and exit; with `standalone_mode=False` run and return, and let errors through."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        try:
            result = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except typer.TyperException as error:
            _report_usage(error)
        except YuzuiError as error:
            _fail(error.message)
        except typer.Abort:
            _fail("aborted", INTERRUPTED)
        except BrokenPipeError:
            _leave_the_broken_pipe()
        except OSError as error:
            _fail(_os_words(error))
        except Exception as error:  # the edge: a bug must not greet a user with a traceback
            if os.environ.get("YUZUI_DEBUG"):
                raise
            _fail(f"internal error: {type(error).__name__}: {error} (set YUZUI_DEBUG=1 to see where)", NEGATIVE)
        sys.exit(result if isinstance(result, int) else DONE)


def _report_usage(error: typer.TyperException) -> NoReturn:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError" and context is not None:
        typer.echo(context.get_help())  # `yuzui` or `yuzui keys` alone: the help is the answer
        sys.exit(DONE)
    where = f" (see `{context.command_path} --help`)" if context is not None else ""
    _fail(error.format_message().replace("Value error, ", "").rstrip(".") + where)


def _os_words(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason


def _leave_the_broken_pipe() -> NoReturn:
    """Whoever read our output went away; Python would complain again when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(NEGATIVE)


def _fail(message: str, code: int = USAGE) -> NoReturn:
    print(f"error: {clean(message)}", file=sys.stderr)
    sys.exit(code)


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={**HELP_OPTIONS},
)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"yuzui {__version__}")
        raise typer.Exit


@app.callback()
def yuzui(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """One endpoint in front of closed and open models: sovereignty first, books that add up, a log to verify.

    Start with `yuzui demo`, then `yuzui init` and `yuzui serve`.
    """


def main() -> NoReturn:
    """The console script."""
    app(prog_name="yuzui")
    sys.exit(DONE)  # not reached: the group exits itself
