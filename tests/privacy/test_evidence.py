"""Every rule there is, with what it gives as its reasons; none of them tells the value."""

from __future__ import annotations

import ast
import base64
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest

from privacy.kit import RANDOM_LOOKING, card, iban, resident_id, scanner, social_credit_code, vendor_key
from yuzui.core.sensitivity import CustomPattern, Fact, FactName, Finding, Lattice, SensitivityRules, TermList
from yuzui.privacy import detectors
from yuzui.privacy.catalogue import load_detectors, version_of
from yuzui.privacy.checksums import (
    hong_kong_id_check,
    routing_number_is_valid,
    taiwan_id_is_valid,
    verhoeff_is_valid,
    vin_check,
)  # fmt: skip  # what makes valid numbers
from yuzui.privacy.evidence import ANTI_CUE, FIELD, because, is_cued, joined, named_by_field
from yuzui.privacy.scan import Scanner

RESIDENT = resident_id()
WRONG_RESIDENT = RESIDENT[:17] + ("1" if RESIDENT[17] != "1" else "2")
CARD = card("411111111111111")
WRONG_CARD = CARD[:-1] + str((int(CARD[-1]) + 1) % 10)
CODE = social_credit_code()
WRONG_CODE = CODE[:17] + ("A" if CODE[17] != "A" else "B")
HONG_KONG = f"K245678({hong_kong_id_check('K245678')})"
TAIWAN = next(f"F2{n:08d}" for n in range(30481726, 30481746) if taiwan_id_is_valid(f"F2{n:08d}"))
INDIA = next(f"2345 6789 {n:04d}" for n in range(10_000) if verhoeff_is_valid(f"23456789{n:04d}"))
ROUTING = next(f"0210{n:05d}" for n in range(100_000) if routing_number_is_valid(f"0210{n:05d}"))
VIN_BODY = "LSVAM4187C2184841"
VIN = VIN_BODY[:8] + vin_check(VIN_BODY) + VIN_BODY[9:]
DASHES = "-" * 5
PEM = f"{DASHES}BEGIN RSA PRIVATE KEY{DASHES}\n{RANDOM_LOOKING[:200]}\n{DASHES}END RSA PRIVATE KEY{DASHES}"
CLAIMS = base64.urlsafe_b64encode(json.dumps({"sub": "42", "name": "x"}).encode()).decode().rstrip("=")
HEADER = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()).decode().rstrip("=")
AGE = "AGE-SECRET-" + "KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" + "QPZRY9X8GF2TVDW0S3JN54KHCE"


class Case(NamedTuple):
    text: str
    rule: str
    facts: str
    confidence: float


TABLE = [
    Case(f"use {vendor_key('sk' + '-', 40)}", "api_key/prefix", "shape, entropy, list vendor_keys", 0.95),
    Case(f"bot 123456789:{'AA'}{RANDOM_LOOKING[:33]}", "api_key/shape", "shape, entropy", 0.9),
    Case("authorization: Basic YWxhZGRpbjpvcGVuc2VzYW1l", "authorization/basic", "shape, cue label, entropy", 0.85),
    Case(f"Bearer {RANDOM_LOOKING[:40]}", "authorization/token", "shape, cue label, entropy", 0.85),
    Case("account number: 12345678", "bank_account", "shape, cue label", 0.8),
    Case(f"pay {CARD} now", "bank_card", "shape, checksum, list issuers", 0.8),
    Case(f"card number {WRONG_CARD}", "bank_card", "shape, wrong checksum, cue near, list issuers", 0.6),
    Case("application 43185/98 was", "case_number/slash", "shape", 0.85),
    Case("(2023)京01民初123号", "case_number/chinese", "shape", 0.95),
    Case("[2008] EWHC 860 (QB)", "case_number/citation", "shape", 0.9),
    Case("case no. AB-12345", "case_number/label", "shape, cue label", 0.8),
    Case("wxid_a1b2c3d4e5", "chat_account/wxid", "shape", 0.95),
    Case("微信：lily_2020", "chat_account/wechat", "shape, cue label", 0.8),
    Case("QQ: 123456789", "chat_account/qq", "shape, cue label", 0.8),
    Case("打 138 0013 8000", "cn_mobile/digits", "shape, list mobile_segments", 0.9),
    Case("打一三八零零一三八零零零", "cn_mobile/numerals", "shape, list mobile_segments", 0.8),
    Case(f"号 {RESIDENT}", "cn_resident_id/18", "shape, checksum", 1.0),
    Case(f"身份证 {WRONG_RESIDENT}", "cn_resident_id/18", "shape, wrong checksum, cue near", 0.8),
    Case("身份证 110101800101123", "cn_resident_id/15", "shape, cue near", 0.7),
    Case(RESIDENT[:17].translate(str.maketrans("0123456789", "零一二三四五六七八九"))
         + RESIDENT[17].translate(str.maketrans("0123456789", "零一二三四五六七八九")),
         "cn_resident_id/numerals", "shape, checksum", 0.8),
    Case(f"企业 {CODE}", "cn_social_credit_code", "shape, checksum", 1.0),
    Case(f"统一社会信用代码：{WRONG_CODE}", "cn_social_credit_code", "shape, wrong checksum, cue near", 0.6),
    Case("回乡证 H12345678", "cn_travel_permit", "shape, cue label", 0.9),
    Case("Server=db;User Id=sa;Password=hunter2x9;", "connection_string", "shape, cue label", 0.9),
    Case("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "crypto_wallet/base58", "shape, checksum", 1.0),
    Case("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "crypto_wallet/bech32", "shape, checksum", 1.0),
    Case("wallet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "crypto_wallet/ethereum", "shape, cue near", 0.85),
    Case("born on 18 August 1995", "date_of_birth/behind", "shape, cue label", 0.9),
    Case("1995年8月18日出生", "date_of_birth/before", "shape, cue behind", 0.9),
    Case("driver's license D1234567", "driver_licence", "shape, cue label", 0.85),
    Case("ada@lovelace.org", "email/plain", "shape", 1.0),
    Case("ada [at] lovelace.org", "email/spelled", "shape", 0.8),
    Case(f"no {HONG_KONG}", "hk_id", "shape, checksum", 0.95),
    Case(f"to {iban()}", "iban", "shape, checksum, list iban_registry", 1.0),
    Case("employee ID: 48213", "id_number", "shape, cue label", 0.75),
    Case("host 10.20.30.40", "ip_address/v4", "shape", 0.9),
    Case("from 2001:db8:85a3::8a2e:370:7334", "ip_address/v6", "shape", 0.9),
    Case(f"{HEADER}.{CLAIMS}.{RANDOM_LOOKING[:30]}", "jwt/claims", "shape", 1.0),
    Case(f"{HEADER}.{RANDOM_LOOKING[:40]}.{RANDOM_LOOKING[40:80]}", "jwt/signed", "shape, entropy", 0.85),
    Case(f"{HEADER}.{RANDOM_LOOKING[:40]}", "jwt/cut", "shape, entropy", 0.7),
    Case("MRN: 7742193", "medical_record", "shape, cue label", 0.85),
    Case("AB 12 34 56 C", "national_id/nino", "shape", 0.9),
    Case("his ABCPK1234F was", "national_id/pan", "shape", 0.85),
    Case("850315-1234567", "national_id/korea", "shape", 0.9),
    Case(f"no {INDIA}", "national_id/aadhaar", "shape, checksum", 0.75),
    Case("NHS Number: 943 476 5919 is", "national_id/label", "shape, cue label", 0.85),
    Case("passport E12345678", "passport", "shape, cue label", 0.85),
    Case("password: hunter2x9", "password/password", "cue label", 0.8),
    Case(f"client_secret = {RANDOM_LOOKING[:32]}", "password/secret", "cue label, entropy", 0.7),
    Case("tool --password hunter2x9", "password/option", "cue label", 0.8),
    Case("with password 8nZ!kV4%beta", "password/said", "shape, cue label, entropy", 0.6),
    Case("+44 20 7946 0958", "phone/plus", "shape", 0.95),
    Case("(202) 555-0134", "phone/national", "shape", 0.8),
    Case("0044 20 7946 0958", "phone/zeros", "shape", 0.7),
    Case("phone 7946 0958", "phone/cue", "cue near", 0.6),
    Case("P.O. Box 4412, Dover", "postal_address_en/box", "shape", 0.9),
    Case("Sgt Miller\nAPO AP 96278", "postal_address_en/military", "shape", 0.9),
    Case("the corner of Elm Street and Third Avenue", "postal_address_en/crossing", "shape", 0.6),
    Case("Building 7, Suite 300", "postal_address_en/unit", "shape", 0.8),
    Case("815 East 71st Street", "postal_address_en/street", "shape", 0.85),
    Case("My zip code is 90211", "postal_address_en/postcode", "shape, cue label", 0.7),
    Case("海淀区中关村大街27号", "postal_address_zh/number", "shape", 0.65),
    Case("他在上海市黄浦区南京东路等车", "postal_address_zh/road", "shape", 0.7),
    Case("户籍：河北省石家庄市", "postal_address_zh/label", "shape, cue label", 0.75),
    Case(PEM, "private_key/block", "shape", 1.0),
    Case(PEM[:120], "private_key/cut", "shape", 0.9),
    Case(AGE, "private_key/age", "shape", 1.0),
    Case("EIN 12-3456789", "tax_id", "shape, cue label", 0.85),
    Case(f"編號 {TAIWAN}", "tw_id", "shape, checksum", 0.75),
    Case("mysql://root:hunter2@db.internal/x", "url_credentials", "shape", 0.85),
    Case(f"routing {ROUTING}", "us_routing_number", "shape, checksum, cue label", 0.95),
    Case("536-90-4399", "us_ssn/dashed", "shape", 0.9),
    Case("SSN 536904399", "us_ssn/cue", "shape, cue near", 0.85),
    Case("session 7f0c5c3e-9d41-4b7e-8a56-2b1d9e6f4a10", "uuid", "shape, cue near", 0.8),
    Case("车牌京A·12345的车", "vehicle_plate", "shape, list plate_provinces", 0.9),
    Case(f"car {VIN}.", "vin", "shape, checksum", 0.95),
]  # fmt: skip  # one rule, one line


def spelled(finding: Finding) -> str:
    return ", ".join(map(str, finding.evidence))


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case.rule} {case.facts}")
def test_each_rule_says_why(case: Case) -> None:
    found = [one for one in scanner().scan_text(case.text).findings if one.rule_id == case.rule]
    assert found, [one.rule_id for one in scanner().scan_text(case.text).findings]
    assert (spelled(found[0]), found[0].confidence) == (case.facts, case.confidence)
    assert found[0].version == version_of(found[0].detector)


def test_the_table_has_every_rule_there_is() -> None:
    declared = {
        f"{name}/{rule}" if rule else name
        for name in load_detectors()
        for rule in _rules_in(ast.parse(Path(detectors.__path__[0], f"{name}.py").read_text("utf-8")))
    }
    assert {case.rule for case in TABLE} == declared


def _rules_in(tree: ast.AST) -> Iterator[str]:
    """The word for the rule wherever a hit is made; "" where there is none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Hit":
            named = [word for argument in node.args[1:] for word in _words_of(argument, tree)]
            yield from named or [""]


def _words_of(node: ast.expr, tree: ast.AST) -> list[str]:
    match node:
        case ast.Constant(value=str(word)):
            return [word]
        case ast.IfExp(body=first, orelse=second):
            return [*_words_of(first, tree), *_words_of(second, tree)]
        case ast.Name(id="rule"):
            return [word for one in ast.walk(tree) if isinstance(one, ast.Assign) for word in _assigned(one, tree)]
        case _:
            return []


def _assigned(assign: ast.Assign, tree: ast.AST) -> list[str]:
    match assign.targets[0], assign.value:
        case ast.Name(id="rule"), value:
            return _words_of(value, tree)
        case ast.Tuple(elts=[ast.Name(id="rule"), *_]), ast.Tuple(elts=[value, *_]):
            return _words_of(value, tree)
        case _:
            return []


def test_no_finding_has_a_place_for_its_value() -> None:
    for case in TABLE:
        for finding in scanner().scan_text(case.text).findings:
            value = case.text[finding.start : finding.end]
            told = f"{finding.detector} {finding.rule} {finding.version} {spelled(finding)}"
            assert value not in told
            assert not any(piece in told for piece in value.split() if len(piece) > 3), (value, told)


@pytest.mark.parametrize(
    ("body", "facts", "confidence"),
    [
        ({"phone": "7946 0958"}, "field", 0.8),
        ({"userPhone": "7946 0958"}, "field", 0.8),
        ({"note": "phone 7946 0958"}, "cue near", 0.6),
        ({"cardNumber": CARD}, "shape, checksum, list issuers, field", 0.97),
        ({"x": CARD}, "shape, checksum, list issuers", 0.8),
        ({"mrn": 77421934}, "shape, field", 0.93),
    ],
)
def test_the_name_of_a_field_is_told_and_raises_the_confidence(
    body: dict[str, Any], facts: str, confidence: float
) -> None:
    [finding] = scanner().scan({"extra": body}).findings
    assert (spelled(finding), finding.confidence) == (facts, confidence)


@pytest.mark.parametrize("word", ["example:", "Sample", "样例", "dummy value"])
def test_what_is_shown_as_an_example_is_found_with_less_confidence(word: str) -> None:
    [plain] = scanner().scan_text(f"the card {CARD}").findings
    [shown] = scanner().scan_text(f"{word} card {CARD}").findings
    assert shown.evidence == (*plain.evidence, ANTI_CUE)
    assert shown.confidence == round(plain.confidence * 0.7, 2)


MAIL = "ada@lovelace.org"


@pytest.mark.parametrize(
    ("text", "how"),
    [
        (base64.b64encode(f"mail {MAIL} now".encode()).decode(), "encoded base64"),
        (base64.b64encode(base64.b64encode(f"mail {MAIL} now".encode())).decode(), "encoded base64, encoded base64"),
        (base64.b64encode(gzip.compress(f"mail {MAIL} now".encode(), mtime=0)).decode(), "encoded base64 gzip"),
        (base64.b32encode(f"mail {MAIL} now".encode()).decode().rstrip("="), "encoded base32"),
        (MAIL.encode().hex(), "encoded hex"),
        (MAIL.encode().hex(" "), "encoded hex"),
        (" ".join(f"{byte:08b}" for byte in MAIL.encode()), "encoded bits"),
        ("".join(f"%{byte:02X}" for byte in MAIL.encode()), "encoded percent"),
        ("".join(f"&#{byte};" for byte in MAIL.encode()), "encoded html"),
        ("".join(f"\\x{byte:02x}" for byte in MAIL.encode()), "encoded escapes"),
        ("".join(f"={byte:02X}" for byte in MAIL.encode()), "encoded quoted-printable"),
        ("hello" + "".join(chr(0xE0000 + ord(char)) for char in MAIL), "hidden tags"),
        ("\u202e" + MAIL[::-1], "hidden reversed"),
        ("".join(f"\\u{ord(char):04x}" for char in MAIL), "encoded escapes"),
    ],
    ids=lambda text: text[:12],
)
def test_how_a_value_was_read_is_told(text: str, how: str) -> None:
    mails = [one for one in scanner().scan_text(text).findings if one.kind == "email"]
    mails = mails or [one for one in scanner().scan({"x": text}).findings if one.kind == "email"]
    assert [spelled(one) for one in mails] == [f"shape, {how}"]


def test_what_is_put_together_of_pieces_is_told() -> None:
    parts = [{"type": "text", "text": MAIL[:6]}, {"type": "text", "text": MAIL[6:]}]
    [one] = scanner().scan({"messages": [{"role": "user", "content": parts}]}).findings
    assert spelled(one) == "shape, joined parts"
    halves = [{"role": "user", "content": f"take {CARD[:9]}"}, {"role": "user", "content": f"{CARD[9:]} then"}]
    cards = [one for one in scanner().scan({"messages": halves}).findings if one.kind == "bank_card"]
    assert {spelled(one) for one in cards} == {"shape, checksum, list issuers, joined messages"}
    [digits] = [one for one in scanner().scan({"x": [int(char) for char in CARD]}).findings if one.kind == "bank_card"]
    assert spelled(digits).endswith("joined numbers")
    arguments = json.dumps({"to": MAIL, "note": "a\tb"})
    assert {spelled(one) for one in scanner().scan({"arguments": arguments}).findings} == {"shape"}
    hidden = json.dumps({"to": MAIL}).replace("@", "\\u0040")
    assert {spelled(one) for one in scanner().scan({"arguments": hidden}).findings} == {"shape, encoded json"}


def test_an_operators_rule_is_told_by_its_place_in_the_configuration_and_changes_its_version() -> None:
    def found(regex: str, term: str) -> list[Finding]:
        rules = SensitivityRules(
            lattice=Lattice(), default=1, kinds={"badge": 3, "project": 3},
            patterns=(CustomPattern(kind="badge", regex=regex),), terms=(TermList(kind="project", terms=(term,)),),
        )  # fmt: skip  # as short as it can be
        return list(Scanner(rules).scan_text("badge ZZ-1234 of project Heron").findings)

    badge, project = found("ZZ-[0-9]{4}", "heron")
    assert badge.evidence == (Fact("pattern", "sensitivity.patterns[0]"),)
    assert project.evidence == (Fact("list", "sensitivity.terms[0]"),)
    other_badge, other_project = found("ZZ-[0-9]{4}", "Project Heron")
    assert badge == other_badge
    assert len(project.version) == 4 and project.version != other_project.version


def test_evidence_is_shared_and_a_field_takes_the_place_of_a_cue() -> None:
    why = because(checksum=True, near=True)
    assert why is because(checksum=True, near=True) and is_cued(why)
    assert named_by_field(why) == (Fact("shape"), Fact("checksum"), FIELD)
    assert joined(why, (ANTI_CUE,)) == (*why, ANTI_CUE)
    assert not is_cued(because(behind=True)) and not is_cued(because())


def test_every_fact_stands_in_the_documentation() -> None:
    page = Path(__file__).parents[2].joinpath("docs/explanation/sensitivity.md").read_text("utf-8")
    table = page.partition("| fact | its detail | says |")[2].partition("\n\n")[0]
    told = {name for row in table.splitlines() if row for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert told == set(get_args(FactName))
