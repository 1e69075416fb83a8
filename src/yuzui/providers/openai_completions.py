"""Legacy completions as OpenAI-compatible servers want and give them, for clients of the same dialect.

Sources: openai==3.54.0, types/completion.py (2026-11-26); llama.cpp's server in xllamacpp==2026.10.11549, recorded
2026-11-26: counts on the last chunk that has choices, and with several prompts the counts of the first one only.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from typing_extensions import override

from yuzui.core.chat import (
    ChatRequest,
    ChatResponse,
    Choice,
    Delta,
    Dialect,
    Operation,
    StreamChunk,
    TextPart,
)
from yuzui.core.errors import UpstreamInterrupted, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.providers._contract import Decoder, WireRequest
from yuzui.providers._openai_lane import (
    EventDecoder,
    OperationCodec,
    decode,
    fault_in,
    json_request,
    patch,
    path_of,
    read_usage,
    require_lane,
    sane,
)
from yuzui.providers.openai_reply import finish_reason_of


class OpenAICompletionsCodec(OperationCodec):
    """`POST {base_url}/completions`."""

    dialect: Dialect = "openai_completions"
    operation: Operation = "completions"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        require_lane(request, self.dialect)
        patched = patch(request, target)
        body = patched.body
        if request.max_output_tokens is None and output_cap is not None and body.get("max_tokens") is None:
            body["max_tokens"] = output_cap
        if request.stream:
            if target.quirks.knows_stream_options:
                # Without the usage at the end, the stream could only be booked by estimate.
                body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
            else:
                body.pop("stream_options", None)
        path = path_of(target, "openai_completions", "/completions")
        return json_request(patched, target, path, is_stream=request.stream)

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> ChatResponse:
        found = decode(body, _completion, "a completion")
        if found.error is not None or not found.choices:
            raise fault_in(body) or UpstreamInvalid("the target's answer has no `choices`")
        return ChatResponse(
            id=found.id or "",
            model=found.model or "",
            created_s=sane(found.created),
            choices=tuple([_choice(choice, position) for position, choice in enumerate(found.choices)]),
            usage=read_usage(found.usage),
            raw=body,
            raw_dialect=self.dialect,
        )

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return CompletionsDecoder()


class CompletionsDecoder(EventDecoder):
    """One stream; `[DONE]` ends it once every choice has ended."""

    __slots__ = ("_ended", "_open")

    def __init__(self) -> None:
        super().__init__()
        self._open: set[int] = set()
        self._ended: set[int] = set()

    @override
    def read_event(self, event: str, raw: bytes) -> StreamChunk:
        found = self.decode(raw, _completion)
        self.check_error(raw, found.error)
        if found.choices is None:
            raise fault_in(raw, f"event {self.events}") or UpstreamInvalid(
                f"event {self.events} of the target's stream has no `choices`"
            )
        return StreamChunk(
            id=found.id or "",
            model=found.model or "",
            created_s=sane(found.created),
            deltas=tuple([self._delta(choice) for choice in found.choices]),
            usage=read_usage(found.usage),
            raw=raw,
        )

    def _delta(self, choice: _Choice) -> Delta:
        index = choice.index or 0
        self._open.add(index)
        reason = None
        if choice.finish_reason:
            reason = finish_reason_of(choice.finish_reason)
            self._ended.add(index)
        return Delta(index=index, text=choice.text or "", finish_reason=reason)

    @override
    def read_done(self) -> None:
        # A relay that lost its own upstream sends [DONE] all the same: without an end for each choice it is no answer.
        if not self._open or self._open != self._ended:
            raise UpstreamInterrupted("the target's stream ended before its choices did")


def _choice(choice: _Choice, position: int) -> Choice:
    if choice.text is None or not choice.finish_reason:
        missing = "text" if choice.text is None else "finish_reason"
        raise UpstreamInvalid(f"choice {position} of the target's answer has no `{missing}`")
    return Choice(
        index=position if choice.index is None else choice.index,
        parts=(TextPart(text=choice.text),) if choice.text else (),
        finish_reason=finish_reason_of(choice.finish_reason),
    )


class _Choice(Struct):
    text: str | None = None
    index: int | None = None
    finish_reason: str | None = None


class _Completion(Struct):
    id: str | None = None
    model: str | None = None
    created: int | float | None = None
    choices: list[_Choice] | None = None
    usage: Raw = Raw()
    error: Any = None  # Any: only whether it is there; `fault_in` reads it


_completion = msgspec.json.Decoder(_Completion)

CODEC: Final = OpenAICompletionsCodec()
