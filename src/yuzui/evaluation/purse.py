"""The money of a run: no call begins whose most could exceed it, with all that is under way at its most as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.core.money import NANO

WHOLE_ANSWER_TOKENS: Final = 4_096
"""What an answer is taken to need at most where neither the request nor the target sets a limit."""
ROOM: Final = 2
"""The gateway may try a second target and pay for both."""
_MILLION: Final = Decimal(1_000_000)


class Purse:
    """`cap_nano` None: no limit, and no price is needed."""

    def __init__(self, cap_nano: int | None, bounds: PriceBounds, spent_nano: int = 0) -> None:
        self._cap_nano = cap_nano
        self._bounds = bounds
        self.spent_nano = spent_nano
        self._held_nano = 0

    @property
    def currency(self) -> str:
        """In which it is counted; "" where nobody said."""
        return self._bounds.currency

    def hold(self, body: Mapping[str, Any]) -> int | None:  # Any: JSON values
        """Hold the most that the call can cost; None when there is not enough left. Raise `ConfigError`: no price."""
        if self._cap_nano is None:
            return 0
        most = self._bounds.most_nano(body)
        if self.spent_nano + self._held_nano + most > self._cap_nano:
            return None
        self._held_nano += most
        return most

    def settle(self, held_nano: int, cost_nano: int | None) -> None:
        """What was held goes; what it cost is spent. A call of unknown cost counts at its most."""
        self._held_nano -= held_nano
        self.spent_nano += held_nano if cost_nano is None else cost_nano

    @property
    def has_others(self) -> bool:
        """Calls are under way whose end may leave something over."""
        return self._held_nano > 0


class PriceBounds:
    """What calls can cost at most, from what GET /v1/models says, in nano-units of `currency`."""

    def __init__(self, listed: Sequence[Mapping[str, Any]], currency: str = "") -> None:  # Any: checked here
        self._entries = {str(entry.get("id")): entry.get("yuzui") or {} for entry in listed}
        self.currency = currency

    def most_nano(self, body: Mapping[str, Any]) -> int:  # Any: JSON values
        """A token is at least a byte. Raise `ConfigError` where a price is not known, or in another currency."""
        sent = len(msgspec.json.encode(body))
        most = 0
        for name in self._candidates(str(body["model"])):
            entry = self._entries.get(name, {})
            wanted = body.get("max_completion_tokens") or body.get("max_tokens")
            written = int(wanted or entry.get("max_output_tokens") or WHOLE_ANSWER_TOKENS) * int(body.get("n") or 1)
            most = max(most, self._cost_nano(name, entry.get("price"), sent, written))
        return most * ROOM

    def _candidates(self, model: str) -> list[str]:
        entry = self._entries.get(model)
        if entry is None:
            raise ConfigError(
                f"the gateway does not list a model {model!r}, so --budget cannot hold; name one it lists"
            )
        names = entry.get("candidates") or [model]
        return [str(name) for name in names] if entry.get("kind") == "virtual" else [model]

    def _cost_nano(self, name: str, price: Any, sent: int, written: int) -> int:  # Any: a text, or decimal texts
        if price == "free":
            return 0
        if not isinstance(price, dict):
            raise ConfigError(
                f"--budget needs the price of {name}, and the gateway does not know it: write it in its file"
            )
        if self.currency and price["currency"] != self.currency:
            raise ConfigError(
                f"--budget is in {self.currency}, and {name} is priced in {price['currency']}: give the price in "
                "the book currency, or leave --budget to the key's own budget"
            )
        most_input = max([Decimal(str(price[part])) for part in ("input", "cache_write") if part in price])
        factor = max(
            [Decimal(1), *[Decimal(str(one)) for one in (price.get("factors") or {}).values() if _is_number(one)]]
        )
        tokens = (sent * most_input + written * Decimal(str(price["output"]))) / _MILLION * factor
        return int((tokens + Decimal(str(price.get("request", 0)))) * NANO) + 1


def _is_number(value: object) -> bool:
    try:
        return Decimal(str(value)).is_finite()
    except ArithmeticError:
        return False
