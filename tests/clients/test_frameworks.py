"""Frameworks and JavaScript clients, each in an environment of its own, against the same gateway: `make clients`.

Each client's checks are a script that prints one line of JSON per check; here they are started, once per client, and
every check of the script must have passed for every target.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from clients.gateway import ALIASES, NAMES, Gateway, environment
from clients.scripted_model import CITIES, DEEP_THOUGHT, PLAIN, THOUGHT, VALUE, counts_of
from clients.tools import DONE

HERE = Path(__file__).parent
ENVIRONMENTS = Path(os.environ.get("YUZUI_CLIENTS", "/nowhere"))
SCRIPT_TIMEOUT_S = 300

if not ENVIRONMENTS.is_dir():
    pytest.skip("the clients' environments are built by `make clients`", allow_module_level=True)

EVERYWHERE = ("chat", "responses", "messages", "gemini")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    script: str
    environment: str
    dialects: tuple[str, ...] = EVERYWHERE

    @property
    def path(self) -> Path:
        return HERE / ("node" if self.environment == "node" else "frameworks") / self.script

    def checks(self) -> set[str]:
        """Their names, read from the source: one that never ran must not look as if it had passed."""
        text = self.path.read_text("utf-8")
        if self.environment == "node":
            return set(re.findall(r"^  async (\w+)\(place\) \{", text, re.MULTILINE))
        functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        return {one.name.removeprefix("check_") for one in functions if one.name.startswith("check_")}


SUITES = (
    Suite(script="check_langchain.py", environment="frameworks"),
    Suite(script="check_pydantic_ai.py", environment="frameworks"),
    Suite(script="check_openai_agents.py", environment="frameworks", dialects=("chat", "responses")),
    Suite(script="check_llm.py", environment="frameworks", dialects=("chat", "responses")),
    Suite(script="check_instructor.py", environment="instructor"),
    Suite(script="check_llamaindex.py", environment="llamaindex"),
    Suite(script="check_openai.mjs", environment="node", dialects=("chat", "responses")),
    Suite(script="check_anthropic.mjs", environment="node", dialects=("messages",)),
    Suite(script="check_google.mjs", environment="node", dialects=("gemini",)),
    Suite(script="check_ai_sdk.mjs", environment="node"),
)


def models_of(dialect: str) -> list[str]:
    """All targets, but one: a server that leaves thoughts in the text leaves them to its own dialect's clients."""
    return [name for name in NAMES if (dialect, name) != ("chat", "think")]


Outcome = Mapping[str, Any]  # Any: JSON values


@dataclass
class Runner:
    """Runs each script once, when its first test asks."""

    gateway: Gateway
    _done: dict[Suite, dict[tuple[str, str], list[Outcome]]] = field(default_factory=dict)

    def outcomes(self, suite: Suite, dialect: str, model: str) -> list[Outcome]:
        if suite not in self._done:
            self._done[suite] = self._run(suite)
        return self._done[suite].get((dialect, model), [])

    def _run(self, suite: Suite) -> dict[tuple[str, str], list[Outcome]]:
        plan = {
            "address": self.gateway.address,
            "key": self.gateway.key,
            "places": {dialect: models_of(dialect) for dialect in suite.dialects},
            "aliases": ALIASES,
            "said": said(),
        }
        done = subprocess.run(
            command(suite), input=json.dumps(plan), capture_output=True, text=True, timeout=SCRIPT_TIMEOUT_S,
            env=environment(PYTHONPATH=str(HERE.parent)), check=False,
        )  # fmt: skip
        found: dict[tuple[str, str], list[Outcome]] = {}
        for line in done.stdout.splitlines():
            outcome: Outcome = json.loads(line)
            found.setdefault((outcome["dialect"], outcome["model"]), []).append(outcome)
        assert done.returncode == 0 and found, done.stderr[-4000:]
        return found


def command(suite: Suite) -> list[str | Path]:
    if suite.environment != "node":
        return [ENVIRONMENTS / suite.environment / "bin" / "python", suite.path]
    packages = ENVIRONMENTS / "js"
    for script in suite.path.parent.glob("*.mjs"):
        shutil.copy(script, packages)  # modules look for their packages beside themselves
    return [ENVIRONMENTS / "node" / "bin" / "node", packages / suite.script]


def said() -> Mapping[str, object]:
    """What the scripted model says, for scripts that cannot import it."""
    return {
        "plain": PLAIN,
        "done": DONE,
        "thought": THOUGHT,
        "deep_thought": DEEP_THOUGHT,
        "value": VALUE,
        "cities": CITIES,
        "counts": {
            script: [asdict(counts_of(script, round_)) for round_ in range(3)]
            for script in ("plain", "weather", "think")
        },
    }


@pytest.fixture(scope="module")
def runner(gateway: Gateway) -> Runner:
    return Runner(gateway)


@pytest.mark.parametrize(
    ("suite", "dialect", "model"),
    [
        pytest.param(suite, dialect, model, id=f"{suite.path.stem.removeprefix('check_')}-{dialect}-{model}")
        for suite in SUITES
        for dialect in suite.dialects
        for model in models_of(dialect)
    ],
)
def test_a_client_works_against_a_target(runner: Runner, suite: Suite, dialect: str, model: str) -> None:
    outcomes = runner.outcomes(suite, dialect, model)
    assert {outcome["check"] for outcome in outcomes} == suite.checks()
    failed = [f"== {outcome['check']}\n{outcome['error'][-3000:]}" for outcome in outcomes if outcome.get("error")]
    assert not failed, "\n".join(failed)
    passed = [outcome for outcome in outcomes if "skip" not in outcome]
    assert len(passed) >= 2, outcomes
