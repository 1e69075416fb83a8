"""Small values for the tests of accounting."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from yuzui.core.caller import LOOPBACK_CALLER, Caller
from yuzui.core.chat import ChatRequest, Feature, Meaning, Operation
from yuzui.core.money import Price
from yuzui.core.target import Target
from yuzui.core.usage import Usage

RATES = {"USD": Decimal(1), "CNY": Decimal("0.14")}


def a_price(input_pico: int = 1_000_000, output_pico: int = 3_000_000, currency: str = "USD") -> Price:
    return Price(
        currency=currency,
        input_pico=input_pico,
        output_pico=output_pico,
        cached_input_pico=input_pico // 10,
        cache_write_pico=input_pico * 5 // 4,
        version="config:1",
    )


def a_target(
    name: str = "a/b", price: Price | None = None, *, context_tokens: int = 0, max_output_tokens: int = 0
) -> Target:
    return Target(
        name=name,
        provider="p",
        codec="openai",
        model="m",
        base_url="",
        premises="vendor",
        clearance=1,
        jurisdiction="CN",
        price=price,
        price_help="write price = …",
        context_tokens=context_tokens,
        max_output_tokens=max_output_tokens,
    )


def _no_meaning(_: Mapping[str, object]) -> Meaning:
    raise AssertionError("money must not build the meaning of a request")


def a_request(
    *,
    n: int = 1,
    max_output_tokens: int | None = None,
    features: frozenset[Feature] = frozenset(),
    operation: Operation = "chat",
    messages: object = (),
    **more: object,
) -> ChatRequest:
    """`more`: fields of its body."""
    return ChatRequest(
        dialect="openai_chat",
        operation=operation,
        model="auto",
        body={"messages": messages, **more},
        n=n,
        max_output_tokens=max_output_tokens,
        features=features,
        read_meaning=_no_meaning,
    )


@dataclass
class Counted:
    characters: int = 0
    pieces: int = 0
    usage: Usage | None = None
    units: Usage | None = None
    sent_terms: Collection[str] = ()
    told_terms: Collection[str] = ()


@dataclass
class Ended:
    target: Target | None
    request: ChatRequest | None = field(default_factory=a_request)
    delivered: Counted = field(default_factory=Counted)
    caller: Caller | None = LOOPBACK_CALLER
    input_bound: int = 2024


@dataclass
class Money:
    currency: str = "USD"
    rates: Mapping[str, Decimal] = field(default_factory=lambda: dict(RATES))
