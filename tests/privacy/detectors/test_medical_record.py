"""Numbers of patients and records."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("MRN: 00847291", "00847291"),
        ("Patient ID AHC-0933289 was", "AHC-0933289"),
        ('{"patient_id": "AHC-0933289"}', "AHC-0933289"),
        ("insurance policy #88291-LK", "88291-LK"),
        ("住院号：ZY20240071", "ZY20240071"),
        ("病历号为 A102938", "A102938"),
    ],
)
def test_a_record_is_found_behind_its_name(text: str, number: str) -> None:
    assert values(text, "medical_record") == [number]


@pytest.mark.parametrize(
    "text", ["the medical record was lost", "mrnx 1234567", "病历号未知", "insurance policy of 2024 years"]
)
def test_prose_is_left_alone(text: str) -> None:
    assert values(text, "medical_record") == []
