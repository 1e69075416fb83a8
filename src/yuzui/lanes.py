"""Which codec speaks to a target about a request: one of the client's own dialect if it has that, else its main one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, get_args

from yuzui.core.chat import ChatRequest, Operation
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.price_terms import PriceTerm
from yuzui.core.target import Target
from yuzui.providers._contract import Codec

_NEEDS_NO_CODEC: Final[frozenset[Operation]] = frozenset(("chat", "completions", "count_tokens"))
"""Operations that a target's main codec says, or that are done here where none can."""


def sayable(codecs: Mapping[str, Codec], codec: str) -> frozenset[Operation]:
    """What can be said to a target of `codec`."""
    return _NEEDS_NO_CODEC.union([operation for operation in get_args(Operation) if f"{codec}_{operation}" in codecs])


def choose_codec(codecs: Mapping[str, Codec], target: Target, request: ChatRequest) -> Codec | None:
    """Who speaks to `target` about `request`; None where tokens are to be counted and it cannot.

    A codec of the client's own dialect comes first: on the same-dialect lane nothing is lost.
    """
    operation = request.operation
    if operation != "chat":
        special = codecs.get(f"{target.codec}_{operation}")
        if special is not None and (operation in target.serves or operation == "count_tokens"):
            return special
        if operation == "count_tokens":
            return None
        if operation != "completions":
            raise UnsupportedFeature(f"target {target.name!r} has no way to say {operation}", param="model")
    main = codecs[target.codec]
    if main.dialect != request.dialect:
        for name in target.also_speaks:
            if codecs[name].dialect == request.dialect:
                return codecs[name]
    return main


def first_that_can(codecs: Mapping[str, Codec], targets: Iterable[Target], request: ChatRequest) -> str:
    """The name of the first of `targets` that could be asked `request`; "" when none could. Nothing is sent.

    Targets of one kind say the same, so that one of each is tried.
    """
    tried: set[tuple[str, str, tuple[str, ...]]] = set()
    for target in targets:
        kind = (target.provider, target.codec, tuple(target.also_speaks))
        if kind in tried:
            continue
        tried.add(kind)
        try:
            codec = choose_codec(codecs, target, request)
            if codec is not None:
                codec.write_request(request, target, output_cap=None)
                return target.name
        except UnsupportedFeature:
            continue
    return ""


def sent_terms(codecs: Mapping[str, Codec], request: ChatRequest, target: Target) -> frozenset[PriceTerm]:
    """What `request` asks of `target` that changes the price: what its codec cannot say is dropped, and costs nothing.

    The terms of the list price are among them: they tell that the client did not leave it open.
    """
    if request.operation == "count_tokens":
        return frozenset()
    try:
        codec = choose_codec(codecs, target, request)
    except UnsupportedFeature:
        return frozenset()  # nothing will be sent
    if codec is None:
        return frozenset()
    own = codec.own_terms(target)
    return codec.sent_terms(request, target) | own if request.price_terms else own
