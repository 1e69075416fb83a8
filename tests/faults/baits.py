"""For each detector a text that it must look at, and what of it nobody else may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from yuzui.core.sensitivity import DEFAULT_LEVELS
from yuzui.privacy.catalogue import load_detectors


@dataclass(frozen=True, slots=True)
class Bait:
    text: str
    mark: str


def _bait(before: str, mark: str, behind: str = " ok") -> Bait:
    return Bait(f"{before}{mark}{behind}", mark)


_RANDOM = "q7Rk2Xw9Zt4Lm8Vb3Nc6Yd1Hs5Jf0Gp"

BAITS: Mapping[str, Bait] = {
    "api_key": _bait("use ", "sk" + "-ant-" + "api03-" + _RANDOM * 3 + "AA"),
    "authorization": _bait("Authorization: Bearer ", _RANDOM + "zQ9"),
    "bank_account": _bait("bank account number ", "3847283911", " belonging to D"),
    "bank_card": _bait("my card number is ", "4111111111111111"),
    "case_number": _bait("the docket, Case No. ", "1:20-cv-01234"),
    "chat_account": _bait("微信号：", "lily-2024_sz"),
    "cn_mobile": _bait("call 139", "12345678"),
    "cn_resident_id": _bait("id ", "11010519491231002X"),
    "cn_social_credit_code": _bait("company code ", "91350211M000100Y46"),
    "cn_travel_permit": _bait("回乡证号：", "H0123456701"),
    "connection_string": _bait("use ", "Driver={SQL};Server=h;Uid=me;Pwd=zz81kqp9tt", "; please"),
    "crypto_wallet": _bait("pay to ", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    "date_of_birth": _bait("she was born on ", "March 7, 1990", " in Leeds"),
    "driver_licence": _bait("My driver's license number is ", "F7253340118"),
    "email": _bait("write to ", "zhang.wei@example-clinic.org"),
    "hk_id": _bait("HKID: ", "A123456(3)"),
    "iban": _bait("pay to ", "DE89370400440532013000"),
    "id_number": _bait("employee ID ", "EMP20240315"),
    "ip_address": _bait("host ", "203.45.117.89"),
    "jwt": _bait("token ", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MjQyNDI0MjQyIn0." + _RANDOM),
    "medical_record": _bait("MRN: ", "00847291"),
    "national_id": _bait("NHS Number: ", "943 476 5919", " is"),
    "passport": _bait("passport number ", "E12345678"),
    "password": _bait("password: ", "hunter2zzQ9x"),
    "phone": _bait("call ", "+44 20 7946 0958", " please"),
    "postal_address_en": _bait("She lives at ", "42 Maple Crescent", " and works"),
    "postal_address_zh": _bait("他住在", "四川省成都市武侯区天府大道99号", "，很近"),
    "private_key": _bait("", "-----BEGIN " + "PRIVATE KEY-----\n" + _RANDOM * 2 + "\n-----END " + "PRIVATE KEY-----"),
    "tax_id": _bait("federal tax ID number ", "987-65-4321", " and"),
    "tw_id": _bait("身分證字號 ", "A123456789"),
    "url_credentials": _bait("mysql://root:", "crl4vkzuQ9", "@db.internal/x"),
    "us_routing_number": _bait("routing number ", "021000021"),
    "us_ssn": _bait("my SSN: ", "536-90-4399"),
    "uuid": _bait("session id ", "3f2b8c1e-9d47-4a6b-8f13-5c7e2d90ab46"),
    "vehicle_plate": _bait("车牌", "京A·12345", "的车"),
    "vin": _bait("VIN ", "1HGCM82633A004352"),
    "pattern:0:contract": _bait("contract ", "HT-20240877"),
    "terms:0:project": _bait("about ", "Purple Wombat", " today"),
}
"""Name of a detector, as the scanner knows it → its bait."""

CARD = BAITS["bank_card"]
ENCODED = Bait("see bXkgY2FyZCBpcyA0MTExMTExMTExMTExMTExIG9rLCBwbGVhc2U= please", "4111111111111111")
ACCENTED = Bait("Café crème; my card number is ４１１１１１１１１１１１１１１１, voilà", "4111111111111111")
HIDDEN = Bait("my card\u202e 1111111111111114 \u202c is here", "1111111111111114")
WRITTEN = Bait("my card is \\u0034111111111111111, thank you", "4111111111111111")
NESTED = Bait('"{\\"card\\": \\"4111111111111111\\"}"', "4111111111111111")

CUSTOM = """
[[sensitivity.patterns]]
kind = "contract"
regex = "HT-[0-9]{8}"
[[sensitivity.terms]]
kind = "project"
terms = ["Purple Wombat"]
"""
KINDS = sorted({kind for one in load_detectors().values() for kind in one.levels} | {"contract", "project"})
assert set(BAITS) == set(load_detectors()) | {"pattern:0:contract", "terms:0:project"}, "a detector without its bait"


def kinds_at(level: str) -> str:
    """Configuration in which every kind has that level."""
    assert level in DEFAULT_LEVELS
    return "[sensitivity.kinds]\n" + "".join(f'{kind} = "{level}"\n' for kind in KINDS)
