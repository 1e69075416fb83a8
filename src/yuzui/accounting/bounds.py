"""Knows the most that a request can cost, before it is sent: what a hard budget reserves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from yuzui.core.caller import Caller
from yuzui.core.chat import ChatRequest
from yuzui.core.errors import GatewayFault
from yuzui.core.money import PICO_PER_NANO, convert_nano
from yuzui.core.target import Target

DEFAULT_MAX_OUTPUT_TOKENS = 4096  # when neither the client nor the target says
TEMPLATE_TOKENS = 1024
"""What vendors add unseen: the chat template, and some hundred tokens before tools (a table per model at
https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview, 2026-11), with room."""
IMAGE_TOKENS = 16_384
"""One image of up to 12 megapixels at full detail: the dearest vendor counts 14,364 tokens for 4032 x 3024.
Source: https://huggingface.co/datasets/JOHNISKING/image-token-cost (2026-11)."""
UNREADABLE_INPUT_TOKENS = 200_000  # a file or recording named by id may fill a whole context
MOST_OUTPUT_TOKENS = 10_000_000  # beyond any model; keeps products inside 64 bits
MOST_NANO = 10**18  # a billion units of any currency: no budget admits it, and sums of nine still fit 64 bits

_WITHOUT_TEXT = frozenset(("files", "audio"))


def input_tokens(body_bytes: int) -> int:
    """Bound on the text of a request body of this size: a token is at least one byte, and JSON itself is slack."""
    return body_bytes + TEMPLATE_TOKENS


def input_bound(request: ChatRequest, target: Target, text_bound: int) -> int:
    """Bound on everything that `target` may read, given the bound on text. Never more than its context holds."""
    bound = text_bound
    if "images" in request.features:
        bound += IMAGE_TOKENS * _count_images(request)
    if not _WITHOUT_TEXT.isdisjoint(request.features):
        bound += target.context_tokens or UNREADABLE_INPUT_TOKENS
    return min(bound, target.context_tokens) if target.context_tokens else bound


def output_bound(request: ChatRequest, target: Target) -> int:
    """Bound on everything that `target` may write, over all `n` answers."""
    asked = request.max_output_tokens or target.max_output_tokens or DEFAULT_MAX_OUTPUT_TOKENS
    if target.max_output_tokens:
        asked = min(asked, target.max_output_tokens)
    return min(max(request.n, 1) * asked, MOST_OUTPUT_TOKENS)


def expected_output_tokens(request: ChatRequest) -> int:
    """What routing may assume where no target is chosen yet."""
    return min(max(request.n, 1) * (request.max_output_tokens or DEFAULT_MAX_OUTPUT_TOKENS), MOST_OUTPUT_TOKENS)


def output_cap(caller: Caller | None, request: ChatRequest, target: Target) -> int | None:
    """What to send as the limit of one answer when the client set none: a hard budget needs one, nobody else does."""
    if caller is None or caller.budget is None or request.max_output_tokens is not None:
        return None
    return target.max_output_tokens or DEFAULT_MAX_OUTPUT_TOKENS


def most_expensive_nano(
    plan: Sequence[Target], request: ChatRequest, text_bound: int, rates: Mapping[str, Decimal]
) -> int:
    """The most that the dearest target of `plan` can charge, in nano-units of the book currency."""
    most = 0
    for target in plan:
        price = target.price
        if price is None:
            words = f"{target.name} has no price. {target.price_help}".rstrip()
            raise GatewayFault(words, code="unknown_price", retryable=False)
        if price.is_free:
            continue
        dearest_input = max(price.input_pico, price.cached_input_pico, price.cache_write_pico)
        pico = (
            input_bound(request, target, text_bound) * dearest_input + output_bound(request, target) * price.output_pico
        )
        nano = convert_nano(-(-pico // PICO_PER_NANO), rate_of(price.currency, rates))
        most = max(most, nano)
    return min(most, MOST_NANO)


def rate_of(currency: str, rates: Mapping[str, Decimal]) -> Decimal:
    """Book units per unit of `currency`. Raise `GatewayFault` when the operator gave none: it is never taken for 1."""
    rate = rates.get(currency)
    if rate is None:
        raise GatewayFault(
            f'no exchange rate for {currency}; add it to yuzui.toml: [money.rates] {currency} = "…"',
            code="unknown_rate",
            retryable=False,
        )
    return rate


def _count_images(request: ChatRequest) -> int:
    """Counted without building the request's meaning: every part of a known image type, however deep."""
    count = 0
    todo: list[object] = [request.body.get("messages")]
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo += value
        elif isinstance(value, dict):
            if value.get("type") in ("image_url", "image", "input_image"):
                count += 1
            todo.append(value.get("content"))
    return count
