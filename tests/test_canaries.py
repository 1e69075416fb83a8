"""Marked values never reach a vendor: generated conversations, four dialects, eight wires. YUZUI_CANARIES: how many."""

from __future__ import annotations

import os

import pytest

from canaries_kit import DIALECTS, PROVIDERS, send

CONVERSATIONS = int(os.environ.get("YUZUI_CANARIES", "80")) // (2 * len(DIALECTS))


@pytest.mark.parametrize("is_realistic", [False, True])
def test_no_marked_value_reaches_a_vendor(is_realistic: bool) -> None:
    result = send(7, CONVERSATIONS, is_realistic=is_realistic)
    print(result)
    assert result.leaks == ()
    written = result.sent + result.refused + result.unsaid
    assert result.sent > 0.8 * written, "a mask that refuses everything leaks nothing, and is of no use"
    assert result.sent > CONVERSATIONS * len(PROVIDERS)
