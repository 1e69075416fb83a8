"""The real `yuzui serve` as a process, a small HTTP client that keeps a journal, and what a restart must answer for."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from fault_upstream import Call, FaultUpstream, completion, piece
from gateway_kit import without_names
from yuzui.audit.merkle import leaf_hash
from yuzui.cli.main import app
from yuzui.io.audit_reader import verify_folder
from yuzui.io.books import SqliteBooks

YUZUI = Path(sys.executable).with_name("yuzui")
READY_WITHIN_S = 20.0  # only so that a hung start ends; what is promised is asserted where it is measured
HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Good morning, how are you today?"}]  # Any: JSON


def two_targets(own: FaultUpstream, vendor: FaultUpstream, *, server: str = "", more: str = "") -> str:
    """A free own target that may see everything, and a vendor that costs 1 and 2 USD per million tokens."""
    return f"""
[server]
{server}

[[targets]]
name = "house/small"
provider = "vllm"
base_url = "{own.base_url}"
model = "small"
premises = "own"
clearance = "restricted"
price = "free"

[[targets]]
name = "vendor/big"
provider = "openai"
base_url = "{vendor.base_url}"
model = "big"
api_key = {{ env = "VENDOR_KEY" }}
premises = "vendor"
clearance = "internal"
price = {{ currency = "USD", input = 1, cached_input = 0.1, output = 2 }}

[[models]]
name = "assistant"
candidates = ["house/small", "vendor/big"]
policy = "own_first"
{more}
"""


@dataclass(slots=True, kw_only=True)
class Served:
    """One process of the gateway; `address` once it said that it is ready."""

    folder: Path
    process: subprocess.Popen[str]
    ready_s: float
    address: tuple[str, int]

    @property
    def base_url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"

    @property
    def log(self) -> str:
        return (self.folder / "stderr.log").read_text("utf-8")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, timeout_s: float = 15) -> int:
        code = self.process.wait(timeout_s)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def kill(self) -> None:
        """What a power cut would do to the process."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()


def write_config(folder: Path, config: str) -> None:
    (folder / "yuzui.toml").write_text(without_names(config), "utf-8")


def data_dir(folder: Path) -> Path:
    return folder / "data"


def start_process(folder: Path, *args: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """`yuzui serve` on `folder`'s yuzui.toml and data folder, its log appended to `stderr.log`."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("YUZUI_") and not name.lower().endswith("_proxy")
    }
    with (folder / "stderr.log").open("a") as log:
        return subprocess.Popen(
            [YUZUI, "serve", "--config", folder / "yuzui.toml", "--port", "0", "--data-dir", data_dir(folder), *args],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=folder,
            env={**clean, "VENDOR_KEY": "vendor-secret", **(environ or {})},
        )


def start(folder: Path, *args: str, environ: Mapping[str, str] | None = None) -> Served:
    """Start the gateway and wait for its line."""
    began = time.monotonic()
    process = start_process(folder, *args, environ=environ)
    assert process.stdout is not None
    line = process.stdout.readline()
    ready_s = time.monotonic() - began
    found = re.search(r"http://([0-9.]+):(\d+)", line)
    if found is None or ready_s > READY_WITHIN_S:
        process.kill()
        process.wait()
        process.stdout.close()
        raise AssertionError(f"not ready: {line!r} {(folder / 'stderr.log').read_text('utf-8')}")
    return Served(folder=folder, process=process, ready_s=ready_s, address=(found[1], int(found[2])))


def command(folder: Path, *args: str) -> tuple[int, str]:
    """Run a command of the command line in this process: (exit code, output). As good as a second process: it opens
    its own connections to the books."""
    result = CliRunner().invoke(
        app, [*args, "--config", str(folder / "yuzui.toml"), "--data-dir", str(data_dir(folder))]
    )
    return result.exit_code, result.stdout


def new_key(folder: Path, *args: str) -> tuple[str, str]:
    """(id, secret) of a virtual key made by `yuzui keys create`."""
    code, out = command(folder, "keys", "create", "--app", "tests", *args, "--json")
    assert code == 0, out
    made = json.loads(out)
    return made["id"], made["key"]


# ---- a client -------------------------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Answer:
    """What reached the client, also when the line broke."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_whole: bool = False

    @property
    def request_id(self) -> str:
        return self.headers.get("x-yuzui-request-id", "")

    @property
    def json(self) -> Any:  # Any: JSON
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])

    @property
    def events(self) -> list[Any]:  # Any: JSON
        """Whole events of a stream; what follows the last blank line was cut."""
        parts = self.body.split(b"\n\n")[:-1]
        return [json.loads(part[6:]) for part in parts if part.startswith(b"data: {")]

    @property
    def text(self) -> str:
        return "".join(
            choice["delta"].get("content") or "" for event in self.events for choice in event.get("choices", ())
        )

    @property
    def receipt(self) -> str:
        """The receipt, if the client has it: from then on the request is acknowledged."""
        if "x-yuzui-receipt" in self.headers:
            return self.headers["x-yuzui-receipt"]
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            for event in self.events:
                if "yuzui" in event:
                    return str(event["yuzui"]["receipt"])
        return ""


@dataclass(slots=True, kw_only=True)
class Line:
    """One connection to the gateway with one request on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answer: Answer

    async def read_head(self) -> Answer:
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.answer.status = int(first.split(" ")[1])
        for line in lines:
            name, _, value = line.partition(":")
            if name:
                self.answer.headers[name.lower()] = value.strip()
        return self.answer

    async def read_some(self) -> bytes:
        """The next piece of the body; b"" at its end."""
        if self.answer.headers.get("transfer-encoding") == "chunked":
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            data = (await self.reader.readexactly(size + 2))[:-2]
        else:
            data = await self.reader.readexactly(int(self.answer.headers.get("content-length", "0")))
        self.answer.body += data
        return data

    async def read_all(self) -> Answer:
        if not self.answer.status:
            await self.read_head()
        while await self.read_some():
            if "content-length" in self.answer.headers:
                break
        self.answer.is_whole = True
        self.close()
        return self.answer

    def close(self) -> None:
        self.writer.close()


async def call(
    address: tuple[str, int],
    body: Mapping[str, Any] | bytes,
    *,
    key: str = "",
    headers: Mapping[str, str] | None = None,
) -> Line:
    """Send one request."""
    reader, writer = await asyncio.open_connection(*address, limit=2**24)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"host": "localhost", "content-type": "application/json", "content-length": str(len(data))}
    lines |= {"connection": "close", **({"authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n".encode() + data)
    return Line(reader=reader, writer=writer, answer=Answer())


async def ask(
    address: tuple[str, int],
    body: Mapping[str, Any] | bytes,
    *,
    key: str = "",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send one request and read its answer to the end; raise when the line breaks."""
    line = await call(address, body, key=key, headers=headers)
    try:
        return await line.read_all()
    finally:
        line.close()


def chat(model: str = "vendor/big", messages: object = None, **more: object) -> dict[str, Any]:  # Any: JSON
    return {"model": model, "messages": HELLO if messages is None else messages, **more}


async def answers(call: Call) -> None:
    """A target that is well."""
    if b'"stream":true' in call.body:
        await call.start_stream()
        for word in ("Good ", "morning", "!"):
            await call.event(piece(word))
        await call.event(piece(finish="stop"))
        await call.event(piece(usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}))
        await call.end_stream()
    else:
        await call.json(completion("Good morning!"))


# ---- load with a journal --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Journal:
    """What a client knows, whatever became of the server."""

    answers: list[Answer] = field(default_factory=list)
    broken: int = 0

    @property
    def acknowledged(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.receipt]

    @property
    def begun(self) -> list[Answer]:
        """Named by the server and not acknowledged: streams whose first bytes came, and no more."""
        return [answer for answer in self.answers if answer.request_id and not answer.receipt]

    async def load(self, address: tuple[str, int], key: str, *, callers: int, until: asyncio.Event) -> None:
        """Plain and streamed requests from `callers` at once, until told to stop or the server is gone."""
        await asyncio.gather(*[self._caller(address, key, number, until) for number in range(callers)])

    async def _caller(self, address: tuple[str, int], key: str, number: int, until: asyncio.Event) -> None:
        turn = number
        while not until.is_set():
            turn += 1
            line = None
            try:
                line = await call(address, chat(stream=bool(turn % 2), max_tokens=20), key=key)
                self.answers.append(line.answer)
                await line.read_all()
            except (OSError, asyncio.IncompleteReadError):
                self.broken += 1
                if line is None:
                    return  # nobody listens any more
            finally:
                if line is not None:
                    line.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What the books and the log say, read from the files."""

    size: int
    outcomes: dict[str, int]


def check_books(folder: Path, journal: Journal) -> Audit:
    """Every promise about a folder whose server died and was started and stopped again."""
    report = verify_folder(data_dir(folder) / "audit")
    assert report.ok, report.problems
    books = SqliteBooks.open(data_dir(folder), exclusive=False)
    try:
        assert books.verify_sums() == []
        leaves = books.unpublished(0, 1_000_000)
        assert report.size == len(leaves), "everything is published after a clean stop"
        ids = [json.loads(leaf)["id"] for leaf in leaves]
        assert len(set(ids)) == len(ids), "one leaf per request"
        for answer in journal.acknowledged:
            index, _, digest = answer.receipt.partition(":")
            assert ids[int(index)] == answer.request_id
            assert leaf_hash(leaves[int(index)]) == b64decode(digest)
        known = set(ids)
        for answer in journal.begun:
            assert answer.request_id in known, "what was named was admitted, and what was admitted is recorded"
        for row in (row for key in books.list_keys() for row in books.budgets(key.id)):
            assert row.reserved_nano == 0, "nothing stays reserved for the dead"
    finally:
        books.stop()
    outcomes: dict[str, int] = {}
    for leaf in leaves:
        outcome = json.loads(leaf)["outcome"]
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    return Audit(size=len(leaves), outcomes=outcomes)


async def until_true(seconds: float, probe: Callable[[], object]) -> None:
    """Wait until `probe()` holds; fail when it does not within `seconds`."""
    async with asyncio.timeout(seconds):
        while not probe():
            await asyncio.sleep(0.02)


async def until_answered(seconds: float, address: tuple[str, int], body: Mapping[str, Any], *, key: str) -> None:
    """Ask until the answer is 200; fail when it does not come within `seconds`."""
    async with asyncio.timeout(seconds):
        while (await ask(address, body, key=key)).status != 200:
            await asyncio.sleep(0.05)


async def one_kill(folder: Path, key: str, journal: Journal, *, callers: int, after: int) -> float:
    """One cycle: start, load, `kill -9` after `after` more acknowledged requests. Seconds until ready."""
    served = await asyncio.to_thread(start, folder)
    try:
        done = asyncio.Event()
        enough = len(journal.acknowledged) + after
        load = asyncio.create_task(journal.load(served.address, key, callers=callers, until=done))
        with suppress(TimeoutError):
            await until_true(10, lambda: len(journal.acknowledged) >= enough)
    finally:
        served.kill()
    done.set()
    await load
    return served.ready_s
