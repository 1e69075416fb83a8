"""Cases are whole: each dialect plays each scenario, and marks are filled."""

from __future__ import annotations

import json

from conformance_kit import load

scenario, facts = load("scenario"), load("facts")


def test_every_dialect_plays_every_scenario() -> None:
    played = {(case.dialect, case.name) for case in scenario.load_cases()}
    assert played == {(dialect, name) for dialect in scenario.DIALECTS for name in scenario.case_names()}
    assert set(scenario.ORDER) == set(scenario.case_names())


def test_each_step_has_the_body_that_it_names() -> None:
    for case in scenario.load_cases():
        for step in case.steps:
            assert isinstance(json.loads(case.bodies[step.body]), dict), (case.dialect, case.name)


def test_marks_are_replaced_and_an_earlier_answer_goes_back() -> None:
    earlier = facts.Told(
        calls=[facts.Call(id="c1", name="weather", arguments="{}")], echo=[{"role": "assistant", "content": "x"}]
    )
    body = scenario.body_of(
        '{"model": "{model}", "messages": ["{echo}", {"tool_call_id": "{call:0}", "content": "{mark}"}]}',
        mark="[[tools.0001]]",
        model="m",
        earlier=earlier,
    )
    assert body == {
        "model": "m",
        "messages": [{"role": "assistant", "content": "x"}, {"tool_call_id": "c1", "content": "[[tools.0001]]"}],
    }


def test_an_id_that_was_never_given_is_left_out() -> None:
    assert scenario.fill({"id": "{call:0}", "name": "weather"}, mark="", earlier=facts.Told()) == {"name": "weather"}
