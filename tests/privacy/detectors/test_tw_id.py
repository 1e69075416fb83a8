"""Identity numbers of Taiwan."""

from __future__ import annotations

from privacy.kit import values
from yuzui.privacy.checksums import taiwan_id_is_valid

VALID = next(f"F2{n:08d}" for n in range(30481726, 30481746) if taiwan_id_is_valid(f"F2{n:08d}"))
WRONG = VALID[:-1] + str((int(VALID[-1]) + 1) % 10)


def test_a_valid_number_is_found_and_a_mistyped_one_after_a_cue() -> None:
    assert values(f"編號 {VALID}", "tw_id") == [VALID]
    assert values(f"身分證字號：{WRONG}", "tw_id") == [WRONG]


def test_others_are_left_alone() -> None:
    assert values(f"part {WRONG}", "tw_id") == []
    assert values(f"X{VALID}", "tw_id") == values(f"{VALID}7", "tw_id") == []
