"""The corpora: rows of text with labelled spans, read from the folder that `YUZUI_PRIVACY_DATA` names."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from origin import ROOT

VARIABLE = "YUZUI_PRIVACY_DATA"
DEFAULT = ROOT.parent / "shared" / "privacy"

LABELLED = {
    "synth_v2": "presidio_research__synth_dataset_v2",
    "generated_large": "presidio_research__generated_large",
    "generated_small": "presidio_research__generated_small",
    "multipriv_en": "multipriv__en",
    "nano_en": "nannigalaxy_pii__nano_en",
    "pupa": "pupa__PUPA_New",
    "tab": "tab__tab_test",
    "wikigold": "en_ner__wikigold",
    "wnut17": "en_ner__wnut17_test",
    "btc_h": "en_ner__btc_h",
    "multipriv_zh": "multipriv__zh",
    "argus_fixtures": "argus_fixtures__realistic_scenarios",
    "cluener": "cluener__dev",
    "weibo": "weibo_ner__test",
    "resume": "resume_ner__test",
    "msra": "msra_ner__test",
    "peoples_daily": "peoples_daily__test",
}
"""Name in the table → file of the folder, without its ending."""

_TYPES = {
    "person": "PERSON PER NAME PER.NAM PER.NOM PERSON_NAME",
    "organisation": "ORGANIZATION ORG COMPANY GOVERNMENT CORPORATION GROUP ORG.NAM ORG.NOM BANK",
    "place": "LOCATION LOC GPE SCENE LOC.NAM LOC.NOM GPE.NAM",
    "address": "ADDRESS STREET_ADDRESS ZIP_CODE",
    "phone": "PHONE PHONE_NUMBER",
    "email": "EMAIL EMAIL_ADDRESS",
    "id_number": "ID_CARD ID_NUMBER PID RRN NINO NHS_NUMBER AADHAR VOTER_ID PAN",
    "bank_card": "CREDIT_CARD BANK_CARD",
    "us_ssn": "US_SSN SSN",
    "iban": "IBAN IBAN_CODE",
    "ip_address": "IP_ADDRESS",
    "driver_licence": "US_DRIVER_LICENSE DRIVER_LICENSE DRIVER_LICENSE_NUM LICENSE",
    "vehicle_plate": "LICENSE_PLATE",
    "passport": "PASSPORT PASSPORT_NUM",
    "password": "PASSWORD",
    "case_number": "CODE",
    "tax_id": "TAX_ID TAXID",
    "bank_account": "ACCOUNT BANK_ACCOUNT ACCOUNT_NUMBER BANK_ACCOUNT_NUM",
    "routing_number": "ROUTING_NUMBER",
    "medical_record": "MEDICAL_RECORD PATIENT_ID",
}
GROUP_OF_TYPE = {name: group for group, names in _TYPES.items() for name in names.split()}
"""Label of a corpus, upper case → what it means here."""


class NoData(Exception):
    """The folder with the measuring data is not there."""


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]`; offsets in characters."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    id: str
    text: str
    spans: tuple[Span, ...]
    facts: dict[str, Any]  # Any: JSON; what else the row says
    """Everything else that stands in the row, such as `truth` of a line with a secret."""


def folder() -> Path:
    """Raise `NoData` when it is missing."""
    path = Path(os.environ.get(VARIABLE) or DEFAULT)
    if not path.is_dir():
        raise NoData(
            f"{path} is no folder: set {VARIABLE} to the folder with the privacy data (it is not part of the project)"
        )
    return path


def load(name: str) -> list[Row]:
    """The rows of one labelled corpus, or of a file by its own name. Raise `NoData`."""
    path = folder() / f"{LABELLED.get(name, name)}.jsonl"
    if not path.is_file():
        raise NoData(f"{path} is missing; {VARIABLE} must name a folder that has it")
    return [_row(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def load_evasion_cases() -> list[dict[str, Any]]:  # Any: JSON
    path = folder() / "evasion_cases.json"
    if not path.is_file():
        raise NoData(f"{path} is missing; {VARIABLE} must name a folder that has it")
    cases: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return cases


def _row(raw: dict[str, Any]) -> Row:  # Any: JSON
    spans = tuple(Span(one["start"], one["end"], one["type"]) for one in raw["spans"])
    facts = {key: value for key, value in raw.items() if key not in ("id", "text", "spans")}
    return Row(id=str(raw["id"]), text=raw["text"], spans=spans, facts=facts)
