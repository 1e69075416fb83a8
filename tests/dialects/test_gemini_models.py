"""The list of models in Google's shape."""

from __future__ import annotations

import json

from yuzui.dialects.gemini_models import list_models, show_model

CHAT = {"id": "auto", "object": "model", "yuzui": {"context_tokens": 1000, "max_output_tokens": 50, "serves": ["chat"]}}
VECTORS = {
    "id": "team/embed",
    "yuzui": {"context_tokens": 0, "max_output_tokens": 0, "serves": ["embeddings", "rerank"]},
}


def test_a_model_tells_its_limits_and_methods_and_what_we_know() -> None:
    assert json.loads(show_model(CHAT)) == {
        "name": "models/auto",
        "displayName": "auto",
        "version": "",
        "inputTokenLimit": 1000,
        "outputTokenLimit": 50,
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
        "yuzui": CHAT["yuzui"],
    }


def test_what_is_unknown_is_left_out() -> None:
    found = json.loads(list_models([CHAT, VECTORS]))["models"]
    assert [model["name"] for model in found] == ["models/auto", "models/team/embed"]
    assert "inputTokenLimit" not in found[1]
    assert found[1]["supportedGenerationMethods"] == ["embedContent", "batchEmbedContents"]


def test_an_entry_without_operations_chats() -> None:
    assert "generateContent" in json.loads(show_model({"id": "a", "yuzui": {}}))["supportedGenerationMethods"]
    assert json.loads(list_models([])) == {"models": []}
