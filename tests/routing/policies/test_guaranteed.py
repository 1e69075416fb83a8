from __future__ import annotations

import pytest

from routing_kit import CHEAP, DEAR, HOUSE
from yuzui.routing.policies._contract import Facts
from yuzui.routing.policies.guaranteed import POLICY

ALL = [HOUSE, CHEAP, DEAR]


@pytest.mark.parametrize(
    ("preferred", "expected"),
    [
        ((), [HOUSE, CHEAP, DEAR]),
        ((CHEAP.name, DEAR.name), [CHEAP, DEAR, HOUSE]),
        ((DEAR.name, DEAR.name), [DEAR, HOUSE, CHEAP]),
        (("gone", DEAR.name), [DEAR, HOUSE, CHEAP]),
    ],
)
def test_the_advice_comes_first_and_the_operators_order_after_it(
    preferred: tuple[str, ...], expected: list[object]
) -> None:
    assert POLICY.order(ALL, Facts(preferred=preferred)) == expected


def test_no_order_is_remembered() -> None:
    assert POLICY.depends_on == {"advice"}
