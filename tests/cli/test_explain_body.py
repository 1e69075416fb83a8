"""Findings in place, in a copy of the body that the record's keyed hash knows or does not know."""

from __future__ import annotations

import json
from hashlib import blake2b

import pytest

from yuzui.audit.record import RequestRecord
from yuzui.cli._explain_body import BodyLook, as_json, look, tell
from yuzui.config import read
from yuzui.core.sensitivity import SensitivityRules
from yuzui.privacy.catalogue import version_of
from yuzui.privacy.scan import Scanner

KEY = b"k" * 32
MAIL = "bob@example.com"
BODY = json.dumps({"model": "auto", "messages": [{"role": "user", "content": f"hi {MAIL}"}]}).encode()


@pytest.fixture(scope="module")
def rules() -> SensitivityRules:
    return read("", {}, source=None).sensitivity


@pytest.fixture(scope="module")
def scanner(rules: SensitivityRules) -> Scanner:
    return Scanner(rules)


def record(body: bytes = BODY, **fields: object) -> RequestRecord:
    digest = blake2b(body, key=KEY, digest_size=32).hexdigest()
    known: dict[str, object] = {"findings": {"email": 1}, "snapshot": "now", "request_hash": digest}
    return RequestRecord(id="r", at="x", **(known | fields))  # type: ignore[arg-type]  # fields of a test


def looked(
    scanner: Scanner, rules: SensitivityRules, of: RequestRecord, data: bytes, key: bytes | None = KEY
) -> BodyLook:
    return look(of, data, "b.json", content_key=key, scanner=scanner, rules=rules, snapshot_id="now")


def test_the_body_that_was_sent_is_known_and_its_findings_have_places(
    scanner: Scanner, rules: SensitivityRules
) -> None:
    body = looked(scanner, rules, record(), BODY)
    assert (body.is_same, body.remarks) == (True, ())
    lines = tell(body, rules)
    assert lines[0] == "b.json is what was sent, to the byte: its keyed hash is that of the record"
    column = BODY.index(MAIL.encode()) + 1
    assert lines[1].startswith(
        "- email (confidential), 15 characters at $.messages[0].content, characters 3 to 18; "
        f"line 1, column {column}; rule email/plain@{version_of('email')}, confidence 1.00: shape"
    )
    assert lines[2].startswith("    …") and lines[2].endswith('[{"role": "user", "content": "hi ‹email›"}]}')
    assert not any(MAIL in line for line in lines)


def test_another_body_is_said_to_be_another(scanner: Scanner, rules: SensitivityRules) -> None:
    body = looked(scanner, rules, record(), BODY + b" ")
    assert body.is_same is False
    assert "ANOTHER BODY" in body.verdict
    assert [one.kind for one in body.found] == ["email"]


def test_a_rule_that_changed_since_is_named(scanner: Scanner, rules: SensitivityRules) -> None:
    now = f"email/plain@{version_of('email')}"
    assert looked(scanner, rules, record(rules={now: 1, "names/latin@1": 1}), BODY).remarks == ()
    body = looked(scanner, rules, record(rules={"email/plain@00000000": 1}), BODY)
    assert body.remarks == ("rules that are of another version here than in the record: email/plain@00000000",)
    told = json.dumps(as_json(body, rules)["findings"])
    rule, version = now.split("@")
    assert f'"rule": "{rule}", "version": "{version}", "confidence": 1.0, "evidence": [{{"fact": "shape"}}]' in told


def test_without_a_hash_or_a_key_nobody_claims_anything(scanner: Scanner, rules: SensitivityRules) -> None:
    assert looked(scanner, rules, record(request_hash=""), BODY).is_same is None
    body = looked(scanner, rules, record(), BODY, key=None)
    assert body.is_same is None and "nobody can tell" in body.verdict


def test_other_detectors_or_another_configuration_are_said(scanner: Scanner, rules: SensitivityRules) -> None:
    body = looked(scanner, rules, record(findings={"email": 2, "jwt": 1}, snapshot="then"), BODY)
    assert body.remarks[0] == "read with the configuration now; the request was decided under then"
    assert body.remarks[1].startswith("the record counts 2 email and 1 jwt, here are 1 email: ")


@pytest.mark.parametrize("data", [b"\xff", b"[1]", b"{broken"])
def test_what_a_gateway_would_not_read_shows_nothing(scanner: Scanner, rules: SensitivityRules, data: bytes) -> None:
    body = looked(scanner, rules, record(data), data)
    assert (body.is_same, body.found) == (True, ())
    assert "no JSON object" in body.remarks[0]


def test_parts_that_nobody_reads_are_told(scanner: Scanner, rules: SensitivityRules) -> None:
    data = json.dumps({"messages": [{"content": [{"type": "image_url", "image_url": {"url": "https://a"}}]}]}).encode()
    assert "parts that no detector reads: image_url" in looked(scanner, rules, record(data, findings={}), data).remarks
