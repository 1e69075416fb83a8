"""The list of models as Google's clients read it, with what we know of each under `yuzui`.

Source: https://ai.google.dev/api/models and `google-genai` 3.6.1, types.py `Model` (2026-11-26).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from yuzui.core.strict_json import write

Entry = Mapping[str, object]
"""An entry as GET /v1/models gives it to OpenAI's clients: `id`, and ours under `yuzui`."""

_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "chat": ("generateContent", "streamGenerateContent", "countTokens"),
    "embeddings": ("embedContent", "batchEmbedContents"),
}
"""Operation → Google's methods for it."""


def list_models(entries: Sequence[Entry]) -> bytes:
    """One page with all of them: there are never so many that a second one would be needed."""
    return write({"models": [_entry(entry) for entry in entries]})


def show_model(entry: Entry) -> bytes:
    return write(_entry(entry))


def _entry(entry: Entry) -> Entry:
    ours = entry["yuzui"]
    facts: Mapping[str, object] = ours if isinstance(ours, Mapping) else {}
    found: dict[str, object] = {"name": f"models/{entry['id']}", "displayName": entry["id"], "version": ""}
    for name, fact in (("inputTokenLimit", "context_tokens"), ("outputTokenLimit", "max_output_tokens")):
        if facts.get(fact):  # 0 is unknown
            found[name] = facts[fact]
    serves = facts.get("serves")
    served = serves if isinstance(serves, list | tuple) else ("chat",)
    found["supportedGenerationMethods"] = [method for name in served for method in _METHODS.get(str(name), ())]
    found["yuzui"] = ours
    return found
