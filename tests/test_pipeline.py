"""The straight line under every kind of weather: real gateway, real client, targets that misbehave on command."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable, Coroutine
from typing import Any

import openai
import pytest

from fault_upstream import Call, FaultUpstream, Script, completion, piece
from gateway_kit import RunningGateway, gateway
from yuzui.accounting.settle import BYTES_PER_TOKEN
from yuzui.privacy.catalogue import version_of

Story = Callable[[RunningGateway, FaultUpstream, FaultUpstream], Coroutine[Any, Any, None]]  # Any: asyncio's own

HELLO: list[Any] = [{"role": "user", "content": "Good morning, how are you today?"}]  # Any: the client's TypedDicts


def config(own: FaultUpstream, vendor: FaultUpstream, **limits: float) -> str:
    timeouts = ", ".join(f"{key} = {value}" for key, value in limits.items())
    return f"""
[[targets]]
name = "house/small"
provider = "vllm"
base_url = "{own.base_url}"
model = "small"
premises = "own"
clearance = "restricted"
price = "free"
timeouts = {{ {timeouts} }}

[[targets]]
name = "vendor/big"
provider = "openai"
base_url = "{vendor.base_url}"
model = "big"
api_key = {{ env = "VENDOR_KEY" }}
premises = "vendor"
clearance = "internal"
price = {{ currency = "USD", input = 1, output = 2 }}
timeouts = {{ {timeouts} }}

[[models]]
name = "assistant"
candidates = ["house/small", "vendor/big"]
policy = "own_first"
"""


def run(own: Script, vendor: Script, story: Story, **limits: float) -> None:
    async def main() -> None:
        async with FaultUpstream(own) as first, FaultUpstream(vendor) as second:
            async with gateway(config(first, second, **limits), {"VENDOR_KEY": "vendor-secret"}) as running:
                await story(running, first, second)

    asyncio.run(main())


async def answers(call: Call) -> None:
    if b'"stream":true' in call.body:
        await call.start_stream()
        for word in ("Good ", "morning", "!"):
            await call.event(piece(word))
        await call.event(piece(finish="stop"))
        await call.event(piece(usage={"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}))
        await call.end_stream()
    else:
        await call.json(completion("Good morning!"))


def fails(status: str) -> Script:
    async def script(call: Call) -> None:
        await call.json({"error": {"message": "no", "type": "server_error", "code": None}}, status)

    return script


def streams(*events: object, then: str) -> Script:
    async def script(call: Call) -> None:
        await call.start_stream()
        for event in events:
            await call.event(event)
        if then == "reset":
            await asyncio.sleep(0.05)
            call.reset()
        elif then == "end":
            await call.end_stream(done=False)
        elif then == "stall":
            await call.client_left(5)

    return script


async def never(call: Call) -> None:
    raise AssertionError("this target must not be asked")


# ---- the ordinary way ----------------------------------------------------------------------------------------------


def test_an_answer_carries_its_story_in_the_headers_and_its_receipt_in_the_books() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        reply = await running.client().chat.completions.with_raw_response.create(model="assistant", messages=HELLO)
        assert reply.parse().choices[0].message.content == "Good morning!"
        assert reply.headers["x-yuzui-target"] == "house/small"
        assert reply.headers["x-yuzui-sensitivity"] == "internal"
        assert reply.headers["x-yuzui-decision"].startswith("own_first: house/small")
        record = await running.record_of(reply.headers["x-yuzui-request-id"])
        assert (record.outcome, record.target, record.allowed) == (
            "answered",
            "house/small",
            ("house/small", "vendor/big"),
        )
        assert record.usage is not None and (record.usage.input, record.usage.output) == (10, 5)
        index, _, leaf_hash = reply.headers["x-yuzui-receipt"].partition(":")
        assert index == "0" and len(leaf_hash) == 44

    run(answers, never, story)


@pytest.mark.parametrize(
    ("path", "body", "dropped"),
    [
        ("/v1/chat/completions", {"messages": HELLO, "seed": 1, "user": "u"}, "seed, user"),
        ("/v1/responses", {"input": "Hello", "user": "u", "reasoning": {"effort": "low"}}, "reasoning.effort, user"),
        (
            "/v1/messages",
            {"messages": HELLO, "max_tokens": 9, "top_k": 3, "metadata": {"user_id": "u"}, "temperature": 0.5},
            "top_k, temperature, metadata.user_id",
        ),
        (
            "/v1beta/models/vendor/big:generateContent",
            {
                "contents": [{"parts": [{"text": "Hello"}]}],
                "generationConfig": {"topK": 3, "seed": 1, "temperature": 1},
            },
            "generationConfig.topK, generationConfig.seed, generationConfig.temperature",
        ),
    ],
)
def test_what_was_dropped_is_named_as_the_client_wrote_it(path: str, body: dict[str, Any], dropped: str) -> None:
    async def main() -> None:
        async with FaultUpstream(answers) as vendor:
            text = config(vendor, vendor) + "\n"
            text = text.replace('provider = "openai"', 'provider = "openai"\nalso_speaks = []')
            drops = '["seed", "user", "temperature", "reasoning_effort"]'
            text = text.replace("output = 2 }", f"output = 2 }}\nquirks = {{ drops = {drops} }}")
            async with gateway(text, {"VENDOR_KEY": "vendor-secret"}) as running:
                ask = urllib.request.Request(
                    running.base_url + path,
                    json.dumps({"model": "vendor/big", **body}).encode(),
                    {"content-type": "application/json"},
                )
                reply = await asyncio.to_thread(urllib.request.urlopen, ask, timeout=20)
                assert reply.headers["x-yuzui-dropped"] == dropped
                record = await running.record_of(reply.headers["x-yuzui-request-id"])
                assert record.dropped == tuple(dropped.split(", "))

    asyncio.run(main())


def test_a_stream_ends_with_the_receipt_in_its_last_chunk() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        stream = await running.client().chat.completions.create(model="vendor/big", messages=HELLO, stream=True)
        chunks = [chunk async for chunk in stream]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Good morning!"
        assert chunks[-1].choices[0].finish_reason == "stop"
        receipt = chunks[-1].model_extra["yuzui"]["receipt"] if chunks[-1].model_extra else ""
        assert receipt.startswith("0:")
        record = (await running.records())[0]
        assert record.usage is not None and (record.usage.input, record.usage.output) == (10, 3)
        assert record.cost is not None and record.cost.amount == 10 * 1000 + 3 * 2000  # nano-USD
        assert b'"include_usage":true' in vendor.calls[0].body
        assert b"authorization: bearer vendor-secret" in vendor.calls[0].head.lower()

    run(never, answers, story)


def test_nothing_of_the_clients_headers_reaches_the_target() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        secret = running.add_key()
        await running.client(secret).chat.completions.create(
            model="house/small", messages=HELLO, extra_headers={"cookie": "c=1", "x-internal": "2"}
        )
        head = own.calls[0].head.lower()
        assert secret.encode() not in head and b"cookie" not in head and b"x-internal" not in head

    run(answers, never, story)


# ---- sovereignty ---------------------------------------------------------------------------------------------------

SENSITIVE: list[Any] = [{"role": "user", "content": "Charge my card 4111 1111 1111 1111, please."}]  # Any: TypedDicts


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["vendor/big", "big", "vendor"])
def test_naming_the_vendor_does_not_bypass_the_label(model: str, stream: bool) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            await running.client().chat.completions.create(model=model, messages=SENSITIVE, stream=stream)
        assert caught.value.code == "no_permitted_target"
        assert "4111" not in str(caught.value)
        assert not vendor.calls and not own.calls
        record = (await running.records())[0]
        assert (record.outcome, record.error, record.sensitivity) == ("refused", "no_permitted_target", "restricted")
        assert record.refused == {"clearance": ("vendor/big",)}
        assert record.findings == {"bank_card": 1}
        assert record.rules == {f"bank_card@{version_of('bank_card')}": 1}

    run(never, never, story)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "failure", [fails("500 X"), fails("429 X"), streams(then="reset"), streams(then="end"), streams(then="stall")]
)
def test_a_failing_own_target_never_sends_a_sensitive_request_to_the_vendor(failure: Script, stream: bool) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(openai.APIError):
            reply: Any = await running.client().chat.completions.create(  # Any: a stream or an answer
                model="assistant", messages=SENSITIVE, stream=stream
            )
            if stream:
                async for _ in reply:
                    pass
        assert own.calls and not vendor.calls

    run(failure, never, story, first_token_s=0.3, whole_answer_s=0.3, between_tokens_s=0.3)


def test_a_conversation_stays_sensitive_when_the_sensitive_turn_is_gone() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        client = running.client()
        first = await client.chat.completions.create(model="assistant", messages=SENSITIVE)
        answer = first.choices[0].message.content
        later: list[Any] = [{"role": "assistant", "content": answer}, {"role": "user", "content": "Say that again."}]
        with pytest.raises(openai.PermissionDeniedError):
            await client.chat.completions.create(model="vendor/big", messages=later)
        assert not vendor.calls

    async def long_answer(call: Call) -> None:
        await call.json(completion("I have charged the card that you gave me and sent you the receipt."))

    run(long_answer, never, story)


# ---- failures before the first byte: another permitted target may answer -------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [
        fails("500 X"), fails("503 X"), fails("429 X"), fails("401 X"),
        streams(then="reset"), streams(then="end"), streams(then="stall"),
        streams({"error": {"message": "quota", "type": "insufficient_quota", "code": "insufficient_quota"}}, then="end"),
        streams({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
                 "choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]}, then="reset"),
    ],
)  # fmt: skip
def test_a_stream_falls_back_before_the_first_content_reached_the_client(failure: Script) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        stream = await running.client().chat.completions.create(model="assistant", messages=HELLO, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        assert text == "Good morning!"
        record = (await running.records())[0]
        assert record.target == "vendor/big"
        assert [attempt.target for attempt in record.attempts][-1] == "vendor/big"
        assert record.attempts[0].outcome != "ok"

    run(failure, answers, story, first_token_s=0.3, between_tokens_s=0.3)


def test_a_refused_request_is_the_clients_fault_and_is_not_sent_elsewhere() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(openai.BadRequestError):
            await running.client().chat.completions.create(model="assistant", messages=HELLO)
        assert len(own.calls) == 1 and not vendor.calls

    run(fails("400 X"), never, story)


# ---- failures after it: never a complete answer, never another target ----------------------------------------------


@pytest.mark.parametrize("then", ["reset", "end", "stall"])
@pytest.mark.parametrize("pieces", [1, 3, 20])
def test_a_cut_stream_never_looks_complete(pieces: int, then: str) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        stream = await running.client().chat.completions.create(model="assistant", messages=HELLO, stream=True)
        seen, finishes = 0, []
        with pytest.raises(openai.APIError) as caught:
            async for chunk in stream:
                seen += bool(chunk.choices[0].delta.content)
                finishes.append(chunk.choices[0].finish_reason)
        assert caught.value.code == "upstream_stream_interrupted"
        assert seen == pieces and set(finishes) == {None}
        assert not vendor.calls
        record = (await running.records())[0]
        assert (record.outcome, record.error) == ("failed", "upstream_stream_interrupted")
        assert (
            record.usage is not None and record.usage.is_estimated and record.usage.output >= pieces // BYTES_PER_TOKEN
        )

    run(streams(*[piece(f"w{i} ") for i in range(pieces)], then=then), never, story, between_tokens_s=0.3)


def test_a_finish_reason_is_held_back_until_the_stream_is_complete() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        stream = await running.client().chat.completions.create(model="assistant", messages=HELLO, stream=True)
        reasons = []
        with pytest.raises(openai.APIError):
            async for chunk in stream:
                reasons.append(chunk.choices[0].finish_reason)
        assert set(reasons) == {None}

    run(streams(piece("a"), piece(finish="stop"), then="reset"), never, story)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"choices": null}', b'{"choices": []}', b"\xff\xfe", b"<html>"])
def test_garbage_is_never_an_answer(body: bytes) -> None:
    async def script(call: Call) -> None:
        await call.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(openai.InternalServerError) as caught:
            await running.client().chat.completions.create(model="house/small", messages=HELLO)
        assert caught.value.code == "upstream_invalid_response" and caught.value.status_code == 502

    run(script, never, story)


# ---- hang-ups ------------------------------------------------------------------------------------------------------


def test_a_client_that_hangs_up_is_settled_and_the_target_is_told() -> None:
    left: list[bool] = []

    async def endless(call: Call) -> None:
        await call.start_stream()
        for _ in range(30):
            await call.event(piece("word "))
        left.append(await call.client_left(10))

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        stream = await running.client().chat.completions.create(model="vendor/big", messages=HELLO, stream=True)
        async for _ in stream:
            break
        await stream.close()
        async with asyncio.timeout(5):
            while not left or not await running.records():
                await asyncio.sleep(0.02)
        assert left == [True]
        record = (await running.records())[0]
        assert record.outcome == "aborted"
        assert record.usage is not None and record.usage.is_estimated and record.usage.output >= 30
        assert record.cost is not None and record.cost.book > 0

    run(never, endless, story)


def test_shutdown_ends_what_still_runs_with_an_error_event_and_a_record() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        stream = await running.client().chat.completions.create(model="assistant", messages=HELLO, stream=True)
        first = await anext(aiter(stream))
        assert first.choices[0].delta.content == "word "
        assert running.service.gateway.interrupt_all() == 1
        with pytest.raises(openai.APIError) as caught:
            async for _ in stream:
                pass
        assert caught.value.code == "server_restarting"
        assert (await running.records())[0].error == "server_restarting"

    run(streams(piece("word "), then="stall"), never, story)


# ---- bad input: a clear error in the client's dialect, one record, no traceback -----------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[1]", "invalid_json"),
        (b'{"model": "assistant", "model": "vendor/big", "messages": []}', "duplicate_key"),
        (b'{"model": NaN}', "invalid_json"),
        (b'{"temperature": 1e400}', "invalid_json"),
        (b'{"model": "\xff"}', "invalid_utf8"),
        (b"[" * 100_000, "nesting_too_deep"),
        (b'{"model": "assistant", "messages": [{"role": "user", "content": "x"}], "x": ' + b"[" * 80 + b"]" * 80 + b"}", "nesting_too_deep"),
        (b'{"n": 1' + b"0" * 5000 + b"}", "invalid_json"),
        (b'{"model": "assistant", "messages": [{"role": "user", "content": "\\ud800"}]}', "invalid_unicode"),
        (b'{"model": "assistant"}', "invalid_request"),
        (b'{"model": "assistant", "messages": "hello"}', "invalid_request"),
        (b'{"model": "nobody", "messages": [{"role": "user", "content": "x"}]}', "model_not_found"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_name_and_recorded_once(body: bytes, code: str) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        host, port = running.base_url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
        )
        answer = await reader.read()
        writer.close()
        assert answer.split(b" ")[1].startswith(b"4")
        assert f'"code":"{code}"'.encode() in answer, answer
        assert b"Traceback" not in answer and b"/src/" not in answer
        records = await running.records()
        assert [record.error for record in records] == [code]

    run(never, never, story)


# ---- who may send --------------------------------------------------------------------------------------------------


def test_keys_limits_and_budgets_are_enforced_in_the_clients_dialect() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        spent = running.add_key(app="spent", seed=1, budget_nano=1_000)
        rated = running.add_key(app="rated", seed=2, requests_per_minute=1)
        bound = running.add_key(app="bound", seed=3, models=("house/small",))

        async def ask(key: str, model: str = "vendor/big") -> object:
            return await running.client(key).chat.completions.create(model=model, messages=HELLO)

        with pytest.raises(openai.AuthenticationError):
            await ask("yz-" + "wrong" * 8)
        with pytest.raises(openai.RateLimitError) as over:
            await ask(spent)
        assert over.value.code == "budget_exceeded"
        assert over.value.response.headers["x-should-retry"] == "false"
        await ask(rated)
        with pytest.raises(openai.RateLimitError) as fast:
            await ask(rated)
        assert fast.value.code == "rate_limit_exceeded"
        assert int(fast.value.response.headers["retry-after"]) >= 1
        with pytest.raises(openai.PermissionDeniedError) as other:
            await ask(bound)
        assert other.value.code == "model_not_allowed"
        assert len(vendor.calls) == 1

    run(answers, answers, story)


def test_no_budget_is_overspent_by_many_requests_at_once() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        # One request reserves its bound; the cap holds a few of them at a time and is never passed.
        key = running.add_key(app="team", budget_nano=30_000_000)
        client = running.client(key)

        async def ask() -> bool:
            try:
                await client.chat.completions.create(model="vendor/big", messages=HELLO, max_tokens=5)
            except openai.RateLimitError:
                return False
            return True

        admitted = sum(await asyncio.gather(*[ask() for _ in range(100)]))
        row = (await asyncio.to_thread(running.service.books.budgets, "key_team"))[0]
        assert row.reserved_nano == 0
        assert row.spent_nano == admitted * (10 * 1000 + 5 * 2000) <= row.cap_nano
        assert admitted > 0
        assert not await asyncio.to_thread(running.service.books.verify_sums)

    run(answers, answers, story)
