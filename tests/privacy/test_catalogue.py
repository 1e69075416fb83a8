"""The list of detectors is the folder."""

from __future__ import annotations

from pathlib import Path

from yuzui.core.sensitivity import DEFAULT_LEVELS as LEVEL_NAMES
from yuzui.privacy import detectors
from yuzui.privacy.catalogue import DEFAULT_LEVELS, load_detectors

STABLE_KINDS = {
    "email", "phone", "cn_mobile", "cn_resident_id", "cn_social_credit_code", "bank_card", "iban", "us_ssn", "passport",
    "ip_address", "api_key", "private_key", "jwt", "password", "authorization", "url_credentials", "connection_string",
    "postal_address", "cn_travel_permit", "hk_id", "tw_id", "national_id", "id_number", "driver_licence", "vehicle_plate",
    "vin", "wechat_id", "qq_id", "medical_record", "case_number", "date_of_birth", "bank_account", "us_routing_number",
    "tax_id", "crypto_wallet", "uuid",
}  # fmt: skip  # a set of names reads as a block


def test_every_file_of_the_folder_is_a_detector() -> None:
    files = {path.stem for path in Path(detectors.__path__[0]).glob("*.py") if not path.stem.startswith("_")}
    assert set(load_detectors()) == files


def test_the_kinds_are_stable_and_each_has_one_of_the_default_levels() -> None:
    assert set(DEFAULT_LEVELS) == STABLE_KINDS
    assert set(DEFAULT_LEVELS.values()) <= set(LEVEL_NAMES)


def test_what_opens_doors_or_names_a_person_for_life_is_restricted() -> None:
    assert {kind for kind, level in DEFAULT_LEVELS.items() if level == "restricted"} == {
        "api_key", "private_key", "jwt", "password", "authorization", "url_credentials", "connection_string",
        "cn_resident_id", "us_ssn", "bank_card", "cn_travel_permit", "hk_id", "tw_id", "national_id", "driver_licence",
        "medical_record", "bank_account", "tax_id",
    }  # fmt: skip  # as above
