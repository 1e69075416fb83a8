"""What embedding codecs of vendors with a wire of their own do alike: refuse, send, count what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Raw

from yuzui.core import strict_json
from yuzui.core.answers import EmbeddingRequest
from yuzui.core.chat import ChatRequest
from yuzui.core.errors import UnsupportedFeature, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.providers._contract import WireRequest
from yuzui.providers.native_request import Block, Dropped
from yuzui.providers.openai import write_headers
from yuzui.providers.openai_embeddings import EmbeddingWire, read_vector


def texts_of(request: ChatRequest, *, most: int = 0) -> EmbeddingRequest:
    """`request`, when it holds texts, and no more than `most` (0: any number); raise `UnsupportedFeature` otherwise."""
    if not isinstance(request, EmbeddingRequest):
        raise UnsupportedFeature("this target's model makes embeddings only; send texts to embed", param="model")
    if request.has_tokens:
        raise UnsupportedFeature("this target embeds texts, not token numbers; send strings in `input`", param="input")
    if most and len(request.inputs) > most:
        raise UnsupportedFeature(
            f"this target embeds at most {most} texts at once; send fewer in `input`", param="input"
        )
    return request


def write_wire(
    request: EmbeddingRequest,
    target: Target,
    path: str,
    body: Block,
    dropped: Dropped,
    headers: Mapping[str, str] | None = None,
) -> EmbeddingWire:
    """`body` on its way; the answer must hold a vector for each input."""
    return EmbeddingWire(
        path=path,
        headers={**write_headers(target, is_stream=False), **(headers or {})},
        body=strict_json.write(body),
        is_stream=False,
        dropped=dropped.names,
        model=target.model,
        count=len(request.inputs),
    )


def read_vectors(raws: Sequence[Raw], wire: WireRequest | None) -> tuple[Sequence[float], ...]:
    """The vectors, in the order of the inputs; raise `UpstreamInvalid` when some are missing or are no numbers."""
    count = wire.count if isinstance(wire, EmbeddingWire) else 0
    if not raws or (count and len(raws) != count):
        raise UpstreamInvalid(f"the target sent {len(raws)} embeddings for {count or 'some'} inputs")
    return tuple([read_vector(raw) for raw in raws])
