"""Targets, labels and clocks for the tests of routing."""

from __future__ import annotations

from yuzui.core.money import Price
from yuzui.core.sensitivity import Cause, Sensitivity
from yuzui.core.target import Target

FREE = Price(
    currency="USD", input_pico=0, output_pico=0, cached_input_pico=0, cache_write_pico=0, version="config:free"
)


def price(inp: int, out: int, currency: str = "USD") -> Price:
    """Whole units per million tokens."""
    return Price(
        currency=currency,
        input_pico=inp * 1_000_000,
        output_pico=out * 1_000_000,
        cached_input_pico=inp * 1_000_000,
        cache_write_pico=inp * 1_000_000,
        version="config:test",
    )


HOUSE = Target(
    name="house/qwen",
    provider="vllm",
    codec="openai",
    model="Qwen/Qwen3-32B",
    base_url="http://127.0.0.1:1/v1",
    premises="own",
    clearance=3,
    jurisdiction="CN",
    price=FREE,
)
CHEAP = Target(
    name="deepseek/chat",
    provider="deepseek",
    codec="openai",
    model="deepseek-chat",
    base_url="https://vendor.invalid/v1",
    premises="vendor",
    clearance=1,
    jurisdiction="CN",
    price=price(1, 2),
)
DEAR = Target(
    name="openai/gpt",
    provider="openai",
    codec="openai",
    model="gpt-4o",
    base_url="https://other.invalid/v1",
    premises="vendor",
    clearance=1,
    jurisdiction="US",
    price=price(5, 15),
)


def labelled(level: int, source: str = "finding", detail: str = "email") -> Sensitivity:
    return Sensitivity(level=level, causes=(Cause(source=source, level=level, detail=detail),), kinds={})


class FakeClock:
    """Monotonic seconds that move only when a test says so."""

    def __init__(self, now_s: float = 1000.0) -> None:
        self.now_s = now_s

    def monotonic(self) -> float:
        return self.now_s

    def __call__(self) -> float:
        return self.now_s


class FakeRandomness:
    def __init__(self, value: float = 0.5) -> None:
        self.value = value

    def fraction(self) -> float:
        return self.value
