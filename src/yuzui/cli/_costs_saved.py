"""Knows how savings against "everything to the reference" are counted and told, with the assumption spelled out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yuzui.cli._output import note, say, show_table
from yuzui.cli._text import show_money
from yuzui.config_checks import near
from yuzui.core.errors import ConfigError
from yuzui.core.target import Target
from yuzui.economics.savings import ASSUMPTION, Saving, savings

if TYPE_CHECKING:
    from yuzui.config import Config
    from yuzui.io.books import SqliteBooks


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Which target stands for "everything there", per model; empty: nobody named one, and nothing is told."""

    by_model: Mapping[str, str]
    for_all: str
    targets: Mapping[str, Target]
    rates: Mapping[str, Decimal]
    currency: str

    @classmethod
    def of(cls, config: Config, for_all: str, data_dir: Path) -> References:
        """With the references' prices of today; raise `ConfigError` for a name that no target has, or no price."""
        targets = {target.name: target for target in config.targets}
        if for_all and for_all not in targets:
            raise ConfigError(f"--reference: no target is named {for_all!r}{near(for_all, targets)}")
        by_model = {model.name: model.reference for model in config.models if model.reference}
        for name in sorted({for_all} if for_all else set(by_model.values())):
            targets[name] = _with_price(targets[name], config, data_dir, is_named=bool(for_all))
        return cls(
            by_model=by_model,
            for_all=for_all,
            targets=targets,
            rates=config.money.rates,
            currency=config.money.currency,
        )

    def savings(self, books: SqliteBooks, since_ns: int, until_ns: int) -> list[Saving]:
        if not self.for_all and not self.by_model:
            return []
        done = books.work_done(since_ns, until_ns, (), ())
        return savings(done.rows, lambda model: self.for_all or self.by_model.get(model, ""), self.targets, self.rates)

    def as_json(self, saved: Sequence[Saving]) -> dict[str, Any]:  # Any: JSON values
        if not self.for_all and not self.by_model:
            return {}
        return {
            "savings": {
                "assumption": self._assumption(saved),
                "total_nano": sum(one.saved_nano for one in saved),
                "rows": [
                    {
                        "model": one.model, "reference": one.reference, "requests": one.requests,
                        "answered_elsewhere": one.elsewhere, "spent_nano": one.spent_nano,
                        "reference_nano": one.reference_nano, "saved_nano": one.saved_nano,
                    }
                    for one in saved
                ],
            }
        }  # fmt: skip

    def show(self, saved: Sequence[Saving]) -> None:
        if not saved:
            return
        say("")
        say("Saved against everything to the reference")
        rows = [
            (one.model, one.reference, f"{one.elsewhere} of {one.requests}", show_money(one.spent_nano, self.currency),
             show_money(one.reference_nano, self.currency), show_money_signed(one.saved_nano, self.currency))
            for one in saved
        ]  # fmt: skip
        rows.append(
            ("total", "", f"{sum(o.elsewhere for o in saved)} of {sum(o.requests for o in saved)}",
             show_money(sum(o.spent_nano for o in saved), self.currency),
             show_money(sum(o.reference_nano for o in saved), self.currency),
             show_money_signed(sum(o.saved_nano for o in saved), self.currency))
        )  # fmt: skip
        columns = ("model", "reference", "elsewhere", "spent", "at the reference", "saved")
        show_table(columns, rows, right=frozenset(range(2, 6)))
        say(f"Assumed: {self._assumption(saved)}.")

    def _assumption(self, saved: Sequence[Saving]) -> str:
        names = sorted({one.reference for one in saved})
        prices = [price.version for name in names if (price := self.targets[name].price) is not None]
        return ASSUMPTION.format(version=", ".join(prices) or "unknown")


def show_money_signed(amount_nano: int, currency: str) -> str:
    return f"-{show_money(-amount_nano, currency)}" if amount_nano < 0 else show_money(amount_nano, currency)


def _with_price(target: Target, config: Config, data_dir: Path, *, is_named: bool) -> Target:
    from yuzui.io.price_library import lookup

    wanted = config.price_lookups.get(target.name, ("", ""))
    if target.price is None and wanted[0]:
        target = replace(target, price=lookup([wanted], data_dir / "cache").get(wanted))
    if target.price is None:
        words = f"the price of the reference {target.name} is unknown, so nothing can be counted against it"
        if is_named:
            raise ConfigError(f"{words}: {target.price_help}")
        note(f"warning: {words}: {target.price_help}")
    return target
