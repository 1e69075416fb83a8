"""Knows how a server is measured: which, at which levels, with what bounds, and how the result is told."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import platform
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from yuzui.cli._options import load_config
from yuzui.core.errors import ConfigError
from yuzui.core.target import Quirks, Target, Timeouts
from yuzui.economics.measurement import MeasuredLevel, Measurement, summarise

if TYPE_CHECKING:  # loaded when something is measured
    from yuzui.io.load_driver import Load, LoadDriver
    from yuzui.io.upstream import Endpoint

ENGINE_LOAD_S = 600.0
MOST_LEVELS = 64
MOST_CONCURRENCY = 4096
SEED = 20_261_126


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be measured. Each list as the user wrote it: `1,2,4,8`."""

    url: str
    model: str
    key_env: str
    target: str
    concurrency: str
    prompt_words: str
    output_tokens: str
    requests: int
    max_s: float
    ignore_eos: bool
    config: Path | None


def plan(wish: Wish) -> list[Load]:
    """The first shape at every level, the other shapes at the highest one. Raise `ConfigError`."""
    from yuzui.io.load_driver import Load

    levels = _numbers(wish.concurrency, "--concurrency", MOST_CONCURRENCY)
    prompts = _numbers(wish.prompt_words, "--prompt-words", 1_000_000)
    outputs = _numbers(wish.output_tokens, "--output-tokens", 1_000_000)
    shapes = [(words, tokens) for words in prompts for tokens in outputs]
    pairs = [(n, shapes[0]) for n in levels] + [(max(levels), shape) for shape in shapes[1:]]
    if len(pairs) > MOST_LEVELS:
        raise ConfigError(f"that makes {len(pairs)} levels; at most {MOST_LEVELS} are measured in one run")
    return [
        Load(
            concurrency=n, prompt_words=words, max_output_tokens=tokens, requests=max(wish.requests, 2 * n),
            max_s=wish.max_s, ignore_eos=wish.ignore_eos,
        )
        for n, (words, tokens) in pairs
    ]  # fmt: skip


def bounds_words(loads: Sequence[Load]) -> str:
    """The most that the run can take, before it begins."""
    requests = sum(load.requests for load in loads)
    tokens = sum(load.requests * load.max_output_tokens for load in loads)
    seconds = sum(load.max_s + min(load.max_s, 30.0) for load in loads)
    return (
        f"at most {requests:,} requests on {len(loads)} levels, {tokens:,} output tokens and {seconds / 60:.0f} minutes"
        "; they are in no budget and no books of this machine"
    )


def find_target(wish: Wish) -> Target:
    """The server as a target. Raise `ConfigError`: a vendor's is measured by its address only, knowingly."""
    if bool(wish.url) == bool(wish.target):
        raise ConfigError("write either --url (with --model) or --target, one of yuzui.toml")
    timeouts = Timeouts(first_token_s=2 * wish.max_s, between_tokens_s=wish.max_s, total_s=3 * wish.max_s)
    if wish.target:
        found = next((one for one in load_config(wish.config).targets if one.name == wish.target), None)
        if found is None:
            known = ", ".join(one.name for one in load_config(wish.config).targets)
            raise ConfigError(f"no target is named {wish.target!r}; known are {known}")
        if found.premises != "own":
            raise ConfigError(
                f"{found.name} is a vendor's: measuring it costs money that no budget holds, so it is not done"
            )
        return replace(found, timeouts=timeouts, max_concurrency=0, max_queue=0)
    parts = urlsplit(wish.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise ConfigError("--url: write an http(s) address without user and query, such as http://127.0.0.1:8000/v1")
    if not wish.model:
        raise ConfigError("--model is missing: the model's name at that server")
    if wish.key_env and wish.key_env not in os.environ:
        raise ConfigError(f"--key-env: the environment variable {wish.key_env} is not set")
    return Target(
        name=wish.model, provider="openai", codec="openai", model=wish.model, base_url=wish.url.rstrip("/"),
        premises="own", clearance=0, jurisdiction="", timeouts=timeouts,
        api_key=os.environ.get(wish.key_env, "") if wish.key_env else "",
        quirks=Quirks(max_tokens_field="max_tokens"),
    )  # fmt: skip


async def measure(
    wish: Wish, loads: Sequence[Load], target: Target, told: Callable[[MeasuredLevel], None]
) -> Measurement:
    """Level after level; `told` of each. Raise `ConfigError` when not one request was answered."""
    from yuzui.io.clock import SystemClock
    from yuzui.io.load_driver import LoadDriver
    from yuzui.io.upstream import HttpUpstream
    from yuzui.providers.catalogue import find_codecs
    from yuzui.providers.scripted import play

    levels: list[MeasuredLevel] = []
    async with AsyncExitStack() as stack:
        endpoint = await _start_engine(wish, target, stack)

        async def endpoint_of(model: str) -> Endpoint | None:
            return endpoint

        upstream = HttpUpstream(endpoint_of=endpoint_of, scripted=play)
        stack.push_async_callback(upstream.close)
        driver = LoadDriver(upstream, target, find_codecs()[target.codec], SystemClock(), seed=SEED)
        await _warm_up(driver, loads[0])
        for load in loads:
            samples, window_s = await driver.run(load)
            level = summarise(
                samples, concurrency=load.concurrency, prompt_words=load.prompt_words,
                max_output_tokens=load.max_output_tokens, window_s=window_s,
            )  # fmt: skip
            levels.append(level)
            told(level)
    if not any(level.requests for level in levels):
        codes = sorted({code for level in levels for code in level.failure_codes})
        raise ConfigError(f"{target.name} answered not one request: {', '.join(codes)}; is it the right address?")
    return Measurement(
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        server=wish.target or target.base_url,
        model=target.model,
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        levels=levels,
    )


async def _warm_up(driver: LoadDriver, load: Load) -> None:
    """One request that counts nowhere: the first one finds cold caches and connections."""
    await driver.run(replace(load, concurrency=1, requests=1))


async def _start_engine(wish: Wish, target: Target, stack: AsyncExitStack) -> Endpoint | None:
    if not target.engine:
        return None
    from yuzui.engine.installed import worker_settings
    from yuzui.engine.supervisor import EngineSupervisor
    from yuzui.io.upstream import Endpoint

    embedded = load_config(wish.config).embedded
    engine = EngineSupervisor(
        worker_settings(
            embedded.model, threads=embedded.threads, context_tokens=embedded.context_tokens, parallel=embedded.parallel
        )
    )
    engine.start()
    stack.push_async_callback(engine.stop)
    found = await engine.wait_ready(ENGINE_LOAD_S)
    return Endpoint(url=found.url, api_key=found.api_key)


def run(wish: Wish, loads: Sequence[Load], target: Target, told: Callable[[MeasuredLevel], None]) -> Measurement:
    return asyncio.run(measure(wish, loads, target, told))


def _numbers(text: str, option: str, most: int) -> list[int]:
    """`1,2,4` → different numbers in their order."""
    found = [int(part) for part in text.replace(" ", "").split(",") if part.isascii() and part.isdigit()]
    if not found or len(found) != text.count(",") + 1 or not all(0 < one <= most for one in found):
        raise ConfigError(f"{option} {text!r}: write numbers from 1 to {most}, such as 1,2,4,8")
    return list(dict.fromkeys(found))
