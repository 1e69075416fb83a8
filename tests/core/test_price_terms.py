"""Every spelling of a field that changes the price is found, and no client's own words are."""

from __future__ import annotations

from fractions import Fraction

import pytest

from yuzui.core.price_terms import (
    STANDARD,
    factor_of,
    field_of,
    of_fields,
    read_terms,
    recordable,
    show_factor,
    term_of,
    told_terms,
)

SCHEMA = {"type": "object", "properties": {"speed": {"type": "string"}, "service_tier": {"type": "string"}}}


@pytest.mark.parametrize(
    ("body", "terms"),
    [
        ({}, set()),
        ({"service_tier": None, "speed": None}, set()),
        ({"service_tier": "priority"}, {"service_tier=priority"}),
        ({"service_tier": " Priority\n"}, {"service_tier=priority"}),
        ({"SERVICE_TIER": "PRIORITY"}, {"service_tier=priority"}),
        ({"serviceTier": "flex"}, {"service_tier=flex"}),
        ({"service-tier": "flex"}, {"service_tier=flex"}),
        ({"\u017fervice_tier": "flex"}, {"service_tier=flex"}),  # a long s, which Go's JSON reader takes for an s
        ({"serviceTier": {"type": "reserved"}}, {"service_tier=reserved"}),
        ({"serviceTier": "SERVICE_TIER_PRIORITY"}, {"service_tier=priority"}),
        ({"service_tier": "standard-only"}, {"service_tier=standard_only"}),
        ({"service_tier": ""}, {"service_tier=auto"}),
        ({"service_tier": ["priority"]}, {"service_tier=?"}),
        ({"service_tier": 1}, {"service_tier=?"}),
        ({"service_tier": "my own words, and more"}, {"service_tier=?"}),
        ({"service_tier": "call_555123456"}, {"service_tier=?"}),
        ({"service_tier": "d\u0435fault"}, {"service_tier=?"}),  # a Cyrillic letter
        ({"speed": "fast"}, {"speed=fast"}),
        ({"speed": 1.25}, set()),  # of a voice
        ({"inference_geo": "US"}, {"inference_geo=us"}),
        ({"inferenceGeo": "us"}, {"inference_geo=us"}),
        ({"performanceConfig": {"latency": "optimized"}}, {"latency=optimized"}),
        ({"performance_config": {"Latency": "optimized"}}, {"latency=optimized"}),
        ({"performanceConfig": {}}, {"latency=?"}),
        ({"extra_body": {"service_tier": "priority"}}, {"service_tier=priority"}),
        ({"extra_body": {"google": [{"serviceTier": "flex"}]}, "x": {"speed": "fast"}},
         {"service_tier=flex", "speed=fast"}),
        ({"service_tier": "default", "serviceTier": "priority"}, {"service_tier=default", "service_tier=priority"}),
        ({"generationConfig": {"serviceTier": "flex", "responseSchema": SCHEMA}}, {"service_tier=flex"}),
        ({"messages": [{"content": [{"speed": "fast"}]}], "tools": [{"function": {"parameters": SCHEMA}}]}, set()),
        ({"parameters": {"service_tier": "priority"}}, {"service_tier=priority"}),
        ({"metadata": {"speed": "fast"}, "guided_json": SCHEMA, "new_schema": SCHEMA}, set()),
    ],
)  # fmt: skip
def test_terms_are_found_wherever_a_lane_would_send_them(body: dict[str, object], terms: set[str]) -> None:
    assert read_terms(body) == terms


@pytest.mark.parametrize(
    ("word", "term"),
    [("ON_DEMAND_FLEX", "flex"), ("ON_DEMAND", "on_demand"), ("TRAFFIC_TYPE_UNSPECIFIED", "unspecified"),
     ("standard", "standard"), ("PROVISIONED_THROUGHPUT", "provisioned_throughput"), ("not_available", "not_available")],
)  # fmt: skip
def test_vendors_words_have_one_spelling(word: str, term: str) -> None:
    assert term_of("service_tier", word) == f"service_tier={term}"


def test_only_words_are_told() -> None:
    assert told_terms(service_tier="Default", speed="", inference_geo=None, latency=3) == ("service_tier=default",)


def test_the_list_price_has_the_factor_1_by_definition_and_nobody_guesses_another() -> None:
    factors = {"service_tier=flex": Fraction(1, 2)}
    assert {factor_of(term, factors) for term in STANDARD} == {1}
    assert factor_of("service_tier=flex", factors) == Fraction(1, 2)
    assert factor_of("service_tier=priority", factors) is None
    assert factor_of("service_tier=?", factors) is None


def test_a_term_knows_its_field() -> None:
    assert field_of("speed=fast") == "speed"
    assert of_fields(["speed=fast", "latency=optimized"], ("speed",)) == {"speed=fast"}


@pytest.mark.parametrize(
    ("factor", "text"),
    [(Fraction(1), "1"), (Fraction(0), "0"), (Fraction(1, 2), "0.5"), (Fraction(7, 4), "1.75"), (Fraction(11, 10), "1.1"),
     (Fraction(5, 3), "5/3"), (Fraction(1, 1000), "0.001"), (Fraction(1000), "1000")],
)  # fmt: skip
def test_a_factor_is_shown_exactly(factor: Fraction, text: str) -> None:
    assert show_factor(factor) == text


@pytest.mark.parametrize(
    ("term", "kept"),
    [("service_tier=auto", "service_tier=auto"), ("service_tier=priority", "service_tier=priority"),
     ("speed=fast", "speed=fast"), ("service_tier=our_next_merger", "service_tier=?"), ("speed=?", "speed=?")],
)  # fmt: skip
def test_records_hold_vendors_words_only(term: str, kept: str) -> None:
    assert recordable(term) == kept
