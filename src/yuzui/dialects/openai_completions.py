"""The legacy completions dialect: one text in, its continuation out.

On the lane everything travels. Through the hub a single text becomes what a user says, and what a chat model answers
becomes the continuation; what only a model without roles can do is refused by name.

Source: openai==3.54.0, types/completion_create_params.py, types/completion.py, types/completion_choice.py; 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from typing_extensions import override

from yuzui.core.answers import Answer
from yuzui.core.chat import (
    NO_LINE,
    AnswerFacts,
    ChatRequest,
    ChatResponse,
    Dialect,
    Feature,
    Meaning,
    Message,
    Operation,
    RequestLine,
    TextPart,
)
from yuzui.core.errors import InvalidRequest, UnsupportedFeature, UpstreamInvalid
from yuzui.dialects._contract import StreamWriter
from yuzui.dialects._explain import check_name
from yuzui.dialects._lane import EventWriter, LaneDialect, one_kind, others, read_fields
from yuzui.dialects.openai_completions_answer import HubWriter, write_completion

_UNDERSTOOD: Final = frozenset(
    ("model", "prompt", "stream", "stream_options", "n", "max_tokens", "temperature", "top_p", "stop", "user",
     "best_of", "echo", "suffix", "logprobs")
)  # fmt: skip
_MOST_TOKENS: Final = 10_000_000


class OpenAICompletions(LaneDialect):
    """`POST /v1/completions`."""

    name: Dialect = "openai_completions"
    operation: Operation = "completions"

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        wire = read_fields(body, _Request)
        _check(wire)
        options = wire.stream_options
        features: set[Feature] = set()
        if wire.logprobs is not None:
            features.add("logprobs")
        if wire.n is not None and wire.n > 1:
            features.add("n")
        return ChatRequest(
            dialect=self.name,
            operation=self.operation,
            line=line,
            model=check_name(wire.model, "model"),
            body=body,
            stream=bool(wire.stream),
            wants_usage=options is not None and bool(options.include_usage),
            n=max(wire.n or 1, wire.best_of or 1) * _count(wire.prompt),  # all of them are written, and billed
            max_output_tokens=wire.max_tokens or None,
            features=frozenset(features),
            read_meaning=read_meaning,
        )

    @override
    def write_response(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> bytes:
        if not isinstance(response, ChatResponse):
            raise UpstreamInvalid("the target's answer is no completion")
        if response.raw_dialect == self.name and response.raw:
            return response.raw
        return write_completion(response, facts)

    @override
    def stream_writer(self, request: ChatRequest, facts: AnswerFacts) -> StreamWriter:
        if facts.is_lane:
            return EventWriter(wants_usage=request.wants_usage)
        return HubWriter(facts, wants_usage=request.wants_usage)


def read_meaning(body: Mapping[str, Any]) -> Meaning:  # Any: checked JSON
    """What a chat model is asked. Raise `UnsupportedFeature` for what only a model without roles can do."""
    wire = read_fields(body, _Request)
    prompt = wire.prompt[0] if isinstance(wire.prompt, list) and len(wire.prompt) == 1 else wire.prompt
    if not isinstance(prompt, str):
        raise UnsupportedFeature("`prompt`: this target chats and takes one text; send a single string", param="prompt")
    for name, is_asked in (
        ("echo", bool(wire.echo)),
        ("suffix", bool(wire.suffix)),
        ("best_of", (wire.best_of or 1) > (wire.n or 1)),
        ("logprobs", wire.logprobs is not None),
    ):
        if is_asked:
            raise UnsupportedFeature(
                f"`{name}`: this target chats and has no such thing; leave it out, or name one that completes texts",
                param=name,
            )
    return Meaning(
        messages=(Message(role="user", parts=(TextPart(text=prompt),)),),
        temperature=wire.temperature,
        top_p=wire.top_p,
        stop=(wire.stop,) if isinstance(wire.stop, str) else tuple(wire.stop or ()),
        user=wire.user,
        knobs=others(body, _UNDERSTOOD),
    )


def _check(wire: _Request) -> None:
    if wire.stream_options is not None and not wire.stream:
        raise InvalidRequest(
            "`stream_options` needs `stream: true`; add it or remove the options", param="stream_options"
        )
    if wire.best_of is not None and wire.best_of < (wire.n or 1):
        raise InvalidRequest("`best_of` is less than `n`; raise it or lower `n`", param="best_of")
    check_name(wire.user or "", "user")


def _count(prompt: str | list[Any] | None) -> int:  # Any: as msgspec checked it
    """How many prompts: a list of numbers is one."""
    if not isinstance(prompt, list):
        return 1
    return 1 if one_kind(prompt, "prompt") is int else len(prompt)


class _StreamOptions(Struct):
    include_usage: bool | None = None


class _Request(Struct, kw_only=True):
    """The whole request. `None` means the same as left out, as it does at OpenAI."""

    model: Annotated[str, Meta(min_length=1, max_length=256)]
    prompt: str | Annotated[list[str | int | list[int]], Meta(min_length=1)] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    best_of: Annotated[int, Meta(ge=1, le=128)] | None = None
    max_tokens: Annotated[int, Meta(ge=0, le=_MOST_TOKENS)] | None = None  # 0 with `echo`: the prompt's own logprobs
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    stop: str | list[str] | None = None
    logprobs: Annotated[int, Meta(ge=0, le=100)] | None = None
    echo: bool | None = None
    suffix: str | None = None
    user: Annotated[str, Meta(max_length=1024)] | None = None


DIALECT: Final = OpenAICompletions()
