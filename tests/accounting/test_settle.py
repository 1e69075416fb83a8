"""What a finished request cost."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from accounting_kit import RATES, Counted, Ended, Money, a_price, a_request, a_target
from yuzui.accounting.bounds import most_expensive_nano
from yuzui.accounting.prices import FREE
from yuzui.accounting.settle import NOTHING, estimate_tokens, estimate_usage, settle, together
from yuzui.core.booking import Outcome
from yuzui.core.caller import Budget, Caller
from yuzui.core.chat import Feature, Operation
from yuzui.core.money import Price, cost_nano
from yuzui.core.usage import Usage

TOLD = Usage(input_tokens=1000, cached_input_tokens=400, output_tokens=100)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


def test_a_whole_answer_costs_what_its_usage_says_each_token_once() -> None:
    ended = Ended(a_target(price=a_price()), delivered=Counted(999, 99, TOLD), caller=Caller(key_id="k1", app="x"))
    settlement = settle(ended, "answered", Money())
    # 600 fresh at 1, 400 cached at 0.1, 100 out at 3 USD per million = 940 micro-USD.
    assert settlement.spent_nano == settlement.amount_nano == 940_000
    assert settlement.usage == TOLD and not settlement.is_estimated
    assert (settlement.input_tokens, settlement.output_tokens) == (1000, 100)
    assert [(leg.account, leg.amount_nano, leg.price_version) for leg in settlement.postings] == [
        ("spend:k1", 940_000, "config:1"), ("target:a/b", -940_000, "config:1")]  # fmt: skip


def test_another_currency_is_posted_as_it_is_and_charged_at_the_pinned_rate() -> None:
    settlement = settle(
        Ended(a_target(price=a_price(currency="CNY")), delivered=Counted(usage=TOLD)), "answered", Money()
    )
    assert (settlement.amount_nano, settlement.spent_nano, settlement.rate) == (940_000, 131_600, "0.14")
    assert {leg.currency for leg in settlement.postings} == {"CNY"}
    assert {leg.rate for leg in settlement.postings} == {"0.14"}


def test_a_free_target_costs_nothing_and_its_tokens_are_still_counted() -> None:
    settlement = settle(Ended(a_target(price=FREE), delivered=Counted(usage=TOLD)), "answered", Money())
    assert (settlement.spent_nano, settlement.postings, settlement.input_tokens) == (0, (), 1000)


@pytest.mark.parametrize(
    ("outcome", "target"), [("refused", a_target(price=a_price())), ("failed", None), ("aborted", None)]
)
def test_what_was_never_sent_costs_nothing(outcome: Outcome, target: object) -> None:
    ended = Ended(a_target(price=a_price()) if target else None)
    assert settle(ended, outcome, Money()) is NOTHING


def test_a_whole_answer_without_usage_is_estimated_and_says_so() -> None:
    settlement = settle(Ended(a_target(price=a_price()), delivered=Counted(400, 90)), "answered", Money())
    assert settlement.usage == Usage(input_tokens=250, output_tokens=100, is_estimated=True, note="missing")


@pytest.mark.parametrize("outcome", ["aborted", "failed"])
def test_a_cut_stream_is_charged_for_what_was_delivered(outcome: Outcome) -> None:
    settlement = settle(Ended(a_target(price=a_price()), delivered=Counted(10, 60)), outcome, Money())
    assert settlement.is_estimated and settlement.output_tokens == 60 and settlement.spent_nano > 0


def test_a_cut_stream_keeps_the_input_that_was_told_at_its_start() -> None:
    early = Usage(input_tokens=900, cached_input_tokens=100, output_tokens=1)
    settlement = settle(Ended(a_target(price=a_price()), delivered=Counted(10, 60, early)), "aborted", Money())
    assert settlement.usage == Usage(
        input_tokens=900, cached_input_tokens=100, output_tokens=60, is_estimated=True, note="aborted"
    )


def test_a_failed_try_without_usage_is_not_charged_and_flagged() -> None:
    settlement = settle(Ended(a_target(price=a_price())), "failed", Money())
    assert settlement.spent_nano == 0 and settlement.is_estimated
    assert settlement.usage is not None and settlement.usage.note == "failed"


def test_a_failed_try_that_told_its_usage_is_charged() -> None:
    settlement = settle(Ended(a_target(price=a_price()), delivered=Counted(usage=TOLD)), "failed", Money())
    assert settlement.spent_nano == 940_000


@pytest.mark.parametrize("tokens", [-5, 10**12])
def test_absurd_usage_is_clamped_and_flagged(tokens: int) -> None:
    lie = Usage(input_tokens=tokens, output_tokens=tokens)
    request = a_request(max_output_tokens=50)
    settlement = settle(Ended(a_target(price=a_price()), request, Counted(usage=lie)), "answered", Money())
    assert settlement.usage is not None and settlement.usage.note == "clamped" and settlement.is_estimated
    assert 0 <= settlement.output_tokens <= 50 and 0 <= settlement.input_tokens <= 2024


def test_without_a_limit_an_answer_may_be_long() -> None:
    long = Usage(input_tokens=10, output_tokens=60_000)
    settlement = settle(Ended(a_target(price=a_price()), delivered=Counted(usage=long)), "answered", Money())
    assert settlement.output_tokens == 60_000 and not settlement.is_estimated


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_an_estimate_is_never_zero_when_something_was_delivered(size: int, characters: int, pieces: int) -> None:
    usage = estimate_usage(request_bytes=size, delivered_characters=characters, delivered_pieces=pieces, note="aborted")
    assert usage.is_estimated
    assert (usage.output_tokens > 0) == (characters > 0 or pieces > 0)
    assert (usage.input_tokens > 0) == (size > 0)


numbers = st.integers(-(10**13), 10**13)


@given(
    st.sampled_from(OUTCOMES), st.integers(1, 3), st.integers(1, 5000), st.integers(0, 10**6), st.integers(0, 10**6),
    st.none() | st.builds(Usage, input_tokens=numbers, cached_input_tokens=numbers, cache_write_tokens=numbers,
                          output_tokens=numbers, reasoning_tokens=numbers),
)  # fmt: skip
def test_whatever_an_upstream_says_the_charge_fits_the_reservation_and_the_postings_sum_to_zero(
    outcome: Outcome, n: int, asked: int, characters: int, pieces: int, usage: Usage | None
) -> None:
    target = a_target(price=a_price(currency="CNY"))
    request = a_request(n=n, max_output_tokens=asked)
    ended = Ended(target, request, Counted(characters, pieces, usage))
    settlement = settle(ended, outcome, Money())
    assert 0 <= settlement.spent_nano <= most_expensive_nano([target], request, ended.input_bound, RATES)
    assert sum(leg.amount_nano for leg in settlement.postings) == 0
    assert (settlement.spent_nano > 0) == bool(settlement.postings)


UNITS = Price(
    currency="USD", input_pico=10, output_pico=20, cached_input_pico=1, cache_write_pico=12, version="config:2",
    cache_write_1h_pico=20, input_audio_pico=90, output_audio_pico=200, request_pico=5_000, image_pico=40 * 10**9,
    character_pico=15 * 10**6, second_pico=100 * 10**6, search_pico=2 * 10**9, tool_pico={"web_search": 10**10},
)  # fmt: skip
WILD = st.builds(
    Usage, input_tokens=numbers, cached_input_tokens=numbers, cache_write_tokens=numbers, cache_write_1h_tokens=numbers,
    input_audio_tokens=numbers, output_tokens=numbers, reasoning_tokens=numbers, output_audio_tokens=numbers,
    server_tools=st.just((("web_search", 10**12), ("other", -3))) | st.just(()), images=numbers, characters=numbers,
    audio_ms=numbers, searches=numbers,
)  # fmt: skip
OPERATIONS: tuple[Operation, ...] = get_args(Operation)


@given(
    st.sampled_from(OUTCOMES), st.sampled_from(OPERATIONS), st.none() | WILD, st.none() | WILD,
    st.sampled_from((frozenset(), frozenset(("web_search",)))),
)  # fmt: skip
def test_no_unit_that_a_target_reports_is_charged_beyond_the_reservation(
    outcome: Outcome, operation: Operation, usage: Usage | None, units: Usage | None, features: frozenset[Feature]
) -> None:
    target = a_target(price=UNITS)
    request = structs.replace(a_request(max_output_tokens=100, features=features), operation=operation)
    ended = Ended(target, request, Counted(10, 2, usage, units))
    if operation == "count_tokens":  # counting consumes nothing, see `core.answers.Count`
        return
    spent = settle(ended, outcome, Money()).spent_nano
    assert 0 <= spent <= most_expensive_nano([target], request, ended.input_bound, RATES)


def test_units_are_charged_at_their_own_price() -> None:
    target = a_target(price=UNITS)
    asked = Usage(images=2)
    ended = Ended(target, structs.replace(a_request(n=2), operation="images"), Counted(0, 1, None, asked))
    settlement = settle(ended, "answered", Money())
    assert settlement.usage == asked and settlement.spent_nano == 80_000_000 + 5
    searched = Usage(input_tokens=100, output_tokens=10, server_tools=(("web_search", 3),))
    ended = Ended(target, a_request(features=frozenset({"web_search"})), Counted(0, 1, searched))
    assert settle(ended, "answered", Money()).spent_nano == -(-(100 * 10 + 10 * 20 + 5_000 + 3 * 10**10) // 1000)


def test_parts_with_a_price_of_their_own_are_charged_once() -> None:
    told = Usage(
        input_tokens=100, cached_input_tokens=10, cache_write_tokens=40, cache_write_1h_tokens=30,
        input_audio_tokens=20, output_tokens=50, output_audio_tokens=5,
    )  # fmt: skip
    pico = 10 * 1 + 10 * 12 + 30 * 20 + 20 * 90 + 30 * 10 + 45 * 20 + 5 * 200 + 5_000
    ended = Ended(a_target(price=UNITS), a_request(), Counted(0, 1, told))
    assert settle(ended, "answered", Money()).spent_nano == -(-pico // 1000)


def test_tokens_are_estimated_for_alphabets_and_for_chinese() -> None:
    assert estimate_tokens({"a": ["bcd" * 4]}) == 4  # 13 letters
    assert estimate_tokens({"": "鱼嘴" * 3}) == 4
    assert estimate_tokens({}) == 0


def test_a_lying_target_cannot_spend_more_of_a_hard_budget_than_was_reserved() -> None:
    lie = Usage(input_tokens=10**12, output_tokens=10**12)
    request, target = a_request(), a_target(price=a_price())
    caller = Caller(key_id="k1", app="x", budget=Budget(cap_nano=10**9))
    ended = Ended(target, request=request, delivered=Counted(40, 9, lie), caller=caller)
    settlement = settle(ended, "answered", Money())
    reserved_nano = most_expensive_nano([target], request, ended.input_bound, RATES)
    assert 0 < settlement.spent_nano <= reserved_nano
    assert settlement.usage is not None and settlement.usage.note == "clamped"


TIERS = {"service_tier=flex": Fraction(1, 2), "service_tier=priority": Fraction(7, 4), "speed=fast": Fraction(6)}
term_sets = st.frozensets(
    st.sampled_from(["service_tier=auto", "service_tier=default", "service_tier=batch", "speed=standard", *TIERS])
)


@given(term_sets, term_sets, st.sampled_from(OUTCOMES), st.none() | WILD)
def test_no_tier_is_charged_beyond_the_reservation(
    sent: frozenset[str], told: frozenset[str], outcome: Outcome, usage: Usage | None
) -> None:
    target = replace(a_target(price=UNITS), price_factors=TIERS)
    request = a_request(max_output_tokens=100)
    ended = Ended(target, request, Counted(10, 2, usage, sent_terms=sent, told_terms=told))
    settlement = settle(ended, outcome, Money())
    reserved_nano = most_expensive_nano([target], request, ended.input_bound, RATES, lambda _: sent)
    assert 0 <= settlement.spent_nano <= reserved_nano
    assert sum(leg.amount_nano for leg in settlement.postings) == 0


def test_a_tier_multiplies_what_tokens_cost_and_nothing_else() -> None:
    target = replace(a_target(price=UNITS), price_factors=TIERS)
    told = Usage(input_tokens=100, output_tokens=10, server_tools=(("web_search", 3),))
    counted = Counted(0, 1, told, sent_terms=("service_tier=priority",))
    settlement = settle(Ended(target, a_request(features=frozenset({"web_search"})), counted), "answered", Money())
    assert settlement.spent_nano == -(-((100 * 10 + 10 * 20) * 7 // 4 + 5_000 + 3 * 10**10) // 1000)
    assert settlement.price_version == "config:2 x1.75 (service_tier=priority)"
    assert {leg.price_version for leg in settlement.postings} == {settlement.price_version}
    assert not settlement.is_estimated


def test_a_tier_whose_price_nobody_knows_is_charged_at_the_list_price_and_flagged() -> None:
    used = Usage(input_tokens=100, output_tokens=10)
    ended = Ended(a_target(price=a_price()), delivered=Counted(0, 1, used, told_terms=("service_tier=scale",)))
    settlement = settle(ended, "answered", Money())
    assert settlement.spent_nano == cost_nano(a_price(), used)
    assert settlement.usage is not None and settlement.is_estimated and settlement.usage.note == "unknown_tier"
    assert settlement.price_version == "config:1 x1 (service_tier=scale)"


def test_calls_beside_the_answer_are_added_each_at_its_own_price_and_rate() -> None:
    caller = Caller(key_id="k1", app="x")
    own, cny, free = (
        settle(Ended(a_target(name, price=price), delivered=Counted(9, 9, TOLD), caller=caller), "answered", Money())
        for name, price in (("own", a_price()), ("cny", a_price(currency="CNY")), ("free", FREE))
    )
    assert together(own, []) is own
    whole = together(own, [cny, free, NOTHING])
    assert whole.spent_nano == own.spent_nano + cny.spent_nano
    assert whole.postings == (*own.postings, *cny.postings)
    assert (whole.usage, whole.amount_nano, whole.currency) == (own.usage, own.amount_nano, own.currency)
    for currency in ("USD", "CNY"):
        assert sum(one.amount_nano for one in whole.postings if one.currency == currency) == 0
