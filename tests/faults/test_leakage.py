"""Canaries in everything that a request says, and in every secret: where do they come out?"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from fault_upstream import Call, FaultUpstream, completion, piece
from faults_kit import (
    VENDOR_SECRET,
    answers,
    chat,
    check_clean,
    config,
    key_of,
    never,
    post,
    run,
    say,
    status_of,
    until_recorded,
)
from gateway_kit import RunningGateway, gateway
from yuzui.io.logs import LogSink

CARD = "4111 1111 1111 1111"
MARK = "canaryQ7"  # in no word of ours


def every_string(model: str, value: str) -> dict[str, Any]:  # Any: JSON
    """A request that says `value` in each place where the API takes free text."""
    tool = {"type": "function", "function": {
        "name": "f", "description": value,
        "parameters": {
            "type": "object", "properties": {"a": {"type": "string", "description": value, "enum": [value]}},
        },
    }}  # fmt: skip
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": json.dumps({"a": value})}}
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": value},
            {"role": "developer", "content": [{"type": "text", "text": value}]},
            {"role": "user", "content": value, "name": "n"},
            {"role": "assistant", "content": value, "tool_calls": [call], "reasoning_content": value},
            {"role": "tool", "tool_call_id": "c1", "content": value},
            {"role": "user", "content": [{"type": "text", "text": value}]},
        ],
        "tools": [tool],
        "user": value,
        "stop": [value[:60]],
        "metadata": {"note": value},
        "response_format": {"type": "json_schema", "json_schema": {
            "name": "s", "description": value, "schema": {"type": "object", "title": value}}},
        "prediction": {"type": "content", "content": value},
        "vendor_field": {"deep": [value]},
        "safety_identifier": value,
        "prompt_cache_key": value,
    }  # fmt: skip


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:  # Any: JSON
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))


def test_a_sensitive_value_in_any_single_string_never_reaches_a_vendor() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        asked = 0
        for number, path in enumerate(leaves(every_string("vendor/big", "harmless"))):
            # Other words each time: else the conversation would be known, and its label would refuse the rest.
            template = every_string("vendor/big", f"harmless words, set {number} of them")
            if path == ("model",) or path[-1] in ("role", "type", "id", "tool_call_id"):
                continue
            body: Any = json.loads(json.dumps(template))  # Any: JSON
            place = body
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = json.dumps({"a": CARD}) if path[-1] == "arguments" else CARD
            answer = await say(running, post(json.dumps(body).encode()))
            assert status_of(answer) in (400, 403), (path, answer)  # 400: a name that cannot be a name
            asked += 1
            assert not vendor.calls, path
            assert CARD.encode() not in answer
        assert asked > 20
        harmless = await say(running, post(json.dumps(every_string("vendor/big", "harmless at last")).encode()))
        assert status_of(harmless) == 200 and len(vendor.calls) == 1

    run(never, answers, story)


@pytest.mark.parametrize("own_fault", ["refused", "error", "cut", "garbage"])
@pytest.mark.parametrize("stream", [False, True])
def test_no_fault_of_an_own_target_sends_a_sensitive_value_to_a_vendor(own_fault: str, stream: bool) -> None:
    async def own_script(call: Call) -> None:
        if own_fault == "refused":
            call.reset()
        elif own_fault == "error":
            await call.json({"error": {"message": CARD}}, "500 X")
        elif own_fault == "cut":
            await call.start_stream()
            await call.event(piece("word "))
            call.writer.close()
        else:
            await call.write(b"<html>")
            call.writer.close()

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for model in ("assistant", "auto", "own", "house/small"):
            answer = await say(running, post(chat(model, f"card {CARD}", stream=stream)))
            assert status_of(answer) >= 400 or b'"error":{' in answer
            check_clean(answer)
        assert own.calls and not vendor.calls

    run(own_script, never, story)


def test_canaries_come_out_nowhere_but_at_the_target_and_the_client() -> None:
    """Logs, metrics, errors, records and, byte for byte, every file of the data folder."""
    lines = io.StringIO()
    sink = LogSink(lines, logging.DEBUG)
    outcomes = iter(range(10_000))

    async def moody(call: Call) -> None:
        said = f"{MARK} {VENDOR_SECRET}" if VENDOR_SECRET.encode() in call.head else MARK  # it echoes what it was sent
        match next(outcomes) % 7:
            case 0:
                await answers(call)
            case 1:
                await call.json({"error": {"message": said, "type": MARK}}, "500 X")
            case 2:
                await call.json({"error": {"message": said, "code": MARK}}, "400 X")
            case 3:
                await call.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + MARK.encode())
                call.writer.close()
            case 4:
                await call.json(completion(MARK, id=MARK, model=MARK))
            case 5:
                call.reset()
            case _:
                await call.start_stream()
                await call.event(piece(MARK))
                await call.event({"error": {"message": said}})
                call.writer.close()

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        secrets = [running.service._secrets.pepper, running.service._secrets.content_key]
        count = 0
        for value in (MARK, f"{MARK} {CARD}"):
            for model in ("vendor/big", "house/small", "assistant", f"{MARK}-model"):
                for stream in (False, True):
                    for _ in range(3):
                        body = {**every_string(model, value), "stream": stream}
                        headers = (
                            f"authorization: Bearer {key}\r\nx-yuzui-conversation: {MARK}\r\nuser-agent: {MARK}\r\n"
                            f"cookie: {MARK}\r\nreferer: http://{MARK}/\r\n"
                        )
                        answer = await say(running, post(json.dumps(body).encode(), headers))
                        assert key.encode() not in answer
                        check_clean(answer)
                        count += 1
        for data in (
            post(chat(), f"authorization: Bearer {key[:-1]}x\r\n"),
            post(chat(), f"authorization: Bearer {MARK}\r\n"),
            post(f'{{"{MARK}": 1, "model": 5}}'.encode(), f"authorization: Bearer {key}\r\n"),
            post(f'{{"messages": "{MARK}'.encode(), f"authorization: Bearer {key}\r\n"),
        ):
            answer = await say(running, data)
            assert 400 <= status_of(answer) < 500 and key[:-1].encode() not in answer
            count += 1
        await until_recorded(running, count)
        await asyncio.to_thread(running.service._publisher.publish)
        metrics = await say(running, b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert status_of(metrics) == 200 and MARK.encode() not in metrics and VENDOR_SECRET.encode() not in metrics
        forbidden = {
            "content": MARK.encode(), "card": CARD.encode(), "card without spaces": CARD.replace(" ", "").encode(),
            "vendor key": VENDOR_SECRET.encode(), "virtual key": key.encode(), "its random part": key[3:].encode(),
        }  # fmt: skip
        for name, data in files_of(running.data_dir):
            for what, word in forbidden.items():
                # The model's name is what the client wrote, and the books keep it: it is a name, not content.
                kept = data.replace(f"{MARK}-model".encode(), b"")
                assert word not in kept and word.hex().encode() not in kept, (name, what)
            if not name.startswith("secrets/"):
                for secret in secrets:
                    assert secret not in data and secret.hex().encode() not in data, name
        for call in (*own.calls, *vendor.calls):
            assert key.encode() not in call.head and b"cookie" not in call.head.lower()
            assert MARK.encode() not in call.head
        assert all(VENDOR_SECRET.encode() not in call.head for call in own.calls)
        assert not any(CARD.encode() in call.body for call in vendor.calls)

    try:
        run(moody, moody, story)
    finally:
        sink.close()
    written = lines.getvalue()
    assert "target_failed" in written
    for word in (MARK, CARD, VENDOR_SECRET, "Traceback"):
        assert word not in written, word
    for line in written.splitlines():
        assert isinstance(json.loads(line), dict)


def files_of(folder: Path) -> list[tuple[str, bytes]]:
    return [(str(path.relative_to(folder)), path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]


def test_a_bug_anywhere_is_told_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = io.StringIO()
    sink = LogSink(lines, logging.DEBUG)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"{MARK} at {Path.cwd()} with {VENDOR_SECRET}")

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        places: list[tuple[object, str]] = [
            (running.service.gateway.snapshot.scanner.__class__, "scan"),
            (running.service.gateway.snapshot.router.__class__, "decide"),
            (running.service.gateway.snapshot.codecs["openai"].__class__, "write_request"),
            (running.service.gateway.snapshot.codecs["openai"].__class__, "read_response"),
            (running.service._upstream.__class__, "open"),
            (running.service.books.__class__, "reserve"),
            (running.service.app._desk.__class__, "list_models"),
        ]
        for place, name in places:
            with monkeypatch.context() as patch:
                patch.setattr(place, name, broken)
                if name == "list_models":
                    answer = await say(
                        running, b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
                    )
                else:
                    answer = await say(running, post(chat("house/small")))
            assert status_of(answer) in (500, 503), (name, answer)
            check_clean(answer)
            assert MARK.encode() not in answer and b"RuntimeError" not in answer
        assert {record.error for record in await running.records()} == {"internal_error"}
        assert not running.service.gateway.running
        assert not await asyncio.to_thread(running.service.books.verify_sums)

    try:
        run(answers, never, story)
    finally:
        sink.close()
    assert MARK not in lines.getvalue() and VENDOR_SECRET not in lines.getvalue()
    assert "request_failed" in lines.getvalue()


def test_a_scanner_that_fails_keeps_the_request_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("detector")

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        monkeypatch.setattr(running.service.gateway.snapshot.scanner.__class__, "scan", broken)
        for model in ("vendor/big", "assistant", "vendor"):
            assert status_of(await say(running, post(chat(model)))) >= 400
        assert not vendor.calls

    run(answers, never, story)


def test_the_credential_of_one_target_never_goes_to_another() -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(FaultUpstream(_fails))
            second = await stack.enter_async_context(FaultUpstream(answers))
            other = f"""
[[targets]]
name = "vendor/other"
provider = "openai"
base_url = "{second.base_url}"
model = "other"
api_key = {{ env = "OTHER_KEY" }}
premises = "vendor"
clearance = "internal"
price = {{ currency = "USD", input = 1, output = 2 }}
[[models]]
name = "both"
candidates = ["vendor/big", "vendor/other"]
policy = "pinned"
"""
            text = config(first.base_url, first.base_url, more=other)
            keys = {"VENDOR_KEY": VENDOR_SECRET, "OTHER_KEY": "other-" + "Xy" * 12}
            running = await stack.enter_async_context(gateway(text, keys))
            for _ in range(5):
                assert status_of(await say(running, post(chat("both")))) == 200
            assert first.calls and second.calls
            assert all(VENDOR_SECRET.encode() in call.head for call in first.calls)
            assert all(VENDOR_SECRET.encode() not in call.head for call in second.calls)
            assert all(keys["OTHER_KEY"].encode() not in call.head for call in first.calls)

    asyncio.run(main())


async def _fails(call: Call) -> None:
    await call.json({"error": {"message": "no"}}, "503 X")


def test_out_of_descriptors_what_runs_goes_on_and_the_books_stay_whole() -> None:
    """In a process of its own with 60 descriptors: strangers take them all, a running stream ends well."""
    program = Path(__file__).with_name("few_descriptors.py")
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == "whole"
