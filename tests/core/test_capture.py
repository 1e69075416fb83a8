"""Terms allow what they say and what is less."""

from __future__ import annotations

import pytest

from yuzui.core.capture import CaptureRules, permits


@pytest.mark.parametrize(
    ("use", "evaluate", "train"), [("none", False, False), ("evaluate", True, False), ("train", True, True)]
)
def test_uses(use: str, evaluate: bool, train: bool) -> None:
    assert (permits(use, "evaluate"), permits(use, "train")) == (evaluate, train)  # type: ignore[arg-type]  # a table


def test_nothing_is_kept_unless_somebody_says_so() -> None:
    assert CaptureRules().apps == frozenset()
