from __future__ import annotations

from pathlib import Path

from yuzui import config
from yuzui.cli._demo import samples
from yuzui.privacy.scan import Scanner


def kinds_in(text: str) -> set[str]:
    rules = config.read("[embedded]\nenabled = true", {}, source=Path("y.toml")).sensitivity
    scan = Scanner(rules).scan({"model": "auto", "messages": [{"role": "user", "content": text}]})
    return {finding.kind for finding in scan.findings}


def test_each_sample_is_what_it_claims_to_be() -> None:
    assert "cn_resident_id" in kinds_in(f"my ID is {samples.resident_id()}.")
    assert "bank_card" in kinds_in(f"card {samples.bank_card()}")
    assert "api_key" in kinds_in(f"key {samples.leaked_api_key()} leaked")


def test_the_resident_id_satisfies_iso_7064_mod_11_2() -> None:
    digits = [10 if char == "X" else int(char) for char in samples.resident_id()]
    assert len(digits) == 18
    assert sum(digit * pow(2, 17 - at, 11) for at, digit in enumerate(digits)) % 11 == 1


def test_the_long_text_is_long_and_harmless() -> None:
    assert len(samples.long_text()) > 2000
    assert kinds_in(samples.long_text()) == set()
