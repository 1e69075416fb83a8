"""Answers of Qianfan: what the vendor adds to chat completions, read for clients of other dialects.

* `search_results` are pages that the answer rests on: citations of its text, and one call of the vendor's search.
* `flag` from 2 on says that its safety check stopped the conversation (1: doubtful, but it goes on; unverified, as no
  recording shows one): the answer ends as filtered, and the refusal tells the verdict.
* `normal` is its usual word for an end.

Usage as OpenAI counts it; what a search added to the prompt (`search_tokens`) is part of `prompt_tokens`. Table:
docs/reference/usage/qianfan_native.md. Sources (2026-11-26): see `qianfan_native`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from typing_extensions import override

from yuzui.core.chat import ChatResponse, Choice, Citation, Part, StreamChunk, TextPart
from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import Decoder
from yuzui.providers._reading import BAD
from yuzui.providers.native_errors import Statuses, fault_in_answer, fault_of_status
from yuzui.providers.openai_errors import WireError, find_error
from yuzui.providers.openai_like import Ends, LikeDecoder, mend
from yuzui.providers.openai_reply import read_response

STATUSES: Final[Statuses] = {
    "invalid_iam_token": 401,
    "invalid_appid": 401,
    "access_denied": 403,
    "no_parameter_permission": 403,
    "account_overdue": 402,
    "insufficient_quota": 402,
    "invalid_model": 404,
    "model_not_found": 404,
    "rpm_rate_limit_exceeded": 429,
    "tpm_rate_limit_exceeded": 429,
    "preemptible_rpm_rate_limit_exceeded": 429,
    "preemptible_tpm_rate_limit_exceeded": 429,
    "user_rate_limit_exceeded": 429,
    "cluster_rate_limit_exceeded": 503,
    "service_unavailable": 503,
    # The first version's numbers, which the second still sends from parts of it.
    "2": 503,
    "4": 429,
    "6": 403,
    "13": 401,
    "14": 401,
    "15": 401,
    "17": 402,
    "18": 429,
    "19": 402,
    "110": 401,
    "111": 401,
    "336001": 400,
    "336002": 400,
    "336003": 400,
    "336004": 403,
    "336100": 503,
    "336501": 429,
    "336502": 429,
}
"""Error code → the HTTP status that says the same."""
ENDS: Final[Ends] = {"normal": "stop"}
STOPPED: Final = 2
"""The lowest `flag` that ends a conversation."""


def read_answer(body: bytes, *, is_lane: bool) -> ChatResponse:
    """Raise `UpstreamInvalid` when `body` is not a complete answer."""
    error = _old_error(body)
    if error is not None:
        raise fault_in_answer(error, STATUSES, "inside a 200 answer")
    found = mend(read_response(body, is_lane=is_lane), ENDS)
    extras = _extras(body)
    usage = _with_search(found.usage, extras)
    if is_lane:
        return replace(found, usage=usage)
    verdicts = _verdicts(extras)
    choices = tuple([_enrich(choice, _citations(extras), verdicts.get(choice.index, "")) for choice in found.choices])
    return replace(found, choices=choices, usage=usage)


def make_decoder(*, is_lane: bool) -> Decoder:
    """A decoder of one stream."""
    return _StreamDecoder(is_lane=is_lane)


def read_fault(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
    """The fault for a non-2xx answer: `{"error": {"code", "message", "type"}}`, or the first version's shape."""
    error = _old_error(body) or find_error(body) or WireError()
    return fault_of_status(status, headers, error, STATUSES, api_key=target.api_key)


def _enrich(choice: Choice, citations: tuple[Citation, ...], verdict: str) -> Choice:
    parts: list[Part] = list(choice.parts)
    if citations:
        at = next((at for at, part in enumerate(parts) if isinstance(part, TextPart)), -1)
        text = parts[at] if at >= 0 else None
        if isinstance(text, TextPart):
            parts[at] = replace(text, citations=(*text.citations, *citations))
    if verdict:
        return replace(choice, parts=tuple(parts), finish_reason="content_filter", refusal=choice.refusal or verdict)
    return replace(choice, parts=tuple(parts))


class _StreamDecoder(LikeDecoder):
    """One stream; pages and verdicts come on any event, and are told with the end of the answer."""

    __slots__ = ("_citations", "_extras", "_is_lane")

    def __init__(self, *, is_lane: bool) -> None:
        super().__init__(_translate, is_lane=is_lane, ends=ENDS)
        self._is_lane = is_lane
        self._citations: tuple[Citation, ...] = ()
        self._extras: _Extras | None = None

    @override
    def read_event(self, event: str, raw: bytes) -> StreamChunk | None:
        verdicts: dict[int, str] = {}
        if b'"search_results"' in raw or _flags(raw):
            extras = _extras(raw)
            if extras is not None and extras.search_results:
                self._extras = extras
                self._citations = _citations(extras)
            verdicts = _verdicts(extras)
        chunk = super().read_event(event, raw)
        if chunk is None or (self._extras is None and not verdicts):
            return chunk
        return self._tell(chunk, verdicts)

    def _tell(self, chunk: StreamChunk, verdicts: Mapping[int, str]) -> StreamChunk:
        changes: dict[str, Any] = {}  # Any: fields of a StreamChunk
        if chunk.usage is not None:
            changes["usage"] = _with_search(chunk.usage, self._extras)
        if not self._is_lane and any(
            delta.finish_reason is not None or delta.index in verdicts for delta in chunk.deltas
        ):
            deltas = []
            for delta in chunk.deltas:
                verdict = verdicts.get(delta.index, "")
                if verdict:
                    delta = msgspec.structs.replace(delta, finish_reason="content_filter", refusal=verdict)
                if delta.finish_reason is not None and self._citations:
                    delta = msgspec.structs.replace(delta, citations=self._citations)
                    self._citations = ()
                deltas.append(delta)
            changes["deltas"] = tuple(deltas)
        return msgspec.structs.replace(chunk, **changes) if changes else chunk


def _flags(raw: bytes) -> bool:
    """Whether an event may hold a verdict; nearly all say `0`, and need not be read twice."""
    return raw.count(b'"flag"') > raw.count(b'"flag":0') + raw.count(b'"flag": 0')


def _translate(event: str, data: bytes) -> bytes | None:
    if event == "error":
        raise fault_in_answer(
            _old_error(data) or find_error(data) or WireError(), STATUSES, "as an event of its stream"
        )
    if b'"error' in data[:200]:  # such events hold nothing else
        error = _old_error(data) or _new_error(data)
        if error is not None:
            raise fault_in_answer(error, STATUSES, "inside its stream")
    return data


def _with_search(usage: Usage | None, extras: _Extras | None) -> Usage | None:
    if usage is None or extras is None or not extras.search_results:
        return usage
    return msgspec.structs.replace(usage, server_tools=(("web_search", 1),))


def _citations(extras: _Extras | None) -> tuple[Citation, ...]:
    pages = extras.search_results if extras is not None else None
    return tuple([Citation(url=page.url, title=page.title or "") for page in pages or () if page.url])


def _verdicts(extras: _Extras | None) -> dict[int, str]:
    """Choice → what the safety check says of it, where it stopped the conversation."""
    return {
        at if choice.index is None else choice.index: _verdict(choice)
        for at, choice in enumerate((extras.choices if extras is not None else None) or ())
        if (choice.flag or 0) >= STOPPED
    }


def _verdict(choice: _Verdict) -> str:
    said = f"The vendor's safety check stopped this conversation (flag {choice.flag}"
    if choice.ban_round is not None:
        said += f", round {choice.ban_round}"
    said += ")."
    return f"{said} Begin a new one without it." if choice.need_clear_history else said


def _extras(body: bytes) -> _Extras | None:
    try:
        return _read_extras(body)
    except BAD:
        return None  # what the vendor adds costs no answer


def _old_error(body: bytes) -> WireError | None:
    try:
        found = _read_old(body)
    except BAD:
        return None
    return WireError(message=found.error_msg, code=found.error_code) if found.error_code else None


def _new_error(body: bytes) -> WireError | None:
    try:
        found = _read_new(body)
    except BAD:
        return None
    return found.error


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Page(msgspec.Struct):
    url: str | None = None
    title: str | None = None


class _Verdict(msgspec.Struct):
    index: int | None = None
    flag: int | None = None
    ban_round: int | None = None
    need_clear_history: bool | None = None


class _Extras(msgspec.Struct):
    search_results: list[_Page] | None = None
    choices: list[_Verdict] | None = None


class _OldError(msgspec.Struct):
    error_code: int | None = None
    error_msg: str | None = None


class _NewError(msgspec.Struct):
    error: WireError | None = None


_read_extras = msgspec.json.Decoder(_Extras).decode
_read_old = msgspec.json.Decoder(_OldError).decode
_read_new = msgspec.json.Decoder(_NewError).decode
