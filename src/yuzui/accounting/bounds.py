"""Knows the most that a request can cost, before it is sent: what a hard budget reserves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from yuzui.accounting.price_factors import largest_factor
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatRequest, Feature, Operation
from yuzui.core.errors import GatewayFault
from yuzui.core.money import PICO_PER_NANO, Price, convert_nano
from yuzui.core.price_terms import PriceTerm
from yuzui.core.target import Target
from yuzui.core.uploads import upload_bytes, uploads

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

_WORDLESS: frozenset[Operation] = frozenset(("embeddings", "rerank", "moderations", "count_tokens"))
"""Operations whose answers hold no tokens that anybody bills."""
LEAST_AUDIO_BYTES_PER_S = 500  # below the 6 kbit/s at which speech codecs end (RFC 6716, section 2)
DOCUMENTS_PER_SEARCH = 100  # https://docs.cohere.com/docs/how-does-cohere-pricing-work (2026-11)
MOST_TOOL_CALLS = 20  # of tools that the vendor runs, in one answer: no vendor says, so this is our guess

SPEECH_TOKENS_PER_BYTE = 4
"""A minute of speech is about 1,250 tokens, and about 900 letters or 240 Chinese characters of three bytes are read in
it (gpt-4o-mini-tts: https://developers.openai.com/api/docs/pricing, 2026-11), with room."""
TRANSCRIPT_TOKENS_PER_S = 10  # nobody speaks faster, in any language
DRAFT_TOKENS = (
    100  # each draft of a picture (`partial_images`): https://developers.openai.com/api/docs/guides/image-generation
)

_SERVER_TOOLS: frozenset[Feature] = frozenset(("web_search", "server_tools"))
_WITHOUT_TEXT: frozenset[Feature] = frozenset(("files", "audio", "web_search", "server_tools"))
"""What adds input that the body's size does not bound; the findings of the vendor's own tools are read as well."""
_STORED = ("cachedContent", "cached_content")
"""Fields that name text which lies with the vendor; and `prompt`, where it is no text itself."""
_CAPPED: frozenset[Operation] = frozenset(("chat", "completions"))
"""Operations that know a limit on what is written."""


def input_tokens(body_bytes: int) -> int:
    """Bound on the text of a request body of this size: a token is at least one byte, and JSON itself is slack."""
    return body_bytes + TEMPLATE_TOKENS


def input_bound(request: ChatRequest, target: Target, text_bound: int) -> int:
    """Bound on everything that `target` may read, given the bound on text. Never more than its context holds."""
    bound = text_bound
    if "images" in request.features:
        bound += IMAGE_TOKENS * _count_images(request)
    if request.operation == "images":
        bound += IMAGE_TOKENS * len(uploads(request.body))
    if request.operation == "transcription" or not _WITHOUT_TEXT.isdisjoint(request.features) or _names_stored(request):
        bound += target.context_tokens or UNREADABLE_INPUT_TOKENS
    return min(bound, target.context_tokens) if target.context_tokens else bound


def _names_stored(request: ChatRequest) -> bool:
    body = request.body
    return any(body.get(name) for name in _STORED) or isinstance(body.get("prompt"), dict)


def output_bound(request: ChatRequest, target: Target, text_bound: int = 0) -> int:
    """Bound on everything that `target` may write, over all `n` answers; `text_bound` as for the input."""
    if request.operation in _WORDLESS:
        return 0
    per_answer = request.max_output_tokens
    if per_answer is None:
        per_answer = target.max_output_tokens or _usual_output(request, text_bound)
    if target.max_output_tokens:
        per_answer = min(per_answer, target.max_output_tokens)
    return min(max(request.n, 1) * per_answer, MOST_OUTPUT_TOKENS)


def _usual_output(request: ChatRequest, text_bound: int) -> int:
    """Of one answer, where nobody says: what is sent as a limit, or what one is sure to stay below without any."""
    match request.operation:
        case "images":
            drafts = request.body.get("partial_images")
            return IMAGE_TOKENS + DRAFT_TOKENS * (drafts if isinstance(drafts, int) else 16 if drafts else 0)
        case "speech":
            return max(DEFAULT_MAX_OUTPUT_TOKENS, SPEECH_TOKENS_PER_BYTE * text_bound)
        case "transcription":
            seconds = upload_bytes(request.body) // LEAST_AUDIO_BYTES_PER_S
            return max(DEFAULT_MAX_OUTPUT_TOKENS, TRANSCRIPT_TOKENS_PER_S * seconds)
        case _:
            return DEFAULT_MAX_OUTPUT_TOKENS


def expected_output_tokens(request: ChatRequest) -> int:
    """What routing may assume where no target is chosen yet."""
    if request.operation in _WORDLESS:
        return 0
    return min(max(request.n, 1) * (request.max_output_tokens or DEFAULT_MAX_OUTPUT_TOKENS), MOST_OUTPUT_TOKENS)


def output_cap(caller: Caller | None, request: ChatRequest, target: Target) -> int | None:
    """What to send as the limit of one answer when the client set none: a hard budget needs one, nobody else does."""
    if caller is None or caller.budget is None or request.max_output_tokens is not None:
        return None
    if request.operation not in _CAPPED:
        return None
    return target.max_output_tokens or DEFAULT_MAX_OUTPUT_TOKENS


def most_expensive_nano(
    plan: Sequence[Target],
    request: ChatRequest,
    text_bound: int,
    rates: Mapping[str, Decimal],
    sent_terms: Callable[[Target], Collection[PriceTerm]] | None = None,
) -> int:
    """The most that the dearest target of `plan` can charge, in nano-units of the book currency.

    `sent_terms`: what of the request's price terms reaches a target; all of them, where nobody says.
    """
    if request.operation == "count_tokens":
        return 0  # counting consumes nothing
    most = 0
    for target in plan:
        price = target.price
        if price is None:
            words = f"{target.name} has no price. {target.price_help}".rstrip()
            raise GatewayFault(words, code="unknown_price", retryable=False)
        if price.is_free:
            continue
        factor = largest_factor(target.price_factors, request.price_terms if sent_terms is None else sent_terms(target))
        of_tokens = (
            input_bound(request, target, text_bound) * price.dearest_input_pico
            + output_bound(request, target, text_bound) * price.dearest_output_pico
        )
        pico = -(-of_tokens * factor.numerator // factor.denominator) + _units_bound_pico(request, price, text_bound)
        nano = convert_nano(-(-pico // PICO_PER_NANO), rate_of(price.currency, rates))
        most = max(most, nano)
    return min(most, MOST_NANO)


def all_calls_nano(
    calls: Sequence[Target],
    request: ChatRequest,
    text_bound: int,
    rates: Mapping[str, Decimal],
    sent_terms: Callable[[Target], Collection[PriceTerm]] | None = None,
) -> int:
    """The most that asking each of `calls` the same can charge together; a target may stand there several times."""
    each = [most_expensive_nano((target,), request, text_bound, rates, sent_terms) for target in calls]
    return min(sum(each), MOST_NANO)


def _units_bound_pico(request: ChatRequest, price: Price, text_bound: int) -> int:
    """Bound on what is charged by other units than tokens."""
    most = units_bound(request, text_bound)
    return (
        price.request_pico
        + most.images * price.image_pico
        + most.characters * price.character_pico
        + -(-most.audio_ms * price.second_pico // 1000)
        + most.searches * price.search_pico
        + most.tool_calls * max(price.tool_pico.values(), default=0)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    images: int = 0
    characters: int = 0
    audio_ms: int = 0
    searches: int = 0
    tool_calls: int = 0


_NO_UNITS = Units()


def units_bound(request: ChatRequest, text_bound: int) -> Units:
    """The most of each unit that `request` can consume."""
    match request.operation:
        case "images":
            return Units(images=max(request.n, 1))
        case "speech":
            return Units(characters=text_bound)
        case "transcription":
            # A recording of so many bytes lasts at most so long.
            return Units(audio_ms=(upload_bytes(request.body) // LEAST_AUDIO_BYTES_PER_S + 1) * 1000)
        case "rerank":
            return Units(searches=1 + text_bound // (2 * DOCUMENTS_PER_SEARCH))  # a document takes two bytes at least
        case "chat" if not _SERVER_TOOLS.isdisjoint(request.features):
            return Units(tool_calls=MOST_TOOL_CALLS)
        case _:
            return _NO_UNITS


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


def most_output(request: ChatRequest, target: Target, caller: Caller | None, text_bound: int) -> int:
    """Physical, not contractual: without a limit in what was sent a target may write as much as its model can. A hard
    budget always sends one, so no target can spend more of it than was reserved."""
    is_limited = caller is not None and caller.budget is not None
    if is_limited or request.max_output_tokens is not None or request.operation not in _CAPPED:
        return output_bound(request, target, text_bound)
    per_answer = target.max_output_tokens or target.context_tokens or MOST_OUTPUT_TOKENS
    return min(max(request.n, 1) * per_answer, MOST_OUTPUT_TOKENS)


def _count_images(request: ChatRequest) -> int:
    """Counted without building the request's meaning: every part of a known image type, however deep."""
    count = 0
    todo: list[object] = [request.body.get(name) for name in ("messages", "input", "contents")]
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo += value
        elif isinstance(value, dict):
            if value.get("type") in ("image_url", "image", "input_image") or not _MEDIA_KEYS.isdisjoint(value):
                count += 1
            todo += [value.get(name) for name in _NESTING]
    return count


_NESTING = ("content", "output", "parts", "functionResponse", "function_response", "source")
"""Fields that hold parts, or what holds parts: a document may be made of pictures."""


_MEDIA_KEYS = frozenset(("inlineData", "inline_data", "fileData", "file_data"))
"""Gemini's parts, whose kind is told by their only key."""
