"""Decides what a gateway lost: the request that reached the upstream and the answer that reached the client, each held
against what the scenario says, minus what one of the two formats has no place for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from typing_extensions import override

from conformance.facts import RETRY_AFTER, UNKNOWN_NAME, UNKNOWN_VALUE, Asked, Image, Json, Result, Told, Truth
from conformance.scenario import IMAGES
from conformance.wires._contract import Wire
from conformance.wires.gemini import SIGNATURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is lost, or (`is_fatal`) so wrong that the answer is of no use."""

    fact: str
    detail: str = ""
    is_fatal: bool = False

    @override
    def __str__(self) -> str:
        return f"{self.fact} ({self.detail})" if self.detail else self.fact


OWN_SIGNATURES = frozenset(
    {"", "skip_thought_signature_validator", "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=", SIGNATURE}
)
"""Signatures that need no thought: none, Gemini's stand-in for calls from elsewhere (plain or in base64), its own."""

Kind = Literal["pass", "loses", "fails", "impossible", "not_offered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    kind: Kind
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    """Why it is impossible or not offered."""


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    found = tuple(dict.fromkeys(findings))
    if not found:
        return Verdict(kind="pass")
    return Verdict(kind="fails" if any(finding.is_fatal for finding in found) else "loses", findings=found)


# ---- what reached the upstream --------------------------------------------------------------------------------------


def judge_asked(
    want: dict[str, Json],
    asked: Asked,
    wire: Wire,
    *,
    unsaid: frozenset[str],
    is_lane: bool,
    issued: Truth | None,
) -> list[Finding]:
    """`want`: the step's `asked`, filled in. `unsaid`: what the client's dialect cannot say. `issued`: what the
    upstream thought in the step that this one follows."""
    out: list[Finding] = []
    skip = unsaid | wire.cannot_ask
    out += _judge_texts(want, asked)
    out += _judge_calls(want, asked, skip, unsaid)
    out += _judge_images(want, asked)
    out += _judge_tools(want, asked, skip)
    for name, value in (want.get("knobs") or {}).items():
        if name not in wire.cannot_ask and asked.knobs.get(name) != value:
            out.append(
                Finding(fact=name, detail=f"arrives as {asked.knobs.get(name)!r}" if name in asked.knobs else "")
            )
    if "cache_marks" in want and "cache_marks" not in skip and asked.cache_marks < want["cache_marks"]:
        out.append(Finding(fact="marks of what to cache"))
    if want.get("has_unknown"):
        value = asked.fields.get(UNKNOWN_NAME)
        if is_lane and value != UNKNOWN_VALUE:
            out.append(Finding(fact="the unknown request field"))
        elif not is_lane and value is not None:
            out.append(Finding(fact="purity of the request", detail="an unknown field reaches another vendor"))
    if issued is not None:
        out += _judge_thoughts(asked, wire, issued)
    if not is_lane:
        out += _judge_signatures(asked, issued)
    return out


def _flat(text: str) -> str:
    return "".join(text.split())


def _judge_texts(want: dict[str, Json], asked: Asked) -> list[Finding]:
    out = []
    system = _flat(want.get("system", ""))
    if system and system not in _flat(asked.system):
        said = any(system in _flat(turn.text) for turn in asked.turns)
        out.append(
            Finding(fact="the system's text", detail="it is said by somebody else" if said else "", is_fatal=True)
        )
    for role in ("user", "assistant"):
        wanted = "".join(_flat(turn.get("text", "")) for turn in want["turns"] if turn["role"] == role)
        got = "".join(_flat(turn.text) for turn in asked.turns if turn.role == role)
        if wanted not in got:
            out.append(Finding(fact=f"text of the {role}", is_fatal=True))
    wanted_roles = [turn["role"] for turn in want["turns"]]
    roles = [turn.role for turn in asked.turns if turn.text or turn.calls or turn.results or turn.images]
    while len(roles) > len(wanted_roles) and roles[-1] == "user" and wanted_roles[-1] == "tool":
        roles.pop()  # images of a tool's result that moved behind it
    if roles != wanted_roles:
        out.append(Finding(fact="order of the turns", detail=" ".join(roles)))
    return out


def _judge_calls(want: dict[str, Json], asked: Asked, skip: frozenset[str], unsaid: frozenset[str]) -> list[Finding]:
    """`unsaid` facts were never said; of those that only the wire lacks, an image may stand behind the result."""
    out: list[Finding] = []
    wanted = [call for turn in want["turns"] for call in turn.get("calls", ())]
    calls = [call for turn in asked.turns for call in turn.calls]
    expected = [(call["name"], json.loads(call["arguments"])) for call in wanted]
    if [(call.name, call.values) for call in calls] != expected:
        return [Finding(fact="tool calls of the history", is_fatal=True)] if wanted or calls else []
    results = [result for turn in asked.turns for result in turn.results]
    place = {call.get("id"): position for position, call in enumerate(wanted)}
    for number, result in enumerate(item for turn in want["turns"] for item in turn.get("results", ())):
        position = place.get(result.get("call_id"), number)
        got = _result_of(results, calls[position].id if position < len(calls) else "", number, skip)
        if got is None or _flat(result["text"]) not in _flat(got.text):
            out.append(Finding(fact="tool results", is_fatal=True))
            continue
        if result.get("is_error") and "result errors" not in skip and not got.is_error:
            out.append(Finding(fact="that a tool failed"))
        images = [IMAGES[name] for name in result.get("images", ())]
        if images and "result images" not in unsaid:
            own = sum(len(turn.get("images", ())) for turn in want["turns"])
            moved = [image for turn in asked.turns if turn.role == "user" for image in turn.images][own:]
            if [*got.images] != images and moved != images:
                out.append(Finding(fact="images of a tool's result"))
    return out


def _result_of(results: list[Result], call_id: str, number: int, skip: frozenset[str]) -> Result | None:
    if call_id and "call ids" not in skip:
        return next((result for result in results if result.call_id == call_id), None)
    return results[number] if number < len(results) else None


def _judge_images(want: dict[str, Json], asked: Asked) -> list[Finding]:
    wanted = [IMAGES[name] for turn in want["turns"] for name in turn.get("images", ())]
    got: list[Image] = [image for turn in asked.turns if turn.role == "user" for image in turn.images]
    got = got[: len(wanted)]  # behind them stand those that moved out of a tool's result
    if got != wanted:
        same = [image.data for image in got] == [image.data for image in wanted]
        return [Finding(fact="kinds of the images" if same else "images", is_fatal=not same)]
    return []


def _judge_tools(want: dict[str, Json], asked: Asked, skip: frozenset[str]) -> list[Finding]:
    out: list[Finding] = []
    wanted = want.get("tools") or {}
    tools = {name: tool for name, tool in asked.tools.items() if name != asked.answer_tool or name in wanted}
    if tools.keys() != wanted.keys():
        out.append(Finding(fact="tools", detail=f"arrive as {sorted(tools)}", is_fatal=True))
    for name in sorted(wanted.keys() & tools.keys()):
        if wanted[name]["description"] not in (tools[name]["description"] or ""):
            out.append(Finding(fact="description of a tool"))
        if shape(wanted[name]["schema"]) != shape(tools[name]["schema"]):
            out.append(Finding(fact="schema of a tool"))
    choice = want.get("tool_choice")
    if choice and asked.tool_choice != choice:
        silent = "the vendor has none, and nothing is said" if "tool_choice" in skip else ""
        out.append(Finding(fact="tool_choice", detail=silent))
    if want.get("schema"):
        schema = asked.schema
        if schema is None and asked.answer_tool:
            schema = asked.tools[asked.answer_tool]["schema"]
        if schema is None or shape(schema) != shape(want["schema"]):
            out.append(Finding(fact="the answer's JSON schema", detail="" if schema is None else "changed"))
    return out


def shape(schema: Json) -> Json:
    """What a schema demands, without spelling: vendors write types in capitals, close objects, say empty ones apart."""
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    out: dict[str, Json] = {"type": kind.lower() if isinstance(kind, str) else kind}
    if schema.get("properties"):
        out["properties"] = {name: shape(value) for name, value in schema["properties"].items()}
    if schema.get("required"):
        out["required"] = sorted(schema["required"])
    if schema.get("enum"):
        out["enum"] = schema["enum"]
    if schema.get("items"):
        out["items"] = shape(schema["items"])
    out |= {key: schema[key] for key in ("minimum", "maximum", "anyOf") if key in schema}
    return out


def _judge_thoughts(asked: Asked, wire: Wire, issued: Truth) -> list[Finding]:
    out: list[Finding] = []
    ordinary = _flat(asked.system) + "".join(_flat(turn.text) for turn in asked.turns)
    back = [thought for turn in asked.turns for thought in turn.thoughts]
    for thought in issued.thoughts:
        if thought.text and _flat(thought.text) in ordinary:
            out.append(Finding(fact="thoughts apart from text", detail="they return as ordinary text", is_fatal=True))
        if wire.thoughts != "signed":
            continue
        if thought.redacted and "redacted" not in wire.cannot_tell:
            if thought.redacted not in [got.redacted for got in back]:
                out.append(Finding(fact="redacted thoughts in the next turn"))
        elif thought.signature and thought.signature not in [got.signature for got in back]:
            out.append(Finding(fact="signed thoughts in the next turn"))
    return out


def _judge_signatures(asked: Asked, issued: Truth | None) -> list[Finding]:
    """No vendor takes a signature that it did not issue; calls from elsewhere have a stand-in."""
    known = {thought.signature for thought in issued.thoughts} if issued else set()
    got = {thought.signature for turn in asked.turns for thought in turn.thoughts} - known - OWN_SIGNATURES
    return (
        [Finding(fact="purity of thoughts", detail="another vendor's signature is sent", is_fatal=True)] if got else []
    )


# ---- what reached the client ----------------------------------------------------------------------------------------


def judge_told(
    truth: Truth, told: Told, *, skip: frozenset[str], is_stream: bool, is_lane: bool, rate_kind: str
) -> list[Finding]:
    """`skip`: facts that one of the two formats has no place for. `rate_kind`: the dialect's word for a rate limit,
    empty where the status says it."""
    out = [Finding(fact="the official client cannot read it", detail=text, is_fatal=True) for text in told.complaints]
    out += [Finding(fact=text) for text in told.blemishes if text not in skip]
    if truth.breaks:
        return out + _judge_break(truth, told, skip, rate_kind)
    if told.failure is not None:
        failure = told.failure
        said = f"{failure.status or failure.is_told_by}: {' '.join(failure.message.split())[:160]}"
        return [Finding(fact="the answer", detail=said, is_fatal=True)]
    out += _judge_content(truth, told, skip)
    u, got = truth.usage, told.usage
    for name, wanted, value in (
        ("input", u.input, got.input), ("cached", u.cached, got.cached),
        ("cache_write", u.cache_write, got.cache_write), ("output", u.output, got.output),
        ("reasoning", u.reasoning, got.reasoning),
    ):  # fmt: skip
        if wanted is not None and name not in skip and value != wanted:
            label = name.replace("_", " ")
            out.append(Finding(fact=f"count of {label} tokens", detail=f"{wanted} is told as {value}"))
    if is_stream and len(truth.pieces) > 2 and told.pieces < 2:
        out.append(Finding(fact="the stream", detail="all comes at once"))
    if truth.has_unknown and is_lane and told.fields.get(UNKNOWN_NAME) != UNKNOWN_VALUE:
        out.append(Finding(fact="the unknown answer field"))
    return out


def _judge_content(truth: Truth, told: Told, skip: frozenset[str]) -> list[Finding]:
    out: list[Finding] = []
    if truth.is_json:
        try:
            is_same = json.loads(told.text) == json.loads(truth.text)
        except ValueError:
            is_same = False
        if not is_same:
            out.append(Finding(fact="the answer in its schema", detail=f"it says {told.text[:40]!r}", is_fatal=True))
    elif told.text != truth.text and not truth.refusal and not _is_plan(truth, told, skip):
        mixed = any(thought.text in told.text for thought in truth.thoughts if thought.text)
        out.append(Finding(fact="text", detail="thoughts stand in it" if mixed else "", is_fatal=True))
    if [(c.name, c.values) for c in told.calls] != [(c.name, c.values) for c in truth.calls]:
        out.append(Finding(fact="tool calls", detail=f"{len(told.calls)} of {len(truth.calls)}", is_fatal=True))
    elif truth.calls and "call ids" not in skip:
        ids = [call.id for call in told.calls]
        if not all(ids) or len(set(ids)) < len(ids):
            out.append(Finding(fact="ids of tool calls", is_fatal=True))
    if truth.refusal:
        if told.finish != "content_filter" and not told.refusal:
            out.append(
                Finding(fact="that it is a refusal", detail=f"the answer ends with {told.finish!r}", is_fatal=True)
            )
        elif "refusal text" not in skip and truth.refusal not in (told.refusal + told.text):
            out.append(Finding(fact="the refusal's text"))
    elif told.finish != truth.finish and not ("tool finish" in skip and truth.calls and told.finish == "stop"):
        out.append(Finding(fact="finish reason", detail=f"{truth.finish} is told as {told.finish!r}"))
    thoughts = "".join(thought.text for thought in truth.thoughts)
    said = "".join(thought.text for thought in told.thoughts)
    if thoughts and "thoughts" not in skip and _flat(thoughts) != _flat(said):
        out.append(Finding(fact="thoughts", detail="changed" if said else ""))
    return out


def _is_plan(truth: Truth, told: Told, skip: frozenset[str]) -> bool:
    """Text beside calls that the vendor tells as a plan, which may count as a thought."""
    said = "".join(thought.text for thought in told.thoughts)
    return "text beside calls" in skip and not told.text and _flat(truth.text) == _flat(said)


def _judge_break(truth: Truth, told: Told, skip: frozenset[str], rate_kind: str) -> list[Finding]:
    failure = told.failure
    if truth.breaks == "refused":
        if failure is None:
            return [Finding(fact="the error", detail="it is told as an answer", is_fatal=True)]
        out: list[Finding] = []
        if failure.status != 429:
            out.append(Finding(fact="the class of the error", detail=f"429 is told as {failure.status or 'nothing'}"))
        elif rate_kind and failure.kind != rate_kind:
            out.append(Finding(fact="the class of the error", detail=f"told as {failure.kind!r}"))
        if "retry after" not in skip and failure.retry_after.strip() not in (RETRY_AFTER, f"{RETRY_AFTER}.0"):
            out.append(Finding(fact="how long to wait"))
        return out
    what = "an error in mid-stream" if truth.breaks == "error" else "a cut stream"
    if failure is None and told.finish:
        return [Finding(fact="the break is not told", detail=f"{what} looks like a complete answer", is_fatal=True)]
    if failure is None:
        return [Finding(fact="the break is not told", detail=f"{what} just ends")]
    out = []
    if truth.breaks == "error" and failure.is_told_by == "transport":
        out.append(Finding(fact="the words of the error", detail="the connection just breaks"))
    if failure.is_told_by != "status" and truth.text not in told.text:
        out.append(Finding(fact="the text before the break"))
    return out
