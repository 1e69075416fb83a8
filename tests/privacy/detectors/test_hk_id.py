"""Hong Kong identity cards."""

from __future__ import annotations

import pytest

from privacy.kit import values
from yuzui.privacy.checksums import hong_kong_id_check

BODY = "K245678"
NUMBER = f"{BODY}({hong_kong_id_check(BODY)})"
WRONG = f"{BODY}({(int(hong_kong_id_check(BODY), 11) + 1) % 10})"


def test_a_bracketed_number_with_its_check_character_is_found() -> None:
    assert values(f"number {NUMBER}.", "hk_id") == [NUMBER]
    assert values(f"两个字母 WX345678({hong_kong_id_check('WX345678')})", "hk_id") == [
        f"WX345678({hong_kong_id_check('WX345678')})"
    ]


def test_a_mistyped_one_is_believed_after_a_cue_only() -> None:
    assert values(f"HKID: {WRONG}", "hk_id") == [WRONG]
    assert values(f"see {WRONG}", "hk_id") == []


@pytest.mark.parametrize("text", [f"X{NUMBER}Y", BODY + hong_kong_id_check(BODY), "part A123456(7) of it"])
def test_parts_and_bare_numbers_are_left_alone(text: str) -> None:
    assert values(text.replace("A123456(7)", WRONG), "hk_id") == []
