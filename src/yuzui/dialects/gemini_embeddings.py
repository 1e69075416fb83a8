"""`POST /v1beta/models/{model}:embedContent` and `:batchEmbedContents`: texts as vectors.

Sources (2026-11-26): https://ai.google.dev/api/embeddings, `google-genai` 3.6.1, models.py `embed_content`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from typing_extensions import override

from yuzui.core.answers import Answer, EmbeddingRequest, Vectors
from yuzui.core.chat import (
    NO_LINE,
    AnswerFacts,
    ChatRequest,
    Dialect,
    Meaning,
    Message,
    Operation,
    RequestLine,
    TextPart,
)
from yuzui.core.errors import InvalidRequest, YuzuiError
from yuzui.dialects._contract import ClientDialect, StreamWriter
from yuzui.dialects._field_names import GEMINI
from yuzui.dialects.gemini_answer import encode, error_object
from yuzui.dialects.gemini_request import Content, convert, in_camel_case, listed, read_path

_METHODS: Final = frozenset({"embedContent", "batchEmbedContents"})
_PURPOSES: Final[Mapping[str, str]] = {
    "RETRIEVAL_QUERY": "query",
    "QUESTION_ANSWERING": "query",
    "FACT_VERIFICATION": "query",
    "CODE_RETRIEVAL_QUERY": "query",
    "RETRIEVAL_DOCUMENT": "document",
    "CLASSIFICATION": "classification",
    "CLUSTERING": "clustering",
}
_UNTYPED: Final = frozenset({"", "TASK_TYPE_UNSPECIFIED"})


class GeminiEmbeddings(ClientDialect):
    name: Dialect = "gemini_embeddings"
    names = GEMINI
    operation: Operation = "embeddings"

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        model, method = read_path(line, _METHODS)
        plain = in_camel_case(body)
        if method == "embedContent":
            items, where = [convert(plain, _Embed)], ""
        else:
            items, where = listed(convert(plain, _Batch).requests), "requests"
        if not items:
            raise InvalidRequest("`requests` is missing or empty; add at least one", param="requests")
        first = items[0].settings
        # Vectors of several kinds in one request, and pictures, are things that only the lane can say.
        is_lane_only = any(item.settings != first or not item.is_text for item in items)
        return EmbeddingRequest(
            dialect="gemini_embeddings",
            operation="embeddings",
            line=line,
            model=model,
            body=body,
            inputs=tuple([_text(item, f"{where}[{number}]." if where else "") for number, item in enumerate(items)]),
            has_tokens=is_lane_only,
            dimensions=first.output_dimensionality,
            purpose=_PURPOSES.get(first.task_type or "", ""),
            knobs=_knobs(first),
            read_meaning=read_meaning,
        )

    @override
    def write_response(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> bytes:
        assert isinstance(response, Vectors)  # the codec of this operation reads nothing else
        if response.raw_dialect == "gemini_embeddings" and response.raw:
            return response.raw
        vectors = [{"values": list(vector)} for vector in response.vectors]
        is_batch = request.line.path.endswith(":batchEmbedContents")
        answer: dict[str, object] = {"embeddings": vectors} if is_batch else {"embedding": vectors[0]}
        if response.usage is not None:
            answer["usageMetadata"] = {"promptTokenCount": response.usage.input_tokens}
        return encode(answer)

    @override
    def stream_writer(self, request: ChatRequest, facts: AnswerFacts) -> StreamWriter:
        raise NotImplementedError("vectors are never streamed")

    @override
    def write_error(self, error: YuzuiError, request_id: str) -> bytes:
        return encode({"error": error_object(error, request_id)})


def read_meaning(body: Mapping[str, Any]) -> Meaning:  # Any: checked JSON
    """The texts as messages."""
    plain = in_camel_case(body)
    items = [convert(plain, _Embed)] if "content" in plain else listed(convert(plain, _Batch).requests)
    return Meaning(messages=tuple(Message(role="user", parts=(TextPart(text=_text(item, "")),)) for item in items))


def _text(item: _Embed, where: str) -> str:
    parts = listed(item.content.parts)
    if not parts:
        raise InvalidRequest(f"`{where}content.parts` is missing or empty; add a text", param=f"{where}content.parts")
    return "".join(part.text or "" for part in parts)


def _knobs(settings: _Settings) -> dict[str, object]:
    knobs: dict[str, object] = {}
    if settings.title:
        knobs["title"] = settings.title
    if settings.auto_truncate is not None:
        knobs["autoTruncate"] = settings.auto_truncate
    kind = settings.task_type or ""
    if kind not in _UNTYPED and kind not in _PURPOSES:
        knobs["taskType"] = kind
    return knobs


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Settings(Struct, rename="camel"):
    task_type: str | None = None
    title: str | None = None
    output_dimensionality: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    auto_truncate: bool | None = None


class _Embed(Struct, rename="camel", kw_only=True):
    content: Content
    task_type: str | None = None
    title: str | None = None
    output_dimensionality: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    embed_content_config: _Settings | None = None
    """How Vertex AI has the same."""

    @property
    def settings(self) -> _Settings:
        if self.embed_content_config is not None:
            return self.embed_content_config
        return _Settings(task_type=self.task_type, title=self.title, output_dimensionality=self.output_dimensionality)

    @property
    def is_text(self) -> bool:
        return all(part.text is not None for part in listed(self.content.parts))


class _Batch(Struct, rename="camel"):
    requests: list[_Embed] | _Embed | None = None


DIALECT: Final = GeminiEmbeddings()
