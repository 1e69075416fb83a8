"""Knows how an operator writes a price in yuzui.toml, and which prices look like a slip of the unit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import InvalidOperation

from yuzui.core.errors import ConfigError
from yuzui.core.money import Price, per_million, per_million_to_pico

FIELDS = (
    "currency", "input", "cached_input", "output", "cache_write", "cache_write_1h", "input_audio", "output_audio",
    "request", "image", "character", "second", "search", "tools",
)  # fmt: skip
_OWN_UNITS = ("request", "image", "character", "second", "search")
"""Prices per one of these, not per million tokens."""
EXAMPLE = 'price = { currency = "USD", input = 0.28, cached_input = 0.028, output = 0.42 }'

SMALLEST_PLAUSIBLE_PICO = 500
"""0.0005 per million tokens. The cheapest listed model costs 0.01 (genai-prices 0.2.3, 2026-11), while the dearest
price per single token is 0.0006: below this, somebody wrote a price per token."""
LARGEST_PLAUSIBLE_PICO = 2_000_000_000
"""2,000 per million tokens, three times the dearest listed output: above this, somebody wrote pico-units or cents."""

FREE = Price(currency="USD", input_pico=0, output_pico=0, cached_input_pico=0, cache_write_pico=0, version="free")


def parse_price(value: object, path: str) -> Price:
    """The price at TOML `path`: "free", or amounts per million tokens. Raise `ConfigError` that shows a right one.

    Left out, cached input costs what input costs and a cache write too: never less than the vendor may charge.
    """
    if value == "free":
        return FREE
    if not isinstance(value, Mapping):
        raise ConfigError(f'{path}: write "free", or per million tokens: {EXAMPLE}')
    unknown = sorted(str(key) for key in value if key not in FIELDS)
    if unknown:
        raise ConfigError(f"{path}.{unknown[0]}: unknown key; a price has {', '.join(FIELDS)}")
    currency = value.get("currency")
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise ConfigError(f'{path}.currency: write a code of three capital letters, such as "USD" or "CNY"')
    # What is charged by the piece alone needs no price per token.
    missing = 0 if any(name in value for name in _OWN_UNITS) else None
    input_pico = _amount(value.get("input", missing), f"{path}.input")
    output_pico = _amount(value.get("output", missing), f"{path}.output")
    cached_pico = _amount(value["cached_input"], f"{path}.cached_input") if "cached_input" in value else input_pico
    write_pico = _amount(value["cache_write"], f"{path}.cache_write") if "cache_write" in value else input_pico
    parts = {
        f"{name}_pico": _amount(value[name], f"{path}.{name}")
        for name in ("cache_write_1h", "input_audio", "output_audio")
        if name in value
    }
    units = {f"{name}_pico": _unit(value[name], f"{path}.{name}") for name in _OWN_UNITS if name in value}
    tools = _tools(value.get("tools", {}), f"{path}.tools")
    text = f"{currency} {input_pico} {cached_pico} {output_pico} {write_pico}"
    if parts or units or tools:
        text += f" {sorted((parts | units).items())} {sorted(tools.items())}"
    return Price(
        currency=currency,
        input_pico=input_pico,
        output_pico=output_pico,
        cached_input_pico=cached_pico,
        cache_write_pico=write_pico,
        version="config:" + hashlib.sha256(text.encode()).hexdigest()[:12],
        tool_pico=tools,
        **parts,
        **units,
    )


def price_warnings(price: Price, path: str) -> list[str]:
    """What looks wrong by a factor of a million, in words that name the fix; empty when the price is plausible."""
    warnings = []
    amounts = {
        "input": price.input_pico,
        "cached_input": price.cached_input_pico,
        "output": price.output_pico,
        "cache_write": price.cache_write_pico,
    }
    for name, pico in amounts.items():
        if 0 < pico < SMALLEST_PLAUSIBLE_PICO:
            warnings.append(
                f"{path}.{name} = {per_million(pico)} looks like a price per token; prices are per million tokens: "
                f"did you mean {per_million(pico * 1_000_000)}?"
            )
        elif pico > LARGEST_PLAUSIBLE_PICO:
            warnings.append(
                f"{path}.{name} = {per_million(pico)} is more than any model costs; "
                f"prices are {price.currency} per million tokens"
            )
    return warnings


def _unit(value: object, path: str) -> int:
    """An amount per piece in pico-units: 0.04 a picture is 40_000_000_000."""
    return _amount(value, path) * 1_000_000


def _tools(value: object, path: str) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{path}: write the price of one call of each tool: {{ web_search = 0.01 }}")
    return {str(name): _unit(amount, f"{path}.{name}") for name, amount in value.items()}


def _amount(value: object, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ConfigError(f"{path}: write a number, the price per million tokens; for example {EXAMPLE}")
    try:
        return per_million_to_pico(value)
    except (ValueError, OverflowError, InvalidOperation) as error:
        raise ConfigError(
            f"{path}: {value} is not a price; write it per million tokens, in steps of 0.000001"
        ) from error
