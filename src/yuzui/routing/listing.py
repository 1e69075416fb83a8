"""How a name presents itself in GET /v1/models: what it may see, where it runs, what it can do and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from yuzui.core.chat import Feature, Operation
from yuzui.core.money import Price, per_million, per_unit
from yuzui.core.price_terms import PriceTerm, show_factor
from yuzui.core.sensitivity import Lattice
from yuzui.core.target import Target
from yuzui.routing.allowed import level_name
from yuzui.routing.names import Name


def describe(name: Name, lattice: Lattice) -> Mapping[str, object]:
    """The JSON entry of `name`: the fields of OpenAI's model object, and ours under `yuzui`.

    A virtual model shows the most that some candidate offers; its price is that of whichever target answers, so null.
    Source: https://platform.openai.com/docs/api-reference/models/object (2026-11).
    """
    candidates = name.candidates
    first = candidates[0]
    is_mixed = any(target.premises != first.premises for target in candidates)
    premises = "mixed" if is_mixed else first.premises
    return {
        "id": name.name,
        "object": "model",
        "created": 0,  # required by clients; neither a target nor a name has a date of birth
        "owned_by": premises,
        "yuzui": {
            "kind": "virtual" if name.is_virtual else "target",
            "clearance": level_name(lattice, max(target.clearance for target in candidates)),
            "premises": premises,
            "jurisdictions": sorted({target.jurisdiction for target in candidates if target.jurisdiction}),
            "price": None if name.is_virtual else describe_price(first.price, first.price_factors),
            "serves": sorted(frozenset[Operation]().union(*(target.serves for target in candidates))),
            "features": sorted(frozenset[Feature]().union(*map(_features, candidates))),
            "max_output_tokens": max(target.max_output_tokens for target in candidates),
            "context_tokens": max(target.context_tokens for target in candidates),
            "policy": name.policy_name,
            "candidates": [target.name for target in candidates],
            "is_simulated": all(target.is_simulated for target in candidates),
        },
    }


def _features(target: Target) -> frozenset[Feature]:
    """What may be asked of a chat with it."""
    return target.features if "chat" in target.serves else frozenset()


def describe_price(
    price: Price | None, factors: Mapping[PriceTerm, Fraction] | None = None
) -> Mapping[str, object] | str:
    """`unknown`, `free`, or decimal texts per million tokens."""
    if price is None:
        return "unknown"
    if price.is_free:
        return "free"
    return {
        "currency": price.currency,
        "input": per_million(price.input_pico),
        "cached_input": per_million(price.cached_input_pico),
        "output": per_million(price.output_pico),
        **_special(price),
        **({"factors": {term: show_factor(factors[term]) for term in sorted(factors)}} if factors else {}),
        "version": price.version,
    }


def _special(price: Price) -> dict[str, object]:
    """Prices of parts, and per unit, that are not what everybody has."""
    parts = {
        "cache_write": price.cache_write_pico if price.cache_write_pico != price.input_pico else None,
        "cache_write_1h": price.cache_write_1h_pico,
        "input_audio": price.input_audio_pico,
        "output_audio": price.output_audio_pico,
    }
    units = {
        "request": price.request_pico,
        "image": price.image_pico,
        "character": price.character_pico,
        "second": price.second_pico,
        "search": price.search_pico,
    }
    shown: dict[str, object] = {name: per_million(pico) for name, pico in parts.items() if pico is not None}
    shown |= {name: per_unit(pico) for name, pico in units.items() if pico}
    if price.tool_pico:
        shown["tools"] = {name: per_unit(pico) for name, pico in price.tool_pico.items()}
    return shown
