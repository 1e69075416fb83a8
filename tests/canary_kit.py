"""Conversations with marked values, generated: every kind, every place of every dialect, every name and every weather.

A marked value is sensitive and occurs once in the world. Whatever a vendor's server receives is searched for all of them,
in any spelling. The generator knows nothing of the detectors: checksums are worked out here again.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from fault_upstream import Call, FaultUpstream
from faults.dialect_kit import Asked, Said, ask, body_of, config, events, gemini_path, speaks, start, streams, wire_of
from faults_kit import VENDOR_SECRET, forget_failures, status_of
from gateway_kit import RunningGateway, gateway

Json = dict[str, Any]  # Any: JSON

# ---- marked values ---------------------------------------------------------------------------------------------------

_LETTERS_AND_DIGITS = string.ascii_letters + string.digits


def luhn(digits: str) -> str:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return digits + str(-total % 10)


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def resident_id(rng: random.Random) -> str:
    region = rng.choice(("110105", "310115", "440305", "510107", "330106"))
    born = f"19{rng.randrange(55, 99)}{rng.randrange(1, 13):02}{rng.randrange(1, 29):02}"
    body = region + born + _digits(rng, 3)
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def iban(rng: random.Random) -> str:
    account = _digits(rng, 18)
    return f"DE{98 - int(account + '131400') % 97:02}{account}"


def jwt(rng: random.Random) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": _digits(rng, 12), "n": rng.random()})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "".join(rng.choices(_LETTERS_AND_DIGITS, k=43))])


VALUES: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "cn_resident_id": lambda rng: ("身份证号 {}", resident_id(rng)),
    "cn_mobile": lambda rng: ("我的手机是 {}", rng.choice(("138", "159", "186", "177")) + _digits(rng, 8)),
    "bank_card": lambda rng: ("my card is {}", luhn("4" + _digits(rng, 14))),
    "email": lambda rng: ("write to {}", f"{rng.choice(('li', 'wang', 'anna'))}.{_digits(rng, 9)}@mail.test-corp.cn"),
    "iban": lambda rng: ("pay to {}", iban(rng)),
    "us_ssn": lambda rng: ("my SSN: {}", f"{rng.randrange(101, 660)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}"),
    "password": lambda rng: ("password: {}", "".join(rng.choices(_LETTERS_AND_DIGITS, k=14)) + "!7"),
    "api_key": lambda rng: ("use {}", "sk-" + "ant-api03-" + "".join(rng.choices(_LETTERS_AND_DIGITS, k=93)) + "AA"),
    "jwt": lambda rng: ("token {}", jwt(rng)),
}  # fmt: skip
"""Kind → (what is said around it, a value of its own)."""

MASKING = f"[masking]\nkinds = {[*VALUES, 'phone']}\n".replace("'", '"')
"""Configuration with which vendors get stand-ins instead of refusals."""

DRESSES: dict[str, Callable[[str], str]] = {
    "plain": lambda value: value,
    "full width": lambda value: "".join(
        chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in value
    ),
    "invisible": lambda value: value[:4] + "\u200b" + value[4:],
}  # fmt: skip


def normal(text: str) -> str:
    """Letters and digits alone: the value whatever stands between and around them."""
    folded = unicodedata.normalize("NFKC", text)
    return re.sub(r"[^0-9a-z]", "", folded.casefold())


# ---- places ----------------------------------------------------------------------------------------------------------

SMALL_TALK = ("Good morning.", "How is the weather in Chengdu?", "请用一句话介绍都江堰。", "Write a haiku about water.")
Place = Callable[[str, str], Asked]
"""(model, text) → a request that says the text somewhere."""


def _json(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _chat(**body: object) -> Callable[[str], Asked]:
    return lambda model: Asked(path="/v1/chat/completions", body=_json({"model": model, **body}))


def _function(description: str = "d", properties: Json | None = None) -> Json:
    schema = {"type": "object", "properties": properties or {}}
    return {"name": "f", "description": description, "parameters": schema}


def _call(arguments: str) -> list[Json]:
    return [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None,
         "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ]  # fmt: skip


HI: Json = {"role": "user", "content": "Hi"}

PLACES: dict[str, Place] = {
    "chat user": lambda m, t: _chat(messages=[{"role": "user", "content": t}])(m),
    "chat system": lambda m, t: _chat(messages=[{"role": "system", "content": t}, HI])(m),
    "chat history": lambda m, t: _chat(messages=[HI, {"role": "assistant", "content": t}, HI])(m),
    "chat parts": lambda m, t: _chat(messages=[{"role": "user", "content": [{"type": "text", "text": t}]}])(m),
    "chat cut parts": lambda m, t: _chat(
        messages=[{"role": "user", "content": [{"type": "text", "text": t[:-6]}, {"type": "text", "text": t[-6:]}]}]
    )(m),
    "chat arguments": lambda m, t: _chat(messages=_call(json.dumps({"a": [{"b": t}]})))(m),
    "chat escaped arguments": lambda m, t: _chat(
        messages=_call(json.dumps({"a": json.dumps({"b": t})}))
    )(m),
    "chat result": lambda m, t: _chat(messages=[*_call("{}")[:2], {"role": "tool", "tool_call_id": "c1", "content": t}])(m),
    "chat tool description": lambda m, t: _chat(messages=[HI], tools=[{"type": "function", "function": _function(t)}])(m),
    "chat schema": lambda m, t: _chat(
        messages=[HI], tools=[{"type": "function", "function": _function("d", {"x": {"enum": [t]}})}]
    )(m),
    "chat metadata": lambda m, t: _chat(messages=[HI], metadata={"note": t[:500]})(m),
    "chat unknown field": lambda m, t: _chat(messages=[HI], vendor_only={"deep": [[t]]})(m),
    "chat object key": lambda m, t: _chat(messages=[HI], vendor_only={t: 1})(m),
    "chat user field": lambda m, t: _chat(messages=[HI], user=t[:1000])(m),
    "chat stop": lambda m, t: _chat(messages=[HI], stop=[t])(m),
    "responses input": lambda m, t: Asked(path="/v1/responses", body=_json({"model": m, "input": t})),
    "responses instructions": lambda m, t: Asked(
        path="/v1/responses", body=_json({"model": m, "input": "Hi", "instructions": t})
    ),
    "responses call": lambda m, t: Asked(path="/v1/responses", body=_json({"model": m, "input": [
        HI, {"type": "function_call", "call_id": "c1", "name": "f", "arguments": json.dumps({"q": t})},
        {"type": "function_call_output", "call_id": "c1", "output": "done"}]})),
    "responses output": lambda m, t: Asked(path="/v1/responses", body=_json({"model": m, "input": [
        HI, {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": t}]})),
    "messages user": lambda m, t: Asked(path="/v1/messages", body=_json(
        {"model": m, "max_tokens": 9, "messages": [{"role": "user", "content": t}]})),
    "messages system": lambda m, t: Asked(path="/v1/messages", body=_json(
        {"model": m, "max_tokens": 9, "system": [{"type": "text", "text": t}], "messages": [HI]})),
    "messages tool use": lambda m, t: Asked(path="/v1/messages", body=_json({"model": m, "max_tokens": 9, "messages": [
        HI, {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"a": {"b": t}}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "done"}]}]})),
    "messages tool result": lambda m, t: Asked(path="/v1/messages", body=_json({"model": m, "max_tokens": 9, "messages": [
        HI, {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": t}]}]}]})),
    "gemini user": lambda m, t: Asked(
        path=gemini_path(m), body=_json({"contents": [{"role": "user", "parts": [{"text": t}]}]})
    ),
    "gemini system": lambda m, t: Asked(path=gemini_path(m), body=_json(
        {"systemInstruction": {"parts": [{"text": t}]}, "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]})),
    "gemini call": lambda m, t: Asked(path=gemini_path(m), body=_json({"contents": [
        {"role": "user", "parts": [{"text": "Hi"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"x": [t]}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "done"}}}]}]})),
    "embeddings": lambda m, t: Asked(path="/v1/embeddings", body=_json({"model": m, "input": ["a", t]})),
    "rerank": lambda m, t: Asked(path="/v1/rerank", body=_json({"model": m, "query": "q", "documents": ["a", t]})),
    "completions": lambda m, t: Asked(path="/v1/completions", body=_json({"model": m, "prompt": t})),
    "moderations": lambda m, t: Asked(path="/v1/moderations", body=_json({"model": m, "input": t})),
    "speech": lambda m, t: Asked(path="/v1/audio/speech", body=_json({"model": m, "input": t, "voice": "a"})),
    "images": lambda m, t: Asked(path="/v1/images/generations", body=_json({"model": m, "prompt": t})),
}  # fmt: skip

CHAT_MODELS = ("assistant", "auto", "vendor/chat", "vendor/both", "vendor/responses", "vendor/claude", "vendor/gemini",
               "vendor/bedrock", "house/small")  # fmt: skip
OTHER_MODELS = ("auto", "vendor/media", "house/small")


# ---- the story -------------------------------------------------------------------------------------------------------

WEATHERS = ("fine", "error", "busy", "reset", "breaks off")


@dataclass(slots=True)
class Tally:
    """What became of a run."""

    conversations: int = 0
    marked_requests: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    vendor_requests: int = 0
    leaks: list[str] = field(default_factory=list)
    """Kind, dress, place and model of each marked value that a vendor's server received."""


class Own:
    """The own target: its weather changes, and its answers hold a phrase that occurs once in the world."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.weather = "fine"
        self.phrases: list[str] = []

    async def script(self, call: Call) -> None:
        match self.weather:
            case "error":
                await call.json({"error": {"message": "no"}}, "500 X")
                return
            case "busy":
                await call.json({"error": {"message": "later"}}, "429 X", "retry-after: 0\r\n")
                return
            case "reset":
                call.reset()
                return
            case "breaks off" if streams(call):
                wire = wire_of(call)
                await start(call, wire)
                await call.chunk(events(wire, Said())[0])
                call.reset()
                return
            case _:
                phrase = f"Between us: the matter of {self._rng.randbytes(12).hex()} stays confidential for now."
                self.phrases.append(phrase)
                await speaks(Said(text=phrase))(call)


def seen_by(call: Call) -> str:
    """All that a request says, JSON inside JSON undone: letters and digits alone."""
    text = (call.head + call.body).decode("utf-8", "replace")
    for _ in range(3):
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text).replace("\\", "")
    return normal(text)


async def play(seed: int, conversations: int, *, more: str = "", at_once: int = 16) -> Tally:
    """Run that many generated conversations through a real gateway; `more` goes into its configuration."""
    rng, tally = random.Random(seed), Tally()
    own = Own(rng)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(FaultUpstream(own.script))
        second = await stack.enter_async_context(FaultUpstream(speaks()))
        text = config(first, second, more=more)
        running = await stack.enter_async_context(gateway(text, {"VENDOR_KEY": VENDOR_SECRET}))
        keys = [running.add_key(app=f"app{n}", id=f"key_{n}", seed=n + 1) for n in range(3)]
        for begin in range(0, conversations, at_once):
            own.weather = rng.choice(WEATHERS)
            second.calls.clear()
            first.calls.clear()
            stories = [
                _converse(running, rng, rng.choice(keys), tally) for _ in range(min(at_once, conversations - begin))
            ]
            marks = [mark for told in await asyncio.gather(*stories) for mark in told]
            marks += [(normal(phrase), f"phrase of an own answer: {phrase}") for phrase in own.phrases]
            own.phrases.clear()
            tally.vendor_requests += len(second.calls)
            received = [seen_by(call) for call in second.calls]
            tally.leaks += [where for mark, where in marks if any(mark in one for one in received)]
            forget_failures(running)
    return tally


async def _converse(running: RunningGateway, rng: random.Random, key: str, tally: Tally) -> list[tuple[str, str]]:
    """One conversation: a harmless turn, a marked one, and one that brings back what was answered. The marks."""
    tally.conversations += 1
    place = rng.choice(tuple(PLACES))
    models = (
        OTHER_MODELS if place.split()[0] in ("embeddings", "rerank", "moderations", "speech", "images") else CHAT_MODELS
    )
    model = rng.choice(models)
    if rng.random() < 0.3:
        answer = await ask(running, PLACES[place](model, rng.choice(SMALL_TALK)), key)
        tally.outcomes[f"harmless {'answered' if status_of(answer) == 200 else 'not answered'}"] += 1
    kind, dress = rng.choice(tuple(VALUES)), rng.choice(tuple(DRESSES))
    words, value = VALUES[kind](rng)
    said = f"{rng.choice(SMALL_TALK)} {words.format(DRESSES[dress](value))}"
    answer = await ask(running, PLACES[place](model, said), key)
    tally.marked_requests += 1
    tally.outcomes[_outcome(answer)] += 1
    marks = [(normal(value), f"{kind}, {dress}, {place}, {model}")]
    if status_of(answer) == 200 and place.startswith("chat user"):
        phrase = re.search(rb"Between us: [^\"\\]+now\.", body_of(answer))
        if phrase is not None:  # the sensitive turn is gone; what was answered comes back, to a vendor by name
            history = [HI, {"role": "assistant", "content": phrase[0].decode()}, {"role": "user", "content": "Go on."}]
            answer = await ask(running, _chat(messages=history)(rng.choice(CHAT_MODELS)), key)
            tally.outcomes[f"follow-up {_outcome(answer)}"] += 1
    return marks


def _outcome(answer: bytes) -> str:
    status = status_of(answer)
    return "answered" if status == 200 else "refused" if status in (400, 403) else "failed"
