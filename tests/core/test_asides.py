from __future__ import annotations

from typing import get_args

from yuzui.core.asides import OWN_OPERATIONS
from yuzui.core.chat import Operation


def test_no_client_can_ask_for_what_the_gateway_asks_for_itself() -> None:
    assert OWN_OPERATIONS and OWN_OPERATIONS.isdisjoint(get_args(Operation))
