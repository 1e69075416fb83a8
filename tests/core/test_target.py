"""A target never shows its key, and knows nothing by default that would let a request out."""

from __future__ import annotations

import traceback

from yuzui.core.target import ALL_FEATURES, RARE_FEATURES, Quirks, Target, Timeouts

KEY = "vendor-" + "key"
TARGET = Target(
    name="vendor/a", provider="openai", codec="openai", model="m", base_url="https://vendor.invalid/v1",
    premises="vendor", clearance=1, jurisdiction="US", api_key=KEY,
)  # fmt: skip


def test_the_key_is_in_no_text_that_is_made_of_a_target() -> None:
    shown = [repr(TARGET), str(TARGET), f"{TARGET}", repr([TARGET]), repr({"t": TARGET})]
    try:
        raise ValueError(TARGET)
    except ValueError as error:
        shown.append("".join(traceback.format_exception(error)))
    assert shown[0] == "Target('vendor/a')"
    assert not [text for text in shown if KEY in text]


def test_a_target_without_a_price_has_an_unknown_one_and_not_a_free_one() -> None:
    assert TARGET.price is None


def test_every_limit_has_an_end_by_default() -> None:
    limits = Timeouts()
    assert 0 < limits.connect_s <= limits.first_token_s <= limits.total_s < float("inf")
    assert 0 < limits.between_tokens_s <= limits.total_s


def test_quirks_of_two_targets_are_not_shared() -> None:
    assert Quirks().headers == {} and Quirks().headers is not Quirks().headers
    assert TARGET.features == ALL_FEATURES - RARE_FEATURES
