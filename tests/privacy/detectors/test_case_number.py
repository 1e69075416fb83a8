"""Numbers of court cases."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("applications (nos. 51234/07 and 51235/07) against", ["51234/07", "51235/07"]),
        ("案号：（2021）沪01民终4567号", ["（2021）沪01民终4567号"]),
        ("as in [2008] EWHC 860 (QB) it", ["[2008] EWHC 860 (QB)"]),
        ("Case No. 1:20-cv-01234", ["1:20-cv-01234"]),
        ("nos. 10747/02, 682/02, 2573/02", ["10747/02", "682/02", "2573/02"]),
    ],
)
def test_a_case_is_found(text: str, numbers: list[str]) -> None:
    assert values(text, "case_number") == numbers


@pytest.mark.parametrize(
    "text",
    [
        "on 12/05/98 we met",
        "season 2003/04 was",
        "ratio 16/09",
        "path /1234/56/x",
        "(2023)年京东",
        "in case no one comes",
    ],
)
def test_dates_seasons_and_paths_are_left_alone(text: str) -> None:
    assert values(text, "case_number") == []
