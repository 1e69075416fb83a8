"""One call of a model in an evaluation: what is asked, under which name it is kept, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from yuzui.evaluation.examples import Example, Json, digest, hash_of
from yuzui.evaluation.scorers._contract import Answer, Ask

Outcome = Literal["answered", "not_permitted", "failed"]
Purpose = Literal["answer", "judge"]

NOT_PERMITTED: Final = frozenset(("no_permitted_target", "masking_incomplete", "model_not_allowed"))
"""Codes of refusals that are a result: the rules say that this model may not see this request."""
FATAL: Final = frozenset(("invalid_api_key", "budget_exceeded", "model_not_found", "unknown_price"))
"""Codes after which every further call would fare the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`key`: the same for the same request to the same model with the same parameters, in any run."""

    key: str
    purpose: Purpose
    model: str
    body: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a call ended, as it is kept."""

    outcome: Outcome
    code: str = ""
    """The gateway's, where there is no answer."""
    message: str = ""
    text: str = ""
    tool_calls: tuple[Json, ...] = ()
    finish_reason: str = ""
    log_probabilities: tuple[float, ...] = ()
    """Natural logarithms, one per token, where they were asked for (`logprobs`) and told."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nano: int | None = None
    """In nano-units of `currency`, as the gateway booked it; None: it said nothing."""
    currency: str = ""
    latency_ms: int = 0
    """From sending to the last byte, without time that was spent waiting for another try."""
    target: str = ""
    request_id: str = ""
    sensitivity: str = ""
    at_ns: int = 0

    def answer(self, model: str) -> Answer:
        return Answer(model=model, text=self.text, tool_calls=self.tool_calls, finish_reason=self.finish_reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What all calls of a run have in common. A run that goes on must have the same."""

    models: tuple[str, ...]
    reference_model: str = ""
    scorers: tuple[str, ...] = ()
    judge: str = ""
    parameters: Json = field(default_factory=dict)
    """Sent with each answer's request: `temperature`, `max_tokens`, …"""
    examples_sha256: str = ""
    examples_name: str = ""

    @property
    def asked(self) -> tuple[str, ...]:
        """Every model that answers, the reference last."""
        return tuple(dict.fromkeys([*self.models, *([self.reference_model] if self.reference_model else [])]))


def joined(before: Settings, now: Settings) -> Settings:
    """What a run is of once it went on as `now`. Raise `ValueError` with the name of what cannot change."""
    for name in ("examples_sha256", "parameters"):
        if getattr(before, name) != getattr(now, name):
            raise ValueError(name.removesuffix("_sha256"))
    for name in ("reference_model", "judge"):
        if getattr(before, name) and getattr(now, name) not in ("", getattr(before, name)):
            raise ValueError(name.replace("_", " "))
    return replace(
        now,
        models=tuple(dict.fromkeys([*before.models, *now.models])),
        scorers=tuple(dict.fromkeys([*before.scorers, *now.scorers])),
        reference_model=now.reference_model or before.reference_model,
        judge=now.judge or before.judge,
    )


def answer_call(example: Example, model: str, parameters: Json) -> Call:
    body: Json = {"model": model, "messages": example.asked, **parameters}
    if example.tools:
        body["tools"] = example.tools
    if example.response_format is not None:
        body["response_format"] = example.response_format
    key = digest("answer", hash_of(example), model, parameters)
    return Call(key=key, purpose="answer", model=model, body=body)


def judge_call(ask: Ask, judge: str) -> Call:
    """The judge is asked coldly, so that the same question has the same answer as far as it can."""
    body: Json = {"model": judge, "messages": list(ask.messages), "temperature": 0, "max_tokens": ask.max_tokens}
    return Call(key=digest("judge", body), purpose="judge", model=judge, body=body)


def read_answer(body: Any) -> tuple[str, tuple[Json, ...], str, int, int]:  # Any: checked here
    """(text, tool calls, finish reason, input tokens, output tokens) of a chat completion. Raise `ValueError`."""
    try:
        choice = body["choices"][0]
        message = choice["message"]
        calls = tuple(
            [
                {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
                for call in message.get("tool_calls") or ()
                if call.get("type", "function") == "function"
            ]
        )
        usage = body.get("usage") or {}
        text = message.get("content") or message.get("refusal") or ""
        return (
            str(text),
            calls,
            str(choice.get("finish_reason") or ""),
            int(usage.get("prompt_tokens", 0)),
            int(usage.get("completion_tokens", 0)),
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise ValueError("the answer is no chat completion") from error
