"""Which dialect is spoken at which path: the one list of everything that a client can POST to."""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import Final

from yuzui.dialects._contract import ClientDialect
from yuzui.dialects.anthropic_count_tokens import DIALECT as ANTHROPIC_COUNT_TOKENS
from yuzui.dialects.anthropic_messages import DIALECT as ANTHROPIC_MESSAGES
from yuzui.dialects.gemini import DIALECT as GEMINI
from yuzui.dialects.gemini_count_tokens import DIALECT as GEMINI_COUNT_TOKENS
from yuzui.dialects.gemini_embeddings import DIALECT as GEMINI_EMBEDDINGS
from yuzui.dialects.openai_chat import DIALECT as OPENAI_CHAT
from yuzui.dialects.openai_completions import DIALECT as OPENAI_COMPLETIONS
from yuzui.dialects.openai_embeddings import DIALECT as OPENAI_EMBEDDINGS
from yuzui.dialects.openai_image_edits import DIALECT as OPENAI_IMAGE_EDITS
from yuzui.dialects.openai_images import DIALECT as OPENAI_IMAGES
from yuzui.dialects.openai_moderations import DIALECT as OPENAI_MODERATIONS
from yuzui.dialects.openai_responses import DIALECT as OPENAI_RESPONSES
from yuzui.dialects.openai_speech import DIALECT as OPENAI_SPEECH
from yuzui.dialects.openai_transcription import DIALECT as OPENAI_TRANSCRIPTION
from yuzui.dialects.openai_translation import DIALECT as OPENAI_TRANSLATION
from yuzui.dialects.rerank import DIALECT as RERANK

EXACT: Final[Mapping[str, ClientDialect]] = MappingProxyType(
    {
        "/v1/chat/completions": OPENAI_CHAT,
        "/v1/responses": OPENAI_RESPONSES,
        "/v1/messages": ANTHROPIC_MESSAGES,
        "/v1/messages/count_tokens": ANTHROPIC_COUNT_TOKENS,
        "/v1/embeddings": OPENAI_EMBEDDINGS,
        "/v1/rerank": RERANK,
        "/v2/rerank": RERANK,
        "/v1/completions": OPENAI_COMPLETIONS,
        "/v1/moderations": OPENAI_MODERATIONS,
        "/v1/audio/transcriptions": OPENAI_TRANSCRIPTION,
        "/v1/audio/translations": OPENAI_TRANSLATION,
        "/v1/audio/speech": OPENAI_SPEECH,
        "/v1/images/generations": OPENAI_IMAGES,
        "/v1/images/edits": OPENAI_IMAGE_EDITS,
    }
)
"""Paths that are matched as they are."""

METHODS: Final[Mapping[str, ClientDialect]] = MappingProxyType(
    {
        "generateContent": GEMINI,
        "streamGenerateContent": GEMINI,
        "countTokens": GEMINI_COUNT_TOKENS,
        "embedContent": GEMINI_EMBEDDINGS,
        "batchEmbedContents": GEMINI_EMBEDDINGS,
    }
)
"""Google's custom methods: the end of a path behind a model's name, `/v1beta/models/NAME:generateContent`."""

CALLERS: Final[Mapping[str, ClientDialect]] = MappingProxyType(
    {
        "anthropic-version": ANTHROPIC_MESSAGES,
        "x-goog-api-key": GEMINI,
        "x-goog-api-client": GEMINI,
        "x-api-key": ANTHROPIC_MESSAGES,
    }
)
"""Headers that only the clients of one dialect send, the surest first."""

MODEL_PARENTS: Final = (
    "/v1beta/models/", "/v1/models/", "/v1beta1/projects/", "/v1/projects/", "/v1beta/projects/",
    "/v1/publishers/", "/v1beta1/publishers/",
)  # fmt: skip
"""Where a path with a custom method may begin: the Gemini API's, and Vertex AI's."""


class Routes:
    """Path of a POST → dialect. Paths are given with percent-encoding undone; exact ones must not have had any."""

    def __init__(
        self, exact: Mapping[str, ClientDialect] = EXACT, methods: Mapping[str, ClientDialect] = METHODS
    ) -> None:
        self._exact = exact
        self._methods = methods
        self._first = next(iter(exact.values()))
        self._families = {path.split("/")[2]: dialect for path, dialect in reversed(list(exact.items()))}

    def find(self, path: str, *, is_plain: bool) -> ClientDialect | None:
        """`is_plain`: the path was sent exactly as it reads, nothing in it percent-encoded."""
        found = self._exact.get(path) if is_plain else None
        if found is not None or ":" not in path or not path.startswith(MODEL_PARENTS):
            return found
        return self._methods.get(path.rpartition(":")[2])

    def for_errors(self, path: str, headers: Container[str] = ()) -> ClientDialect:
        """In which dialect to tell whoever came to `path` that it is not there: what the path says, else who asks.

        `headers`: the names of the request's headers, in lower case.
        """
        found = self._exact.get(path)
        if found is not None:
            return found
        if path.startswith(("/v1beta", "/v1/projects/", "/v1/publishers/")) and self._methods:
            return next(iter(self._methods.values()))
        found = self._families.get(path.split("/")[2] if path.count("/") > 1 else "")
        if found is None:
            found = next((dialect for name, dialect in CALLERS.items() if name in headers), self._first)
        return found
