"""Money as integers: prices in pico-units of a currency per token, ledger amounts in nano-units.

1 USD per million tokens = 1_000_000 pico-USD per token. 1 nano-unit = 1_000 pico-units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from functools import cached_property

from yuzui.core.usage import Usage

PICO_PER_NANO = 1_000
NANO = 1_000_000_000
LIST_PRICE = Fraction(1)


@dataclass(frozen=True, kw_only=True)
class Price:  # no slots: cached_property needs __dict__
    """What one target charges, in pico-units of `currency` per token.

    `version` names where it came from and when, and is pinned into every ledger entry
    (`config:3f2a…`, `genai-prices==0.2.3/openai/gpt-4o@2026-11-22`).
    """

    currency: str
    input_pico: int
    output_pico: int
    cached_input_pico: int
    cache_write_pico: int
    version: str
    cache_write_1h_pico: int | None = None
    """None, here and below for parts of input and output: as the whole of which it is a part."""
    input_audio_pico: int | None = None
    output_audio_pico: int | None = None
    request_pico: int = 0
    """Per answered request, beside what it consumed."""
    image_pico: int = 0
    """Per picture made."""
    character_pico: int = 0
    """Per character read aloud."""
    second_pico: int = 0
    """Per second of sound listened to."""
    search_pico: int = 0
    """Per rerank search."""
    tool_pico: Mapping[str, int] = field(default_factory=dict)
    """Per call of a tool that the vendor runs, by hub name (`web_search`)."""

    @cached_property
    def is_free(self) -> bool:
        return not any(
            (
                self.input_pico, self.output_pico, self.cached_input_pico, self.cache_write_pico,
                self.cache_write_1h_pico, self.input_audio_pico, self.output_audio_pico, self.request_pico,
                self.image_pico, self.character_pico, self.second_pico, self.search_pico, *self.tool_pico.values(),
            )
        )  # fmt: skip

    @cached_property
    def dearest_input_pico(self) -> int:
        """The most that one token of input can cost."""
        return max(
            self.input_pico, self.cached_input_pico, self.cache_write_pico, self.cache_write_1h_pico or 0,
            self.input_audio_pico or 0,
        )  # fmt: skip

    @cached_property
    def dearest_output_pico(self) -> int:
        return max(self.output_pico, self.output_audio_pico or 0)


def per_million_to_pico(amount: Decimal | int | float | str) -> int:
    """Price per million tokens → pico-units per token; raise `ValueError` when negative or finer than a pico-unit."""
    value = Decimal(str(amount)) * 1_000_000
    if value < 0 or value != value.to_integral_value():
        raise ValueError(f"{amount} per million tokens is negative or finer than 0.000001")
    return int(value)


def per_million(pico: int) -> str:
    """For people: pico-units per token as units per million tokens, without an exponent: `0.28`."""
    return f"{(Decimal(pico) / 1_000_000).normalize():f}"


def per_unit(pico: int) -> str:
    """For people: pico-units per piece as units per piece: `0.04`."""
    return f"{(Decimal(pico) / 1_000_000_000_000).normalize():f}"


def cost_nano(price: Price, usage: Usage, factor: Fraction = LIST_PRICE) -> int:
    """Cost of `usage` in nano-units of the price's currency, rounded up once per call.

    Cached input is part of `input_tokens`, reasoning is part of `output_tokens`: each token is priced exactly once.
    `factor` multiplies what tokens cost (`core.price_terms`); pieces, calls and requests cost what they always do.
    """
    fresh = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
    pico = (
        fresh * price.input_pico
        + usage.cached_input_tokens * price.cached_input_pico
        + usage.cache_write_tokens * price.cache_write_pico
        + usage.output_tokens * price.output_pico
    )
    # Parts with a price of their own: the difference to what the whole already charged for them.
    if price.cache_write_1h_pico is not None:
        pico += usage.cache_write_1h_tokens * (price.cache_write_1h_pico - price.cache_write_pico)
    if price.input_audio_pico is not None:
        pico += usage.input_audio_tokens * (price.input_audio_pico - price.input_pico)
    if price.output_audio_pico is not None:
        pico += usage.output_audio_tokens * (price.output_audio_pico - price.output_pico)
    of_units = price.request_pico + usage.images * price.image_pico + usage.characters * price.character_pico
    of_units += usage.searches * price.search_pico - (-usage.audio_ms * price.second_pico // 1000)
    for tool, count in usage.server_tools:
        of_units += count * price.tool_pico.get(tool, 0)
    numerator = pico * factor.numerator + of_units * factor.denominator
    return -(-numerator // (PICO_PER_NANO * factor.denominator))


def convert_nano(amount_nano: int, rate: Decimal) -> int:
    """`amount_nano` of one currency in another; `rate` is units of the other per unit of the first; rounded up."""
    if rate == 1:
        return amount_nano
    return int((amount_nano * rate).to_integral_value(rounding=ROUND_CEILING))
