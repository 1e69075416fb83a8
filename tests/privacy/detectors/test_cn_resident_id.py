"""Chinese resident identity numbers: the checksum raises the confidence and is not the gate."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.kit import resident_id, scan_both, values
from yuzui.privacy.detectors.cn_resident_id import has_birth_date


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["110101", "310115", "440305", "650102"]),
    st.dates(date(1900, 1, 1), date(2025, 12, 31)),
    st.integers(0, 999),
)
def test_every_valid_number_is_found_with_full_confidence(region: str, birth: date, sequence: int) -> None:
    number = resident_id(region, str(birth).replace("-", ""), f"{sequence:03d}")
    [finding] = [f for f in scan_both(f"证件 {number}。").findings if f.kind == "cn_resident_id"]
    assert (finding.start, finding.end, finding.confidence) == (3, 21, 1.0)


def test_a_mistyped_check_digit_is_still_found_with_less_confidence() -> None:
    number = resident_id()
    wrong = number[:17] + ("1" if number[17] != "1" else "2")
    [finding] = scan_both(f"号码 {wrong}").findings
    assert finding.kind == "cn_resident_id" and finding.confidence == 0.8


@pytest.mark.parametrize("cut", [(6, 14), (6,), (6, 10, 14), (14,)])
@pytest.mark.parametrize("gap", [" ", "-", "\n"])
def test_groups_and_lines_do_not_hide_it(cut: tuple[int, ...], gap: str) -> None:
    number = resident_id()
    edges = (0, *cut, len(number))
    written = gap.join(number[a:b] for a, b in pairwise(edges))
    assert values(f"身份证{written}", "cn_resident_id") == [written]


def test_the_check_character_x_belongs_to_it_in_either_case() -> None:
    number = next(n for n in (resident_id(sequence=f"{s:03d}") for s in range(999)) if n.endswith("X"))
    assert values(number, "cn_resident_id") == [number]
    assert values(f"a_{number.lower()}_b.jpg", "cn_resident_id") == [number.lower()]


def test_a_cue_word_makes_up_for_an_impossible_region() -> None:
    assert values("ID card number 948227196701256518.", "cn_resident_id") == ["948227196701256518"]
    assert values("serial 948227196701256518.", "cn_resident_id") == []


def test_chinese_numerals_are_read() -> None:
    written = resident_id().translate(str.maketrans("0123456789", "零壹贰叁肆伍陆柒捌玖"))
    assert "X" in written or values(f"身份证{written}", "cn_resident_id") == [written]


@pytest.mark.parametrize("value", ["110101199013074610", "110101199002304610", "9" * 18, "1101011990030746101"])
def test_impossible_dates_and_lengths_are_left_alone(value: str) -> None:
    assert values(f"no cue {value}", "cn_resident_id") == []


@pytest.mark.parametrize(
    ("value", "is_one"), [("19900307", True), ("19901307", False), ("17990101", False), ("20240230", False)]
)
def test_birth_dates(value: str, is_one: bool) -> None:
    assert has_birth_date(value) is is_one
