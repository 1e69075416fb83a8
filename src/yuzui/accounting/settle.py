"""Knows what a finished request cost: usage, reported or counted, times the price that was pinned at admission."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol, assert_never

import msgspec

from yuzui.accounting.bounds import TEMPLATE_TOKENS, input_bound, most_output, rate_of, units_bound
from yuzui.accounting.price_factors import AT_LIST_PRICE, Applied, applied
from yuzui.core.booking import Outcome, Posting
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatRequest
from yuzui.core.money import convert_nano, cost_nano
from yuzui.core.price_terms import PriceTerm
from yuzui.core.target import Target
from yuzui.core.usage import Usage, clamp_usage

BYTES_PER_TOKEN = 4  # of English and of JSON; an estimate is flagged, never passed off as measured


class Counted(Protocol):
    """What reached us of the answer."""

    @property
    def characters(self) -> int: ...
    @property
    def pieces(self) -> int:
        """Stream chunks with content: most vendors send one token in each."""
        ...

    @property
    def usage(self) -> Usage | None: ...

    @property
    def units(self) -> Usage | None:
        """What the request itself tells of its consumption: characters read aloud, pictures asked for."""
        ...

    @property
    def sent_terms(self) -> Collection[PriceTerm]:
        """The price terms that the target was asked."""
        ...

    @property
    def told_terms(self) -> Collection[PriceTerm]:
        """Those at which it says it answered."""
        ...


class Ended(Protocol):
    """The facts of a request that has ended; `target` is who answered or was tried last."""

    @property
    def caller(self) -> Caller | None: ...
    @property
    def request(self) -> ChatRequest | None: ...
    @property
    def target(self) -> Target | None: ...
    @property
    def delivered(self) -> Counted: ...
    @property
    def input_bound(self) -> int:
        """`bounds.input_tokens` of the body."""
        ...


class Money(Protocol):
    @property
    def currency(self) -> str: ...
    @property
    def rates(self) -> Mapping[str, Decimal]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What to book. `amount_nano` is in `currency`, the price list's; `spent_nano` in the book currency, at `rate`."""

    usage: Usage | None
    """None: nothing was consumed, because nothing was sent."""
    amount_nano: int = 0
    currency: str = ""
    price_version: str = ""
    rate: str = "1"
    factor: Applied = AT_LIST_PRICE
    spent_nano: int = 0
    postings: tuple[Posting, ...] = ()

    @property
    def is_estimated(self) -> bool:
        return self.usage is not None and self.usage.is_estimated

    @property
    def input_tokens(self) -> int:
        return self.usage.input_tokens if self.usage else 0

    @property
    def output_tokens(self) -> int:
        return self.usage.output_tokens if self.usage else 0


NOTHING = Settlement(usage=None)


def settle(ended: Ended, outcome: Outcome, money: Money) -> Settlement:
    """What `ended` cost. Only what is known or was delivered is charged: a failed try without usage costs its caller
    nothing, and is flagged."""
    target, request = ended.target, ended.request
    if target is None or request is None or outcome == "refused":
        return NOTHING
    usage = usage_of(ended.delivered, outcome, request, target, ended.input_bound, ended.caller)
    price = target.price
    if price is None or price.is_free:
        return Settlement(
            usage=usage, currency=price.currency if price else "", price_version=price.version if price else ""
        )
    factor = applied(target.price_factors, ended.delivered.sent_terms, ended.delivered.told_terms)
    if not factor.is_certain and not usage.is_estimated:
        usage = msgspec.structs.replace(usage, is_estimated=True, note="unknown_tier")
    amount_nano = cost_nano(price, usage, factor.factor)
    version = price.version + factor.shown
    rate = rate_of(price.currency, money.rates)
    key_id = ended.caller.key_id if ended.caller else ""
    shown_rate = format(rate, "f")
    return Settlement(
        usage=usage,
        amount_nano=amount_nano,
        currency=price.currency,
        price_version=version,
        rate=shown_rate,
        factor=factor,
        spent_nano=convert_nano(amount_nano, rate),
        postings=_postings(key_id, target.name, amount_nano, price.currency, version, shown_rate),
    )


def together(answer: Settlement, others: Sequence[Settlement]) -> Settlement:
    """What one request costs whose answer took `others` beside it: their postings, each at its own price and rate, and
    the sum in the book currency. Usage, amount and price stay those of the answer."""
    if not others:
        return answer
    return replace(
        answer,
        spent_nano=answer.spent_nano + sum([one.spent_nano for one in others]),
        postings=answer.postings + tuple([posting for one in others for posting in one.postings]),
    )


def usage_of(
    counted: Counted,
    outcome: Outcome,
    request: ChatRequest,
    target: Target,
    text_bound: int,
    caller: Caller | None = None,
) -> Usage:
    """The usage to charge: as reported when the answer is whole, else completed from what was counted, in bounds."""
    most_input = input_bound(request, target, text_bound)
    most_written = most_output(request, target, caller, text_bound)

    def _in_bounds(usage: Usage) -> Usage:
        usage = _clamp_units(usage, request, text_bound)
        return clamp_usage(usage, most_input=most_input, most_output=most_written)

    reported = counted.usage
    if outcome == "answered":
        if reported is None:
            return _in_bounds(counted.units or _estimate(counted, text_bound, "missing"))
        return _in_bounds(_with_units(reported, counted.units))
    if outcome == "aborted" or counted.pieces:
        # The frame that tells the usage comes last, so a stream that was cut has told its input at most.
        # What was asked for is charged, heard or not.
        estimate = _with_units(_estimate(counted, text_bound, "aborted"), counted.units)
        if reported is not None:
            estimate = msgspec.structs.replace(
                _with_units(reported, counted.units),
                input_tokens=reported.input_tokens or estimate.input_tokens,
                output_tokens=max(reported.output_tokens, estimate.output_tokens),
                is_estimated=True,
                note="aborted",
            )
        return _in_bounds(estimate)
    if outcome == "failed" or outcome == "unknown":
        if reported is not None:
            return _in_bounds(reported)
        return Usage(is_estimated=True, note="failed")
    if outcome == "refused":
        return Usage()
    assert_never(outcome)


def estimate_usage(*, request_bytes: int, delivered_characters: int, delivered_pieces: int, note: str) -> Usage:
    """A flagged estimate where the upstream never said. Delivered text is never free."""
    by_text = -(-delivered_characters // BYTES_PER_TOKEN)
    return Usage(
        input_tokens=-(-request_bytes // BYTES_PER_TOKEN),
        output_tokens=max(by_text, delivered_pieces),
        is_estimated=True,
        note=note,
    )


def _with_units(reported: Usage, units: Usage | None) -> Usage:
    """Units that the target did not report are as the request asked for them, where it tells any."""
    if units is None:
        return reported
    return msgspec.structs.replace(
        reported,
        images=reported.images or units.images,
        characters=reported.characters or units.characters,
        audio_ms=reported.audio_ms or units.audio_ms,
        searches=reported.searches or units.searches,
    )


def _clamp_units(usage: Usage, request: ChatRequest, text_bound: int) -> Usage:
    """No more of anything than was reserved: a target that counts wildly cannot drain a budget."""
    if not (usage.images or usage.characters or usage.audio_ms or usage.searches or usage.server_tools):
        return usage
    most = units_bound(request, text_bound)
    calls_left = most.tool_calls
    tools: list[tuple[str, int]] = []
    for name, count in usage.server_tools:
        counted = min(max(count, 0), calls_left)
        calls_left -= counted
        if counted:
            tools.append((name, counted))
    clamped = msgspec.structs.replace(
        usage,
        images=min(usage.images, most.images),
        characters=min(usage.characters, most.characters),
        audio_ms=min(usage.audio_ms, most.audio_ms),
        searches=min(usage.searches, most.searches),
        server_tools=tuple(tools),
    )
    return usage if clamped == usage else msgspec.structs.replace(clamped, is_estimated=True, note="clamped")


def estimate_tokens(body: Mapping[str, Any]) -> int:  # Any: checked JSON
    """About how many tokens the texts of `body` are, for who asks before sending: four letters of an alphabet make one,
    and one Chinese character about two thirds of one. Keys count: they are what models read as well."""
    narrow = wide = 0
    todo: list[object] = [body]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            todo += value.keys()
            todo += value.values()
        elif isinstance(value, list | tuple):
            todo += value
        elif isinstance(value, str):
            ascii_chars = len(value) if value.isascii() else sum(character < "\x80" for character in value)
            narrow += ascii_chars
            wide += len(value) - ascii_chars
    return -(-narrow // BYTES_PER_TOKEN) + -(-wide * 2 // 3)


def _estimate(counted: Counted, text_bound: int, note: str) -> Usage:
    return estimate_usage(
        request_bytes=max(text_bound - TEMPLATE_TOKENS, 0),
        delivered_characters=counted.characters,
        delivered_pieces=counted.pieces,
        note=note,
    )


def _postings(
    key_id: str, target: str, amount_nano: int, currency: str, price_version: str, rate: str
) -> tuple[Posting, ...]:
    if not amount_nano:
        return ()
    return (
        Posting(account=f"spend:{key_id}", amount_nano=amount_nano, currency=currency, price_version=price_version,
                rate=rate),
        Posting(account=f"target:{target}", amount_nano=-amount_nano, currency=currency, price_version=price_version,
                rate=rate),
    )  # fmt: skip
