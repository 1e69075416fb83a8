"""Where one request's CPU time goes, station by station, without sockets on the client's side.

`python bench/stations.py [--chars N] [--stream] [--windows N] [--save]`: a real gateway process in this process (books,
audit log, detection, names if they are installed) and the mock upstream of `native/`; 32 lines, each sends when it was
answered. Each function of `STATIONS` is timed in every step of it that runs on the event loop's thread, without what
other stations inside of it take; the figure is the least over windows of 640 requests or 32 streams, because other work
on the machine only adds. Looking at the clock costs about a microsecond per station and step, which is in the figures.
What other threads do (writer, pyreqwest) is only in the sum of the process, which is the last line.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from functools import wraps
from pathlib import Path
from typing import Any

import origin
import uvloop
from gateways import prepare_yuzui
from prompts import write_bodies
from rig import BUILD, build, start_mock

from yuzui import config as configuration
from yuzui.wiring import Service

Json = dict[str, Any]  # Any: JSON
LINES, EACH, STREAMS_EACH = 32, 20, 1

STATIONS: tuple[tuple[str, str], ...] = (
    ("reading", "yuzui.io.http_server:HttpServer._read"),
    ("identify", "yuzui.admission.gate:Gate.identify"),
    ("admit", "yuzui.admission.gate:Gate.admit"),
    ("hashes of content", "yuzui.exchange:Exchange.hash_content"),
    ("parse", "yuzui.dialects.openai_chat:OpenAIChat.read_body"),
    ("parse", "yuzui.dialects.openai_chat:OpenAIChat.read_request"),
    ("leaves", "yuzui.privacy.leaves:read_leaves"),
    ("documents", "yuzui.reading:find_documents"),
    ("engine", "yuzui.privacy.engine:HyperscanEngine.find"),
    ("engine", "yuzui.privacy.engine:Re2Engine.find"),
    ("candidates", "yuzui.privacy.scan:Scanner._ask_all"),
    ("across turns", "yuzui.privacy.scan:find_across_turns"),
    ("scan", "yuzui.privacy.scan:Scanner.scan"),
    ("scan", "yuzui.pipeline:scan_with_documents"),
    ("scan", "yuzui.pipeline:scan_request"),
    ("names", "yuzui.io.names:NameSearch.begin"),
    ("tails", "yuzui.tails:Tails.join"),
    ("recollect", "yuzui.pipeline:recollect"),
    ("label", "yuzui.pipeline:label"),
    ("judge", "yuzui.pipeline:judged"),
    ("mask", "yuzui.masking:Masker.mask"),
    ("decide", "yuzui.pipeline:advise"),
    ("decide", "yuzui.routing.router:Router.decide"),
    ("bound", "yuzui.accounting.bounds:most_expensive_nano"),
    ("record", "yuzui.exchange:Exchange.record"),
    ("record", "yuzui.exchange:write_record"),
    ("record", "yuzui.pipeline:write_record"),
    ("reserve", "yuzui.pipeline:Journey._reserve"),
    ("codec, request", "yuzui.providers.openai:OpenAICodec.write_request"),
    ("egress", "yuzui.pipeline:check_egress"),
    ("upstream", "yuzui.io.upstream:HttpUpstream.open"),
    ("upstream", "yuzui.io.upstream:_HttpCall.__aenter__"),
    ("upstream", "yuzui.io.upstream:_HttpReply.read"),
    ("upstream", "yuzui.io.upstream:_HttpCall.__aexit__"),
    ("codec, answer", "yuzui.answers:Listener.read"),
    ("answer scan", "yuzui.answers:search"),
    ("codec, answer", "yuzui.dialects.openai_chat:OpenAIChat.write_response"),
    ("settle", "yuzui.accounting.settle:settle"),
    ("hand over", "yuzui.pipeline:Journey.hand_over"),
    ("learn", "yuzui.pipeline:learn"),
    ("close", "yuzui.exchange:Exchange.closing"),
    ("close", "yuzui.pipeline:Journey.close"),
    ("headers", "yuzui.exchange:Exchange.headers"),
    ("sending", "yuzui.io.http_server:AsgiReply.start"),
    ("sending", "yuzui.io.http_server:AsgiReply.send"),
    ("leave", "yuzui.pipeline:Journey.leave"),
    ("the story itself", "yuzui.pipeline:Gateway.answer"),
    ("the story itself", "yuzui.pipeline:Journey.__init__"),
    ("the story itself", "yuzui.pipeline:Journey.run"),
    ("the story itself", "yuzui.pipeline:Journey._try_plan"),
    ("the story itself", "yuzui.pipeline:Journey._attempt"),
    ("the story itself", "yuzui.pipeline:Journey._relay_whole"),
    ("the story itself", "yuzui.pipeline:Journey._relay_stream"),
    ("the story itself", "yuzui.pipeline:Journey._answer_whole"),
    ("the line", "yuzui.io.http_server:HttpServer.__call__"),
    ("the line", "yuzui.io.http_server:HttpServer._chat"),
)  # fmt: skip


class Clockwork:
    """Time per station of the request that runs; steps of stations nest."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}
        self._inside = [0]
        """Of each open step: what steps inside of it took."""

    def wrap(self, station: str, function: Callable[..., Any]) -> Callable[..., Any]:  # Any: whatever is measured
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def measured(*args: Any, **kwargs: Any) -> Any:
                return await _Steps(self, station, function(*args, **kwargs))

        else:

            @wraps(function)
            def measured(*args: Any, **kwargs: Any) -> Any:
                self.enter()
                began = time.thread_time_ns()
                try:
                    return function(*args, **kwargs)
                finally:
                    self.leave(station, time.thread_time_ns() - began)

        return measured

    def enter(self) -> None:
        self._inside.append(0)

    def leave(self, station: str, took_ns: int) -> None:
        own_ns = took_ns - self._inside.pop()
        self._inside[-1] += took_ns
        self.spent[station] = self.spent.get(station, 0) + own_ns


class _Steps:
    """A coroutine whose steps are timed."""

    def __init__(self, clockwork: Clockwork, station: str, coroutine: Any) -> None:
        self._clockwork, self._station, self._coroutine = clockwork, station, coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._coroutine.__await__()
        send, value = steps.send, None
        while True:
            self._clockwork.enter()
            began = time.thread_time_ns()
            try:
                waits_for = send(value)
            except StopIteration as end:
                return end.value
            finally:
                self._clockwork.leave(self._station, time.thread_time_ns() - began)
            try:
                send, value = steps.send, (yield waits_for)
            except BaseException as error:
                send, value = steps.throw, error


def install(clockwork: Clockwork) -> None:
    for station, place in STATIONS:
        module, _, name = place.partition(":")
        owner: Any = importlib.import_module(module)
        *classes, name = name.split(".")
        for one in classes:
            owner = getattr(owner, one, None)
        function = getattr(owner, name, None)
        if function is None:
            sys.exit(f"error: {place} is not there any more; mend STATIONS")
        setattr(owner, name, clockwork.wrap(station, function))
        if module == "yuzui.privacy.leaves":  # who reads leaves has imported the function already
            for user in ("yuzui.scanning", "yuzui.privacy.scan", "yuzui.privacy.conversation"):
                setattr(importlib.import_module(user), name, getattr(owner, name))


async def measure(
    run: Path, body: bytes, each: int, windows: int, is_timed: bool
) -> tuple[list[dict[str, float]], float]:
    """Microseconds per station and request, of each window; and the least CPU of the process per request."""
    clockwork = Clockwork()
    if is_timed:
        install(clockwork)
    service = Service(configuration.load(run / "yuzui.toml", os.environ), run / "data")
    await service.start()
    key = (run / "yuzui.keys").read_bytes().strip()
    headers = [
        (b"host", b"127.0.0.1"), (b"authorization", b"Bearer " + key), (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]  # fmt: skip
    path = "/v1/chat/completions"
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": headers, "client": ("127.0.0.1", 1), "scheme": "http"}  # fmt: skip

    async def send(message: Json) -> None:
        if message.get("status", 200) != 200:
            raise SystemExit(f"error: the gateway answered {message}")

    async def ask() -> None:
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Json:
            message = next(messages, None)
            if message is None:  # the client stays on the line
                await asyncio.get_running_loop().create_future()
            return message or {}

        await service.app(dict(scope), receive, send)

    async def line(requests: int) -> None:
        for _ in range(requests):
            await ask()

    found: list[dict[str, float]] = []
    process_us: list[float] = []
    try:
        await ask()  # alone: the worker for names reads the prompt once
        for _ in range(windows + 1):
            clockwork.spent.clear()
            began = time.process_time()
            await asyncio.gather(*[line(each) for _ in range(LINES)])
            process_us.append((time.process_time() - began) / (each * LINES) * 1e6)
            found.append({name: ns / 1000 / (each * LINES) for name, ns in clockwork.spent.items()})
        return found[1:], min(process_us[1:])
    finally:
        await service.stop()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--chars", type=int, default=2048, help="of the prompt: a small one, or up to many thousands")
    options.add_argument("--stream", action="store_true", help="a stream of 200 chunks instead of one JSON answer")
    options.add_argument("--windows", type=int, default=12)
    options.add_argument("--untimed", action="store_true", help="only the sum of the process, without the clockwork")
    options.add_argument("--save", metavar="NAME", help="write bench/results/NAME.json")
    given = options.parse_args()
    build()
    run = Path(tempfile.mkdtemp(prefix="run-", dir=BUILD))
    mock, upstream = start_mock(chunks=200, pace_us=2000)
    try:
        prepare_yuzui(run, upstream)
        whole, stream = write_bodies(run)
        asked = json.loads((stream if given.stream else whole).read_bytes())
        prompt = asked["messages"][1]["content"]
        asked["messages"][1]["content"] = (prompt * (given.chars // len(prompt) + 1))[: given.chars]
        body = json.dumps(asked, separators=(",", ":")).encode()
        spent, process_us = uvloop.run(
            measure(run, body, STREAMS_EACH if given.stream else EACH, given.windows, not given.untimed)
        )
    finally:
        mock.stop()
        shutil.rmtree(run)
    names = list(dict.fromkeys([station for station, _ in STATIONS]))
    least = {name: min([one.get(name, 0.0) for one in spent]) for name in names}
    for name, us in least.items():
        print(f"{name:24} {us:8.1f}")
    print(f"{'sum of the stations':24} {sum(least.values()):8.1f}")
    print(f"{'CPU of the process':24} {process_us:8.1f}")
    if given.save:
        found = {"stations_us": {name: round(us, 1) for name, us in least.items()}, "process_us": round(process_us)}
        asked_for = {"chars": given.chars, "is_stream": given.stream, "windows": given.windows}
        print(origin.save(given.save, {**origin.describe(), **asked_for, **found}))


if __name__ == "__main__":
    main()
