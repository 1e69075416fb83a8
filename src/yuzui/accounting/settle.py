"""Knows what a finished request cost: usage, reported or counted, times the price that was pinned at admission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, assert_never

from yuzui.accounting.bounds import MOST_OUTPUT_TOKENS, TEMPLATE_TOKENS, input_bound, output_cap, rate_of
from yuzui.core.booking import Outcome, Posting
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatRequest
from yuzui.core.money import convert_nano, cost_nano
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
    amount_nano = cost_nano(price, usage)
    rate = rate_of(price.currency, money.rates)
    key_id = ended.caller.key_id if ended.caller else ""
    shown_rate = format(rate, "f")
    return Settlement(
        usage=usage,
        amount_nano=amount_nano,
        currency=price.currency,
        price_version=price.version,
        rate=shown_rate,
        spent_nano=convert_nano(amount_nano, rate),
        postings=_postings(key_id, target.name, amount_nano, price.currency, price.version, shown_rate),
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
    most_output = _most_output(request, target, caller)
    reported = counted.usage
    if outcome == "answered":
        if reported is None:
            reported = _estimate(counted, text_bound, "missing")
        return clamp_usage(reported, most_input=most_input, most_output=most_output)
    if outcome == "aborted" or counted.pieces:
        # The frame that tells the usage comes last, so a stream that was cut has told its input at most.
        estimate = _estimate(counted, text_bound, "aborted")
        if reported is not None:
            estimate = Usage(
                input_tokens=reported.input_tokens or estimate.input_tokens,
                cached_input_tokens=reported.cached_input_tokens,
                cache_write_tokens=reported.cache_write_tokens,
                output_tokens=max(reported.output_tokens, estimate.output_tokens),
                reasoning_tokens=reported.reasoning_tokens,
                is_estimated=True,
                note="aborted",
            )
        return clamp_usage(estimate, most_input=most_input, most_output=most_output)
    if outcome == "failed" or outcome == "unknown":
        if reported is not None:
            return clamp_usage(reported, most_input=most_input, most_output=most_output)
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


def _estimate(counted: Counted, text_bound: int, note: str) -> Usage:
    return estimate_usage(
        request_bytes=max(text_bound - TEMPLATE_TOKENS, 0),
        delivered_characters=counted.characters,
        delivered_pieces=counted.pieces,
        note=note,
    )


def _most_output(request: ChatRequest, target: Target, caller: Caller | None) -> int:
    """Physical, not contractual: without a limit in what was sent a target may write as much as its model can. A hard
    budget always sends one, so no target can spend more of it than was reserved."""
    asked = request.max_output_tokens or output_cap(caller, request, target)
    per_answer = asked or target.max_output_tokens or target.context_tokens or MOST_OUTPUT_TOKENS
    return min(max(request.n, 1) * per_answer, MOST_OUTPUT_TOKENS)


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
