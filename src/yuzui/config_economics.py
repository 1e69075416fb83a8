"""What yuzui.toml says of currencies, of own targets at the margin, of bursts, and of the reference of savings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from yuzui.config_checks import convert, near
from yuzui.core.errors import ConfigError
from yuzui.core.marginal import MarginalCost
from yuzui.core.money import per_million_to_pico
from yuzui.core.target import Target, VirtualModel

_PICO_PER_UNIT_S = 10**12 / 3600
BURST = "burst"
"""The policy that needs a number of places for each own candidate."""


class MarginalTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    currency: str
    input: float | int | str = 0
    output: float | int | str = 0
    waiting_hour: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0
    slots: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    most_requests_per_s: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0
    half_load: Annotated[float, msgspec.Meta(ge=0, le=1e9)] = 0.0


class BurstTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    queue: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1


def read_marginal(table: Mapping[str, Any] | None, path: str) -> MarginalCost | None:  # Any: TOML values
    """The table `marginal_cost` of a target. Raise `ConfigError`."""
    if table is None:
        return None
    item = convert(table, MarginalTable, path)
    if not (len(item.currency) == 3 and item.currency.isascii() and item.currency.isupper()):
        raise ConfigError(f'{path}.currency: write a code of three capital letters, such as "USD" or "CNY"')
    if item.waiting_hour and not item.most_requests_per_s:
        raise ConfigError(f"{path}.most_requests_per_s: without it nobody knows how long a request waits; measure it")
    return MarginalCost(
        currency=item.currency,
        input_pico=_pico(item.input, f"{path}.input"),
        output_pico=_pico(item.output, f"{path}.output"),
        waiting_pico_per_s=round(item.waiting_hour * _PICO_PER_UNIT_S),
        slots=item.slots,
        most_requests_per_s=item.most_requests_per_s,
        half_load=item.half_load,
    )


def read_burst(table: Mapping[str, Any] | None, path: str) -> int:
    """From how many waiting requests on a model bursts to vendors. Raise `ConfigError`."""
    return BurstTable().queue if table is None else convert(table, BurstTable, path).queue


def check_currencies(targets: Sequence[Target], rates: Mapping[str, object], book: str) -> None:
    """Every price can be converted into `book`. Raise `ConfigError`."""
    for position, target in enumerate(targets):
        price = target.price
        if price is not None and not price.is_free and price.currency not in rates:
            raise ConfigError(
                f"targets[{position}].price.currency: no rate from {price.currency} to {book}; write "
                f"`{price.currency} = ...` under [money.rates], in {book} per {price.currency}"
            )


def check_economics(targets: Sequence[Target], models: Sequence[VirtualModel], rates: Mapping[str, object]) -> None:
    """What one table cannot know of the others. Raise `ConfigError`."""
    named = {target.name: target for target in targets}
    for position, target in enumerate([target for target in targets if not target.engine]):  # as the file numbers them
        if target.marginal is None:
            continue
        path = f"targets[{position}].marginal_cost"
        if target.premises != "own":
            raise ConfigError(f"{path}: {target.name} is a vendor's: it costs what its price list says")
        if target.marginal.currency not in rates:
            raise ConfigError(f"{path}.currency: no rate from {target.marginal.currency}; write it under [money.rates]")
    for position, model in enumerate(models):
        path = f"models[{position}]"
        if model.reference and model.reference not in named:
            raise ConfigError(f"{path}.reference: no target is named {model.reference!r}{near(model.reference, named)}")
        if model.policy != BURST:
            continue
        if not model.may_fall_back:
            raise ConfigError(f'{path}.fallback: policy = "burst" needs it, to come back where a budget is spent')
        for name in model.candidates:
            if named[name].premises == "own" and not places(named[name]):
                raise ConfigError(
                    f'{path}: policy = "burst" must know when {name} is full; write its max_concurrency, or slots '
                    "in its marginal_cost"
                )


def places(target: Target) -> int:
    """How many requests run on it at once; 0: not known."""
    return (target.marginal.slots if target.marginal is not None else 0) or target.max_concurrency


def _pico(value: float | int | str, path: str) -> int:
    try:
        return per_million_to_pico(value)
    except (ValueError, ArithmeticError) as error:
        raise ConfigError(f"{path}: {value!r} is no cost per million tokens, in steps of 0.000001") from error
