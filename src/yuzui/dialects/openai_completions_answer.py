"""What a chat model said, in the completions spelling, whole and streamed.

Source: openai==3.54.0, types/completion.py, types/completion_choice.py (one shape for both); 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType
from typing_extensions import override

from yuzui.core.chat import AnswerFacts, ChatResponse, Choice, StreamChunk, TextPart
from yuzui.core.usage import Usage
from yuzui.dialects._lane import EventWriter

_encoder = msgspec.json.Encoder()
_MOST_SECONDS: Final = 10**12
_REASONS: Final = {"stop": "stop", "length": "length", "content_filter": "content_filter", "tool_calls": "stop"}
"""Nobody can offer tools here; a model that calls one all the same has come to its end."""


def write_completion(response: ChatResponse, facts: AnswerFacts) -> bytes:
    """The body of a whole answer. What the model thought has no place here, and a refusal is what it says."""
    return _encoder.encode(
        _Completion(
            id=response.id or facts.request_id,
            created=_moment(response.created_s) or facts.at_s,
            model=response.model,
            choices=[_choice(choice) for choice in response.choices],
            usage=UNSET if response.usage is None else write_usage(response.usage),
        )
    )


def write_usage(usage: Usage) -> _Usage:
    """OpenAI's counts: the prompt includes what was read from the cache, the completion includes reasoning."""
    return _Usage(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
        prompt_tokens_details=_PromptDetails(usage.cached_input_tokens),
        completion_tokens_details=_CompletionDetails(usage.reasoning_tokens),
    )


class HubWriter(EventWriter):
    """Chunks of a chat become pieces of a text; the counts come in an event of their own, for who asked."""

    __slots__ = ("_created_s", "_facts", "_id", "_model", "_tells_usage", "_usage")

    def __init__(self, facts: AnswerFacts, *, wants_usage: bool) -> None:
        super().__init__(wants_usage=False)
        self._facts = facts
        self._tells_usage = wants_usage
        self._usage: Usage | None = None
        self._id = facts.request_id
        self._model = ""
        self._created_s = facts.at_s

    @override
    def write(self, chunk: StreamChunk) -> bytes:
        if chunk.usage is not None:
            self._usage = chunk.usage  # counts only grow: the last ones are the whole
        return super().write(chunk)

    @override
    def spell(self, chunk: StreamChunk) -> bytes:
        self._id = chunk.id or self._id
        self._model = chunk.model or self._model
        self._created_s = _moment(chunk.created_s) or self._created_s
        choices = [
            _Choice(
                index=delta.index,
                text=delta.text + delta.refusal,
                finish_reason=None if delta.finish_reason is None else _REASONS[delta.finish_reason],
            )
            for delta in chunk.deltas
            if delta.text or delta.refusal or delta.finish_reason is not None
        ]
        return self._completion(choices) if choices else b""

    @override
    def finish(self, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
        if self._tells_usage and self._usage is not None:
            self.tail.hold(self._completion([], write_usage(self._usage)))
        return super().finish(trailer)

    def _completion(self, choices: list[_Choice], usage: _Usage | UnsetType = UNSET) -> bytes:
        return _encoder.encode(
            _Completion(id=self._id, created=self._created_s, model=self._model, choices=choices, usage=usage)
        )


def _moment(seconds: int) -> int:
    """JSON writers have 64 bits, and the world will not last that long."""
    return seconds if 0 <= seconds <= _MOST_SECONDS else 0


def _choice(choice: Choice) -> _Choice:
    text = "".join([part.text for part in choice.parts if isinstance(part, TextPart)])
    return _Choice(index=choice.index, text=text + choice.refusal, finish_reason=_REASONS[choice.finish_reason])


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Choice(Struct, kw_only=True):
    text: str
    index: int
    logprobs: None = None
    finish_reason: str | None


class _PromptDetails(Struct):
    cached_tokens: int


class _CompletionDetails(Struct):
    reasoning_tokens: int


class _Usage(Struct, kw_only=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _PromptDetails
    completion_tokens_details: _CompletionDetails


class _Completion(Struct, kw_only=True):
    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[_Choice]
    usage: _Usage | UnsetType
