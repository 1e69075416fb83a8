"""Which parts are documents, and how one that was read stands in a body for detectors."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from yuzui.config import read
from yuzui.core.documents import DocumentRules, DocumentText
from yuzui.core.sensitivity import Fact
from yuzui.privacy.documents import find_documents, read_plain, relocate, with_texts
from yuzui.privacy.scan import Scanner, ScanResult

RULES = DocumentRules(enabled=True)
PDF = b64encode(b"%PDF-1.7 and so on").decode()
PNG = b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()
MAIL = "bob@example.com"
READ = DocumentText(text=f"mail {MAIL}", is_complete=True)
SEEN = DocumentText(text=f"mail {MAIL}", is_complete=True, by_ocr=True)

Json = Any  # Any: bodies of tests


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(read("", {}, source=None).sensitivity)


def user(*parts: Json) -> Json:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "see this"}, *parts]}]}


DIALECTS = {
    "chat_file": user({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "a.pdf"}}),
    "chat_image": user({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}}),
    "responses_file": {"input": [{"role": "user", "content": [
        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}]}]},
    "responses_image": {"input": [{"role": "user", "content": [
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": None}]}]},
    "responses_tool": {"input": [{"type": "function_call_output", "call_id": "c", "output": [
        {"type": "input_file", "file_data": PDF, "filename": "a.pdf"}]}]},
    "anthropic_document": user({"type": "document", "title": "a.pdf", "citations": {"enabled": True}, "cache_control":
        {"type": "ephemeral"}, "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}),
    "anthropic_image": user({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}),
    "anthropic_tool": {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}]}]}]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "see"}, {"inlineData": {"mimeType": "application/pdf", "data": PDF}}]}]},
    "gemini_snake": {"contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": PNG}}]}]},
}  # fmt: skip


def scanned(scanner: Scanner, body: Json, text: DocumentText, rules: DocumentRules = RULES) -> ScanResult:
    documents = find_documents(body, rules)
    read_body = with_texts(body, documents, [text] * len(documents), rules)
    return relocate(scanner.scan(read_body.body), read_body)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_document_that_is_read_is_text_in_every_dialect(scanner: Scanner, name: str) -> None:
    body = DIALECTS[name]
    before = json.dumps(body)
    assert scanner.scan(body).unscannable, "nobody reads it by itself"
    result = scanned(scanner, body, READ)
    assert (result.unscannable, result.failures) == ((), ())
    assert [(finding.kind, finding.place and finding.place.form) for finding in result.findings] == [("email", "whole")]
    place = result.findings[0]
    value: Json = body
    for step in place.path.removeprefix("$").replace("]", "").replace("[", ".").strip(".").split("."):
        value = value[int(step)] if step.isdigit() else value[step]
    assert isinstance(value, str) and (place.start, place.end) == (0, len(value)), "its place is the document itself"
    assert json.dumps(body) == before, "what is sent is not touched"


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize(
    "text", [SEEN, DocumentText(text=f"page 1 of {MAIL}", reason="pages"), DocumentText(reason="deadline")]
)
def test_one_that_is_not_completely_read_stays_a_part_that_nobody_reads(
    scanner: Scanner, name: str, text: DocumentText
) -> None:
    body = DIALECTS[name]
    result = scanned(scanner, body, text)
    assert result.unscannable == scanner.scan(body).unscannable
    assert bool(result.findings) is bool(text.text), "what was found in it counts besides"


def test_recognised_text_counts_as_read_only_if_the_operator_says_so(scanner: Scanner) -> None:
    trusting = DocumentRules(enabled=True, trust_ocr=True)
    assert scanned(scanner, DIALECTS["chat_image"], SEEN, trusting).unscannable == ()
    unsure = DocumentText(text="x", by_ocr=True, reason="unsure")
    assert scanned(scanner, DIALECTS["chat_image"], unsure, trusting).unscannable == ("image_url",)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (READ, "pdf"),
        (DocumentText(text=f"title\nfirst\nsee {MAIL}", pages=(6, 12), is_complete=True), "pdf page 2"),
        (DocumentText(text=f"{MAIL}\nfirst\nsecond", pages=(16, 22), is_complete=True), "pdf"),
        (DocumentText(text=f"first\n{MAIL}", pages=(0, 6), reason="picture"), "pdf page 2"),
        (DocumentText(text=f"first\nsee {MAIL}", pages=(0, 6), reason="unsure", by_ocr=True), "pdf page 2 recognised"),
    ],
)
def test_a_finding_tells_its_document_and_the_page(scanner: Scanner, text: DocumentText, fact: str) -> None:
    [finding] = scanned(scanner, DIALECTS["anthropic_document"], text).findings
    assert finding.evidence == (Fact("shape"), Fact("document", fact))


def test_long_text_without_a_space_is_not_taken_for_a_blob(scanner: Scanner) -> None:
    text = DocumentText(text="a" * 600 + "\n" + "b" * 20, reason="pages")
    documents = find_documents(DIALECTS["chat_file"], RULES)
    changed = with_texts(DIALECTS["chat_file"], documents, [text], RULES).body
    assert any("b" * 20 in leaf.text for leaf in _leaves(changed))


def _leaves(body: Json) -> Json:
    from yuzui.privacy.leaves import read_leaves

    return read_leaves(body).found


def test_names_and_captions_beside_a_document_keep_their_places(scanner: Scanner) -> None:
    body = user({"type": "file", "file": {"file_data": PDF, "filename": f"{MAIL}.pdf"}})
    result = scanned(scanner, body, DocumentText(text="nothing", is_complete=True))
    assert [(one.path, one.start) for one in result.findings] == [("$.messages[0].content[1].file.filename", 0)]


def test_text_beside_a_document_is_not_joined_with_it(scanner: Scanner) -> None:
    body = user(
        {"type": "file", "file": {"file_data": PDF}},
        {"type": "text", "text": "bob@exam"},
        {"type": "text", "text": "ple.com"},
    )
    result = scanned(scanner, body, DocumentText(text="al@example.com", is_complete=True))
    assert [(one.kind, one.place and one.place.form) for one in result.findings] == [
        ("email", "whole"),
        ("email", "joined"),
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}, "also": "x"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "id": "file_1"}},
        {"type": "image_url", "image_url": {"url": f"data:image/png,{PNG}"}},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG[:8]}\n{PNG[8:]}"}},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}***"}},
        {"type": "image_url"},
        {"type": "file", "file": {"file_id": "file_1"}},
        {"type": "file", "file": {"file_id": "file_1", "file_data": PDF}},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        {"type": "input_image", "image_url": {"url": PNG}},
        {"type": "document", "source": {"type": "url", "url": "https://example.com"}},
        {"type": "document", "source": {"type": "file", "data": PDF}},
        {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
        {"type": "video", "source": {"type": "base64", "media_type": "video/mp4", "data": PNG}},
        {"inlineData": {"mimeType": "audio/wav", "data": b64encode(b"RIFF....WAVE").decode()}},
        {"inlineData": {"mimeType": "image/png", "data": PNG}, "thought": True},
        {"inlineData": {"mimeType": "image/png", "data": PNG}, "fileData": {"fileUri": "x"}},
        {"type": "file", "file": {"file_data": b64encode(b"PK\x03\x04").decode()}},
    ],
)
def test_a_shape_that_is_not_known_to_the_last_key_stays_as_it_is(scanner: Scanner, part: Json) -> None:
    body = user(part)
    assert find_documents(body, RULES) == []
    assert scanned(scanner, body, READ).unscannable == scanner.scan(body).unscannable != ()


def test_bounds_leave_the_rest_unread(scanner: Scanner) -> None:
    body = user(*[{"type": "file", "file": {"file_data": PDF}}] * 5)
    few = DocumentRules(enabled=True, max_documents=2)
    assert len(find_documents(body, few)) == 2
    assert scanned(scanner, body, READ, few).unscannable == ("file",) * 3
    assert find_documents(body, DocumentRules(enabled=True, max_bytes=5)) == []


def test_a_document_that_is_text_is_read_strictly() -> None:
    body = user({"type": "file", "file": {"file_data": f"data:text/csv;base64,{b64encode(b'a,b').decode()}"}})
    assert [document.kind for document in find_documents(body, RULES)] == ["text"]
    assert read_plain(b"a,b", RULES) == DocumentText(text="a,b", is_complete=True)
    assert not read_plain(b"\xff\xfea", RULES).is_complete
    assert not read_plain(b"a\0b", RULES).is_complete
    assert read_plain(b"abc", DocumentRules(max_chars=2)) == DocumentText(text="ab", reason="length")


def test_what_calls_itself_text_is_what_its_first_bytes_say() -> None:
    data = b64encode(b"%PDF-1.7 (x)").decode()
    body = user({"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": data}})
    assert [document.kind for document in find_documents(body, RULES)] == ["pdf"]


def test_nesting_has_an_end() -> None:
    body: Json = {"type": "file", "file": {"file_data": PDF}}
    for _ in range(5000):
        body = [body]
    assert find_documents({"messages": body}, RULES) == []
