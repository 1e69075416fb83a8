"""The list of detectors is the folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from yuzui import __version__
from yuzui.core.sensitivity import DEFAULT_LEVELS as LEVEL_NAMES
from yuzui.privacy import catalogue, detectors
from yuzui.privacy.catalogue import DEFAULT_LEVELS, load_detectors, source_version, version_of

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


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str | None]]:
    """Sources as a test changes them; what is not in it is read as it is."""
    changed: dict[str, str | None] = {}
    real = catalogue._source_of
    monkeypatch.setattr(catalogue, "_source_of", lambda name: changed[name] if name in changed else real(name))
    source_version.cache_clear()
    yield changed
    source_version.cache_clear()


def test_a_version_follows_from_the_source_of_a_rule_and_of_what_it_imports(sources: dict[str, str | None]) -> None:
    before = {name: version_of(name) for name in ("iban", "vin", "api_key")}
    assert all(re.fullmatch("[0-9a-f]{8}", version) for version in before.values())
    checksums, keys = "yuzui.privacy.checksums", "yuzui.privacy.detectors._vendor_keys"
    sources[checksums] = f"{Path(catalogue.__file__).with_name('checksums.py').read_text('utf-8')}\n"
    source_version.cache_clear()
    assert version_of("iban") != before["iban"] and version_of("vin") != before["vin"]
    assert version_of("api_key") == before["api_key"]
    sources[keys] = "VENDOR_KEYS = {}"
    source_version.cache_clear()
    assert version_of("api_key") != before["api_key"]


def test_lists_that_a_module_names_are_a_part_of_its_version(sources: dict[str, str | None]) -> None:
    sources["yuzui.privacy.a"] = 'files("yuzui.privacy").joinpath("nothing")'
    sources["yuzui.privacy.b"] = 'files("yuzui.privacy").joinpath("pinyin.txt")'
    sources["yuzui.privacy.c"] = 'files("yuzui.privacy").joinpath("no_such_list.txt")'
    assert source_version("yuzui.privacy.a") != source_version("yuzui.privacy.b")
    with pytest.raises(FileNotFoundError):
        source_version("yuzui.privacy.c")


def test_without_sources_it_is_the_version_of_the_package(sources: dict[str, str | None]) -> None:
    sources["yuzui.privacy.checksums"] = None
    assert version_of("iban") == __version__


def test_what_detectors_import_of_the_station_is_spelled_so_that_versions_see_it() -> None:
    for path in Path(catalogue.__file__).parent.rglob("*.py"):
        if path.parent.name == "detectors":
            source = path.read_text("utf-8")
            assert len(re.findall(r"yuzui\.privacy", source)) == len(catalogue._IMPORT.findall(source)), path.name
