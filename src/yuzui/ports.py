"""What the pipeline needs from the world. Everything behind these Protocols lives in io/ and engine/."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from yuzui.core.booking import Closing, Intent, KeptAnswer, KeyRecord, Receipt
from yuzui.core.chat import NO_LINE, RequestLine
from yuzui.core.decision import AllowedSet
from yuzui.core.documents import DocumentKind, DocumentRules, DocumentText
from yuzui.core.guarantee import TestsRun
from yuzui.core.sensitivity import NameRules
from yuzui.core.target import Target
from yuzui.privacy.egress import Scanned
from yuzui.privacy.leaves import Leaf
from yuzui.privacy.scan import ScanResult
from yuzui.providers._contract import WireRequest


class Clock(Protocol):
    def now_ns(self) -> int:
        """Wall clock, nanoseconds since 1970 UTC. For records only, never for intervals."""
        ...

    def monotonic(self) -> float:
        """Seconds; never jumps. For every interval and timeout."""
        ...


class Randomness(Protocol):
    def bits64(self) -> int: ...

    def fraction(self) -> float:
        """Uniform in [0, 1)."""
        ...


class UpstreamReply(Protocol):
    """The head of an upstream's answer; the body is read once, whole or in chunks."""

    @property
    def status(self) -> int: ...

    def header(self, name: str) -> str | None: ...

    async def read(self) -> bytes:
        """The whole body, bounded; raise an `UpstreamFault`."""
        ...

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Bytes as they arrive; raise an `UpstreamFault` when they stop too early. Consume inside `aclosing`."""
        ...


class Upstream(Protocol):
    def open(
        self, scanned: Scanned[WireRequest], target: Target, allowed: AllowedSet
    ) -> AbstractAsyncContextManager[UpstreamReply]:
        """Send what was scanned for `target` to it. Raise `PermissionError` unless it was, and the target is in
        `allowed`: the second, independent check."""
        ...


class Books(Protocol):
    """Money, keys and records. Every awaited call is durable when it returns, or raises `GatewayFault`."""

    def find_key(self, key_hash: bytes) -> KeyRecord | None: ...

    def has_keys(self) -> bool: ...

    async def reserve(self, intent: Intent) -> None:
        """Raise `BudgetExceeded` when the cap of `intent.window` does not hold the reservation."""
        ...

    def close(self, closing: Closing) -> asyncio.Future[Receipt]:
        """Settle, void or record a refusal; a second closing changes nothing and gets the first receipt.

        Handed over before this returns: a caller that is cancelled while it waits loses nothing.
        """
        ...


class Documents(Protocol):
    """Reads files outside of this process."""

    async def read(self, documents: Sequence[tuple[DocumentKind, bytes]], rules: DocumentRules) -> list[DocumentText]:
        """One text per document, in their order, within `rules.deadline_ms`; `reason` says what could not be read."""
        ...


class CodeTests(Protocol):
    """Runs strangers' code where it can do no harm."""

    async def run(self, question: str, answer: str) -> TestsRun | None:
        """What became of the tests that `question` brings, with the code of `answer`; None where they could not be run.
        Bounded in time by itself."""
        ...


class Archive(Protocol):
    """Answers and conversations that clients asked to keep, each readable by the scope that it belongs to only."""

    def wrap(
        self, *, scope: str, id: str, level: str, content: bytes, at_ns: int, names: tuple[str, ...] = ()
    ) -> KeptAnswer | None:
        """What a closing carries into the books; None where the operator keeps nothing. `names`: of its items."""
        ...

    async def find(self, scope: str, id: str) -> FoundAnswer | None:
        """By its id or an item's name. None for what was never kept, is over its time, or is somebody else's."""
        ...

    async def remove(self, scope: str, id: str) -> bool: ...

    async def keep(self, kept: KeptAnswer) -> None:
        """Durable on return, in place of what was kept under the same id."""
        ...

    def hold(self, scope: str, id: str) -> Callable[[object], None]:
        """Nobody else changes it until the returned function is called, with
        whatever; raise `ClientFault` when somebody does now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAnswer:
    id: str
    """Its own, also where it was asked for by the name of one of its items."""
    level: str
    """Name of the sensitivity level of its conversation when it was kept."""
    content: bytes


class Names(Protocol):
    """Names of people, organisations and addresses, found by models."""

    def begin(self, leaves: Sequence[Leaf], rules: NameRules) -> ScanResult | Coroutine[Any, Any, ScanResult]:
        """Findings in every leaf: at once where all of it is remembered, else what is to be awaited.

        What could not be looked at in time is in `failures`, never left out.
        """
        ...


class Reply(Protocol):
    """The client's side of the line."""

    async def start(self, status: int, headers: Mapping[str, str]) -> None: ...

    async def send(self, data: bytes, *, more: bool) -> None:
        """Raise `ClientGone` when nobody is listening any more."""
        ...

    def keep_alive(self, heartbeat: bytes, every_s: float) -> None:
        """From now on send `heartbeat` whenever nothing else was sent for `every_s`."""
        ...

    @property
    def has_started(self) -> bool: ...


class Telemetry(Protocol):
    """Counters only: never content, never a value that a client chose freely."""

    def request_done(
        self,
        *,
        outcome: str,
        code: str,
        target: str,
        sensitivity: str,
        stream: bool,
        duration_ms: int,
        first_token_ms: int,
        input_tokens: int,
        output_tokens: int,
    ) -> None: ...

    def attempt_failed(self, target: str, code: str) -> None: ...

    def advised(self, *, model: str, target: str, rule: str, guarantee: str) -> None:
        """A request for a model with a learned router; `target` and `guarantee` are "" where nobody was asked."""
        ...

    def tried(
        self,
        *,
        model: str,
        trial: str,
        arm: str,
        outcome: str,
        code: str,
        first_token_ms: int,
        input_tokens: int,
        output_tokens: int,
        spent_nano: int,
    ) -> None:
        """A request of one side of a trial; `code`: how the target that was asked first failed, "" where it did not."""
        ...

    def answer_finding(self, target: str, kind: str, action: str, count: int) -> None:
        """`action`: note | redact | refuse | echoed; `failure` with the kind "" for an answer that was not searched."""
        ...


ModelShape = Literal["openai", "anthropic", "gemini"]
"""In whose words models are listed."""


class ClientGone(Exception):
    """The client hung up. Not an error of ours: the request is cancelled upstream and settled from what was counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """What came in over the line, before anyone understood it."""

    body: bytes
    authorization: tuple[str, ...]
    """Every Authorization header's value, and keys in other dialects' headers as one; exactly one is right."""
    conversation_id: str
    """The header `x-yuzui-conversation`, or ""."""
    masking: str | None = None
    """The header `x-yuzui-masking`."""
    content_type: str = "application/json"
    line: RequestLine = NO_LINE


class Interruption:
    """Why a request must stop early, told to the task that carries it. Created per request, fired at most once."""

    __slots__ = ("_task", "reason")

    def __init__(self, task: asyncio.Task[Any]) -> None:  # Any: the task's result is nobody's business here
        self._task = task
        self.reason: Literal["", "client_gone", "server_restarting"] = ""

    def fire(self, reason: Literal["client_gone", "server_restarting"]) -> None:
        if not self.reason:
            self.reason = reason
            self._task.cancel()
