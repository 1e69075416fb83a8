"""A sensitive prompt never reaches the vendor: by name, failure, retry, redirect, proxy, any field, any spelling."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fault_upstream import Call, FaultUpstream, Script, completion, piece
from faults.load_kit import (
    Answer,
    answers,
    ask,
    chat,
    command,
    data_dir,
    new_key,
    start,
    two_targets,
    until_answered,
    until_true,
    write_config,
)
from gateway_kit import RunningGateway, gateway
from yuzui.privacy.scan import Scanner
from yuzui.wiring import make_snapshot

CARD = "4111111111111111"
SENSITIVE = [{"role": "user", "content": f"Charge my card {CARD}, please."}]
VENDORS_NAMES = ["vendor/big", "big", "vendor", "auto", "assistant", "own", "house/small", "small", "VENDOR/BIG"]

World = tuple[RunningGateway, FaultUpstream, FaultUpstream]


@asynccontextmanager
async def world(own: Script, vendor: Script = answers, *, more: str = "") -> AsyncGenerator[World, None]:
    async with FaultUpstream(own) as first, FaultUpstream(vendor) as second:
        quick = "timeouts = { first_token_s = 0.3, whole_answer_s = 0.3, between_tokens_s = 0.3, connect_s = 1 }\n"
        config = two_targets(first, second, more=more).replace("clearance =", quick + "clearance =")
        async with gateway(config, {"VENDOR_KEY": "vendor-secret"}) as running:
            yield running, first, second


def address_of(running: RunningGateway) -> tuple[str, int]:
    host, port = running.base_url.removeprefix("http://").split(":")
    return host, int(port)


def saw(vendor: FaultUpstream, canary: str = CARD) -> list[bytes]:
    """What the vendor was shown of the canary, in its spellings that no normalisation is needed for."""
    plain = [received.head + received.body for received in vendor.calls]
    return [data for data in plain if canary.encode() in data or canary.encode() in data.replace(b" ", b"")]


# ---- names and failures ---------------------------------------------------------------------------------------------


def fails(status: str, headers: str = "") -> Script:
    async def script(call: Call) -> None:
        await call.json({"error": {"message": "no", "type": "server_error", "code": None}}, status, headers)

    return script


async def resets(call: Call) -> None:
    call.reset()


async def stalls(call: Call) -> None:
    await call.client_left(2)


async def breaks_off(call: Call) -> None:
    await call.start_stream()
    await call.event(piece("w"))
    call.reset()


async def talks_nonsense(call: Call) -> None:
    await call.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>")


def test_no_name_and_no_failure_of_the_own_target_shows_a_sensitive_prompt_to_the_vendor() -> None:
    weather: list[Script] = [
        answers, fails("500 X"), fails("503 X", "retry-after: 0\r\n"), fails("429 X", "retry-after: 0\r\n"),
        fails("401 X"), fails("404 X"), fails("413 X"), resets, stalls, breaks_off, talks_nonsense,
    ]  # fmt: skip

    async def under(script: Script) -> None:
        async with world(script) as (running, own, vendor):
            where = address_of(running)
            bodies = [chat(model, SENSITIVE, stream=stream) for model in VENDORS_NAMES for stream in (False, True)]
            replies = await asyncio.gather(*[ask(where, body) for body in bodies])
            assert not vendor.calls, script
            for body, reply in zip(bodies, replies, strict=True):
                if body["model"] in ("vendor/big", "big", "vendor"):
                    assert (reply.status, reply.code) == (403, "no_permitted_target")
            assert own.calls
            # the same names still lead to the vendor when nothing is sensitive
            assert (await ask(where, chat("vendor/big"))).status == 200 and len(vendor.calls) == 1

    async def main() -> None:
        for script in weather:
            await under(script)

    asyncio.run(main())


def test_an_open_circuit_or_a_dead_own_target_does_not_open_the_way_to_the_vendor() -> None:
    async def main() -> None:
        async with world(answers) as (running, own, vendor):
            await own.__aexit__()  # connection refused from here on
            where = address_of(running)
            for _ in range(30):
                reply = await ask(where, chat("assistant", SENSITIVE))
                assert reply.status in (502, 503) and not vendor.calls
            own._server = None
            await own.__aenter__()  # for the context to leave

    asyncio.run(main())


def test_an_own_target_cannot_hand_the_prompt_on_by_a_redirect() -> None:
    vendors: list[FaultUpstream] = []

    async def redirects(call: Call) -> None:
        place = f"http://127.0.0.1:{vendors[0].port}/v1/chat/completions"
        await call.write(f"HTTP/1.1 307 Moved\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n".encode())

    async def main() -> None:
        async with world(redirects) as (running, own, vendor):
            vendors.append(vendor)
            for stream in (False, True):
                reply = await ask(address_of(running), chat("assistant", SENSITIVE, stream=stream))
                assert reply.status == 502 and own.calls and not vendor.calls

    asyncio.run(main())


def test_a_key_pinned_to_own_premises_never_reaches_a_vendor_even_with_harmless_words() -> None:
    async def main() -> None:
        async with world(fails("500 X")) as (running, _, vendor):
            pinned = running.add_key(app="pinned", seed=1, own_only=True)
            floored = running.add_key(app="floored", seed=2, floor="confidential")
            abroad = running.add_key(app="abroad", seed=3, forbidden_jurisdictions=("US",))
            for key in (pinned, floored, abroad):
                for model in VENDORS_NAMES:
                    await ask(address_of(running), chat(model), key=key)
            assert not vendor.calls

    asyncio.run(main())


# ---- where a value can hide -----------------------------------------------------------------------------------------


def spellings() -> dict[str, Callable[[str], str]]:
    """Ways to write the same digits that a reader or a model would still understand."""
    return {
        "plain": str,
        "grouped": lambda v: " ".join(v[i : i + 4] for i in range(0, len(v), 4)),
        "dashed": lambda v: "-".join(v[i : i + 4] for i in range(0, len(v), 4)),
        "full width": lambda v: "".join(chr(ord(c) + 0xFEE0) for c in v),
        "arabic-indic": lambda v: "".join(chr(0x0660 + int(c)) for c in v),
        "zero width": lambda v: "\u200b".join(v),
        "joined by word joiners": lambda v: "\u2060".join(v),
        "soft hyphens": lambda v: "\u00ad".join(v),
        "mathematical": lambda v: "".join(chr(0x1D7CE + int(c)) for c in v),
        "no-break spaces": lambda v: "\u00a0".join(v[i : i + 4] for i in range(0, len(v), 4)),
        "JSON in a string": lambda v: json.dumps({"card": v}),
        "JSON in a string, escaped": lambda v: '{"card": "' + "".join(f"\\u{ord(c):04x}" for c in v) + '"}',
        "JSON in JSON in a string": lambda v: json.dumps(json.dumps({"a": [{"b": v}]})),
        "right to left": lambda v: "\u202e" + v[::-1] + "\u202c",
        "in words": lambda v: f"The number is {v}.",
    }  # fmt: skip


def fields() -> dict[str, Callable[[str], dict[str, Any]]]:
    """Ways to put a text into a request: everything that a target may be shown."""
    user = [{"role": "user", "content": "Please look at this."}]
    tool = {"type": "function", "function": {"name": "pay", "description": "d", "parameters": {"type": "object"}}}
    call_ = {"id": "c1", "type": "function", "function": {"name": "pay", "arguments": "{}"}}
    called = {"role": "assistant", "content": None, "tool_calls": [call_]}
    return {
        "user text": lambda v: {"messages": [{"role": "user", "content": v}]},
        "system text": lambda v: {"messages": [{"role": "system", "content": v}, *user]},
        "developer text": lambda v: {"messages": [{"role": "developer", "content": v}, *user]},
        "an earlier answer": lambda v: {"messages": [*user, {"role": "assistant", "content": v}, *user]},
        "text part": lambda v: {"messages": [{"role": "user", "content": [{"type": "text", "text": v}]}]},
        "two text parts": lambda v: {"messages": [{"role": "user", "content": [
            {"type": "text", "text": v[: len(v) // 2]}, {"type": "text", "text": v[len(v) // 2 :]}]}]},
        "name of a speaker": lambda v: {"messages": [{"role": "user", "name": v, "content": "Hi"}]},
        "tool arguments": lambda v: {"messages": [*user, {**called, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "pay", "arguments": json.dumps({"to": v})}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "ok"}]},
        "tool result": lambda v: {"messages": [*user, called, {"role": "tool", "tool_call_id": "c1", "content": v}]},
        "tool call id": lambda v: {"messages": [*user, {**called, "tool_calls": [
            {"id": v, "type": "function", "function": {"name": "pay", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": v, "content": "ok"}]},
        "reasoning": lambda v: {"messages": [*user,
            {"role": "assistant", "content": "k", "reasoning_content": v}, *user]},
        "refusal": lambda v: {"messages": [*user, {"role": "assistant", "refusal": v}, *user]},
        "tool description": lambda v: {"messages": user, "tools": [
            {"type": "function", "function": {**tool["function"], "description": v}}]},  # type: ignore[dict-item]  # a test's JSON
        "tool schema": lambda v: {"messages": user, "tools": [{"type": "function", "function": {
            "name": "pay", "parameters": {"type": "object", "properties": {"to": {"type": "string", "enum": [v]}}}}}]},
        "a property's name": lambda v: {"messages": user, "tools": [{"type": "function", "function": {
            "name": "pay", "parameters": {"type": "object", "properties": {v: {"type": "string"}}}}}]},
        "response schema": lambda v: {"messages": user, "response_format": {"type": "json_schema", "json_schema": {
            "name": "s", "schema": {"type": "object", "description": v}}}},
        "metadata value": lambda v: {"messages": user, "metadata": {"note": v}},
        "metadata key": lambda v: {"messages": user, "metadata": {v: "note"}},
        "metadata role": lambda v: {"messages": user, "metadata": {"role": v}},
        "user": lambda v: {"messages": user, "user": v},
        "safety identifier": lambda v: {"messages": user, "safety_identifier": v},
        "cache key": lambda v: {"messages": user, "prompt_cache_key": v},
        "stop": lambda v: {"messages": user, "stop": [v]},
        "prediction": lambda v: {"messages": user, "prediction": {"type": "content", "content": v}},
        "unknown field": lambda v: {"messages": user, "x_extra": {"deep": [[{"er": v}]]}},
        "unknown key of a message": lambda v: {"messages": [{"role": "user", "content": "Hi", "x": v}]},
    }  # fmt: skip  # one field per entry


VALUES = {
    "bank_card": CARD,
    "cn_resident_id": "11010519491231002X",
    "cn_mobile": "13812345678",
    "email": "zhang.wei@example-clinic.org",
}


def test_no_field_and_no_spelling_carries_a_value_to_the_vendor() -> None:
    """Every field with every spelling of a card number: either it is refused, or it stays on own premises."""

    async def main() -> None:
        async with world(answers) as (running, _, vendor):
            where = address_of(running)
            leaked = []
            for field, put in fields().items():
                for spelling, spell in spellings().items():
                    before = len(vendor.calls)
                    reply = await ask(where, {"model": "vendor/big", **put(spell(CARD))})
                    if len(vendor.calls) > before or reply.status == 200:
                        leaked.append((field, spelling))
            assert leaked == []
            assert (await ask(where, chat("vendor/big"))).status == 200, "what is harmless still goes there"

    asyncio.run(main())


def test_no_field_carries_a_value_of_another_kind_to_the_vendor() -> None:
    async def main() -> None:
        async with world(answers) as (running, _, vendor):
            leaked = []
            for field, put in fields().items():
                for kind, value in VALUES.items():
                    reply = await ask(address_of(running), {"model": "vendor/big", **put(value)})
                    if reply.status == 200 or vendor.calls:
                        leaked.append((field, kind))
                        vendor.calls.clear()
            assert leaked == []

    asyncio.run(main())


JUNK = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Nd", "Nl", "No")), max_size=30)
KEYS = st.sampled_from(["a", "role", "type", "text", "content", "note", "id", "data", "url", "name", "arguments"])


def nested(value: str) -> st.SearchStrategy[Any]:  # Any: JSON
    """JSON of any shape with `value` somewhere in it."""
    return st.recursive(
        st.just(value),
        lambda inner: st.one_of(
            st.tuples(JUNK, inner).map(lambda pair: [pair[0], pair[1]]),
            st.tuples(KEYS, inner).map(lambda pair: {pair[0]: pair[1]}),
            st.tuples(inner).map(lambda one: json.dumps(one[0], ensure_ascii=True)),
        ),
        max_leaves=4,
    )


CARRIERS: dict[str, Callable[[Any], dict[str, Any]]] = {  # Any: JSON
    "metadata": lambda v: {"metadata": {"m": v}, "messages": [{"role": "user", "content": "Hi"}]},
    "unknown": lambda v: {"x_new": v, "messages": [{"role": "user", "content": "Hi"}]},
    "message": lambda v: {"messages": [{"role": "user", "content": "Hi", "x_new": v}]},
    "arguments": lambda v: {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"v": v})}}]},
        {"role": "tool", "tool_call_id": "c", "content": "ok"}]},
    "schema": lambda v: {"messages": [{"role": "user", "content": "Hi"}], "tools": [{"type": "function", "function": {
        "name": "f", "parameters": {"type": "object", "x-note": v}}}]},
}  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    carrier=st.sampled_from(sorted(CARRIERS)),
    spelling=st.sampled_from([s for s in sorted(spellings()) if "JSON" not in s]),
    kind=st.sampled_from(["bank_card", "cn_mobile", "cn_resident_id"]),
    before=JUNK,
    data=st.data(),
)
def test_a_canary_anywhere_in_any_json_is_found(
    carrier: str, spelling: str, kind: str, before: str, data: st.DataObject
) -> None:
    value = VALUES[kind]
    if kind == "cn_resident_id" and spelling not in ("plain", "full width", "zero width", "in words"):
        spelling = "plain"  # people do not cut these into fours
    if kind == "cn_mobile" and spelling in ("grouped", "dashed", "no-break spaces"):
        spelling = "plain"
    if kind == "cn_resident_id" and spelling == "full width":
        value = "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in value)
    else:
        value = spellings()[spelling](value)
    body = json.loads(json.dumps({"model": "vendor/big", **CARRIERS[carrier](data.draw(nested(f"{before} {value}")))}))
    result = SCANNER.scan(body)
    assert result.findings or result.unscannable or result.failures


def _scanner() -> Scanner:
    from yuzui.config import read

    config = 'targets = [{ name = "a", provider = "scripted", model = "m", premises = "own", price = "free" }]'
    return Scanner(read(config, {}, source=Path("test.toml")).sensitivity)


SCANNER = _scanner()


# ---- conversations --------------------------------------------------------------------------------------------------

LONG = "The patient's results came back and the doctor would like to see her again next week."
MORE = "And the second opinion says that the treatment should begin as soon as she is able to travel."


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("n", [1, 2])
def test_an_answer_to_a_sensitive_question_stays_sensitive_without_the_question(n: int, stream: bool) -> None:
    async def script(call: Call) -> None:
        texts = [LONG, MORE][:n]
        if stream:
            await call.start_stream()
            words = [text.split(" ") for text in texts]
            for at in range(max(map(len, words))):
                for index, parts in enumerate(words):
                    if at < len(parts):
                        chunk: Any = piece(parts[at] + (" " if at + 1 < len(parts) else ""))
                        chunk["choices"][0]["index"] = index
                        await call.event(chunk)
            for index in range(n):
                ending: Any = piece(finish="stop")
                ending["choices"][0]["index"] = index
                await call.event(ending)
            await call.end_stream()
        else:
            choices = [
                {"index": i, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
                for i, text in enumerate(texts)
            ]
            await call.json(completion("", choices=choices))

    async def main() -> None:
        async with world(script) as (running, _, vendor):
            where = address_of(running)
            first = await ask(where, chat("assistant", SENSITIVE, stream=stream, n=n))
            assert first.status == 200
            for text in (LONG, MORE)[:n]:
                later = [{"role": "assistant", "content": text}, {"role": "user", "content": "Go on."}]
                assert (await ask(where, chat("vendor/big", later))).status == 403
            assert not vendor.calls

    asyncio.run(main())


def test_tool_calls_and_thoughts_of_a_sensitive_answer_stay_sensitive_too() -> None:
    calls = [{"id": "c1", "type": "function", "function": {
        "name": "book", "arguments": '{"who":"the patient of this morning","what":"second opinion"}'}}]  # fmt: skip

    async def script(call: Call) -> None:
        message = {"role": "assistant", "content": None, "reasoning_content": MORE, "tool_calls": calls}
        await call.json(completion("", choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}]))

    async def main() -> None:
        async with world(script) as (running, _, vendor):
            where = address_of(running)
            assert (await ask(where, chat("assistant", SENSITIVE))).status == 200
            asked = {"role": "user", "content": "Book it."}
            for later in (
                [asked, {"role": "assistant", "content": None, "tool_calls": calls},
                 {"role": "tool", "tool_call_id": "c1", "content": "booked"}],
                [asked, {"role": "assistant", "content": "Hm.", "reasoning_content": MORE}, asked],
            ):  # fmt: skip
                assert (await ask(where, chat("vendor/big", later))).status == 403
            assert not vendor.calls

    asyncio.run(main())


def test_a_broken_answer_to_a_sensitive_question_is_remembered_as_far_as_it_came() -> None:
    async def script(call: Call) -> None:
        await call.start_stream()
        await call.event(piece(LONG))
        await asyncio.sleep(0.05)
        call.reset()

    async def main() -> None:
        async with world(script) as (running, _, vendor):
            where = address_of(running)
            first = await ask(where, chat("assistant", SENSITIVE, stream=True))
            assert first.text == LONG
            later = [{"role": "assistant", "content": LONG}, {"role": "user", "content": "Go on."}]
            assert (await ask(where, chat("vendor/big", later))).status == 403
            assert not vendor.calls

    asyncio.run(main())


def test_a_conversation_outlives_restart_reload_and_rotation_of_its_key(tmp_path: Path) -> None:
    """The label sticks: across `kill -9`, a changed file, and a new key of the same application."""

    async def long_answer(call: Call) -> None:
        await call.json(completion(LONG))

    async def main() -> None:
        async with FaultUpstream(long_answer) as own, FaultUpstream(answers) as vendor:
            config = two_targets(own, vendor)
            write_config(tmp_path, config)
            key_id, key = new_key(tmp_path)
            served = await asyncio.to_thread(start, tmp_path)
            try:
                assert (await ask(served.address, chat("assistant", SENSITIVE), key=key)).status == 200
                later = [{"role": "assistant", "content": LONG}, {"role": "user", "content": "Go on."}]
                named = {"x-yuzui-conversation": "talk-1"}
                await ask(served.address, chat("assistant", SENSITIVE), key=key, headers=named)
                served.kill()
                write_config(tmp_path, config.replace("own_first", "cheapest"))
                served = await asyncio.to_thread(start, tmp_path)
                assert (await ask(served.address, chat("vendor/big", later), key=key)).status == 403
                write_config(tmp_path, config)
                served.signal(signal.SIGHUP)
                await until_true(5, lambda: '"reloaded"' in served.log)
                assert (await ask(served.address, chat("vendor/big", later), key=key)).status == 403
                assert (await ask(served.address, chat("vendor/big"), key=key, headers=named)).status == 403
                for _ in range(2):
                    code, out = command(tmp_path, "keys", "rotate", key_id, "--grace", "0", "--json")
                    assert code == 0, out
                    key_id, fresh = json.loads(out)["id"], json.loads(out)["key"]
                await until_answered(3, served.address, chat("assistant"), key=fresh)
                assert (await ask(served.address, chat("vendor/big", later), key=fresh)).status == 403
                assert not vendor.calls
                assert await asyncio.to_thread(served.stop) == 0
            finally:
                served.kill()
            leftovers = [
                str(path)
                for path in [*data_dir(tmp_path).rglob("*"), tmp_path / "stderr.log"]
                if path.is_file() and any(words in path.read_bytes() for words in (CARD.encode(), LONG.encode()))
            ]
            assert leftovers == [], "content is nowhere on the disk"

    asyncio.run(main())


# ---- when our own parts break ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_a_broken_detector_fails_closed(stream: bool) -> None:
    def broken(*_: object) -> Any:  # Any: it never returns
        raise RuntimeError("bug")

    async def main() -> None:
        async with world(answers) as (running, own, vendor):
            scanner = running.service.gateway.snapshot.scanner
            scanner._detectors = {
                name: replace(detector, check=broken, check_digits=broken)
                for name, detector in scanner._detectors.items()
            }  # reaching in is the point
            where = address_of(running)
            words = [{"role": "user", "content": "Mail me at zhang.wei@example.org or 4111 1111 1111 1111"}]
            assert (await ask(where, chat("vendor/big", words, stream=stream))).status == 403
            assert (await ask(where, chat("assistant", words, stream=stream))).status == 200
            assert own.calls and not vendor.calls
            record = (await running.records())[0]
            assert record.sensitivity == "restricted"
            assert {cause.source for cause in record.causes} == {"detector_failure"}

    asyncio.run(main())


def test_a_broken_engine_or_scanner_fails_closed() -> None:
    class Broken:
        name = "broken"

        def find(self, text: str, data: bytes) -> list[Any]:
            raise MemoryError

    async def main() -> None:
        async with world(answers) as (running, own, vendor):
            where = address_of(running)
            scanner = running.service.gateway.snapshot.scanner
            scanner._engine = Broken()
            assert (await ask(where, chat("vendor/big"))).status == 403
            scanner._canonicaliser = None  # type: ignore[assignment]  # the step before the engine
            reply = await ask(where, chat("vendor/big", [{"role": "user", "content": "\u200bhello"}]))
            assert (reply.status, reply.code) == (500, "internal_error") and b"Traceback" not in reply.body
            assert not vendor.calls and not own.calls

    asyncio.run(main())


def test_a_reload_between_decision_and_retry_cannot_widen_what_is_permitted() -> None:
    """A running request keeps the configuration that it began with, also for its fallbacks."""
    go_on = asyncio.Event()

    async def fails_late(call: Call) -> None:
        await go_on.wait()
        await call.json({"error": {"message": "no", "type": "server_error", "code": None}}, "500 X")

    async def main() -> None:
        async with world(fails_late) as (running, own, vendor):
            reply = asyncio.create_task(ask(address_of(running), chat("assistant", SENSITIVE)))
            await until_true(5, lambda: own.calls)
            old = running.service.gateway.snapshot.config
            trusting = tuple(replace(target, clearance=3) for target in old.targets)
            running.service.gateway.snapshot = make_snapshot(replace(old, targets=trusting), running.data_dir)
            go_on.set()
            assert (await reply).status in (502, 504)
            assert not vendor.calls
            # and with the new file a new request may go there: the reload did take effect
            assert (await ask(address_of(running), chat("vendor/big", SENSITIVE))).status == 200

    asyncio.run(main())


def test_a_proxy_of_the_environment_never_sees_what_own_targets_see(tmp_path: Path) -> None:
    async def main() -> None:
        async with FaultUpstream(answers) as own, FaultUpstream(answers) as vendor:
            proxy = f"http://127.0.0.1:{vendor.port}"
            write_config(tmp_path, two_targets(own, vendor))
            served = await asyncio.to_thread(
                lambda: start(tmp_path, environ={"HTTP_PROXY": proxy, "http_proxy": proxy, "ALL_PROXY": proxy})
            )
            try:
                for stream in (False, True):
                    answer = await ask(served.address, chat("assistant", SENSITIVE, stream=stream))
                    assert answer.status == 200
                assert len(own.calls) == 2 and not vendor.calls
            finally:
                served.kill()

    asyncio.run(main())


def test_what_came_back_says_nothing_of_the_sensitive_value() -> None:
    """Refusals, headers, errors, metrics and log lines quote no content."""

    async def main() -> None:
        async with world(fails("400 X")) as (running, _, _vendor):
            where = address_of(running)
            replies: list[Answer] = [
                await ask(where, {"model": model, **put(CARD)})
                for model in ("vendor/big", "assistant")
                for put in fields().values()
            ]
            for reply in replies:
                assert CARD.encode() not in reply.body
                assert CARD not in str(reply.headers)
            for record in await running.records():
                assert CARD not in json.dumps(record.error_message)

    asyncio.run(main())
