"""Counting tokens with Google's Vertex AI: the Gemini API's `:countTokens` under a project and a location.

Source: https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/get-token-count (2026-11-26).
"""

from __future__ import annotations

from typing import Final

from yuzui.providers._gemini_place import vertex_place
from yuzui.providers.gemini_count_tokens import GeminiTokenCounter

CODEC: Final = GeminiTokenCounter(vertex_place, is_vertex=True)
