from __future__ import annotations

from typing import get_args

from yuzui.core.guarantee import Advised, Rule
from yuzui.routing.advice_words import RULES, advice_words

CHOSEN = Advised(
    rule="certified", reference="vendor/big", chosen="house/small", epsilon=0.02, delta=0.1, examples=2000, threshold=0.045,
    gain=0.0123, p_value=0.4321,
)  # fmt: skip  # one thing


def test_every_rule_has_words() -> None:
    assert set(RULES) == set(get_args(Rule))


def test_a_certified_choice_says_on_what_it_rests() -> None:
    assert advice_words(CHOSEN, "house/small") == (
        "; certified: at most 0.02 worse at 90% (n=2000), gain +0.012 of +0.045, likeness 0.43; guarantee: certified"
    )


def test_who_begins_the_plan_decides_what_is_claimed() -> None:
    assert advice_words(CHOSEN, "vendor/big").endswith("guarantee: reference")
    assert advice_words(CHOSEN, "house/other").endswith("guarantee: none")
    bare = Advised(rule="no_certificate", reference="vendor/big", chosen="vendor/big", detail="nothing is certified")
    assert advice_words(bare, "vendor/big") == (
        "; no certificate, so the reference (nothing is certified); guarantee: reference"
    )
    assert advice_words(None, "vendor/big") == ""
