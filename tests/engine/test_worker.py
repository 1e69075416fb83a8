"""The worker with the real model: answers, stops when nobody listens, and ends with its gateway."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from yuzui.engine.cache import default_cache
from yuzui.engine.installed import worker_settings
from yuzui.engine.protocol import WorkerReport, WorkerSettings
from yuzui.engine.supervisor import Endpoint, EngineStatus, EngineSupervisor, Patience
from yuzui.engine.worker import configure

MODEL = "smollm2-135m"
needs_model = pytest.mark.skipif(
    default_cache().find(MODEL) is None, reason=f"the weights are not in the cache: `yuzui models pull {MODEL}` first"
)
COMMAND = [sys.executable, "-P", "-m", "yuzui.engine.worker"]


def test_every_default_that_does_not_suit_a_gateway_is_overridden() -> None:
    params = SimpleNamespace(
        model=SimpleNamespace(),
        cpuparams=SimpleNamespace(),
        cpuparams_batch=SimpleNamespace(),
        sampling=SimpleNamespace(),
    )
    types = SimpleNamespace(GGML_TYPE_Q8_0="q8", GGML_TYPE_F16="f16")
    settings = WorkerSettings(model_path="m.gguf", alias="a", api_key="k", context_tokens=1000, parallel=3, threads=2)
    configure(params, settings, types)
    assert (params.hostnames, params.port, params.api_keys) == (["127.0.0.1"], 0, ["k"])
    assert params.n_ctx == 3000 and not params.kv_unified
    assert (params.ui, params.endpoint_slots, params.endpoint_props) == (False, False, False)
    assert params.cors_origins != "*"
    assert (params.cache_ram_mib, params.sampling.temp, params.cpuparams.n_threads) == (0, 0.0, 2)
    assert not hasattr(params, "chat_template")


def test_importing_the_engine_package_does_not_load_the_engine() -> None:
    code = (
        "import sys, yuzui.engine.supervisor, yuzui.engine.pull, yuzui.engine.worker; print('xllamacpp' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("line", "reason"),
    [(b"not json\n", "DecodeError"), (b'{"model_path": "/none.gguf", "alias": "a"}\n', "no model file")],
)
def test_a_worker_that_cannot_start_says_why(line: bytes, reason: str) -> None:
    done = subprocess.run(COMMAND, input=line, capture_output=True, timeout=60, check=False)
    assert done.returncode == 3
    assert reason in msgspec.json.decode(done.stdout, type=WorkerReport).error


@pytest.fixture(scope="module")
def worker() -> Iterator[tuple[Endpoint, subprocess.Popen[bytes]]]:
    settings = msgspec.structs.replace(worker_settings(MODEL, context_tokens=1024, parallel=2), api_key="loopback")
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(msgspec.json.encode(settings) + b"\n")
    process.stdin.flush()
    report = msgspec.json.decode(process.stdout.readline(), type=WorkerReport)
    assert not report.error
    yield Endpoint(report.url, "loopback"), process
    process.stdin.close()
    assert process.wait(timeout=10) == 0  # the end of its stdin is the order to exit
    process.stdout.close()


def connect(endpoint: Endpoint) -> http.client.HTTPConnection:
    place = urlsplit(endpoint.url)
    return http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)


def ask(endpoint: Endpoint, body: dict[str, Any], key: str | None = None) -> tuple[int, Any]:  # Any: JSON
    line = connect(endpoint)
    try:
        line.request(
            "POST",
            urlsplit(endpoint.url).path.removesuffix("/v1") + "/v1/chat/completions",
            json.dumps(body),
            {"Authorization": f"Bearer {key or endpoint.api_key}", "Content-Type": "application/json"},
        )
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


Worker = tuple[Endpoint, "subprocess.Popen[bytes]"]


@pytest.mark.engine
@needs_model
def test_it_answers_sensibly_under_the_catalogues_name_and_the_same_twice(worker: Worker) -> None:
    body = {"messages": user("What is the capital of France?"), "max_tokens": 20}
    status, first = ask(worker[0], body)
    assert status == 200
    assert "Paris" in first["choices"][0]["message"]["content"]
    assert first["model"] == MODEL
    assert ask(worker[0], body)[1]["choices"] == first["choices"]


@pytest.mark.engine
@needs_model
def test_nobody_without_the_key_gets_an_answer(worker: Worker) -> None:
    assert ask(worker[0], {"messages": user("hi")}, key="wrong")[0] == 401


@pytest.mark.engine
@needs_model
def test_a_json_schema_is_enforced(worker: Worker) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}, "n": {"type": "integer"}},
              "required": ["city", "n"], "additionalProperties": False}  # fmt: skip
    form = {"type": "json_schema", "json_schema": {"name": "c", "schema": schema}}
    _, answer = ask(worker[0], {"messages": user("Name a city."), "max_tokens": 90, "response_format": form})
    assert set(json.loads(answer["choices"][0]["message"]["content"])) == {"city", "n"}


@pytest.mark.engine
@needs_model
def test_stop_seed_and_logprobs_are_understood(worker: Worker) -> None:
    body = {"messages": user("What is the capital of France?"), "max_tokens": 20, "stop": ["France"]}
    content = ask(worker[0], body)[1]["choices"][0]["message"]["content"]
    assert content and "France" not in content
    warm = {"messages": user("Tell me something."), "max_tokens": 12, "temperature": 1.0, "seed": 7, "logprobs": True}
    first, second = (ask(worker[0], warm)[1]["choices"][0] for _ in range(2))
    assert first["message"] == second["message"]
    assert len(first["logprobs"]["content"]) == 12


@pytest.mark.engine
@needs_model
def test_system_developer_tool_turns_and_empty_contents_pass_the_template(worker: Worker) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
    messages = [
        {"role": "system", "content": "Be short."},
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "What is the weather?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "18 degrees"},
    ]
    status, answer = ask(worker[0], {"messages": messages, "max_tokens": 8})
    assert status == 200, answer


@pytest.mark.engine
@needs_model
def test_a_prompt_longer_than_the_context_is_refused(worker: Worker) -> None:
    status, answer = ask(worker[0], {"messages": user("word " * 2000)})
    assert status == 400 and "context" in answer["error"]["message"]


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.engine
@needs_model
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_hanging_up_in_the_middle_of_a_stream_stops_the_work(worker: Worker) -> None:
    endpoint, process = worker
    line = connect(endpoint)
    body = {"messages": user("Tell a long story."), "max_tokens": 900, "stream": True, "ignore_eos": True}
    line.request(
        "POST",
        "/v1/chat/completions",
        json.dumps(body),
        {"Authorization": f"Bearer {endpoint.api_key}", "Content-Type": "application/json"},
    )
    stream = line.getresponse()
    assert stream.readline().startswith(b"data: ")
    line.sock.close() if line.sock else stream.close()
    stream.close()
    line.close()
    deadline = time.monotonic() + 5
    used = cpu_s(process.pid)
    while time.monotonic() < deadline:  # 900 tokens would keep it busy for more than these 5 seconds
        time.sleep(0.3)  # a real process is watched here: its CPU clock ticks 100 times a second
        used, before = cpu_s(process.pid), used
        if used - before < 0.05:
            break
    else:
        pytest.fail("the worker went on computing for nobody")
    assert ask(endpoint, {"messages": user("hi"), "max_tokens": 2})[0] == 200


@pytest.mark.engine
@needs_model
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_worker_answers_again_after_its_restart_and_dies_with_the_supervisor() -> None:
    async def story() -> int:
        settings = worker_settings(MODEL, context_tokens=512, parallel=1)
        restarted = asyncio.Event()

        def note(status: EngineStatus) -> None:
            if status.restarts:
                restarted.set()

        patience = Patience(first_backoff_s=0.05)
        async with EngineSupervisor(settings, patience=patience, on_change=note) as supervisor:
            await supervisor.wait_ready(60)
            first = supervisor.status.pid
            assert first is not None
            os.kill(first, signal.SIGINT)  # ctrl-C in a terminal reaches it too, and means nothing to it
            os.kill(first, signal.SIGKILL)
            async with asyncio.timeout(60):
                await restarted.wait()
            endpoint = await supervisor.wait_ready(60)
            body = {"messages": user("What is the capital of France?"), "max_tokens": 20}
            status, answer = await asyncio.to_thread(ask, endpoint, body)
            assert status == 200 and "Paris" in answer["choices"][0]["message"]["content"]
            assert supervisor.status.pid is not None
            return supervisor.status.pid

    pid = asyncio.run(story())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.engine
@needs_model
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_gateway_leaves_no_orphan() -> None:
    code = f"""
import asyncio
from yuzui.engine.installed import worker_settings
from yuzui.engine.supervisor import EngineSupervisor
async def run():
    async with EngineSupervisor(worker_settings({MODEL!r}, context_tokens=512, parallel=1)) as supervisor:
        await supervisor.wait_ready(60)
        print(supervisor.status.pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(run())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as gateway:
        assert gateway.stdout is not None
        pid = int(gateway.stdout.readline())
        gateway.kill()
        gateway.wait(timeout=10)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not is_running(pid):
            return
        time.sleep(0.02)  # a real process ends in its own time
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the worker outlived its gateway")


def is_running(pid: int) -> bool:
    """Counts a process that has ended but that nobody has collected (as in a container without init) as ended."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text("ascii")
    except (ProcessLookupError, FileNotFoundError):
        return False
