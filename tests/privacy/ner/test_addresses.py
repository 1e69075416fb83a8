"""Addresses are places with a door, or a road."""

from __future__ import annotations

from yuzui.privacy.ner.addresses import with_addresses
from yuzui.privacy.ner.spans import NameSpan


def test_places_with_a_door_are_addresses_and_others_stay_places() -> None:
    text = "北京市海淀区中关村大街27号，以及上海"
    spans = [NameSpan(0, 3, "location", 0.9, "m"), NameSpan(3, 6, "location", 0.8, "m"),
             NameSpan(6, 11, "location", 0.9, "m"), NameSpan(17, 19, "location", 0.9, "m")]  # fmt: skip
    joined = with_addresses(text, spans)
    assert [(text[one.start : one.end], one.kind) for one in joined] == [
        ("北京市海淀区中关村大街27号", "postal_address"), ("上海", "location")]  # fmt: skip
