"""The cheap look before anything is asked."""

from __future__ import annotations

import pytest

from yuzui.privacy.ner.candidates import may_hold_name


@pytest.mark.parametrize(
    "text",
    [
        "Ada",
        "王五",
        "my name is ada",
        "请联系 王\u200b小明",
        "ÉMILE Zola",
        "i am bob",
        "call will smith",
        "regards, bob",
        "Ａｄａ",
        "王 明",
    ],
)
def test_these_may_hold_a_name(text: str) -> None:
    assert may_hold_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "123",
        "gpt-5-mini",
        "12 34, 56",
        "王",
        "https://example.com/Path/" + "Ab/" * 20,
        "QmFzZTY0" * 10,
    ],
)
def test_these_cannot(text: str) -> None:
    assert not may_hold_name(text)
