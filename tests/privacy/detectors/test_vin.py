"""Vehicle identification numbers."""

from __future__ import annotations

from privacy.kit import values
from yuzui.privacy.checksums import vin_check

BODY = "LSVAM4187C2184841"
VALID = BODY[:8] + vin_check(BODY) + BODY[9:]
WRONG = BODY[:8] + ("1" if vin_check(BODY) != "1" else "2") + BODY[9:]


def test_a_valid_number_is_found_and_a_mistyped_one_after_a_cue() -> None:
    assert values(f"car {VALID}.", "vin") == [VALID]
    assert values(f"车架号：{WRONG}", "vin") == [WRONG]


def test_others_are_left_alone() -> None:
    assert values(f"code {WRONG}", "vin") == []
    assert values(f"{VALID}X", "vin") == values("ABCDEFGHJKLMNPRST", "vin") == []
    assert values("01234567890123456", "vin") == []
