"""Runs the checks of one client and prints what came of each as a line of JSON; the plan comes on standard input.

Started by `test_frameworks.py` with the python of that client's own environment; it imports nothing of Yuzui.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CHECK_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Place:
    """Where a check is to send its requests."""

    address: str
    """Without a path."""
    key: str
    dialect: str
    """What the client is to speak: `chat`, `responses`, `messages`, `gemini`."""
    model: str
    alias: str
    """The same model, by a name of Anthropic's."""

    @property
    def openai(self) -> str:
        return f"{self.address}/v1"


def run(checks: dict[str, Any]) -> None:  # Any: a module's names
    """Every `check_*` of `checks` for every place of the plan."""
    plan = json.load(sys.stdin)
    functions: dict[str, Callable[[Place], Any]] = {
        name.removeprefix("check_"): value for name, value in checks.items() if name.startswith("check_")
    }
    with asyncio.Runner() as runner:  # one loop: clients keep their lines between checks
        for dialect, models in plan["places"].items():
            for model in models:
                place = Place(plan["address"], plan["key"], dialect, model, plan["aliases"].get(model, model))
                for name, function in functions.items():
                    if not plan.get("only") or name in plan["only"]:
                        print(json.dumps(_outcome(name, function, place, runner)), flush=True)


def _outcome(name: str, function: Callable[[Place], Any], place: Place, runner: asyncio.Runner) -> dict[str, Any]:
    began, error = time.monotonic(), ""
    try:
        if inspect.iscoroutinefunction(function):
            runner.run(asyncio.wait_for(function(place), CHECK_TIMEOUT_S))
        else:
            function(place)
    except NotHere as reason:
        return {"check": name, "dialect": place.dialect, "model": place.model, "skip": str(reason)}
    except BaseException:
        error = traceback.format_exc()
    return {
        "check": name, "dialect": place.dialect, "model": place.model, "error": error,
        "seconds": round(time.monotonic() - began, 3),
    }  # fmt: skip


class NotHere(Exception):
    """The client itself has no such thing in this dialect; says why."""
