"""A PDF in a request, through a whole gateway: to a vendor only when all of it was read and nothing was found."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from fault_upstream import FaultUpstream
from faults.dialect_kit import Asked, ask, run, speaks
from faults_kit import key_of, status_of
from gateway_kit import RunningGateway
from pdf_kit import pdf, text

ON = "[sensitivity.documents]\nmax_pages = 3\n"
CLEAN = pdf([text("the weather is fine"), text("and stays so")])
FOUND = pdf([text("the weather is fine"), text("write to bob@example.com")])
DRAWN = pdf([f"0 0 m 10 50 60 70 90 90 c S {text('the weather')}"])
LONG = pdf([text("page")] * 4)

Json = dict[str, Any]  # Any: JSON


def chat(file: bytes) -> Asked:
    part = {
        "type": "file",
        "file": {"file_data": f"data:application/pdf;base64,{b64encode(file).decode()}", "filename": "a.pdf"},
    }
    return asked("/v1/chat/completions", {"model": "vendor/chat", "messages": [{"role": "user", "content": [part]}]})


def responses(file: bytes) -> Asked:
    part = {
        "type": "input_file",
        "file_data": f"data:application/pdf;base64,{b64encode(file).decode()}",
        "filename": "a.pdf",
    }
    return asked("/v1/responses", {"model": "vendor/responses", "input": [{"role": "user", "content": [part]}]})


def messages(file: bytes) -> Asked:
    source = {"type": "base64", "media_type": "application/pdf", "data": b64encode(file).decode()}
    body = {
        "model": "vendor/claude",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": [{"type": "document", "source": source}]}],
    }
    return asked("/v1/messages", body)


def gemini(file: bytes) -> Asked:
    part = {"inlineData": {"mimeType": "application/pdf", "data": b64encode(file).decode()}}
    return asked("/v1beta/models/vendor%2Fgemini:generateContent", {"contents": [{"role": "user", "parts": [part]}]})


def asked(path: str, body: Json) -> Asked:
    return Asked(path=path, body=json.dumps(body).encode())


@pytest.mark.parametrize("dialect", [chat, responses, messages, gemini])
def test_a_pdf_that_was_read_goes_where_its_text_may_go(dialect: Any) -> None:  # Any: one of the functions above
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        assert await running.service.documents.ready(30)
        answer = await ask(running, dialect(CLEAN), key)
        assert status_of(answer) == 200, answer
        assert len(vendor.calls) == 1, "the file itself is sent, to the byte"
        assert b64encode(CLEAN) in vendor.calls[0].body
        for file in (FOUND, DRAWN, LONG, CLEAN + b"more"):
            assert status_of(await ask(running, dialect(file), key)) == 403
        assert len(vendor.calls) == 1
        first, second, *_ = [record for record in await running.records() if record.outcome == "refused"]
        assert {record.error for record in (first, second)} == {"no_permitted_target"}
        assert (first.sensitivity, first.findings) == ("confidential", {"email": 1})
        assert [cause.source for cause in second.causes] == ["unscanned"]

    run(speaks(), story, more=ON)


def test_without_the_table_or_without_its_process_a_pdf_is_not_read() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        await running.service.documents.stop()
        assert status_of(await ask(running, chat(CLEAN), key)) == 403
        assert vendor.calls == []

    run(speaks(), story)
    run(speaks(), story, more=ON)
