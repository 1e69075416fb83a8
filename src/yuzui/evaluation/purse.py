"""The money of a run: no call begins whose most could exceed it, with all that is under way at its most as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from yuzui.accounting import bounds
from yuzui.core.errors import ConfigError
from yuzui.core.money import NANO

INPUTS: Final = ("input", "cache_write", "cache_write_1h", "input_audio")
ROOM: Final = 2
"""The gateway may try a second target and pay for both."""
_MILLION: Final = Decimal(1_000_000)


class Purse:
    """`cap_nano` None: no limit, and no price is needed."""

    def __init__(self, cap_nano: int | None, prices: PriceBounds, spent_nano: int = 0) -> None:
        self._cap_nano = cap_nano
        self._prices = prices
        self.spent_nano = spent_nano
        self._held_nano = 0

    @property
    def currency(self) -> str:
        """In which it is counted; "" where nobody said."""
        return self._prices.currency

    def hold(self, body: Mapping[str, Any]) -> int | None:  # Any: JSON values
        """Hold the most that the call can cost; None when there is not enough left. Raise `ConfigError`: no price."""
        if self._cap_nano is None:
            return 0
        most = self._prices.most_nano(body)
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
        """By the gateway's own bounds. Raise `ConfigError` where a price or the length of an answer has none."""
        sent = bounds.input_tokens(len(msgspec.json.encode(body))) + _beside_text(body)
        most = 0
        for name in self._candidates(str(body["model"])):
            entry = self._entries.get(name, {})
            price = entry.get("price")
            if price == "free":
                continue
            limit = body.get("max_completion_tokens") or body.get("max_tokens") or entry.get("max_output_tokens")
            if not limit:
                raise ConfigError(
                    f"--budget cannot hold, because nothing limits what {name} writes: add --param max_tokens=1000, or "
                    "write its max_output_tokens into the gateway's configuration"
                )
            most = max(most, self._cost_nano(name, price, sent, int(limit)))
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
        if not isinstance(price, dict):
            raise ConfigError(
                f"--budget needs the price of {name}, and the gateway does not know it: write it in its file"
            )
        if self.currency and price["currency"] != self.currency:
            raise ConfigError(
                f"--budget is in {self.currency}, and {name} is priced in {price['currency']}: give the price in "
                "the book currency, or leave --budget to the key's own budget"
            )
        most_input = max([Decimal(str(price[part])) for part in INPUTS if part in price])
        most_output = max([Decimal(str(price[part])) for part in ("output", "output_audio") if part in price])
        factor = max(
            [Decimal(1), *[Decimal(str(one)) for one in (price.get("factors") or {}).values() if _is_number(one)]]
        )
        tokens = (sent * most_input + written * most_output) / _MILLION * factor
        return int((tokens + Decimal(str(price.get("request", 0)))) * NANO) + 1


def _beside_text(body: Mapping[str, Any]) -> int:  # Any: JSON values
    """Tokens that what is no text in the messages can be at most."""
    kinds = [
        part.get("type")
        for message in body.get("messages", ())
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if isinstance(part, dict)
    ]
    unreadable = any(kind not in ("text", "image_url") for kind in kinds)
    return kinds.count("image_url") * bounds.IMAGE_TOKENS + unreadable * bounds.UNREADABLE_INPUT_TOKENS


def _is_number(value: object) -> bool:
    try:
        return Decimal(str(value)).is_finite()
    except ArithmeticError:
        return False
