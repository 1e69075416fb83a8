"""Google's Vertex AI (the Gemini Enterprise Agent Platform): the Gemini API's words under a project and a location.

`base_url` is the global address; models of one region answer at https://LOCATION-aiplatform.googleapis.com, those of
the multi-regions at https://aiplatform.us.rep.googleapis.com and https://aiplatform.eu.rep.googleapis.com.
Source: https://docs.cloud.google.com/gemini-enterprise-agent-platform/reference/models/inference (2026-11-26).
"""

from __future__ import annotations

from typing import Final

from yuzui.providers._gemini_place import vertex_place
from yuzui.providers.catalogue import ProviderRow
from yuzui.providers.gemini import GeminiCodec

ROW = ProviderRow(
    title="Google Vertex AI",
    codec="vertex",
    base_url="https://aiplatform.googleapis.com",
    jurisdiction="US",
    premises="vendor",
    models=("gemini-3.8-flash", "gemini-4-argon"),
    price_provider="google",
    offers=frozenset({"server_tools"}),
    parameters={"location": "global"},
    needs=("project_id", "location"),
    auth=("google_service_account",),
    source="https://docs.cloud.google.com/gemini-enterprise-agent-platform/reference/models/inference",
    checked="2026-11-26",
)

CODEC: Final = GeminiCodec(vertex_place)
