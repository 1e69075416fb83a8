"""Plays cells through a running gateway: sends what the client of a case sends, and has both ends judged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

import httpx2

from conformance.clients._contract import Client, Received
from conformance.clients.anthropic_messages import AnthropicClient
from conformance.clients.gemini import GeminiClient
from conformance.clients.openai_chat import OpenAIChatClient
from conformance.clients.openai_responses import OpenAIResponsesClient
from conformance.facts import Told, Truth
from conformance.gateways._contract import Running
from conformance.judge import Finding, Verdict, judge_asked, judge_told, verdict_of
from conformance.provider import WIRES, Provider
from conformance.scenario import Case, Step, body_of, fill
from conformance.upstream import Cell, Seen, Upstream

CLIENTS: dict[str, Client] = {
    "openai_chat": OpenAIChatClient(),
    "openai_responses": OpenAIResponsesClient(),
    "anthropic_messages": AnthropicClient(),
    "gemini": GeminiClient(),
}
RATE_KIND = {"anthropic_messages": "rate_limit_error", "gemini": "RESOURCE_EXHAUSTED"}
"""Where the client's library looks at the body for the class of an error."""
TIMEOUT_S = 30.0
AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    dialect: str
    provider: str
    case: str
    verdict: Verdict


async def play_all(
    running: Running,
    upstream: Upstream,
    cases: list[Case],
    providers: dict[str, Provider],
    trace: Callable[[str, object], None] = lambda what, value: None,
) -> list[Result]:
    """Every cell of the gateway, a few at a time; `trace` hears what was sent and received."""
    gate = asyncio.Semaphore(AT_ONCE)
    limits = httpx2.Limits(max_connections=AT_ONCE * 2)

    async with httpx2.AsyncClient(timeout=TIMEOUT_S, trust_env=False, limits=limits) as http:

        async def one(number: int, case: Case, provider: Provider) -> Result:
            async with gate:
                verdict = await _play(running, upstream, http, case, provider, f"{case.name}.{number:04d}", trace)
            return Result(dialect=case.dialect, provider=provider.name, case=case.name, verdict=verdict)

        pairs = [(case, provider) for case in cases for provider in providers.values()]
        return list(await asyncio.gather(*(one(number, *pair) for number, pair in enumerate(pairs))))


async def _play(
    running: Running,
    upstream: Upstream,
    http: httpx2.AsyncClient,
    case: Case,
    provider: Provider,
    name: str,
    trace: Callable[[str, object], None],
) -> Verdict:
    if reason := running.why_not(case.dialect, provider.name):
        return Verdict(kind="not_offered", reason=reason)
    if reason := case.cannot or provider.impossible.get(case.name, ""):
        return Verdict(kind="impossible", reason=reason)
    played: list[tuple[Told, Truth]] = []
    findings: list[Finding] = []
    refused: list[str] = []
    for number, step in enumerate(case.steps):
        earlier = played[step.follows] if step.follows is not None else None
        cell = upstream.cells[name] = Cell(truth=step.truth)
        told = await _send(running, http, case, step, provider, f"[[{name}]]", earlier, trace)
        seen = cell.seen
        trace(f"{name} step {number} seen", seen)
        trace(f"{name} step {number} told", told)
        if not seen and (reason := _refused_clearly(case, step, told, provider)):
            refused.append(reason)
            continue
        found = _judge(case, step, told, seen, provider, name, earlier)
        findings += found
        played.append((told, step.truth))
        if any(later.follows == number for later in case.steps) and (told.failure is not None or not told.calls):
            break  # what follows has nothing to follow
    del upstream.cells[name]
    if len(refused) == len(case.steps):
        return Verdict(kind="impossible", reason=refused[0])
    return verdict_of(findings)


async def _send(
    running: Running,
    http: httpx2.AsyncClient,
    case: Case,
    step: Step,
    provider: Provider,
    mark: str,
    earlier: tuple[Told, Truth] | None,
    trace: Callable[[str, object], None],
) -> Told:
    client, route = CLIENTS[case.dialect], running.routes[provider.name]
    model = route.thinking_model if step.needs_thinking else route.model
    body = body_of(case.bodies[step.body], mark=mark, model=model, earlier=earlier[0] if earlier else None)
    sent = client.write(body, model=model, is_stream=step.is_stream, key=running.key)
    headers = sent.headers | route.headers | (route.thinking_headers if step.needs_thinking else {})
    trace(f"{mark} sent", sent)
    address = running.base_url + running.dialects[case.dialect] + sent.path
    got = await _exchange(http, address, headers, json.dumps(sent.body, ensure_ascii=False).encode())
    trace(f"{mark} received", got)
    return (client.read_stream if step.is_stream else client.read_whole)(got)


async def _exchange(http: httpx2.AsyncClient, address: str, headers: dict[str, str], body: bytes) -> Received:
    pieces: list[bytes] = []
    status, answered = 0, dict[str, str]()
    try:
        async with http.stream("POST", address, headers=headers, content=body) as response:
            status, answered = response.status_code, {k.lower(): v for k, v in response.headers.items()}
            async for piece in response.aiter_bytes():
                pieces.append(piece)
    except httpx2.HTTPError as error:
        return Received(status=status, headers=answered, body=b"".join(pieces), fault=type(error).__name__)
    return Received(status=status, headers=answered, body=b"".join(pieces))


def _refused_clearly(case: Case, step: Step, told: Told, provider: Provider) -> str:
    """Why the step is not possible: it needs what the vendor has no place for, and the gateway said so with 400
    before it asked the upstream. Empty: anything else."""
    lacks = frozenset[str]().union(*(WIRES[wire].cannot_ask for wire in provider.wires.values()))
    needed = {"tool_choice"} if step.asked.get("tool_choice") else set()
    if "result images" not in case.unsaid:
        results = [result for turn in step.asked["turns"] for result in turn.get("results", ())]
        needed |= {"result images"} if any(result.get("images") for result in results) else set()
    missing = sorted(needed & lacks)
    if not missing or told.failure is None or told.failure.status not in (400, 422):
        return ""
    words = {"tool_choice": "a call that must be made", "result images": "images in a tool's result"}
    return (
        f"the vendor's API has no place for {' and '.join(words[name] for name in missing)}; refused before it is asked"
    )


def _judge(
    case: Case,
    step: Step,
    told: Told,
    seen: list[Seen],
    provider: Provider,
    name: str,
    earlier: tuple[Told, Truth] | None,
) -> list[Finding]:
    if not seen:
        said = told.failure.message if told.failure else "it answered by itself"
        status = told.failure.status if told.failure else 200
        text = " ".join(said.split())[:160]
        return [Finding(fact="the gateway refuses the request", detail=f"{status}: {text}", is_fatal=True)]
    last = seen[-1]
    wire, client = WIRES[last.wire], CLIENTS[case.dialect]
    is_lane = case.dialect in provider.lane and _speaks(case.dialect, last.wire)
    if last.asked.complaints:
        return [
            Finding(fact="the vendor refuses the request", detail=complaint, is_fatal=True)
            for complaint in last.asked.complaints
        ]
    want = fill(step.asked, mark=f"[[{name}]]", earlier=earlier[0] if earlier else None)
    findings = judge_asked(
        want,
        last.asked,
        wire,
        unsaid=case.unsaid,
        is_lane=is_lane,
        issued=earlier[1] if earlier else None,
    )
    findings += judge_told(
        step.truth,
        told,
        skip=case.unsaid | wire.cannot_tell | client.cannot_tell,
        is_stream=step.is_stream,
        is_lane=is_lane,
        rate_kind=RATE_KIND.get(case.dialect, ""),
    )
    return findings


def _speaks(dialect: str, wire: str) -> bool:
    """Whether the wire that was chosen is the client's own dialect: OpenAI offers two."""
    return (dialect == "openai_responses") == (wire == "openai_responses")
