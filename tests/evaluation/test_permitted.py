"""Arguments are right where each is one of its permitted values, and nothing stands beside them."""

from __future__ import annotations

from typing import Any

import pytest

from yuzui.evaluation.permitted import right_arguments

CITY = {"city": ["Ulm", "Ulm, Germany"], "days": [2], "unit": ["C", ""]}


@pytest.mark.parametrize(
    ("made", "permitted", "right"),
    [
        ({"city": "ulm", "days": 2.0, "unit": "c"}, CITY, 3),
        ({"city": "Ulm Germany", "days": 2}, CITY, 3),  # `unit` may be left out
        ({"city": "Bonn", "days": 2}, CITY, 2),
        ({"days": 2}, CITY, 2),  # `city` may not
        ({"city": "Ulm", "days": "2"}, CITY, 2),
        ({"city": "Ulm", "days": 2, "more": 1}, CITY, None),
        ("Ulm", CITY, None),
        ({"on": True}, {"on": [1]}, 0),
        ({"on": 1}, {"on": [True]}, 0),
        ({"on": None}, {"on": [None]}, 1),
        ({"sides": [3, 4.0]}, {"sides": [[4, 3], [3, 4]]}, 1),
        ({"sides": [3]}, {"sides": [[3, 4]]}, 0),
        ({"sides": 3}, {"sides": [[3]]}, 0),
        ({"at": {"lat": 1, "name": "x y"}}, {"at": [{"lat": [1, 2], "name": ["x-y"], "zoom": ["", 3]}]}, 1),
        ({"at": {"lat": 3}}, {"at": [{"lat": [1, 2]}]}, 0),
        ({"at": {"lat": 1, "more": 2}}, {"at": [{"lat": [1]}]}, 0),
        ({"at": [{"lat": 1}]}, {"at": [[{"lat": [1]}]]}, 1),
        ({"note": "don't"}, {"note": ['don"t']}, 1),
        ({}, {"a": []}, 1),  # it must not be there
        ({"a": 1}, {"a": []}, 0),
        ({}, {}, 0),
    ],
)
def test_right_arguments(made: Any, permitted: dict[str, Any], right: int | None) -> None:
    assert right_arguments(made, permitted) == right


def test_what_is_nested_without_end_is_not_right() -> None:
    made: Any = 1
    for _ in range(100):
        made = [made]
    assert right_arguments({"a": made}, {"a": [made]}) == 0
