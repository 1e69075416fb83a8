"""The whole way: the real open model behind the real `yuzui serve`, asked by the official client."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
import pytest

from yuzui.engine.cache import default_cache

MODEL = "smollm2-135m"
TARGET = f"own/{MODEL}"
BIN = Path(sys.executable).parent
HELLO: list[Any] = [
    {"role": "user", "content": "Write one short sentence about water."}
]  # Any: the client's TypedDicts
START_S = 60.0

engine = pytest.mark.engine
needs_model = pytest.mark.skipif(
    default_cache().find(MODEL) is None, reason=f"the weights are not in the cache: `yuzui models pull {MODEL}` first"
)


def environment(**more: str) -> dict[str, str]:
    """This process's, without any vendor's key: nothing here may leave the machine."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_PROXY", "_proxy"))}
    return {**kept, **more}


def yuzui(*args: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "yuzui", *args, "--data-dir", folder / "data"],
        capture_output=True, text=True, timeout=60, cwd=folder, env=environment(), check=False,
    )  # fmt: skip


@dataclass
class Served:
    address: str
    folder: Path
    process: subprocess.Popen[str]
    clients: list[openai.OpenAI] = field(default_factory=list)

    def client(self, **options: Any) -> openai.OpenAI:  # Any: the client's own options
        client = openai.OpenAI(base_url=f"{self.address}/v1", api_key="none", max_retries=0, timeout=60, **options)
        self.clients.append(client)
        return client

    def async_client(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.address}/v1", api_key="none", max_retries=0, timeout=120)

    def story_of(self, request_id: str) -> dict[str, Any]:  # Any: JSON values
        done = yuzui("explain", request_id, "--json", folder=self.folder)
        assert done.returncode == 0, done.stderr
        story: dict[str, Any] = json.loads(done.stdout)  # Any: see above
        return story


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [BIN / "yuzui", "serve", "--port", "0", "--data-dir", folder / "data"],
            stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder, env=environment(),
        )  # fmt: skip
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], START_S)
        line = process.stdout.readline() if ready else ""
        found = re.search(r"http://\S+", line)
        assert found, (line, (folder / "log").read_text("utf-8"))
        running = Served(found[0], folder, process)
        yield running
        for client in running.clients:
            client.close()
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        assert process.stdout is not None
        process.stdout.close()
    assert code == 0
    assert "Traceback" not in (folder / "log").read_text("utf-8")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with serving(folder) as running:
        yield running
    # After the drain the log is complete: whatever the tests below sent is in it, and nothing was changed.
    verdict = yuzui("audit", "verify", folder=folder)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


# ---- the ordinary way ----------------------------------------------------------------------------------------------


@engine
@needs_model
def test_an_answer_has_usage_and_a_story(served: Served) -> None:
    reply = served.client().chat.completions.with_raw_response.create(model="auto", messages=HELLO, max_tokens=24)
    answer = reply.parse()
    assert answer.choices[0].message.content
    assert answer.usage is not None and answer.usage.completion_tokens in range(1, 25)
    assert reply.headers["x-yuzui-target"] == TARGET
    story = served.story_of(reply.headers["x-yuzui-request-id"])
    assert (story["outcome"], story["target"], story["sensitivity"]) == ("answered", TARGET, "internal")
    assert story["usage"]["output"] == answer.usage.completion_tokens
    assert HELLO[0]["content"] not in json.dumps(story)


@engine
@needs_model
def test_a_stream_says_what_the_whole_answer_says(served: Served) -> None:
    options: dict[str, Any] = {  # Any: the client's own options
        "model": TARGET, "messages": HELLO, "max_tokens": 24, "seed": 7, "temperature": 0,
    }  # fmt: skip
    client = served.client()
    whole = client.chat.completions.create(**options).choices[0]
    chunks = list(client.chat.completions.create(**options, stream=True, stream_options={"include_usage": True}))
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == whole.message.content
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == [
        whole.finish_reason
    ]
    usage = [chunk.usage for chunk in chunks if chunk.usage]
    assert len(usage) == 1 and usage[0].completion_tokens > 0


@engine
@needs_model
def test_a_schema_is_kept(served: Served) -> None:
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "blue"]}, "count": {"type": "integer"}},
        "required": ["colour", "count"],
        "additionalProperties": False,
    }
    answer = served.client().chat.completions.create(
        model="own", messages=HELLO, max_tokens=60,
        response_format={"type": "json_schema", "json_schema": {"name": "thing", "schema": schema, "strict": True}},
    )  # fmt: skip
    value = json.loads(answer.choices[0].message.content or "")
    assert value["colour"] in ("red", "blue") and isinstance(value["count"], int)


@engine
@needs_model
def test_logprobs_stop_and_seed_reach_the_model(served: Served) -> None:
    client = served.client()
    answer = client.chat.completions.create(
        model=TARGET, messages=HELLO, max_tokens=5, logprobs=True, top_logprobs=2, temperature=0
    )
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None and logprobs.content
    assert all(token.logprob <= 0 and len(token.top_logprobs) == 2 for token in logprobs.content)

    counting: list[Any] = [{"role": "user", "content": "Count: one two three four five six"}]  # Any: TypedDicts
    stopped = client.chat.completions.create(model=TARGET, messages=counting, max_tokens=40, stop=["e"], temperature=0)
    assert "e" not in (stopped.choices[0].message.content or "")
    assert stopped.choices[0].finish_reason == "stop"

    drawn = [
        client.chat.completions.create(model=TARGET, messages=HELLO, max_tokens=12, temperature=1.0, seed=seed)
        for seed in (11, 11, 12)
    ]
    first, again, other = [answer.choices[0].message.content for answer in drawn]
    assert first == again != other


@engine
@needs_model
def test_models_are_listed_and_retrieved(served: Served) -> None:
    client = served.client()
    assert {TARGET, "auto", "own"} <= {model.id for model in client.models.list()}
    assert client.models.retrieve(TARGET).id == TARGET
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")


@engine
@needs_model
def test_the_clients_exceptions_are_typed(served: Served) -> None:
    create = served.client().chat.completions.create
    with pytest.raises(openai.NotFoundError) as unknown:
        create(model="nobody", messages=HELLO)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as wrong:
        create(model="auto", messages=HELLO, temperature=9)
    assert wrong.value.param == "temperature"
    tools: list[Any] = [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    ]  # Any: see HELLO
    with pytest.raises(openai.APIStatusError) as lacking:
        create(model=TARGET, messages=HELLO, tools=tools)
    assert lacking.value.status_code in (400, 403) and "tools" in str(lacking.value)


# ---- under load and under interruption -----------------------------------------------------------------------------


@engine
@needs_model
def test_eight_streams_at_once_are_eight_whole_answers(served: Served) -> None:
    async def story() -> None:
        # As programs have it: where an engine closes a line before it answers, nobody knows whether it works on it. The
        # gateway then asks the same target no second time, and the official client asks again unless told otherwise.
        async with served.async_client() as waiting, waiting.with_options(max_retries=2) as client:

            async def one(number: int) -> tuple[str, str | None]:
                messages: list[Any] = [{"role": "user", "content": f"Say the number {number}."}]  # Any: see HELLO
                text, finish = "", None
                async for chunk in await client.chat.completions.create(
                    model="own", messages=messages, max_tokens=16, stream=True
                ):
                    text += chunk.choices[0].delta.content or ""
                    finish = chunk.choices[0].finish_reason or finish
                return text, finish

            answers = await asyncio.gather(*[one(number) for number in range(8)])
        assert all(text and finish in ("stop", "length") for text, finish in answers)

    asyncio.run(story())


@engine
@needs_model
def test_a_hang_up_in_mid_stream_frees_the_model_and_is_settled(served: Served) -> None:
    client = served.client()
    long: list[Any] = [{"role": "user", "content": "Tell me everything about rivers, in many words."}]  # Any: see HELLO
    reply = client.chat.completions.with_raw_response.create(
        model=TARGET, messages=long, max_tokens=3000, stream=True,
        extra_body={"ignore_eos": True},  # llama.cpp's own field, which the same-dialect lane hands on
    )  # fmt: skip
    stream = reply.parse()
    for count, _ in enumerate(stream):
        if count == 3:
            break
    stream.response.close()
    # 3,000 tokens take a minute here: whoever comes next would wait if the model went on for nobody.
    began = time.monotonic()
    while in_flight(served) and time.monotonic() - began < 15:
        time.sleep(0.1)
    assert not in_flight(served)
    story = served.story_of(reply.headers["x-yuzui-request-id"])
    assert story["outcome"] == "aborted"
    assert story["usage"]["is_estimated"] and story["usage"]["output"] >= 3


def in_flight(served: Served) -> bool:
    text = _get(f"{served.address}/metrics")
    return bool(re.search(rf'^yuzui_target_in_flight{{target="{TARGET}"}} [1-9]', text, re.MULTILINE))


def _get(url: str) -> str:
    host, port, path = re.fullmatch(r"http://([^:/]+):(\d+)(/.*)", url).groups()  # type: ignore[union-attr]  # ours
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\n\r\n".encode())
        data = b""
        while part := line.recv(65536):
            data += part
    return data.decode()


# ---- the same application under another ASGI server ----------------------------------------------------------------

SIMULATED = """
[[targets]]
name = "vendor/simulated"
provider = "scripted"
model = "scripted-words-40"
price = { currency = "USD", input = 1, output = 2 }
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def eventually(attempt: Callable[[], object], within_s: float) -> None:
    until = time.monotonic() + within_s
    while True:
        try:
            attempt()
            return
        except ConnectionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def test_granian_serves_the_same_application(tmp_path: Path) -> None:
    (tmp_path / "yuzui.toml").write_text(SIMULATED, "utf-8")
    made = yuzui("keys", "create", "--app", "test", "--json", folder=tmp_path)
    key = json.loads(made.stdout)["key"]
    port = free_port()
    command: list[str | Path] = [
        BIN / "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), "--factory", "--no-ws",
        "yuzui.wiring:asgi",
    ]  # fmt: skip
    env = environment(YUZUI_CONFIG=str(tmp_path / "yuzui.toml"), YUZUI_DATA_DIR=str(tmp_path / "data"))
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path, env=env)
    try:
        eventually(lambda: _get(f"http://127.0.0.1:{port}/healthz"), 30)
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=key, max_retries=0, timeout=20)
        reply = client.chat.completions.with_raw_response.create(model="vendor/simulated", messages=HELLO)
        assert reply.headers["x-yuzui-simulated"] == "true"
        whole = reply.parse().choices[0].message.content
        chunks = list(client.chat.completions.create(model="vendor/simulated", messages=HELLO, stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole
        assert chunks[-1].choices[0].finish_reason == "stop"
        # Nobody told the gateway where granian listens: without a key it is closed.
        with pytest.raises(openai.AuthenticationError):
            client.with_options(api_key="none").models.list()
        client.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert "Traceback" not in (tmp_path / "log").read_text("utf-8")
    assert yuzui("audit", "verify", folder=tmp_path).returncode == 0
    story = yuzui("explain", reply.headers["x-yuzui-request-id"], "--json", folder=tmp_path)
    assert json.loads(story.stdout)["outcome"] == "answered"
