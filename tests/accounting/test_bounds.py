"""The most that a request can cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounting_kit import RATES, a_price, a_request, a_target
from yuzui.accounting.bounds import (
    DEFAULT_MAX_OUTPUT_TOKENS,
    IMAGE_TOKENS,
    MOST_NANO,
    TEMPLATE_TOKENS,
    UNREADABLE_INPUT_TOKENS,
    all_calls_nano,
    expected_output_tokens,
    input_bound,
    input_tokens,
    most_expensive_nano,
    most_output,
    output_bound,
    output_cap,
)
from yuzui.accounting.prices import FREE
from yuzui.core.caller import Budget, Caller
from yuzui.core.chat import Operation
from yuzui.core.errors import GatewayFault
from yuzui.core.money import convert_nano, cost_nano
from yuzui.core.usage import Usage

IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}


def test_a_token_is_at_least_one_byte() -> None:
    assert input_tokens(1000) == 1000 + TEMPLATE_TOKENS


def test_each_image_counts_wherever_it_stands() -> None:
    messages = [{"role": "user", "content": [IMAGE, {"type": "text", "text": "?"}, {"type": "image", "source": {}}]},
                {"role": "tool", "content": [{"type": "tool_result", "content": [IMAGE]}]}]  # fmt: skip
    request = a_request(features=frozenset({"images"}), messages=messages)
    assert input_bound(request, a_target(), 100) == 100 + 3 * IMAGE_TOKENS


def test_a_file_named_by_id_may_fill_the_context() -> None:
    request = a_request(features=frozenset({"files"}))
    assert input_bound(request, a_target(), 100) == 100 + UNREADABLE_INPUT_TOKENS
    assert input_bound(request, a_target(context_tokens=8000), 100) == 8000


def test_nothing_reads_more_than_its_context() -> None:
    assert input_bound(a_request(), a_target(context_tokens=8000), 10**6) == 8000


@pytest.mark.parametrize(
    ("n", "asked", "most", "bound"),
    [(1, None, 0, 4096), (1, None, 100, 100), (1, 50, 100, 50), (1, 500, 100, 100), (3, 50, 0, 150), (1, 0, 100, 0),
     (1000, 10**12, 0, 10_000_000), (0, 7, 0, 7)],
)  # fmt: skip
def test_the_output_is_bounded_by_what_was_asked_and_what_the_model_can(
    n: int, asked: int | None, most: int, bound: int
) -> None:
    request = a_request(n=n, max_output_tokens=asked)
    assert output_bound(request, a_target(max_output_tokens=most)) == bound


@pytest.mark.parametrize(
    ("operation", "body", "bound"),
    [
        ("images", {}, IMAGE_TOKENS),
        ("images", {"partial_images": 3}, IMAGE_TOKENS + 300),
        ("images", {"partial_images": "3"}, IMAGE_TOKENS + 1600),  # a form's
        ("speech", {}, 4 * 2000),
        ("transcription", {"input": [{"type": "input_audio", "name": "file", "data": bytes(500_000)}]}, 10_000),
        ("transcription", {}, DEFAULT_MAX_OUTPUT_TOKENS),
        ("embeddings", {}, 0),
    ],
)
def test_operations_that_know_no_limit_have_a_bound_of_their_own(
    operation: Operation,
    body: dict[str, Any],
    bound: int,  # Any: a request's fields
) -> None:
    request = a_request(operation=operation, **body)
    poor = Caller(key_id="k", app="a", budget=Budget(cap_nano=1))
    assert output_bound(request, a_target(), 2000) == bound
    for caller in (None, poor):
        assert most_output(request, a_target(), caller, 2000) == bound, "what is charged at most is what was reserved"


def test_what_a_vendor_reads_beside_the_body_is_bounded_by_its_context() -> None:
    for request in (
        a_request(features=frozenset({"web_search"})),
        a_request(cachedContent="cachedContents/x"),
        a_request(prompt={"id": "pmpt_1"}),
    ):
        assert input_bound(request, a_target(context_tokens=8000), 100) == 8000
    assert input_bound(a_request(prompt="a text"), a_target(context_tokens=8000), 100) == 100


def test_pictures_in_a_document_are_counted() -> None:
    document = {"type": "document", "source": {"type": "content", "content": [IMAGE, IMAGE]}}
    request = a_request(features=frozenset({"images"}), messages=[{"role": "user", "content": [document]}])
    assert input_bound(request, a_target(), 100) == 100 + 2 * IMAGE_TOKENS


def test_routing_assumes_what_the_client_asked_for() -> None:
    assert expected_output_tokens(a_request(n=2, max_output_tokens=10)) == 20
    assert expected_output_tokens(a_request()) == DEFAULT_MAX_OUTPUT_TOKENS


def test_a_limit_is_sent_only_where_a_hard_budget_needs_one() -> None:
    rich = Caller(key_id="k", app="a")
    poor = Caller(key_id="k", app="a", budget=Budget(cap_nano=1))
    assert output_cap(rich, a_request(), a_target()) is None
    assert output_cap(None, a_request(), a_target()) is None
    assert output_cap(poor, a_request(max_output_tokens=9), a_target()) is None
    assert output_cap(poor, a_request(), a_target()) == DEFAULT_MAX_OUTPUT_TOKENS
    assert output_cap(poor, a_request(), a_target(max_output_tokens=77)) == 77


def test_the_dearest_target_of_the_plan_decides_in_the_book_currency() -> None:
    request = a_request(max_output_tokens=10)
    cheap = a_target("cheap", a_price(1_000_000, 1_000_000))
    cny = a_target("cny", a_price(100_000_000, 100_000_000, "CNY"))
    # 100 tokens at the cache-write price of 125 CNY and 10 at 100 CNY per million, at 0.14.
    assert most_expensive_nano([cheap, cny], request, 100, RATES) == 1_890_000
    assert most_expensive_nano([a_target("own", FREE)], request, 100, RATES) == 0


def test_an_unknown_price_refuses_and_names_the_fix() -> None:
    with pytest.raises(GatewayFault, match="price = ") as refused:
        most_expensive_nano([a_target("a", a_price()), a_target("x")], a_request(), 1, RATES)
    assert refused.value.code == "unknown_price"


def test_a_missing_rate_refuses_and_is_never_one() -> None:
    with pytest.raises(GatewayFault, match=r"\[money\.rates\]") as refused:
        most_expensive_nano([a_target("x", a_price(currency="EUR"))], a_request(), 1, RATES)
    assert refused.value.code == "unknown_rate"


def test_absurd_requests_stay_inside_64_bits() -> None:
    request = a_request(n=10**9, max_output_tokens=10**18)
    target = a_target("x", a_price(10**15, 10**15))
    assert most_expensive_nano([target], request, 2**40, RATES) == MOST_NANO


@given(
    st.integers(0, 5000), st.integers(1, 4), st.integers(1, 3000), st.integers(0, 10**9), st.integers(0, 10**9),
    st.decimals(Decimal("0.01"), Decimal(100), places=4), st.data(),
)  # fmt: skip
def test_no_usage_within_the_bounds_costs_more_than_was_reserved(
    text: int, n: int, asked: int, input_pico: int, output_pico: int, rate: Decimal, data: st.DataObject
) -> None:
    target = a_target("x", a_price(input_pico, output_pico, "CNY"))
    request = a_request(n=n, max_output_tokens=asked)
    read = data.draw(st.integers(0, text))
    cached = data.draw(st.integers(0, read))
    usage = Usage(
        input_tokens=read,
        cached_input_tokens=cached,
        cache_write_tokens=data.draw(st.integers(0, read - cached)),
        output_tokens=data.draw(st.integers(0, n * asked)),
    )
    assert target.price is not None
    cost = convert_nano(cost_nano(target.price, usage), rate)
    assert cost <= most_expensive_nano([target], request, text, {"CNY": rate})


def test_a_dear_tier_is_reserved_where_it_is_sent_and_where_the_vendor_may_choose_it() -> None:
    target = replace(a_target(price=a_price()), price_factors={"service_tier=priority": Fraction(5, 3)})
    request = a_request(service_tier="priority")
    usual = most_expensive_nano([replace(target, price_factors={})], request, 1000, RATES)

    def reserved(*sent: str) -> int:
        return most_expensive_nano([target], request, 1000, RATES, lambda _: sent)

    assert reserved("service_tier=default") == usual
    assert usual * 5 / 3 <= reserved("service_tier=priority") < usual * 5 / 3 + 2
    assert reserved() == reserved("service_tier=auto") == reserved("service_tier=priority")
    assert most_expensive_nano([target], request, 1000, RATES) == reserved("service_tier=priority")


def test_several_calls_are_reserved_together() -> None:
    request = a_request(max_output_tokens=10)
    one, other = a_target("one", a_price(1_000_000, 1_000_000)), a_target("other", a_price(5_000_000, 2_000_000))
    lone = [most_expensive_nano([target], request, 100, RATES) for target in (one, other)]
    assert all_calls_nano([one, one, other], request, 100, RATES) == 2 * lone[0] + lone[1]
    assert all_calls_nano([], request, 100, RATES) == 0
    dear = a_target("dear", a_price(10**12, 10**12))
    assert all_calls_nano([dear] * 99, a_request(max_output_tokens=10**7), 10**9, RATES) == MOST_NANO
