"""Knows the prices of the `genai-prices` package, read in a short process of its own: its data would cost the gateway
70 MB and half a second. Never goes online."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, time
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from yuzui.core.errors import GatewayFault
from yuzui.core.money import Price, per_million_to_pico

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

PACKAGE = "genai-prices"
CACHE_NAME = "prices.json"
TIMEOUT_S = 30.0
CURRENCY = "USD"  # of all prices in the package

_STEP = Decimal("0.000001")  # per million tokens

Wanted = tuple[str, str]
"""(provider id of the package, model as the vendor names it)."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One price per million tokens, as decimal text."""

    input: str
    output: str
    cached_input: str
    cache_write: str
    note: str = ""
    """`base tier`, when the vendor asks more for long prompts."""


class _Cache(msgspec.Struct, kw_only=True):
    package: str
    day: str
    prices: dict[str, Listed | None]


def lookup(wanted: Sequence[Wanted], cache_dir: Path, *, day: str | None = None) -> dict[Wanted, Price]:
    """The prices valid on `day` (UTC, 2026-11-22; default today) of those `wanted` that the package knows.

    Remembered in `cache_dir`, so that only the first start of a day pays. Raise `GatewayFault` when the package cannot
    be read. A price that is missing here is unknown, see `how_to_fix`.
    """
    package = version(PACKAGE)
    day = day or datetime.now(UTC).strftime("%Y-%m-%d")
    path = cache_dir / CACHE_NAME
    cache = _read_cache(path, package, day)
    missing = [one for one in dict.fromkeys(wanted) if _name(one) not in cache.prices]
    if missing:
        cache.prices.update(zip(map(_name, missing), _ask(missing, day), strict=True))
        _write_cache(path, cache)
    found: dict[Wanted, Price] = {}
    for one in wanted:
        listed = cache.prices[_name(one)]
        if listed is not None:
            found[one] = _price(listed, f"{PACKAGE}=={package}/{one[0]}/{one[1]}@{day}")
    return found


def how_to_fix(target: str) -> str:
    """What to tell when a target's price is unknown."""
    return (
        f"The price library does not know this model; write it in yuzui.toml under the target {target!r}: "
        'price = { currency = "USD", input = 0.28, output = 0.42 } (per million tokens), or price = "free"'
    )


def _name(one: Wanted) -> str:
    return f"{one[0]} {one[1]}"


def _price(listed: Listed, where: str) -> Price:
    return Price(
        currency=CURRENCY,
        input_pico=per_million_to_pico(listed.input),
        output_pico=per_million_to_pico(listed.output),
        cached_input_pico=per_million_to_pico(listed.cached_input),
        cache_write_pico=per_million_to_pico(listed.cache_write),
        version=f"{where} ({listed.note})" if listed.note else where,
    )


def _read_cache(path: Path, package: str, day: str) -> _Cache:
    fresh = _Cache(package=package, day=day, prices={})
    try:
        cache = msgspec.json.decode(path.read_bytes(), type=_Cache)
    except (FileNotFoundError, msgspec.DecodeError):  # a cut write is only a cold cache
        return fresh
    return cache if (cache.package, cache.day) == (package, day) else fresh


def _write_cache(path: Path, cache: _Cache) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(msgspec.json.encode(cache))
    draft.replace(path)


def _ask(wanted: Sequence[Wanted], day: str) -> list[Listed | None]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "yuzui.io.price_library"],
            input=msgspec.json.encode((day, wanted)),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=True,
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise GatewayFault(
            f"the price library {PACKAGE} cannot be read; reinstall it", code="prices_unavailable"
        ) from error
    return msgspec.json.decode(done.stdout, type=list[Listed | None])


# ---- in the short process -------------------------------------------------------------------------------------------


def find(wanted: Sequence[Wanted], day: str) -> list[Listed | None]:
    """The package's own answer, in the order of `wanted`. Imports the package: not for the gateway's process."""
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    at = datetime.combine(datetime.strptime(day, "%Y-%m-%d"), time(12), UTC)
    found: list[Listed | None] = []
    for provider, model in wanted:
        try:
            _, info = snapshot.find_provider_model(model, None, provider, None)
        except LookupError:
            found.append(None)
        else:
            found.append(_listed(info, at))
    return found


def _listed(info: ModelInfo, at: datetime) -> Listed | None:
    prices = _valid(info, at)
    if any(price.input_mtok is None or price.output_mtok is None or price.requests_kcount for price in prices):
        return None  # not priced by tokens alone: a charge per request would be missing from the books
    is_tiered = False

    def dearest(*fields: str) -> str:
        """The first of `fields` that is priced, at its base tier, over all hours of the day."""
        nonlocal is_tiered
        amounts: list[Decimal] = []
        for price in prices:
            for field in fields:
                amount = getattr(price, field)
                if amount is not None:
                    is_tiered |= not isinstance(amount, Decimal)
                    amounts.append(amount if isinstance(amount, Decimal) else amount.base)
                    break
        return _in_steps(max(amounts))

    listed = Listed(
        input=dearest("input_mtok"),
        output=dearest("output_mtok"),
        cached_input=dearest("cache_read_mtok", "input_mtok"),
        cache_write=dearest("cache_write_mtok", "input_mtok"),
    )
    return msgspec.structs.replace(listed, note="base tier") if is_tiered else listed


def _in_steps(amount: Decimal) -> str:
    """Whole pico-units per token: floats lie behind some amounts (0.18000000000000002). No price becomes 0."""
    rounded = amount.quantize(_STEP)
    return format((rounded if rounded or not amount else _STEP).normalize(), "f")


def _valid(info: ModelInfo, at: datetime) -> list[ModelPrice]:
    """The price of the day; and, where it depends on the hour, all of them. Later entries of the package win."""
    from genai_prices.types import ModelPrice, TimeOfDateConstraint

    if isinstance(info.prices, ModelPrice):
        return [info.prices]
    found: list[ModelPrice] = []
    for one in reversed(info.prices):
        if isinstance(one.constraint, TimeOfDateConstraint):
            found.append(one.prices)
        elif one.constraint is None or one.constraint.active(at):
            return [*found, one.prices]
    return found or [info.prices[0].prices]


def main() -> None:
    day, wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=tuple[str, list[Wanted]])
    sys.stdout.buffer.write(msgspec.json.encode(find(wanted, day)))


if __name__ == "__main__":
    main()
