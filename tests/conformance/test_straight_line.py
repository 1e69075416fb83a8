"""Controls of the matrix: without a gateway nothing is lost, and what is taken away is missed."""

from __future__ import annotations

from typing import Any

import pytest

from conformance_kit import LANES, load, play_straight

CASES = load("scenario").load_cases()
UNTOLD = "a cut stream just ends"


def cells() -> list[Any]:  # Any: pytest's parameter sets
    providers = load("provider").load_providers()
    out = []
    for dialect, wire in LANES:
        impossible = {case for p in providers.values() if wire in p.wires.values() for case in p.impossible}
        for case in CASES:
            if wire == "tgi" and case.name == "error_before_stream":
                continue  # its errors have a shape of their own
            if case.dialect == dialect and case.name not in impossible:
                out.append(pytest.param(case, wire, id=f"{dialect}-{wire}-{case.name}"))
    return out


@pytest.mark.parametrize(("case", "wire"), cells())
def test_nothing_is_lost_between_a_client_and_a_vendor_that_speak_the_same(case: Any, wire: str) -> None:
    # Only a stream that ends too soon is not an error of these protocols: telling it is the gateway's work.
    lost = [finding for finding in play_straight(case, wire) if finding.detail != UNTOLD]
    assert not lost, [str(finding) for finding in lost]


def test_a_stream_that_ends_too_soon_is_noticed() -> None:
    case = next(case for case in CASES if case.name == "cut_stream" and case.dialect == "openai_chat")
    assert [finding.detail for finding in play_straight(case, "openai")] == [UNTOLD]
