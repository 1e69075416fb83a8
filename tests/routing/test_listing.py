"""The entries of GET /v1/models."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import msgspec

from routing_kit import CHEAP, FREE, HOUSE
from yuzui.core.money import per_million
from yuzui.core.sensitivity import Lattice
from yuzui.routing.listing import describe, describe_price
from yuzui.routing.names import Names
from yuzui.routing.policies.catalogue import load_policies

BOOK = Names([replace(HOUSE, context_tokens=32768, features=frozenset({"tools"})), CHEAP], [], load_policies(), {})


def test_a_target_shows_what_it_may_see_where_it_runs_and_what_it_costs() -> None:
    entry = describe(BOOK.resolve(CHEAP.name, None), Lattice())
    assert entry["id"] == "deepseek/chat"
    assert (entry["object"], entry["owned_by"]) == ("model", "vendor")
    assert msgspec.json.decode(msgspec.json.encode(entry["yuzui"])) == {
        "kind": "target",
        "clearance": "internal",
        "premises": "vendor",
        "jurisdictions": ["CN"],
        "price": {
            "currency": "USD",
            "input": "1",
            "cached_input": "1",
            "output": "2",
            "version": "config:test",
        },
        "features": ["audio", "files", "images", "json_schema", "logprobs", "n", "tools", "web_search"],
        "serves": ["chat"],
        "context_tokens": 0,
        "max_output_tokens": 0,
        "policy": "pinned",
        "candidates": ["deepseek/chat"],
        "is_simulated": False,
    }


def test_a_virtual_model_shows_the_most_that_a_candidate_offers_and_no_price() -> None:
    entry = describe(BOOK.resolve("auto", None), Lattice())
    assert entry["owned_by"] == "mixed"
    shown = msgspec.convert(entry["yuzui"], dict[str, object])
    assert (shown["kind"], shown["clearance"], shown["price"]) == ("virtual", "restricted", None)
    assert shown["context_tokens"] == 32768
    assert shown["candidates"] == ["house/qwen", "deepseek/chat"]


def test_the_list_has_virtual_models_first_and_no_aliases() -> None:
    assert [name.name for name in BOOK.listed()] == ["auto", "own", "vendor", "house/qwen", "deepseek/chat"]


def test_prices_are_exact_decimal_texts() -> None:
    assert per_million(280_000) == "0.28"
    assert per_million(28_000) == "0.028"
    assert per_million(10_000_000) == "10"
    assert per_million(0) == "0"
    assert describe_price(FREE) == "free"
    assert describe_price(None) == "unknown"


def test_prices_of_parts_are_shown_where_they_differ() -> None:
    assert CHEAP.price is not None
    dear = replace(CHEAP.price, cache_write_pico=1_250_000, cache_write_1h_pico=2_000_000, search_pico=5)
    shown = describe_price(dear)
    assert not isinstance(shown, str)
    assert (shown["cache_write"], shown["cache_write_1h"]) == ("1.25", "2")
    plain = describe_price(CHEAP.price)
    assert "cache_write" not in plain


def test_what_a_target_that_does_not_chat_could_do_in_a_chat_is_not_shown() -> None:
    book = Names([replace(HOUSE, serves=frozenset({"embeddings"}))], [], load_policies(), {})
    shown = msgspec.convert(describe(book.resolve(HOUSE.name, None), Lattice())["yuzui"], dict[str, object])
    assert (shown["serves"], shown["features"]) == (["embeddings"], [])


def test_known_factors_stand_beside_the_price() -> None:
    factors = {"service_tier=priority": Fraction(5, 3), "service_tier=flex": Fraction(1, 2)}
    shown = describe_price(CHEAP.price, factors)
    assert not isinstance(shown, str)
    assert shown["factors"] == {"service_tier=flex": "0.5", "service_tier=priority": "5/3"}
    assert describe_price(None, factors) == "unknown"
