"""Stored conversations: made, continued by every kind of target, shared by nobody, and as sensitive as they ever were."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from fault_upstream import Call, FaultUpstream
from faults.dialect_kit import Asked, Said, ask, body_of, run, speaks, start, wire_of
from faults.dialect_kit import events as events_of
from faults.test_sovereignty import CARD
from faults_kit import check_clean, code_of, error_of, key_of, say, status_of
from gateway_kit import RunningGateway
from yuzui.conversations import methods_of

Json = dict[str, Any]  # Any: JSON
LANES = ("vendor/responses", "vendor/both", "vendor/chat", "vendor/claude", "vendor/gemini")
ROOT = "/v1/conversations"


async def send(running: RunningGateway, method: str, path: str, key: str, body: object = None) -> bytes:
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {key}\r\n"
    typed = f"content-type: application/json\r\ncontent-length: {len(data)}\r\n" if body is not None else ""
    return await say(running, f"{head}{typed}\r\n".encode() + data)


async def got(running: RunningGateway, method: str, path: str, key: str, body: object = None) -> Any:  # Any: JSON
    answer = await send(running, method, path, key, body)
    assert status_of(answer) == 200, answer[:500]
    return json.loads(body_of(answer))


def user(text: str) -> Json:
    return {"type": "message", "role": "user", "content": text}


def turn(conversation: object, text: str, *, model: str = "vendor/chat", **more: object) -> Asked:
    body = {"model": model, "input": text, "conversation": conversation, **more}
    return Asked(path="/v1/responses", body=json.dumps(body).encode())


async def texts(running: RunningGateway, id: str, key: str) -> list[tuple[str, str]]:
    page = await got(running, "GET", f"{ROOT}/{id}/items?order=asc&limit=100", key)
    return [(item["role"], item["content"][0]["text"]) for item in page["data"]]


# ---- the desk --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (ROOT, "POST"),
        (f"{ROOT}/conv_1", "GET, POST, DELETE"),
        (f"{ROOT}/conv_1/items", "GET, POST"),
        (f"{ROOT}/conv_1/items/msg_1", "GET, DELETE"),
        (f"{ROOT}/", ""),
        (f"{ROOT}//items", ""),
        (f"{ROOT}/conv_1/", ""),
        (f"{ROOT}/conv_1/turns", ""),
        (f"{ROOT}/conv_1/items/a/b", ""),
        (f"{ROOT}x", ""),
        (f"{ROOT}x/conv_1", ""),
    ],
)
def test_each_path_takes_its_methods(path: str, methods: str) -> None:
    assert methods_of(path) == methods


def test_a_conversation_is_made_read_changed_and_deleted() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        made = await got(running, "POST", ROOT, key, {"items": [user("One")], "metadata": {"topic": "a"}})
        id = made["id"]
        assert id.startswith("conv_") and made["object"] == "conversation" and made["metadata"] == {"topic": "a"}
        added = await got(running, "POST", f"{ROOT}/{id}/items", key, {"items": [user("Two"), user("Three")]})
        assert [item["content"][0]["text"] for item in added["data"]] == ["Two", "Three"]
        two = added["data"][0]["id"]
        assert (await got(running, "GET", f"{ROOT}/{id}/items/{two}", key))["content"][0]["text"] == "Two"
        assert (await got(running, "DELETE", f"{ROOT}/{id}/items/{two}", key)) == made
        assert [text for _, text in await texts(running, id, key)] == ["One", "Three"]
        changed = await got(running, "POST", f"{ROOT}/{id}", key, {"metadata": {"topic": "b"}})
        assert changed == {**made, "metadata": {"topic": "b"}} == await got(running, "GET", f"{ROOT}/{id}", key)
        assert await got(running, "DELETE", f"{ROOT}/{id}", key) == {
            "id": id, "object": "conversation.deleted", "deleted": True
        }  # fmt: skip
        for method, path in (("GET", id), ("DELETE", id), ("GET", f"{id}/items"), ("GET", f"{id}/items/{two}")):
            answer = await send(running, method, f"{ROOT}/{path}", key)
            assert (status_of(answer), code_of(answer)) == (404, "conversation_not_found")
        assert not vendor.calls and not own.calls

    run(speaks(), story)


def test_strangers_find_nothing_and_learn_nothing() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        mine, other = key_of(running, "one"), key_of(running, "two")
        id = (await got(running, "POST", ROOT, mine, {"items": [user("Mine")]}))["id"]
        never = "conv_" + "0" * len(id[5:])
        for method, ending, body in (
            ("GET", "", None), ("GET", "/items", None), ("GET", "/items/msg_1", None), ("DELETE", "", None),
            ("POST", "", {"metadata": {}}), ("POST", "/items", {"items": [user("x")]}), ("DELETE", "/items/msg_1", None),
        ):  # fmt: skip
            foreign = await send(running, method, f"{ROOT}/{id}{ending}", other, body)
            unknown = await send(running, method, f"{ROOT}/{never}{ending}", other, body)
            assert status_of(foreign) == 404
            assert body_of(foreign).replace(id.encode(), b"*") == body_of(unknown).replace(never.encode(), b"*")
            assert status_of(await send(running, method, f"{ROOT}/{id}{ending}", "x" * 40, body)) == 401
        foreign, unknown = await ask(running, turn(id, "x"), other), await ask(running, turn(never, "x"), other)
        assert (status_of(foreign), code_of(foreign)) == (404, "conversation_not_found")
        assert error_of(foreign)["message"] == error_of(unknown)["message"] and not vendor.calls
        assert [text for _, text in await texts(running, id, mine)] == ["Mine"]

    run(speaks(), story)


@pytest.mark.parametrize(
    ("body", "status"),
    [({"items": [5]}, 400), ({"metadata": {"a": 1}}, 400), ([], 400), ({"else": 1}, 400), ({"items": "\ud800"}, 400)],
)
def test_what_is_wrong_is_said_in_words(body: object, status: int) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        answer = await send(running, "POST", ROOT, key_of(running, "one"), body)
        assert status_of(answer) == status
        check_clean(answer)

    run(speaks(), story)


def test_an_operator_who_keeps_nothing_keeps_no_conversations() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        answer = await send(running, "POST", ROOT, key_of(running, "one"), {})
        assert (status_of(answer), code_of(answer)) == (400, "unsupported_feature")
        assert "retention_days" in error_of(answer)["message"]

    run(speaks(), story, more="[stored_responses]\nretention_days = 0\n")


def test_writing_counts_against_the_rate_limits() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one", requests_per_minute=2)
        id = (await got(running, "POST", ROOT, key, {}))["id"]
        await got(running, "GET", f"{ROOT}/{id}", key)
        answer = await send(running, "POST", ROOT, key, {})
        assert (status_of(answer), code_of(answer)) == (429, "rate_limit_exceeded")

    run(speaks(), story)


# ---- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", LANES)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_asked_and_answered_stays_in_the_conversation(model: str, stream: bool) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        id = (await got(running, "POST", ROOT, key, {"items": [user("My name is Ada.")], "metadata": {"a": "b"}}))["id"]
        answer = await ask(running, turn(id, "Who am I?", model=model, stream=stream), key)
        assert status_of(answer) == 200
        assert json.dumps({"id": id}, separators=(",", ":")).encode() in body_of(answer).replace(b" ", b"")
        answer = await ask(running, turn({"id": id}, "Sure?", model=model, stream=stream, store=False), key)
        assert status_of(answer) == 200
        assert await texts(running, id, key) == [
            ("user", "My name is Ada."), ("user", "Who am I?"), ("assistant", "Good morning!"),
            ("user", "Sure?"), ("assistant", "Good morning!"),
        ]  # fmt: skip
        sent = vendor.calls[-1].body
        for text in (b"My name is Ada.", b"Who am I?", b"Good morning!", b"Sure?"):
            assert sent.count(text) == 1
        assert b"conv_" not in sent and b'"msg_' not in sent and b'"conversation"' not in sent
        assert (await got(running, "GET", f"{ROOT}/{id}", key))["metadata"] == {"a": "b"}

    run(speaks(), story)


def test_a_conversation_moves_from_one_vendor_to_another() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        id = (await got(running, "POST", ROOT, key, {}))["id"]
        for number, model in enumerate(LANES):
            assert status_of(await ask(running, turn(id, f"Turn {number}", model=model), key)) == 200
            assert all(f"Turn {n}".encode() in vendor.calls[-1].body for n in range(number + 1))
        assert len(await texts(running, id, key)) == 2 * len(LANES)

    run(speaks(), story)


def test_an_answer_in_a_conversation_is_kept_by_itself_too() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        id = (await got(running, "POST", ROOT, key, {}))["id"]
        first = json.loads(body_of(await ask(running, turn(id, "One"), key)))
        shown = await got(running, "GET", f"/v1/responses/{first['id']}", key)
        assert shown["conversation"] == {"id": id} and shown["previous_response_id"] is None
        body = {"model": "vendor/chat", "input": "Two", "previous_response_id": first["id"]}
        aside = Asked(path="/v1/responses", body=json.dumps(body).encode())
        assert "conversation" not in json.loads(body_of(await ask(running, aside, key)))
        assert [text for _, text in await texts(running, id, key)] == ["One", "Good morning!"]

    run(speaks(), story)


def test_conversations_and_answers_are_not_taken_for_each_other() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        id = (await got(running, "POST", ROOT, key, {"items": [user("x")]}))["id"]
        kept = json.loads(body_of(await ask(running, turn(id, "One"), key)))["id"]
        vendor.calls.clear()
        for method in ("GET", "DELETE"):
            assert status_of(await send(running, method, f"/v1/responses/{id}", key)) == 404
            assert status_of(await send(running, method, f"{ROOT}/{kept}", key)) == 404
        assert status_of(await send(running, "GET", f"/v1/responses/{id}/input_items", key)) == 404
        for body, param in (
            ({"input": "x", "previous_response_id": id}, "previous_response_id"),
            ({"input": [{"type": "item_reference", "id": id}]}, "input[0].id"),
            ({"input": "x", "conversation": kept}, "conversation"),
            ({"input": "x", "conversation": id, "previous_response_id": kept}, "previous_response_id"),
        ):
            asked = Asked(path="/v1/responses", body=json.dumps({"model": "vendor/chat", **body}).encode())
            answer = await ask(running, asked, key)
            assert (status_of(answer), error_of(answer)["param"]) == (400, param)
        assert not vendor.calls and await got(running, "GET", f"{ROOT}/{id}", key)

    run(speaks(), story)


def test_an_answer_that_breaks_off_adds_nothing() -> None:
    async def cuts(call: Call) -> None:
        wire = wire_of(call)
        await start(call, wire)
        for event in events_of(wire, Said())[:-1]:
            await call.chunk(event)
        await asyncio.sleep(0.02)
        call.writer.close()

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        id = (await got(running, "POST", ROOT, key, {}))["id"]
        await ask(running, turn(id, "One", stream=True), key)
        assert await texts(running, id, key) == []
        assert await got(running, "DELETE", f"{ROOT}/{id}", key), "nobody holds it any more"

    run(cuts, story)


def test_only_one_request_at_a_time_works_on_a_conversation() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def waits(call: Call) -> None:
        begun.set()
        await may_end.wait()
        await speaks()(call)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        id = (await got(running, "POST", ROOT, key, {}))["id"]
        first = asyncio.create_task(ask(running, turn(id, "One"), key))
        await begun.wait()
        second = await ask(running, turn(id, "Two"), key)
        assert (status_of(second), code_of(second)) == (409, "conversation_locked")
        for method, ending, body in (
            ("DELETE", "", None), ("POST", "", {"metadata": {}}), ("POST", "/items", {"items": [user("x")]}),
            ("DELETE", "/items/msg_1", None),
        ):  # fmt: skip
            answer = await send(running, method, f"{ROOT}/{id}{ending}", key, body)
            assert (status_of(answer), code_of(answer)) == (409, "conversation_locked")
        assert await got(running, "GET", f"{ROOT}/{id}", key), "reading needs no place in the line"
        may_end.set()
        assert status_of(await first) == 200
        assert status_of(await ask(running, turn(id, "Two"), key)) == 200
        assert [text for role, text in await texts(running, id, key) if role == "user"] == ["One", "Two"]

    run(waits, story)


# ---- how sensitive it is ---------------------------------------------------------------------------------------------


def test_a_conversation_stays_as_sensitive_as_it_ever_was() -> None:
    """Also once the item that made it so is deleted; and what is put in by hand counts like what is asked."""

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        asked = {"items": [user(f"Charge my card {CARD}, please."), user("Good morning")]}
        id = (await got(running, "POST", ROOT, key, asked))["id"]
        answer = await ask(running, turn(id, "And now?"), key)
        assert (status_of(answer), code_of(answer)) == (403, "no_permitted_target")
        first = (await got(running, "GET", f"{ROOT}/{id}/items?order=asc", key))["data"][0]["id"]
        await got(running, "DELETE", f"{ROOT}/{id}/items/{first}", key)
        answer = await ask(running, turn(id, "And now?"), key)
        assert (status_of(answer), code_of(answer)) == (403, "no_permitted_target")
        answer = await ask(running, turn(id, "And now?", model="assistant"), key)
        assert status_of(answer) == 200 and len(own.calls) == 1
        assert not vendor.calls

    run(speaks(), story, own=speaks())
