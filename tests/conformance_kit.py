"""Loads the matrix of bench/conformance, which is no package of ours, and plays a case without any gateway."""

from __future__ import annotations

from typing import Any

import bench_kit


def load(name: str) -> Any:  # Any: mypy does not look into bench/
    """The module `conformance.NAME`."""
    return bench_kit.load(f"conformance.{name}")


LANES = (
    ("openai_chat", "openai"),
    ("openai_chat", "azure"),
    ("openai_chat", "vllm"),
    ("openai_chat", "llama_cpp"),
    ("openai_chat", "qianfan"),
    ("openai_chat", "tgi"),
    ("openai_responses", "openai_responses"),
    ("anthropic_messages", "anthropic"),
    ("gemini", "gemini"),
)
"""Client dialects and the wires that are the same format."""


def play_straight(case: Any, wire_name: str, model: str = "a-model") -> list[Any]:  # Any: types of the matrix
    """What is found when the client speaks to the upstream itself: nothing may be lost."""
    play, provider, scenario, judge = load("play"), load("provider"), load("scenario"), load("judge")
    wire, client = provider.WIRES[wire_name], play.CLIENTS[case.dialect]
    mark = f"[[{case.name}.0001]]"
    played: list[Any] = []
    findings: list[Any] = []
    for step in case.steps:
        earlier = played[step.follows] if step.follows is not None else None
        body = scenario.body_of(case.bodies[step.body], mark=mark, model=model, earlier=earlier[0] if earlier else None)
        sent = client.write(body, model=model, is_stream=step.is_stream, key="k")
        asked = wire.read(sent.path, sent.headers, sent.body)
        told = answer_of(wire, client, step, asked)
        want = scenario.fill(step.asked, mark=mark, earlier=earlier[0] if earlier else None)
        findings += [judge.Finding(fact=complaint, is_fatal=True) for complaint in asked.complaints]
        findings += judge.judge_asked(
            want, asked, wire, unsaid=case.unsaid, is_lane=True, issued=earlier[1] if earlier else None
        )
        findings += judge.judge_told(
            step.truth,
            told,
            skip=case.unsaid | wire.cannot_tell | client.cannot_tell,
            is_stream=step.is_stream,
            is_lane=True,
            rate_kind=play.RATE_KIND.get(case.dialect, ""),
        )
        played.append((told, step.truth))
    return findings


def answer_of(wire: Any, client: Any, step: Any, asked: Any) -> Any:  # Any: types of the matrix
    """What the client is told of the step's truth in the wire's spelling."""
    received = load("clients._contract").Received
    if step.truth.breaks == "refused":
        answer = wire.refuse(429, "slow down")
    else:
        answer = (wire.stream if step.is_stream else wire.whole)(step.truth, asked)
    got = received(
        status=answer.status,
        headers=dict(answer.headers),
        body=b"".join(answer.pieces),
        fault="RemoteProtocolError" if answer.breaks else "",
    )
    return (client.read_stream if step.is_stream else client.read_whole)(got)
