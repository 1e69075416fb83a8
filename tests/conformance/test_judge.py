"""What is taken away is missed: the judge's own controls, one fact at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance_kit import load

facts, judge, provider = load("facts"), load("judge"), load("provider")
ANTHROPIC = provider.WIRES["anthropic"]

WANT: dict[str, Any] = {  # Any: expectations are JSON-like
    "system": "Be brief.",
    "turns": [
        {"role": "user", "text": "Hello", "images": ["png"]},
        {"role": "assistant", "calls": [{"id": "a", "name": "weather", "arguments": '{"city": "x"}'}]},
        {"role": "tool", "results": [{"call_id": "a", "text": "rain", "is_error": True, "images": ["png"]}]},
    ],
    "tools": {"weather": {"description": "Weather", "schema": {"type": "object", "properties": {}}}},
    "tool_choice": "required",
    "knobs": {"max_tokens": 10},
}
ISSUED = facts.Truth(thoughts=(facts.Thought(text="Secret thought", signature="signed"),))


def asked() -> Any:  # Any: a type of the matrix
    image = load("scenario").IMAGES["png"]
    return facts.Asked(
        system="Be brief.",
        turns=[
            facts.Turn(role="user", text="Hello", images=[image]),
            facts.Turn(
                role="assistant",
                calls=[facts.Call(id="b", name="weather", arguments='{"city":"x"}')],
                thoughts=[facts.Thought(text="Secret thought", signature="signed")],
            ),
            facts.Turn(role="tool", results=[facts.Result(call_id="b", text="rain", is_error=True, images=(image,))]),
        ],
        tools={"weather": {"description": "Weather", "schema": {"type": "OBJECT"}}},
        tool_choice="required",
        knobs={"max_tokens": 10},
    )


def found(request: Any) -> list[str]:  # Any: a type of the matrix
    findings = judge.judge_asked(WANT, request, ANTHROPIC, unsaid=frozenset(), is_lane=False, issued=ISSUED)
    return [str(finding) for finding in findings]


def test_a_request_that_says_all_of_it_is_clean() -> None:
    assert found(asked()) == []


def lose(what: str) -> Any:  # Any: a type of the matrix
    """`asked()` without one fact."""
    request = asked()
    user, assistant, tool = request.turns
    match what:
        case "system":
            request.system = ""
        case "text":
            user.text = "Hell"
        case "images":
            user.images = []
        case "kind":
            user.images = [replace(user.images[0], media_type="image/jpeg")]
        case "calls":
            assistant.calls = [replace(assistant.calls[0], arguments="{}")]
        case "ids":
            tool.results = [replace(tool.results[0], call_id="other")]
        case "error":
            tool.results = [replace(tool.results[0], is_error=False)]
        case "result image":
            tool.results = [replace(tool.results[0], images=())]
        case "schema":
            request.tools["weather"]["schema"] = {"type": "object", "required": ["city"]}
        case "tools":
            request.tools = {}
        case "choice":
            request.tool_choice = ""
        case "limit":
            request.knobs = {"max_tokens": 11}
        case "signature":
            assistant.thoughts = []
        case "foreign":
            assistant.thoughts.append(facts.Thought(signature="another vendor's"))
        case "mixed":
            user.text += "Secret thought"
    return request


@pytest.mark.parametrize(
    ("what", "finding"),
    [
        ("system", "the system's text"),
        ("text", "text of the user"),
        ("images", "images"),
        ("kind", "kinds of the images"),
        ("calls", "tool calls of the history"),
        ("ids", "tool results"),
        ("error", "that a tool failed"),
        ("result image", "images of a tool's result"),
        ("schema", "schema of a tool"),
        ("tools", "tools (arrive as [])"),
        ("choice", "tool_choice"),
        ("limit", "max_tokens (arrives as 11)"),
        ("signature", "signed thoughts in the next turn"),
        ("foreign", "purity of thoughts (another vendor's signature is sent)"),
        ("mixed", "thoughts apart from text (they return as ordinary text)"),
    ],
)
def test_what_a_request_lost_is_named(what: str, finding: str) -> None:
    assert finding in found(lose(what))


TRUTH = facts.Truth(
    text="Hello there",
    pieces=("Hel", "lo ", "there"),
    thoughts=(facts.Thought(text="Hm"),),
    calls=(facts.Call(id="1", name="weather", arguments='{"a": 1}'),),
    finish="tool_calls",
    usage=facts.Usage(input=5, cached=2, output=3),
)


def told(**changes: Any) -> Any:  # Any: a type of the matrix
    return replace(
        facts.Told(
            text="Hello there",
            thoughts=[facts.Thought(text="Hm")],
            calls=[facts.Call(id="x", name="weather", arguments='{"a":1}')],
            finish="tool_calls",
            usage=facts.Usage(input=5, cached=2, output=3),
            pieces=3,
        ),
        **changes,
    )


def missed(answer: Any, truth: Any = TRUTH) -> list[str]:  # Any: types of the matrix
    findings = judge.judge_told(
        truth, answer, skip=frozenset(), is_stream=True, is_lane=False, rate_kind="rate_limit_error"
    )
    return [str(finding) for finding in findings]


def test_an_answer_that_tells_all_of_it_is_clean() -> None:
    assert missed(told()) == []


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"text": "Hello"}, "text"),
        ({"text": "HmHello there"}, "text (thoughts stand in it)"),
        ({"calls": []}, "tool calls (0 of 1)"),
        ({"calls": [facts.Call(id="", name="weather", arguments='{"a":1}')]}, "ids of tool calls"),
        ({"calls": [facts.Call(id="x", name="weather", arguments='{"a":"1"}')]}, "tool calls (1 of 1)"),
        ({"finish": "stop"}, "finish reason (tool_calls is told as 'stop')"),
        ({"thoughts": []}, "thoughts"),
        ({"usage": facts.Usage(input=3, cached=2, output=3)}, "count of input tokens (5 is told as 3)"),
        ({"pieces": 1}, "the stream (all comes at once)"),
        ({"complaints": ["not JSON"]}, "the official client cannot read it (not JSON)"),
        ({"failure": facts.Failure(is_told_by="status", status=500, message="no")}, "the answer (500: no)"),
    ],
)
def test_what_an_answer_lost_is_named(changes: dict[str, Any], finding: str) -> None:
    assert missed(told(**changes))[0] == finding


BROKEN = facts.Failure(is_told_by="event", message="broken")


@pytest.mark.parametrize(
    ("breaks", "answer", "finding"),
    [
        ("cut", facts.Told(text="Hello there", failure=BROKEN), ""),
        ("cut", facts.Told(text="Hello there"), "the break is not told (a cut stream just ends)"),
        (
            "cut",
            facts.Told(text="Hello there", finish="stop"),
            "the break is not told (a cut stream looks like a complete answer)",
        ),
        ("error", facts.Told(failure=BROKEN), "the text before the break"),
        ("refused", facts.Told(finish="stop"), "the error (it is told as an answer)"),
        (
            "refused",
            facts.Told(failure=facts.Failure(is_told_by="status", status=500, retry_after="45")),
            "the class of the error (429 is told as 500)",
        ),
        (
            "refused",
            facts.Told(failure=facts.Failure(is_told_by="status", status=429, kind="rate_limit_error")),
            "how long to wait",
        ),
    ],
)
def test_a_break_must_be_told(breaks: str, answer: Any, finding: str) -> None:
    assert missed(answer, replace(TRUTH, breaks=breaks)) == ([finding] if finding else [])


def test_a_verdict_is_as_bad_as_its_worst_finding() -> None:
    light, heavy = judge.Finding(fact="a"), judge.Finding(fact="b", is_fatal=True)
    assert judge.verdict_of([]).kind == "pass"
    assert judge.verdict_of([light, light]).findings == (light,)
    assert judge.verdict_of([light, heavy]).kind == "fails"
