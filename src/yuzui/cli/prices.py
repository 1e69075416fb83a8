"""Knows how the price of every configured target is shown: amounts, where they come from, and an example."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, data_dir_of, load_config
from yuzui.cli._output import note, say, show_table, write_json
from yuzui.cli._text import clean, show_money
from yuzui.core.money import Price, convert_nano, cost_nano, per_million
from yuzui.core.price_terms import show_factor
from yuzui.core.target import Target
from yuzui.core.usage import Usage

app = typer.Typer()

_LISTED = re.compile(r"^([\w-]+)==([^/]+)/\S+@")
EXAMPLE = Usage(input_tokens=1000, output_tokens=1000)


@app.command()
def prices(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="A target, its model or a virtual model.")
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Show what each target charges per million tokens. Each price has its source, version and an example.

    Exits 1 when a price is unknown: such a target refuses requests.
    """
    from yuzui.io.price_library import lookup

    settings = load_config(config)
    candidates = next((one.candidates for one in settings.models if one.name == model), ())
    chosen = [t for t in settings.targets if model in (None, t.name, t.model) or t.name in candidates]
    if not chosen:
        known = ", ".join([*(t.name for t in settings.targets), *(m.name for m in settings.models)])
        note(f"error: no target or virtual model is called {model!r}; known are {known}")
        raise typer.Exit(1)
    wanted = {t.name: settings.price_lookups[t.name] for t in chosen if settings.price_lookups.get(t.name, ("",))[0]}
    listed = lookup(sorted(set(wanted.values())), data_dir_of(data_dir) / "cache") if wanted else {}
    found = [(t, t.price if t.price is not None else listed.get(wanted.get(t.name, ("", "")))) for t in chosen]
    if json:
        write_json([_as_json(target, price) for target, price in found])
    else:
        show_table(
            ("target", "input", "cached", "output", "per million", "1k in + 1k out", "source"),
            [_row(target, price) for target, price in found],
            right=frozenset({1, 2, 3}),
            whole=frozenset({0, 4, 5}),
        )
        book = settings.money.currency
        for target, price in found:
            if price is not None and price.currency not in settings.money.rates:
                note(f"warning: {target.name} is in {price.currency}; add money.rates.{price.currency} (in {book})")
            elif price is not None and price.currency != book:
                amount = convert_nano(cost_nano(price, EXAMPLE), settings.money.rates[price.currency])
                say(f"{target.name}: the example is {show_money(amount, book)} in the book currency")
    unknown = [target for target, price in found if price is None]
    for target in unknown:
        note(f"error: the price of {target.name} is unknown, so it refuses requests: {target.price_help}")
    if unknown:
        raise typer.Exit(1)


def _row(target: Target, price: Price | None) -> tuple[str, ...]:
    if price is None:
        return (target.name, "?", "?", "?", "", "unknown: refused", "")
    if price.is_free:
        return (target.name, "0", "0", "0", "", "nothing", clean(price.version))
    return (
        target.name, per_million(price.input_pico), per_million(price.cached_input_pico),
        per_million(price.output_pico),
        price.currency, show_money(cost_nano(price, EXAMPLE), price.currency), _source(price.version),
    )  # fmt: skip


def _source(version: str) -> str:
    """`genai-prices==0.2.3/openai/gpt-x@2026-11-22` → `genai-prices 0.2.3, 2026-11-22`; --json shows the whole."""
    return clean(_LISTED.sub(r"\1 \2, ", version))


def _as_json(target: Target, price: Price | None) -> dict[str, object]:
    if price is None:
        return {"target": target.name, "known": False, "fix": target.price_help}
    return {
        "target": target.name, "known": True, "currency": price.currency, "version": price.version,
        "input_per_million": per_million(price.input_pico), "output_per_million": per_million(price.output_pico),
        "cached_input_per_million": per_million(price.cached_input_pico),
        "cache_write_per_million": per_million(price.cache_write_pico),
        "factors": {term: show_factor(factor) for term, factor in sorted(target.price_factors.items())},
        "example_1k_in_1k_out_nano": cost_nano(price, EXAMPLE),
    }  # fmt: skip
