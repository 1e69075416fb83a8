"""The dialect that turns a recording of any language into English text: a transcription at another path.

Source: openai==3.54.0, types/audio/translation_create_params.py, translation.py; 2026-11-26.
"""

from __future__ import annotations

from typing import Final

from yuzui.core.chat import Dialect
from yuzui.dialects.openai_transcription import OpenAITranscription


class OpenAITranslation(OpenAITranscription):
    """`POST /v1/audio/translations`."""

    name: Dialect = "openai_translation"


DIALECT: Final = OpenAITranslation()
