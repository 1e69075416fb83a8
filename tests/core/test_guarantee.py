from __future__ import annotations

from dataclasses import replace

import pytest

from yuzui.core.guarantee import Advised, Demand

DEMAND = Demand(router="r.json", router_sha256="0" * 64, loss=0.02, confidence=0.9)
CHOSEN = Advised(rule="certified", reference="vendor/big", chosen="house/small")


@pytest.mark.parametrize(
    ("epsilon", "delta", "is_met"),
    [(0.02, 0.1, True), (0.01, 0.05, True), (0.021, 0.1, False), (0.02, 0.11, False), (0.0, 0.2, False)],
)
def test_only_a_certificate_that_promises_as_much_is_good_enough(epsilon: float, delta: float, is_met: bool) -> None:
    assert DEMAND.is_met_by(epsilon, delta) is is_met


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99, 0.8, 0.999])
def test_a_confidence_meets_its_own_risk_whatever_binary_fractions_say(confidence: float) -> None:
    assert replace(DEMAND, confidence=confidence).is_met_by(0.02, round(1 - confidence, 6))


def test_what_is_said_of_an_answer_depends_on_who_gave_it() -> None:
    assert CHOSEN.kept("house/small") == "certified"
    assert CHOSEN.kept("vendor/big") == "reference"
    assert CHOSEN.kept("house/other") == "none"
    sent_to_the_reference = replace(CHOSEN, rule="unlike", chosen="vendor/big")
    assert sent_to_the_reference.kept("vendor/big") == "reference"
    assert sent_to_the_reference.kept("house/small") == "none"


def test_the_reference_follows_who_was_chosen() -> None:
    assert CHOSEN.order == ("house/small", "vendor/big")
    assert replace(CHOSEN, rule="not_permitted", chosen="").order == ()
