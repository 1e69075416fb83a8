"""Which codec speaks to a target about a request: one of the client's own dialect if it has that, else its main one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yuzui.core.chat import ChatRequest, Operation
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.price_terms import PriceTerm
from yuzui.core.target import Target
from yuzui.providers._contract import Codec

_NEEDS_NO_CODEC: Final[frozenset[Operation]] = frozenset(("chat", "completions", "count_tokens"))
"""Operations that a target's main codec says, or that are done here where none can."""


def unsaid(codecs: Mapping[str, Codec], target: Target) -> list[Operation]:
    """What `target` is said to serve and no codec here can say to it, in order."""
    return sorted(
        operation for operation in target.serves - _NEEDS_NO_CODEC if f"{target.codec}_{operation}" not in codecs
    )


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
