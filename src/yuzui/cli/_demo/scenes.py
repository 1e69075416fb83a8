"""Knows the demo's requests: what each one shows, and what has to come out of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from yuzui.cli._demo import samples
from yuzui.cli._demo.cast import Cast, Seen

Where = Literal["own", "vendor", "nowhere"]

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}, "country": {"type": "string", "maxLength": 20}},
    "required": ["city", "country"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must be true for the row to count. Empty: not looked at."""

    where: Where
    code: str = ""
    """The error's code; "" means an answer."""
    sensitivity: str = ""
    finding: str = ""
    """A finding kind that must be in the record."""
    cause: str = ""
    """A source that must be among the causes of the label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    title: str
    expected: Expected
    play: Callable[[Cast], list[Seen]]
    """One `Seen` per request; the demo shows each as a row."""
    then: tuple[str, Expected] | None = None
    """Title and expectation of the last row, when it differs from the first."""


def _one(seen: Seen) -> list[Seen]:
    return [seen]


# ---- scenes that need more than a line ------------------------------------------------------------------------------


def _tool_call(cast: Cast) -> list[Seen]:
    choice = {"type": "function", "function": {"name": "get_weather"}}
    seen = cast.ask(
        "assistant", "What is the weather in Chengdu?", tools=[WEATHER], tool_choice=choice, max_tokens=1000
    )
    if not seen.code and "get_weather(" not in seen.text:
        seen.problems.append("no tool call came back")
    return [seen]


def _json_schema(cast: Cast) -> list[Seen]:
    form = {"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": CITY}}
    question = "Which city is the capital of France? Answer as JSON with city and country."
    seen = cast.ask("own", question, response_format=form, max_tokens=60)
    try:
        value = json.loads(seen.text or "null")
        is_right = isinstance(value, dict) and set(value) == {"city", "country"}
    except json.JSONDecodeError:
        is_right = False
    if not seen.code and not is_right:
        seen.problems.append("the answer does not follow the schema")
    return [seen]


def _conversation(cast: Cast) -> list[Seen]:
    """The second turn leaves the sensitive turn out, and asks the vendor: the answer that came back gives it away."""
    question = f"My resident ID is {samples.resident_id()}. Write two sentences about keeping documents safe."
    first = cast.ask("assistant", question, max_tokens=48)
    turns = [
        {"role": "user", "content": "Tell me about documents."},
        {"role": "assistant", "content": first.text},
        {"role": "user", "content": "Thank you. Say that again in French."},
    ]
    return [first, cast.ask(cast.vendor, turns)]


def _over_rate(cast: Cast) -> list[Seen]:
    """The key may ask once a minute. No retries: they would wait for the minute to pass, as they should."""
    cast.ask("assistant", "Say hello.", key="once a minute")
    return [cast.ask("assistant", "Say hello again.", key="once a minute", retries=0)]


def _same_seed(cast: Cast) -> list[Seen]:
    first, second = (
        cast.ask("own", "Count from 1 to 9: 1, 2, 3,", seed=7, stop=["5"], temperature=0) for _ in range(2)
    )
    if first.text != second.text:
        second.problems.append("the same seed gave two answers")
    if "5" in second.text:
        second.problems.append("the stop text is in the answer")
    return [second]


# ---- all of them, in order ------------------------------------------------------------------------------------------

_OPEN = Expected(where="own", sensitivity="internal")
_SHUT = Expected(where="nowhere", code="no_permitted_target")


def _closed(finding: str, sensitivity: str) -> Expected:
    return Expected(where="own", sensitivity=sensitivity, finding=finding)


def scenes() -> list[Scene]:
    """The fixed programme: about twenty requests, harmless ones first, then what must not leave, then refusals."""
    identity, card, leak = samples.resident_id(), samples.bank_card(), samples.leaked_api_key()
    contact = "Write a polite reminder to wang.fang@example.com, phone +86 138 0013 8000."
    return [
        Scene(title="plain question", expected=_OPEN,
              play=lambda c: _one(c.ask("auto", "What is the capital of France?"))),
        Scene(title="streamed", expected=_OPEN,
              play=lambda c: _one(c.stream("assistant", "Name three colours of the rainbow."))),
        Scene(title="system prompt", expected=_OPEN,
              play=lambda c: _one(c.ask("assistant", [
                  {"role": "system", "content": "You answer in one short sentence."},
                  {"role": "user", "content": "Why is the sky blue?"}]))),
        Scene(title="vendor's model, harmless", expected=Expected(where="vendor", sensitivity="internal"),
              play=lambda c: _one(c.ask(c.vendor, "Why do rivers meander?"))),
        Scene(title="tool call", expected=Expected(where="vendor", sensitivity="internal"), play=_tool_call),
        Scene(title="JSON schema", expected=_OPEN, play=_json_schema),
        Scene(title="two streams at once", expected=_OPEN,
              play=lambda c: c.streams("own", ["Write a line about rain.", "Write a line about snow."])),
        Scene(title="long prompt", expected=_OPEN,
              play=lambda c: _one(c.ask("own", samples.long_text() + " What divides the river?"))),
        Scene(title="logprobs", expected=_OPEN,
              play=lambda c: _one(c.ask("own", "Say yes or no.", logprobs=True, top_logprobs=2, max_tokens=4))),
        Scene(title="seed and stop", expected=_OPEN, play=_same_seed),
        Scene(title="Chinese 中文", expected=_OPEN,
              play=lambda c: _one(c.ask("assistant", "请用一句话介绍都江堰。"))),
        Scene(title="e-mail and phone", expected=_closed("email", "confidential"),
              play=lambda c: _one(c.ask("assistant", contact))),
        Scene(title="resident ID 身份证", expected=_closed("cn_resident_id", "restricted"),
              play=lambda c: _one(c.ask("assistant", f"请核对身份证号 {identity} 的生日。"))),
        Scene(title="bank card", expected=Expected(where="own", finding="bank_card"),
              play=lambda c: _one(c.ask("assistant", f"Is card {card} a credit card?"))),
        Scene(title="leaked API key, streamed", expected=_closed("api_key", "restricted"),
              play=lambda c: _one(c.stream("assistant", f"Why does my key {leak} not work?"))),
        Scene(title="resident ID to the vendor", expected=_SHUT,
              play=lambda c: _one(c.ask(c.vendor, f"Whose ID is {identity}?"))),
        Scene(title="e-mail to the vendor, streamed", expected=_SHUT,
              play=lambda c: _one(c.stream("vendor", contact))),
        Scene(title="sensitive turn", expected=Expected(where="own", sensitivity="restricted"), play=_conversation,
              then=("that turn cut out, to vendor", Expected(
                  where="nowhere", code="no_permitted_target", cause="conversation"))),
        Scene(title="key that stays on premises", expected=_SHUT,
              play=lambda c: _one(c.ask(c.vendor, "Say hello.", key="own only"))),
        Scene(title="over budget", expected=Expected(where="nowhere", code="budget_exceeded"),
              play=lambda c: _one(c.ask(c.vendor, "Say hello.", key="poor"))),
        Scene(title="over rate", expected=Expected(where="nowhere", code="rate_limit_exceeded"), play=_over_rate),
        Scene(title="wrong key", expected=Expected(where="nowhere", code="invalid_api_key"),
              play=lambda c: _one(c.ask("auto", "Say hello.", key="wrong"))),
        Scene(title="unknown model", expected=Expected(where="nowhere", code="model_not_found"),
              play=lambda c: _one(c.ask("gpt-99", "Say hello."))),
        Scene(title='temperature "hot"', expected=Expected(where="nowhere", code="invalid_request"),
              play=lambda c: _one(c.ask("auto", "Say hello.", temperature="hot"))),
    ]  # fmt: skip
