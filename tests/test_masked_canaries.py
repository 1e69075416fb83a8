"""Marked values never reach a vendor: generated conversations, four dialects, eight wires. YUZUI_CANARIES: how many."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from masked_canaries_kit import DIALECTS, PROVIDERS, send
from yuzui.privacy import egress, mask
from yuzui.privacy.matcher import Matcher
from yuzui.privacy.surrogates import Namer, Surrogates
from yuzui.privacy.values import Leftovers, Needles

CONVERSATIONS = int(os.environ.get("YUZUI_CANARIES", "80")) // (2 * len(DIALECTS))


@pytest.mark.parametrize("is_realistic", [False, True])
def test_no_marked_value_reaches_a_vendor(is_realistic: bool) -> None:
    result = send(7, CONVERSATIONS, is_realistic=is_realistic)
    print(result)
    assert result.leaks == ()
    written = result.sent + result.refused + result.unsaid
    assert result.sent > 0.8 * written, "a mask that refuses everything leaks nothing, and is of no use"
    assert result.sent > CONVERSATIONS * len(PROVIDERS)


class Faults:
    """Raises in the n-th call of what it stands in for."""

    def __init__(self, real: Callable[..., Any], after: int, fault: type[Exception]) -> None:  # Any: whatever it is
        self.real = real
        self.after = after
        self.fault = fault
        self.has_struck = False

    def __get__(self, instance: Any, owner: Any) -> Callable[..., Any]:  # Any: as a method it stands in for one
        return self if instance is None else lambda *args, **more: self(instance, *args, **more)

    def __call__(self, *args: Any, **more: Any) -> Any:  # Any: as above
        self.after -= 1
        if self.after == 0:
            self.has_struck = True
            raise self.fault("injected")
        return self.real(*args, **more)


PLACES: list[tuple[Any, str]] = [  # Any: modules and classes
    (mask, "read_literals"),
    (mask, "edits_in"),
    (mask, "apply"),
    (mask, "imitate_number"),
    (mask._Work, "_edits"),
    (mask._Work, "_edits_of_text"),
    (mask._Work, "can_be_undone"),
    (Needles, "find"),
    (Namer, "name"),
    (Surrogates, "issue"),
    (Leftovers, "are_in"),
    (Matcher, "next"),
    (egress, "read_leaves"),
    (egress, "text_of"),
]


@pytest.mark.parametrize("after", [1, 3, 20, 150])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0].__name__}.{place[1]}")
def test_whatever_breaks_in_masking_nothing_marked_leaves(
    monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str], after: int
) -> None:
    where, name = place
    fault = Faults(getattr(where, name), after, (ValueError, KeyError, RuntimeError, UnicodeError)[after % 4])
    monkeypatch.setattr(where, name, fault)
    result = send(after, 1, is_realistic=after % 2 == 0)
    assert result.leaks == ()
    assert not fault.has_struck or result.refused
