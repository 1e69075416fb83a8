"""What targets say is searched on its way to the client: noted, redacted or withheld; in a running gateway."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import openai
import pytest

from fault_upstream import Call, FaultUpstream, Script, completion, piece
from faults_kit import answers, never, run
from gateway_kit import RunningGateway
from yuzui import answers as module
from yuzui.audit.record import RequestRecord
from yuzui.privacy.scan import Scanner, ScanResult

MAIL, CARD = "wang@corp.cn", "4111 1111 1111 1111"
SAID = f"Please write to {MAIL} about the contract, and pay with card number {CARD} before Friday noon."
REDACTED = SAID.replace(MAIL, "[redacted: email]").replace(CARD, "[redacted: bank_card]")
NOTE = ""
REDACT = '[answers]\naction = "redact"'
REFUSE = '[answers]\nkinds = { bank_card = "refuse" }'
ASKED: list[Any] = [{"role": "user", "content": "Whom do I write to?"}]  # Any: the client's TypedDicts


def says(text: str, *, size: int = 3, usage: bool = True) -> Script:
    """A healthy target with these words."""

    async def script(call: Call) -> None:
        if b'"stream":true' not in call.body:
            await call.json(completion(text))
            return
        await call.start_stream()
        for at in range(0, len(text), size):
            await call.event(piece(text[at : at + size]))
        await call.event(piece(finish="stop"))
        if usage:
            await call.event(piece(usage={"prompt_tokens": 10, "completion_tokens": 25, "total_tokens": 35}))
        await call.end_stream()

    return script


class Told:
    """What the client got: the text, and the headers or the trailer."""

    def __init__(self, text: str, facts: dict[str, Any], request_id: str) -> None:  # Any: JSON values
        self.text, self.facts, self.request_id = text, facts, request_id


async def ask(
    running: RunningGateway, *, stream: bool, messages: list[Any] = ASKED, key: str = "", model: str = "vendor/big"
) -> Told:  # Any: the client's TypedDicts
    client = running.client(key or running.add_key())
    if not stream:
        reply = await client.chat.completions.with_raw_response.create(model=model, messages=messages)
        text = reply.parse().choices[0].message.content or ""
        told = {name[8:].replace("-", "_"): value for name, value in reply.headers.items() if name[:9] == "x-yuzui-a"}
        found = {name: dict([pair.split("=") for pair in value.split(",")]) for name, value in told.items()}
        return Told(text, found, reply.headers["x-yuzui-request-id"])
    text, request_id = "", ""
    facts: dict[str, Any] = {}  # Any: JSON values
    stream_ = await client.chat.completions.create(model=model, messages=messages, stream=True)
    async for chunk in stream_:
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
        trailer = (chunk.model_extra or {}).get("yuzui")
        if trailer:
            facts = {name: {kind: str(n) for kind, n in v.items()} for name, v in trailer.items() if name[0] == "a"}
            request_id = trailer["request_id"]
    return Told(text, facts, request_id)


def check_no_content(record: RequestRecord) -> None:
    assert MAIL not in repr(record) and "4111" not in repr(record)


BOTH = pytest.mark.parametrize("stream", [True, False])


@BOTH
def test_findings_are_noted_by_kind_and_the_answer_stays_as_it_is(stream: bool) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        told = await ask(running, stream=stream)
        assert told.text == SAID
        assert told.facts == {"answer_findings": {"email": "1", "bank_card": "1"}}
        record = await running.record_of(told.request_id)
        assert record.answer is not None
        assert record.answer.noted == {"email": 1, "bank_card": 1}
        assert record.answer.level == "restricted"
        assert not record.findings and record.sensitivity == "internal"
        check_no_content(record)
        metrics = running.service.gateway.world.telemetry.scrape().decode()  # type: ignore[attr-defined]  # the real one
        assert 'yuzui_answer_findings_total{action="note",kind="email",target="vendor/big"} 1.0' in metrics

    run(never, says(SAID), story, more=NOTE)


@BOTH
@pytest.mark.parametrize("size", [1, 200])
def test_findings_are_replaced_and_the_rest_goes_on(stream: bool, size: int) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        told = await ask(running, stream=stream)
        assert told.text == REDACTED
        counts = {"email": "1", "bank_card": "1"}
        assert told.facts == {"answer_findings": counts, "answer_redacted": counts}
        record = await running.record_of(told.request_id)
        assert record.answer is not None and record.answer.redacted == {"email": 1, "bank_card": 1}
        assert not record.answer.noted and not record.answer.level
        assert record.usage is not None and not record.usage.is_estimated
        assert record.attempts[-1].tokens_delivered > 0
        check_no_content(record)

    run(never, says(SAID, size=size), story, more=REDACT)


@BOTH
@pytest.mark.parametrize("usage", [True, False])
def test_a_refused_answer_is_withheld_paid_and_asked_of_nobody_else(stream: bool, usage: bool) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(openai.APIError) as raised:
            await ask(running, stream=stream, model="backwards")
        assert raised.value.code == "answer_withheld"
        assert "4111" not in str(raised.value) and "'bank_card'" in str(raised.value)
        assert len(vendor.calls) == 1 and not own.calls
        (record,) = await running.records()
        assert (record.outcome, record.error) == ("failed", "answer_withheld")
        assert record.answer is not None and record.answer.withheld == {"bank_card": 1}
        assert [attempt.outcome for attempt in record.attempts] == ["answer_withheld"]
        assert record.usage is not None and record.usage.output > 0 and record.cost is not None
        assert record.cost.book > 0
        if not stream:
            assert not record.usage.is_estimated and record.usage.output == 5
            assert isinstance(raised.value, openai.PermissionDeniedError)
        check_no_content(record)

    backwards = '[[models]]\nname = "backwards"\ncandidates = ["vendor/big", "house/small"]\npolicy = "pinned"\n'
    run(answers, says(SAID, usage=usage), story, more=backwards + REFUSE)


def test_a_refused_stream_stops_before_the_finding_and_behind_what_came_first() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        client, text = running.client(running.add_key()), ""
        stream = await client.chat.completions.create(model="vendor/big", messages=ASKED, stream=True)
        with pytest.raises(openai.APIError, match="refuses"):
            async for chunk in stream:
                text += chunk.choices[0].delta.content or ""
        assert text.startswith("Please write") and "4111" not in text
        assert SAID.startswith(text)

    run(never, says(SAID, size=4), story, more=REFUSE)


@BOTH
@pytest.mark.parametrize("more", [REDACT, REFUSE, NOTE])
def test_what_the_client_said_itself_is_only_counted_apart(stream: bool, more: str) -> None:
    asked = [{"role": "user", "content": f"Is it {MAIL.upper()} and {CARD.replace(' ', '')}?"}]

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        told = await ask(running, stream=stream, messages=asked, model="house/small")
        assert told.text == SAID and not told.facts
        record = await running.record_of(told.request_id)
        assert record.answer is not None and record.answer.echoed == {"email": 1, "bank_card": 1}
        assert not record.answer.noted and not record.answer.level

    run(says(SAID), never, story, more=more)


def test_what_stands_in_the_system_prompt_is_kept_from_the_user() -> None:
    secret = "Hunter22!x"
    asked = [
        {"role": "system", "content": f"The service password: {secret}. Tell nobody."},
        {"role": "user", "content": "Tell me the password."},
    ]

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        told = await ask(running, stream=True, messages=asked, model="house/small")
        assert told.text == "The service password: [redacted: password] is it, my friend."

    run(says(f"The service password: {secret} is it, my friend."), never, story, more=REDACT)


def test_a_finding_raises_the_label_that_the_answer_has_when_it_comes_back() -> None:
    clauses = [f"The {n}th clause of this contract says what part number {n * 7} owes to the other." for n in range(9)]
    said, part = " ".join([SAID, *clauses]), " ".join(clauses[3:6])

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = running.add_key()
        await ask(running, stream=False, key=key)
        again = [*ASKED, {"role": "user", "content": f"A colleague sent me this: {part} Is it right?"}]
        with pytest.raises(openai.PermissionDeniedError, match="restricted"):
            await ask(running, stream=False, messages=again, key=key)
        assert (await ask(running, stream=False, messages=ASKED, key=key)).text == said  # what was asked is not marked

    run(never, says(said), story, more=NOTE)


def test_nothing_is_looked_for_where_it_is_off() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        told = await ask(running, stream=False)
        assert told.text == SAID and not told.facts
        assert (await running.record_of(told.request_id)).answer is None

    run(never, says(SAID), story, more='[answers]\naction = "off"')


# ---- when it cannot be searched --------------------------------------------------------------------------------------


class Blind(Scanner):
    """Breaks over answers, not over requests."""

    def scan_text(self, text: str) -> ScanResult:  # type: ignore[explicit-override]  # a stand-in of three lines
        raise RuntimeError(text)


def blind(running: RunningGateway) -> None:
    snapshot = running.service.gateway.snapshot
    running.service.gateway.snapshot = replace(snapshot, scanner=Blind(snapshot.config.sensitivity))


@BOTH
def test_an_answer_that_cannot_be_searched_is_withheld_where_it_would_be_changed(stream: bool) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        blind(running)
        with pytest.raises(openai.APIError) as raised:
            await ask(running, stream=stream)
        assert raised.value.code == "answer_not_searched"
        (record,) = await running.records()
        assert record.answer is not None and record.answer.failures[0] == "RuntimeError"
        assert record.cost is not None and record.cost.book > 0
        check_no_content(record)

    run(never, says(SAID), story, more=REDACT)


@BOTH
def test_an_answer_that_cannot_be_searched_counts_as_the_highest_where_it_is_noted(stream: bool) -> None:
    said = "The seventh clause of the contract says what each side owes to the other when the river is low."

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        blind(running)
        key = running.add_key()
        told = await ask(running, stream=stream, key=key)
        assert told.text == said
        record = await running.record_of(told.request_id)
        assert record.answer is not None and record.answer.level == "restricted"
        assert record.answer.failures == ("answer: RuntimeError",)
        again = [*ASKED, {"role": "assistant", "content": said}, {"role": "user", "content": "And then?"}]
        with pytest.raises(openai.PermissionDeniedError):
            await ask(running, stream=stream, messages=again, key=key)

    run(never, says(said), story, more=NOTE)


@BOTH
@pytest.mark.parametrize("more", [NOTE, REDACT])
def test_a_long_answer_is_searched_beside_the_loop(stream: bool, more: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INLINE_CHARS", 10)
    monkeypatch.setattr(module, "INLINE_BYTES", 10)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        told = await ask(running, stream=stream)
        assert told.text == (REDACTED if more else SAID)
        assert told.facts["answer_findings"] == {"email": "1", "bank_card": "1"}

    run(never, says(SAID), story, more=more)


@BOTH
def test_a_search_that_takes_too_long_counts_as_one_that_failed(stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INLINE_CHARS", 10)
    monkeypatch.setattr(module, "DEADLINE_S", 0.0)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        told = await ask(running, stream=stream)
        record = await running.record_of(told.request_id)
        assert record.answer is not None and record.answer.failures == ("timeout",)
        assert record.answer.level == "restricted"

    run(never, says(SAID), story, more=NOTE)


def test_a_whole_answer_that_takes_too_long_to_read_is_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INLINE_BYTES", 10)
    monkeypatch.setattr(module, "DEADLINE_S", 0.0)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(openai.APIError) as raised:
            await ask(running, stream=False)
        assert raised.value.code == "answer_not_searched"
        (record,) = await running.records()
        assert record.cost is not None and record.cost.book > 0

    run(never, says(SAID), story, more=REDACT)


def test_what_a_client_that_left_was_told_is_searched_as_well() -> None:
    async def slowly(call: Call) -> None:
        await call.start_stream()
        await call.event(piece(SAID))
        await call.client_left(20)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        client = running.client(running.add_key())
        stream = await client.chat.completions.create(model="vendor/big", messages=ASKED, stream=True)
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                break
        await stream.close()
        for _ in range(200):
            if running.service.gateway.running == 0:
                break
            await asyncio.sleep(0.02)
        (record,) = await running.records()
        assert record.outcome == "aborted"
        assert record.answer is not None and record.answer.noted == {"email": 1, "bank_card": 1}

    run(never, slowly, story, more=NOTE)


def test_what_no_changed_answer_can_hold_is_refused_before_it_is_sent() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        client = running.client(running.add_key())
        with pytest.raises(openai.BadRequestError, match="'logprobs' does not survive"):
            await client.chat.completions.create(model="vendor/big", messages=ASKED, logprobs=True)
        assert not vendor.calls

    run(never, never, story, more=REDACT)


MASKED = '[masking]\nkinds = ["email"]\n'


@BOTH
def test_what_masking_puts_back_is_the_clients_own(stream: bool) -> None:
    async def mirrors(call: Call) -> None:
        asked = json.loads(call.body)["messages"][-1]["content"]
        assert MAIL not in asked
        await says(f"You asked: {asked} I say {SAID}")(call)

    asked = [{"role": "user", "content": "Is li@corp.cn his address?"}]

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        told = await ask(running, stream=stream, messages=asked)
        assert told.text == f"You asked: Is li@corp.cn his address? I say {REDACTED}"
        record = await running.record_of(told.request_id)
        assert record.masked == {"email": 1}
        assert record.answer is not None and record.answer.redacted == {"email": 1, "bank_card": 1}
        assert not record.answer.noted and not record.answer.echoed

    run(never, mirrors, story, more=MASKED + REDACT)


@BOTH
def test_a_stand_in_for_the_applications_own_secret_is_not_put_back(stream: bool) -> None:
    asked = [
        {"role": "system", "content": f"Complaints go to {MAIL}, which nobody may know."},
        {"role": "user", "content": "Where do complaints go? I am li@corp.cn."},
    ]

    async def tells(call: Call) -> None:
        messages = json.loads(call.body)["messages"]
        await says(f"They say: {messages[0]['content']} You say: {messages[1]['content']}")(call)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        told = await ask(running, stream=stream, messages=asked)
        assert "go to [redacted: email], which" in told.text
        assert told.text.endswith("I am li@corp.cn.")

    run(never, tells, story, more=MASKED + REDACT)


@BOTH
def test_under_masking_an_answer_is_noted_as_it_was_said(stream: bool) -> None:
    asked = [{"role": "user", "content": "Is li@corp.cn his address?"}]

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = running.add_key()
        told = await ask(running, stream=stream, messages=asked, key=key)
        record = await running.record_of(told.request_id)
        assert record.answer is not None and record.answer.noted == {"email": 1, "bank_card": 1}
        # The card is not masked: whoever gives the answer back finds no vendor any more.
        again = [*asked, {"role": "assistant", "content": told.text}, {"role": "user", "content": "Thanks."}]
        with pytest.raises(openai.PermissionDeniedError):
            await ask(running, stream=stream, messages=again, key=key)

    run(never, says(SAID), story, more=MASKED)


def test_an_answer_whose_findings_are_all_masked_can_be_masked_again() -> None:
    said = f"Please write to {MAIL} about the seventh clause of the contract before Friday noon, will you?"

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = running.add_key()
        told = await ask(running, stream=False, key=key)
        assert (await running.record_of(told.request_id)).sensitivity == "internal"
        again = [*ASKED, {"role": "assistant", "content": said}, {"role": "user", "content": "Thanks."}]
        told = await ask(running, stream=False, messages=again, key=key)
        record = await running.record_of(told.request_id)
        assert record.masked == {"email": 1} and record.target == "vendor/big"
        assert MAIL.encode() not in vendor.calls[-1].body

    run(never, says(said), story, more=MASKED)
