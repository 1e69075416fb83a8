"""Kept answers attacked: whose they are, how sensitive they stay, what is never kept, and what a reference can grow to."""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fault_upstream import Call, FaultUpstream, Script
from faults.dialect_kit import (
    Asked,
    Said,
    ask,
    body_of,
    chat_request,
    config,
    events,
    looks_complete,
    run,
    speaks,
    start,
    streams,
    whole,
    wire_of,
)
from faults.load_kit import new_key, two_targets, write_config
from faults.load_kit import start as serve
from faults.test_leakage import files_of
from faults.test_sovereignty import CARD, LONG
from faults_kit import VENDOR_SECRET, check_clean, code_of, dial, error_of, forget_failures, key_of, say, status_of
from gateway_kit import RunningGateway, gateway, without_names
from yuzui.wiring import make_snapshot

Json = dict[str, Any]  # Any: JSON
QUESTION = f"Charge my card {CARD}, please."
LANES = ("vendor/responses", "vendor/both", "vendor/chat", "vendor/claude", "vendor/gemini")


def request(method: str, path: str, key: str = "") -> bytes:
    sent = f"authorization: Bearer {key}\r\n" if key else ""
    return f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{sent}\r\n".encode()


def id_of(answer: bytes) -> str:
    """The id of a response, whole or streamed."""
    found = re.search(rb'"id": ?"(resp_[^"]+)"', body_of(answer))
    assert found is not None, answer[:500]
    return found[1].decode()


def items(*found: Json, model: str = "vendor/chat", **more: object) -> Asked:
    return Asked(path="/v1/responses", body=json.dumps({"model": model, "input": list(found), **more}).encode())


def reference(name: str) -> Json:
    return {"type": "item_reference", "id": name}


async def rows(running: RunningGateway) -> list[tuple[Any, ...]]:  # Any: SQLite's values
    """(scope, id, level, names) of all that is kept."""
    sql = (
        "SELECT scope, id, level, (SELECT group_concat(name) FROM kept_name n WHERE n.scope = a.scope AND n.id = a.id) "
        "FROM kept_answer a ORDER BY id"
    )
    return await asyncio.to_thread(running.service.books._execute, sql)


# ---- whose they are --------------------------------------------------------------------------------------------------


def test_another_key_of_the_same_app_and_team_cannot_tell_that_an_answer_is_kept() -> None:
    """What is somebody else's is answered exactly like what never was."""

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        mine = running.add_key(app="one", team="t", id="key_a", seed=1)
        other = running.add_key(app="one", team="t", id="key_b", seed=2)
        for model in ("vendor/responses", "vendor/chat"):
            for stream in (False, True):
                kept = id_of(await ask(running, chat_request("responses", model, stream=stream), mine))
                listed = await say(running, request("GET", f"/v1/responses/{kept}/input_items", mine))
                item = json.loads(body_of(listed))["data"][0]["id"]
                output = json.loads(body_of(await say(running, request("GET", f"/v1/responses/{kept}", mine))))[
                    "output"
                ]
                for name in (kept, item, output[0]["id"], kept.replace("resp_", "msg_") + "_0"):
                    never = "resp_" + "0" * len(kept[5:])
                    for method, ending in (("GET", ""), ("GET", "/input_items"), ("DELETE", "")):
                        foreign = await say(running, request(method, f"/v1/responses/{name}{ending}", other))
                        unknown = await say(running, request(method, f"/v1/responses/{never}{ending}", other))
                        assert status_of(foreign) == 404
                        assert body_of(foreign).replace(name.encode(), b"*") == body_of(unknown).replace(
                            never.encode(), b"*"
                        )
                    for found, ghost in (
                        (items({"role": "user", "content": "x"}, previous_response_id=name),
                         items({"role": "user", "content": "x"}, previous_response_id=never)),
                        (items(reference(name)), items(reference(never))),
                    ):  # fmt: skip
                        vendor.calls.clear()
                        foreign, unknown = await ask(running, found, other), await ask(running, ghost, other)
                        assert (status_of(foreign), code_of(foreign)) == (404, "previous_response_not_found")
                        assert error_of(foreign)["message"] == error_of(unknown)["message"]
                        assert not vendor.calls
                assert status_of(await say(running, request("GET", f"/v1/responses/{kept}", mine))) == 200
        for sent in ("", "x" * 40):
            assert status_of(await say(running, request("GET", f"/v1/responses/{kept}", sent))) == 401

    run(speaks(), story)


def test_items_are_good_for_references_and_answers_go_by_their_own_ids() -> None:
    """Items are named by vendors: one that is named like another answer must not take its place."""
    names = ["msg_first"]

    async def script(call: Call) -> None:
        answer = whole("responses", Said(text=f"said under {names[0]}"))
        answer["output"][0]["id"] = names[0]
        await call.json(answer)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        first = id_of(await ask(running, chat_request("responses", "vendor/responses", text="first"), key))
        assert status_of(await say(running, request("GET", "/v1/responses/msg_first", key))) == 404
        assert status_of(await say(running, request("DELETE", "/v1/responses/msg_first", key))) == 404
        names[0] = first
        second = id_of(await ask(running, chat_request("responses", "vendor/responses", text="second"), key))
        shown = body_of(await say(running, request("GET", f"/v1/responses/{first}", key)))
        assert b"said under msg_first" in shown and b"said under resp_" not in shown
        vendor.calls.clear()
        await ask(
            running, items({"role": "user", "content": "x"}, model="vendor/responses", previous_response_id=first), key
        )
        assert b"said under msg_first" in vendor.calls[0].body
        assert status_of(await say(running, request("DELETE", f"/v1/responses/{second}", key))) == 200
        assert status_of(await say(running, request("GET", f"/v1/responses/{first}", key))) == 200

    run(script, story)


CRAFTED = [
    "resp_%27%20OR%201%3D1", "'+OR+1=1+--", "resp_*", "%", "_", "..", "../models", "resp_a/../resp_b", "a" * 20_000,
    "resp_%00", "resp_%ff", "resp_%E9%B1%BC", "input_items", "/input_items", "resp_x/input_items/input_items",
    "resp_x/cancel", "resp_x;v=1", "RESP_X", "null", "resp_\u9c7c",
]  # fmt: skip


def test_crafted_ids_find_nothing_and_break_nothing() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        kept = id_of(await ask(running, chat_request("responses", "vendor/chat"), key))
        vendor.calls.clear()
        for name in CRAFTED:
            for method in ("GET", "DELETE", "POST", "PUT", "PATCH", "HEAD", "OPTIONS"):
                answer = await say(running, request(method, f"/v1/responses/{name}", key))
                assert status_of(answer) in (400, 404, 405), (method, name[:40], answer[:200])
                check_clean(answer)
            if not name.isascii():
                continue
            for found in (
                items({"role": "user", "content": "x"}, previous_response_id=name),
                items({"role": "user", "content": "x"}, reference(name)),
            ):
                answer = await ask(running, found, key)
                assert status_of(answer) in (400, 404), (name[:40], answer[:200])
                check_clean(answer)
        for spelled in (kept.replace("r", "%72", 1), f"{kept}%20", f"{kept}/", f"/{kept}", kept.upper()):
            assert status_of(await say(running, request("GET", f"/v1/responses/{spelled}", key))) == 404, spelled
        for query in (
            "limit=0",
            "limit=1e9",
            "limit=-1",
            f"limit={'9' * 5000}",
            "after=nobody",
            "order=x",
            "after=%ED%A0%80",
        ):
            answer = await say(running, request("GET", f"/v1/responses/{kept}/input_items?{query}", key))
            assert status_of(answer) == 400, query
        assert (
            status_of(await say(running, request("GET", f"/v1/responses/{kept}?include[]=x&stream=true", key))) == 200
        )
        assert not vendor.calls

    run(speaks(), story)


# ---- how much they can become ----------------------------------------------------------------------------------------


def test_a_few_bytes_of_references_do_not_become_megabytes() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        kept = id_of(await ask(running, chat_request("responses", "vendor/chat", text="word " * 20_000), key))
        listed = await say(running, request("GET", f"/v1/responses/{kept}/input_items", key))
        name = json.loads(body_of(listed))["data"][0]["id"]
        output = kept.replace("resp_", "msg_") + "_0"
        vendor.calls.clear()
        for more in ({}, {"previous_response_id": kept}):
            answer = await ask(running, items(*[reference(name)] * 50, reference(output), **more), key)
            assert status_of(answer) == 400 and error_of(answer)["param"] == "input[1].id"
        assert not vendor.calls
        answer = await ask(running, items(reference(name), {"role": "user", "content": "x"}, reference(output)), key)
        assert status_of(answer) == 200 and len(vendor.calls[0].body) < 110_000

    run(speaks(), story)


def test_a_conversation_cannot_grow_beyond_what_one_body_may_be() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key, sizes = key_of(running, "one"), []
        previous: Json = {}
        for _ in range(12):
            asked = chat_request("responses", "vendor/chat", text="word " * 20_000, **previous)
            answer = await ask(running, asked, key)
            if status_of(answer) != 200:
                break
            sizes.append(len(vendor.calls[-1].body))
            previous = {"previous_response_id": id_of(answer)}
        assert (status_of(answer), code_of(answer)) == (413, "request_too_large")
        assert len(sizes) > 3 and max(sizes) < 600_000
        assert not running.service.gateway.running

    async def main() -> None:
        async with AsyncExitStack() as stack:
            own = await stack.enter_async_context(FaultUpstream(speaks()))
            vendor = await stack.enter_async_context(FaultUpstream(speaks()))
            text = f"[server]\nmax_body_bytes = 500_000\n{config(own, vendor)}"
            running = await stack.enter_async_context(gateway(text, {"VENDOR_KEY": VENDOR_SECRET}))
            await story(running, own, vendor)

    asyncio.run(main())


# ---- what is never kept ----------------------------------------------------------------------------------------------


async def cuts(call_: Call) -> None:
    """All but the end of an answer."""
    wire = wire_of(call_)
    await start(call_, wire)
    for event in events(wire, Said())[:-1]:
        await call_.chunk(event)
    await asyncio.sleep(0.02)
    call_.writer.close()


async def fails(call_: Call) -> None:
    await call_.json({"error": {"message": "no"}}, "400 X")


async def stalls(call_: Call) -> None:
    wire = wire_of(call_)
    await start(call_, wire)
    for event in events(wire, Said(finish=False)):
        await call_.chunk(event)
    await call_.client_left(5)


async def hangs_up(running: RunningGateway, asked: Asked, key: str) -> None:
    reader, writer = await dial(running)
    writer.write(asked.line.replace(b"\r\n", f"\r\nauthorization: Bearer {key}\r\n".encode(), 1))
    await writer.drain()
    await reader.readuntil(b".delta")
    writer.transport.abort()


@pytest.mark.parametrize("model", LANES)
def test_nothing_is_kept_of_what_is_not_to_be_or_did_not_come_to_its_end(model: str) -> None:
    scripts: list[Script] = [speaks()]

    async def script(call_: Call) -> None:
        await scripts[0](call_)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        for stream in (False, True):
            answer = await ask(running, chat_request("responses", model, stream=stream, store=False), key)
            assert status_of(answer) == 200
            name = re.search(rb'"id": ?"(resp_[^"]+)"', body_of(answer))
            assert name is not None
            assert status_of(await say(running, request("GET", f"/v1/responses/{name[1].decode()}", key))) == 404
        for broken, stream in ((fails, False), (fails, True), (cuts, True)):
            scripts[0] = broken
            forget_failures(running)
            answer = await ask(running, chat_request("responses", model, stream=stream), key)
            assert status_of(answer) >= 400 or not looks_complete("responses", body_of(answer))
        scripts[0] = stalls
        forget_failures(running)
        await hangs_up(running, chat_request("responses", model, stream=True), key)
        async with asyncio.timeout(8):
            while not any(record.outcome == "aborted" for record in await running.records()):
                await asyncio.sleep(0.02)
        refused = await ask(running, chat_request("responses", model, text=QUESTION), key)
        assert status_of(refused) == 403
        assert await rows(running) == []
        scripts[0] = speaks()
        forget_failures(running)
        assert status_of(await ask(running, chat_request("responses", model), key)) == 200
        assert len(await rows(running)) == 1, "the same answers are kept when nothing goes wrong"

    run(script, story)


def test_a_vendor_is_never_told_the_state_that_the_gateway_keeps() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        for model in LANES:
            first = id_of(await ask(running, chat_request("responses", model, instructions="Be brief."), key))
            for stream in (False, True):
                vendor.calls.clear()
                more: Json = {"previous_response_id": first, "stream": stream, "store": True}
                answer = await ask(running, items({"role": "user", "content": "x"}, model=model, **more), key)
                assert status_of(answer) == 200
                sent = vendor.calls[0].body
                assert b"resp_" not in sent and b"previous_response_id" not in sent and b"Be brief." not in sent
                assert b"Good morning!" in sent
                if b"/v1/responses" in vendor.calls[0].head.split(b"\r\n")[0]:
                    assert json.loads(sent)["store"] is False and b'"msg_' not in sent

    run(speaks(), story)


BENDS = {
    "no UTF-8": (b'"annotations"', b'"x": "\xff\xfe", "annotations"'),
    "deep": (b'"annotations"', b'"x": ' + b"[" * 500 + b"]" * 500 + b', "annotations"'),
    "too deep": (b'"annotations"', b'"x": ' + b"[" * 50_000 + b"]" * 50_000 + b', "annotations"'),
    "no number": (b'"annotations"', b'"x": 1e999, "annotations"'),
    "half a character": (b'"annotations"', b'"x": "\\ud800", "annotations"'),
    "two outputs": (b'"output": [', b'"output": [{"type": "message", "content": 5}], "output": ['),
    "an item that is none": (b'"output": [', b'"output": [7, '),
    "an id that is none": (b'"msg_v1"', b'{"a": []}'),
    "a name of its own": (b'"msg_v1"', b'"rs_%s_0"' % (b"9" * 5000)),
}


def test_a_bent_answer_of_the_lane_is_kept_usably_or_is_the_targets_fault() -> None:
    bend: list[tuple[bytes, bytes]] = []

    async def script(call_: Call) -> None:
        if not bend:
            await speaks()(call_)
            return
        body = json.dumps(whole("responses", Said())).encode().replace(*bend[0])
        if streams(call_):
            await start(call_, "responses")
            last = b'{"type": "response.completed", "response": %s}' % body
            for event in [*events("responses", Said())[:-1], b"event: response.completed\ndata: %s\n\n" % last]:
                await call_.chunk(event)
            await call_.write(b"0\r\n\r\n")
            return
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        await call_.write(head + body)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        for name, change in BENDS.items():
            for stream in (False, True):
                forget_failures(running)
                bend[:] = [change]
                answer = await ask(running, chat_request("responses", "vendor/responses", stream=stream), key)
                bend.clear()
                forget_failures(running)
                check_clean(answer)
                assert b"internal_error" not in answer, (name, stream)
                if status_of(answer) != 200 or not looks_complete("responses", body_of(answer)):
                    continue
                kept = id_of(answer)
                for ending in ("", "/input_items"):
                    assert status_of(await say(running, request("GET", f"/v1/responses/{kept}{ending}", key))) == 200
                for model in ("vendor/responses", "vendor/chat"):
                    found = items({"role": "user", "content": "x"}, model=model, previous_response_id=kept)
                    assert status_of(await ask(running, found, key)) in (200, 400), (name, stream, model)

    run(script, story)


# ---- how sensitive they stay -----------------------------------------------------------------------------------------

LEVELS = 'levels = ["public", "internal", "confidential", "restricted"]'
RENAMED = 'levels = ["open", "internal", "secret", "top"]'


def test_a_kept_conversation_keeps_its_level_over_restarts_reloads_and_renamed_levels(tmp_path: Path) -> None:
    """Continued or referred to, on every lane, whole or streamed: a vendor never sees it."""

    async def talks(call_: Call) -> None:
        await speaks(Said(text="Done, it is settled now."))(call_)

    async def refused(running: RunningGateway, vendor: FaultUpstream, key: str, kept: str) -> None:
        running.service.gateway.world.memory._scopes.clear()  # the row alone must tell
        ways = [
            items({"role": "user", "content": "Go on."}, model=model, stream=stream, **more)
            for model in (*LANES, "vendor/bedrock")
            for stream in (False, True)
            for more in ({"previous_response_id": kept},)
        ]
        ways += [items(reference(kept.replace("resp_", "msg_") + "_0"), model=model) for model in LANES]
        for found in ways:
            answer = await ask(running, found, key)
            assert status_of(answer) == 403 and not vendor.calls, found.body

    async def main() -> None:
        async with FaultUpstream(talks) as own, FaultUpstream(speaks()) as vendor:
            text = config(own, vendor)
            async with gateway(text, {"VENDOR_KEY": VENDOR_SECRET}, tmp_path) as running:
                key = running.add_key(app="one", seed=1)
                # The answer says nothing sensitive, nor does what is left of the question in a reference to it.
                kept = [
                    id_of(
                        await ask(running, chat_request("responses", "house/small", text=QUESTION, stream=stream), key)
                    )
                    for stream in (False, True)
                ]
                await refused(running, vendor, key, kept[0])
                old = running.service.gateway.snapshot.config
                running.service.gateway.snapshot = make_snapshot(replace(old, snapshot_id="other"), tmp_path)
                await refused(running, vendor, key, kept[1])
            async with gateway(text, {"VENDOR_KEY": VENDOR_SECRET}, tmp_path) as running:
                await refused(running, vendor, key, kept[0])
            strict = text.replace('"restricted"', '"top"')
            renamed = f'[sensitivity]\n{RENAMED}\ndefault = "internal"\nkinds = {{ bank_card = "secret" }}\n{strict}'
            async with gateway(renamed, {"VENDOR_KEY": VENDOR_SECRET}, tmp_path) as running:
                await refused(running, vendor, key, kept[0])
                answer = await ask(running, chat_request("responses", "house/small", previous_response_id=kept[1]), key)
                assert status_of(answer) == 200 and b"x-yuzui-sensitivity: top" in answer

    asyncio.run(main())
    for name, data in files_of(tmp_path):
        assert CARD.encode() not in data and b"it is settled now" not in data, f"in clear in {name}"


def test_a_reload_shortens_the_time_of_what_is_kept_and_renamed_levels_change_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with FaultUpstream(speaks()) as own, FaultUpstream(speaks()) as vendor:
            text = config(own, vendor)
            path = tmp_path / "yuzui.toml"
            async with gateway(text, {"VENDOR_KEY": VENDOR_SECRET}, tmp_path / "data") as running:
                service = running.service
                service._config_path = path
                key = running.add_key(app="one", seed=1)
                kept = id_of(await ask(running, chat_request("responses", "house/small"), key))
                shown = request("GET", f"/v1/responses/{kept}", key)

                strict = text.replace('"restricted"', '"top"')
                path.write_text(without_names(f"[sensitivity]\n{RENAMED}\ndefault = 'internal'\n{strict}"))
                before = service.gateway.snapshot
                await service.reload()
                assert service.gateway.snapshot is before
                assert "sensitivity.levels changed" in str([vars(record) for record in caplog.records])
                assert status_of(await say(running, shown)) == 200
                answer = await ask(running, chat_request("responses", "vendor/chat", previous_response_id=kept), key)
                assert status_of(answer) == 200

                path.write_text(without_names(f"[stored_responses]\nretention_days = 1\n{text}"))
                await service.reload()
                await asyncio.wait_for(service._tasks[-1], 20)
                assert status_of(await say(running, shown)) == 200
                sql = "SELECT max(expires_ns) FROM kept_answer"
                ((latest_ns,),) = await asyncio.to_thread(service.books._execute, sql)
                assert isinstance(latest_ns, int) and latest_ns <= time.time_ns() + 86_400 * 10**9

                path.write_text(without_names(f"[stored_responses]\nretention_days = 0\n{text}"))
                await service.reload()
                await asyncio.wait_for(service._tasks[-1], 20)
                assert status_of(await say(running, shown)) == 404
                assert not await rows(running)
                answer = await ask(running, chat_request("responses", "house/small", previous_response_id=kept), key)
                assert status_of(answer) == 404

    asyncio.run(main())


def test_a_level_that_was_changed_in_the_file_does_not_open(tmp_path: Path) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        kept = id_of(await ask(running, chat_request("responses", "house/small", text=QUESTION), key))
        (row,) = await rows(running)
        assert row[2] == "confidential" or row[2] == "restricted"
        await asyncio.to_thread(running.service.books._execute, "UPDATE kept_answer SET level = 'public'")
        assert status_of(await say(running, request("GET", f"/v1/responses/{kept}", key))) == 404
        answer = await ask(running, chat_request("responses", "vendor/chat", previous_response_id=kept), key)
        assert status_of(answer) == 404 and not vendor.calls

    run(speaks(), story, own=speaks(), data_dir=tmp_path)


def test_what_a_client_has_seen_to_its_end_is_kept_though_the_power_goes(tmp_path: Path) -> None:
    async def main() -> None:
        async with FaultUpstream(speaks()) as own, FaultUpstream(speaks()) as vendor:
            write_config(tmp_path, two_targets(own, vendor))
            _, key = new_key(tmp_path)
            served = await asyncio.to_thread(serve, tmp_path)
            seen: list[str] = []
            try:
                for number in range(12):
                    asked = chat_request("responses", "vendor/big", text=f"{LONG} {number}", stream=bool(number % 2))
                    line = asked.line.replace(b"\r\n", f"\r\nauthorization: Bearer {key}\r\n".encode(), 1)
                    reader, writer = await asyncio.open_connection(*served.address)
                    writer.write(line)
                    # A stream is left at its last event, as clients do that know what ends it.
                    answer = await (reader.readuntil(b'"yuzui":{') if number % 2 else reader.read())
                    seen.append(id_of(answer.replace(b"transfer-encoding: chunked", b"")))
                    writer.close()
                served.kill()
                served = await asyncio.to_thread(serve, tmp_path)
                for name in seen:
                    reader, writer = await asyncio.open_connection(*served.address)
                    writer.write(request("GET", f"/v1/responses/{name}", key))
                    assert status_of(await reader.read()) == 200
                    writer.close()
            finally:
                served.kill()

    asyncio.run(main())
