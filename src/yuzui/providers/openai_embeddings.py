"""Embeddings as OpenAI-compatible servers want and give them; differences between vendors are data.

Sources: openai==3.54.0, types/create_embedding_response.py (2026-11-26); llama.cpp's server in
xllamacpp==2026.10.11549, recorded 2026-11-26; Jina, Voyage and Mistral count in `usage.total_tokens` or `prompt_tokens`
(https://api.jina.ai/redoc, https://docs.voyageai.com/reference/embeddings-api, https://docs.mistral.ai/api).

A vector goes on as it came. Where a server ignored `encoding_format`, only the spelling of the vectors is changed;
where it ignored `dimensions`, the answer is refused: vectors of another length fit no index.
"""

from __future__ import annotations

import math
import sys
from array import array
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.answers import EmbeddingRequest, Vectors
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.errors import UnsupportedFeature, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.providers._contract import WireRequest
from yuzui.providers._openai_lane import (
    OperationCodec,
    Patched,
    apply_quirks,
    decode,
    fault_in,
    headers_of,
    patch,
    path_of,
    read_usage,
)
from yuzui.providers._reading import BAD, reason_of

PURPOSES: Final[Mapping[str, Mapping[str, str]]] = {
    "input_type": {"query": "query", "document": "document"},
    "task": {
        "query": "retrieval.query",
        "document": "retrieval.passage",
        "classification": "classification",
        "clustering": "separation",
    },
}
"""Fields that say what a vector is for, and their words. A target that has one says which in `parameters.purpose_field`
(`input_type` for NVIDIA and Voyage, `task` for Jina)."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EmbeddingWire(WireRequest):
    """What reading the answer needs to know of its request."""

    count: int = 0
    """How many vectors must come; 0: nobody counted."""
    dimensions: int = 0
    """How long they must be; 0: as the model makes them."""
    wants_base64: bool = False


class OpenAIEmbeddingsCodec(OperationCodec):
    """`POST {base_url}/embeddings`."""

    dialect: Dialect = "openai_embeddings"
    operation: Operation = "embeddings"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        if not isinstance(request, EmbeddingRequest):
            raise UnsupportedFeature("this target's model makes embeddings only; send texts to embed", param="model")
        is_lane = request.dialect == self.dialect
        patched = patch(request, target) if is_lane else _body_of(request, target)
        return EmbeddingWire(
            path=path_of(target, "openai_embeddings", "/embeddings"),
            headers=headers_of(target, accept="application/json"),
            body=strict_json.write(patched.body),
            is_stream=False,
            dropped=tuple(patched.dropped),
            is_lane=is_lane,
            model=target.model,
            count=_count(request),
            dimensions=request.dimensions or 0 if "dimensions" not in patched.dropped else 0,
            wants_base64=request.wants_base64,
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Vectors:
        found = decode(body, _answer, "a list of embeddings")
        asked = wire if isinstance(wire, EmbeddingWire) else _NOTHING_ASKED
        items = found.data
        if not items:
            raise fault_in(body) or UpstreamInvalid("the target's answer has no `data`")
        if asked.count and len(items) != asked.count:
            raise UpstreamInvalid(f"the target sent {len(items)} embeddings for {asked.count} inputs")
        spellings = {_spelling(item.embedding) for item in items}
        if not spellings <= _SPELLINGS:
            raise UpstreamInvalid("an embedding of the target is neither a list of numbers nor base64")
        _check_length(items[0].embedding, asked.dimensions)
        model, usage = found.model or asked.model, read_usage(found.usage)
        if asked.is_lane:
            raw = body
            if spellings != {b'"' if asked.wants_base64 else b"["}:
                raw = _respell(body, wants_base64=asked.wants_base64)
            return Vectors(model=model, vectors=(), usage=usage, raw=raw, raw_dialect=self.dialect)
        if all(item.index is not None for item in items):
            items.sort(key=_index)
        return Vectors(model=model, vectors=tuple([read_vector(item.embedding) for item in items]), usage=usage)


def read_vector(raw: Raw) -> Sequence[float]:
    """Numbers, or base64 of little-endian float32; raise `UpstreamInvalid` for anything else, and for NaN."""
    try:
        if not _is_base64(raw):
            return _numbers.decode(raw)
        packed = array("f")
        packed.frombytes(b64decode(_text.decode(raw), validate=True))
    except (*BAD, BadBase64, ValueError) as error:
        raise UpstreamInvalid(f"an embedding of the target is no vector: {reason_of(error)}") from error
    if sys.byteorder == "big":
        packed.byteswap()
    if not math.isfinite(sum(packed)):  # one pass in C: NaN and infinities survive any sum
        raise UpstreamInvalid("an embedding of the target holds numbers that are none")
    return packed


def _body_of(request: EmbeddingRequest, target: Target) -> Patched:
    """A request that came in another dialect."""
    if request.has_tokens:
        raise UnsupportedFeature("this target takes texts, not token numbers; send strings", param="input")
    patched = Patched(body={"model": target.model, "input": list(request.inputs)})
    if request.dimensions is not None:
        patched.body["dimensions"] = request.dimensions
    if request.purpose:
        field = target.parameters.get("purpose_field", "")
        word = PURPOSES.get(field, {}).get(request.purpose)
        if word is None:
            patched.dropped.append("input_type")
        else:
            patched.body[field] = word
    patched.dropped.extend(sorted(request.knobs))
    apply_quirks(patched, target)
    return patched


def _count(request: EmbeddingRequest) -> int:
    if not request.has_tokens:
        return len(request.inputs)
    tokens = request.body.get("input")  # a list of numbers is one input, a list of lists several
    return len(tokens) if isinstance(tokens, list) and tokens and isinstance(tokens[0], list) else 1


def _check_length(raw: Raw, dimensions: int) -> None:
    """Told from the first vector without reading it."""
    if not dimensions:
        return
    data = bytes(raw)
    if _is_base64(raw):
        length = len(decode(data, _text, "a list of embeddings").rstrip("=")) * 3 // 4 // 4
    else:
        length = data.count(b",") + 1
    if length != dimensions:
        fault = UpstreamInvalid(
            f"the target sent vectors of {length} numbers where `dimensions` asks for {dimensions}: its model cannot "
            "shorten them; leave the field out or choose another model",
            code="unsupported_feature",
            status=400,  # the official clients would ask again, and pay again, after a 502
            param="dimensions",
        )
        fault.counts_for_breaker = False  # the target is well; it was asked for what its model cannot do
        raise fault


def _spelling(raw: Raw) -> bytes:
    """`[` or `"`: told from the first byte."""
    return bytes(memoryview(raw)[:1])


def _is_base64(raw: Raw) -> bool:
    return _spelling(raw) == b'"'


def _index(item: _Item) -> int:
    return item.index or 0


def _respell(body: bytes, *, wants_base64: bool) -> bytes:
    """`body` with its vectors in the other spelling, everything else as it was."""
    answer = decode(body, _fields, "a list of embeddings")
    items = decode(bytes(answer["data"]), _items, "a list of embeddings")
    for item in items:
        vector = read_vector(item["embedding"])
        if not wants_base64:
            item["embedding"] = Raw(_encoder.encode(vector.tolist() if isinstance(vector, array) else vector))
            continue
        packed = vector if isinstance(vector, array) else array("f", vector)
        if sys.byteorder == "big":
            packed = array("f", packed)
            packed.byteswap()
        item["embedding"] = Raw(b'"%b"' % b64encode(packed))
    answer["data"] = Raw(_encoder.encode(items))
    return _encoder.encode(answer)


class _Item(Struct):
    embedding: Raw
    index: int | None = None


class _Answer(Struct):
    data: list[_Item] | None = None
    model: str | None = None
    usage: Raw = Raw()
    error: Any = None  # Any: `fault_in` reads it


_SPELLINGS: Final = frozenset((b"[", b'"'))
_NOTHING_ASKED: Final = EmbeddingWire(path="", headers={}, body=b"", is_stream=False)
_answer = msgspec.json.Decoder(_Answer)
_numbers = msgspec.json.Decoder(tuple[float, ...])
_text = msgspec.json.Decoder(str)
_fields = msgspec.json.Decoder(dict[str, Raw])
_items = msgspec.json.Decoder(list[dict[str, Raw]])
_encoder = msgspec.json.Encoder()

CODEC: Final = OpenAIEmbeddingsCodec()
