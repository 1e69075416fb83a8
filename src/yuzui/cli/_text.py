"""Knows how stored text is made safe for a terminal, and how amounts, times and durations are written and read."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from yuzui.core.errors import ConfigError
from yuzui.core.money import NANO

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d{1,9})([smhdw])")
_DANGEROUS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls (terminal escapes, line breaks), direction marks that reorder what is read, and what has no glyph."""


def clean(text: str) -> str:
    r"""`text` on one line without anything that a terminal obeys: ESC becomes `\x1b`. Printable text is unchanged."""
    if text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _DANGEROUS else c for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def read_duration_s(text: str) -> int:
    """`90s`, `15m`, `24h`, `30d`, `4w` → seconds; raise `ConfigError`."""
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None or int(found[1]) == 0:
        raise ConfigError(f"{text!r} is not a duration; write a number and s, m, h, d or w, such as 24h or 30d")
    return int(found[1]) * _SECONDS[found[2]]


def read_moment_ns(text: str, now_ns: int) -> int:
    """A day (`2026-11-01`, UTC), a time (`2026-11-01T08:00+08:00`) or how long ago (`7d`) → ns since 1970.

    Raise `ConfigError` for anything else.
    """
    if _DURATION.fullmatch(text.strip().lower()):
        return now_ns - read_duration_s(text) * NANO
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is not a time; write a day (2026-11-01), a time (2026-11-01T08:00) or how long ago (7d)"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since // timedelta(microseconds=1)) * 1000


def read_amount_nano(text: str, currency: str) -> int:
    """`5`, `0.25`, `5 USD` → nano-units of the book currency; raise `ConfigError`."""
    number, _, unit = text.strip().partition(" ")
    if unit and unit.strip().upper() != currency:
        raise ConfigError(f"budgets are in the book currency {currency} (money.currency), not {unit.strip()!r}")
    try:
        amount = Decimal(number) * NANO
    except InvalidOperation as error:
        raise ConfigError(f"{text!r} is not an amount; write a number such as 25 or 0.50") from error
    if not amount.is_finite() or amount < 0 or amount != amount.to_integral_value():
        raise ConfigError(f"{text!r} is not an amount: it must be 0 or more, with at most nine decimals")
    if amount > 2**63 - 1:
        raise ConfigError(f"{text!r} is more than the books can count (about 9 billion {currency})")
    return int(amount)


def show_money(amount_nano: int, currency: str) -> str:
    """`0.001234 USD`, `12.50 USD`, `0 USD`: as many decimals as it needs, at least two, never rounded."""
    if amount_nano == 0:
        return f"0 {currency}"
    digits = f"{Decimal(amount_nano) / NANO:.9f}".rstrip("0")  # with decimals always: 10 has a zero to keep
    whole, _, decimals = digits.partition(".")
    return f"{whole}.{decimals:<02} {currency}" if len(decimals) < 2 else f"{whole}.{decimals} {currency}"


def show_moment(at_ns: int) -> str:
    """`2026-11-22 08:15:30` in UTC."""
    return datetime.fromtimestamp(at_ns // NANO, UTC).strftime("%Y-%m-%d %H:%M:%S")


def show_ms(duration_ms: int) -> str:
    """`340 ms`, `2.1 s`."""
    return f"{duration_ms} ms" if duration_ms < 1000 else f"{duration_ms / 1000:.1f} s"


def listed(words: tuple[str, ...] | list[str]) -> str:
    """`a`, `a and b`, `a, b and c`; `nothing` for none."""
    if not words:
        return "nothing"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
