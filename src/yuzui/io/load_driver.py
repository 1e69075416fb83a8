"""Drives a server with so many requests at once, and notes what each of them took. Bounded in count and time."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from yuzui.core.decision import AllowedSet, Decision
from yuzui.core.errors import YuzuiError
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.dialects.openai_chat import DIALECT
from yuzui.economics.measurement import Sample
from yuzui.ports import Clock, Upstream
from yuzui.privacy.egress import check_egress
from yuzui.providers._contract import Codec

MOST_GRACE_S: Final = 30.0
"""How long what runs at the end of a level may go on; what does not end by then is cut, and counts as a failure."""
WORDS: Final = (
    "river", "stone", "levee", "harbour", "winter", "copper", "lantern", "garden", "signal", "bridge", "paper",
    "market", "forest", "engine", "window", "thread", "island", "letter", "meadow", "anchor", "valley", "basket",
    "mirror", "candle",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One level: `concurrency` callers, each asking again as soon as it is answered."""

    concurrency: int
    prompt_words: int
    max_output_tokens: int
    requests: int
    """In all; at least one per caller."""
    max_s: float
    """After which nothing new is started."""
    ignore_eos: bool = False
    """Ask for `max_output_tokens` exactly, in the field that vLLM, SGLang and llama.cpp know."""


class LoadDriver:
    """Prompts are words drawn from `seed`, each prompt different from its first word on, so that no cache answers."""

    def __init__(self, upstream: Upstream, target: Target, codec: Codec, clock: Clock, *, seed: int) -> None:
        self._upstream = upstream
        self._target = target
        self._codec = codec
        self._clock = clock
        self._random = random.Random(seed)
        self._decision = Decision(
            model=target.name, policy="measure", level=0, allowed=AllowedSet(frozenset((target.name,))), plan=(target,),
            refused=(), why="measures the server's speed",
        )  # fmt: skip
        self._label = Sensitivity(level=0, causes=(), kinds={})

    async def run(self, load: Load) -> tuple[list[Sample], float]:
        """(every request of the level, seconds from its beginning until nothing was left to start)."""
        began = self._clock.monotonic()
        samples: list[Sample] = []
        left = max(load.requests, load.concurrency)
        window_s = 0.0

        async def caller() -> None:
            nonlocal left, window_s
            while True:
                now_s = self._clock.monotonic() - began
                if left <= 0 or now_s >= load.max_s:
                    window_s = window_s or now_s  # the first that finds nothing: from here on the server empties
                    return
                left -= 1
                samples.append(await self._ask(load, began))

        callers = [asyncio.create_task(caller()) for _ in range(load.concurrency)]
        done, late = await asyncio.wait(callers, timeout=load.max_s + min(load.max_s, MOST_GRACE_S))
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for task in done:
            task.result()  # a bug is not a failure of the server's
        samples += [Sample(started_s=0.0, failure="cut")] * len(late)
        return samples, window_s or load.max_s

    async def _ask(self, load: Load, began: float) -> Sample:
        started_s = self._clock.monotonic() - began
        try:
            return await self._stream(load, began, started_s)
        except YuzuiError as error:
            return Sample(started_s=started_s, failure=error.code)

    async def _stream(self, load: Load, began: float, started_s: float) -> Sample:
        request = DIALECT.read_request(self._body(load))
        wire = self._codec.write_request(request, self._target, output_cap=None)
        scanned = check_egress(self._decision, self._target, self._label, wire, wire.body)
        decoder = self._codec.decoder(wire)
        first_s: float | None = None
        usage: Usage | None = None
        async with self._upstream.open(scanned, self._target, self._decision.allowed) as reply:
            if not 200 <= reply.status < 300:
                raise self._codec.read_error(reply.status, {}, await reply.read(), self._target)
            async with aclosing(reply.chunks()) as chunks:
                async for data in chunks:
                    for chunk in decoder.feed(data):
                        usage = chunk.usage or usage
                        if first_s is None and (chunk.has_content or any(d.text or d.reasoning for d in chunk.deltas)):
                            first_s = self._clock.monotonic() - began
                    if decoder.is_complete:
                        break
                    decoder.feed(b"")  # a fault that stood behind good chunks waits for this call
        decoder.close()
        finished_s = self._clock.monotonic() - began
        if usage is None or not usage.output_tokens:
            return Sample(started_s=started_s, failure="usage_missing")
        return Sample(
            started_s=started_s,
            first_token_s=finished_s if first_s is None else first_s,
            finished_s=finished_s,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
        )

    def _body(self, load: Load) -> dict[str, object]:
        words = " ".join(self._random.choices(WORDS, k=max(1, load.prompt_words)))
        number = self._random.randrange(10**9)
        body: dict[str, object] = {
            "model": self._target.name,
            "messages": [{"role": "user", "content": f"{number} {words}. Tell a long story with these words."}],
            "max_tokens": load.max_output_tokens,
            "temperature": 0.7,
            "stream": True,
        }
        if load.ignore_eos:
            body["ignore_eos"] = True
        return body
