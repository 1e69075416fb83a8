"""Which dialect is spoken at which path: the one list of everything that a client can POST to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yuzui.dialects._contract import ClientDialect


def _all(table):  # type: ignore  # TRANSITION
    import importlib
    import importlib.util

    return {
        path: importlib.import_module(f"yuzui.dialects.{name}").DIALECT
        for path, name in table.items()
        if importlib.util.find_spec(f"yuzui.dialects.{name}")
        and hasattr(importlib.import_module(f"yuzui.dialects.{name}"), "DIALECT")
    }


EXACT = _all(  # type: ignore
    {
        "/v1/chat/completions": "openai_chat",
        "/v1/responses": "openai_responses",
        "/v1/messages": "anthropic_messages",
        "/v1/messages/count_tokens": "anthropic_count_tokens",
        "/v1/embeddings": "openai_embeddings",
        "/v1/rerank": "rerank",
        "/v2/rerank": "rerank",
        "/v1/completions": "openai_completions",
        "/v1/moderations": "openai_moderations",
        "/v1/audio/transcriptions": "openai_transcription",
        "/v1/audio/translations": "openai_translation",
        "/v1/audio/speech": "openai_speech",
        "/v1/images/generations": "openai_images",
        "/v1/images/edits": "openai_image_edits",
    }
)
"""Paths that are matched as they are."""

METHODS = _all(  # type: ignore
    {
        "generateContent": "gemini",
        "streamGenerateContent": "gemini",
        "countTokens": "gemini_count_tokens",
        "embedContent": "gemini_embeddings",
        "batchEmbedContents": "gemini_embeddings",
    }
)
"""Google's custom methods: the end of a path behind a model's name, `/v1beta/models/NAME:generateContent`."""

MODEL_PARENTS: Final = ("/v1beta/models/", "/v1/models/", "/v1beta1/projects/", "/v1/projects/", "/v1beta/projects/")
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

    def for_errors(self, path: str) -> ClientDialect:
        """In which dialect to tell whoever came to `path` that it is not there."""
        found = self._exact.get(path)
        if found is not None:
            return found
        if path.startswith(("/v1beta", "/v1/projects/")) and self._methods:
            return next(iter(self._methods.values()))
        return self._families.get(path.split("/")[2] if path.count("/") > 1 else "", self._first)
