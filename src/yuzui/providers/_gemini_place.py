"""Where Google's two services answer: the Gemini API by a model's name, Vertex AI under a project and a location.

Sources (2026-11-26): https://ai.google.dev/api, https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/start
(paths, locations), `google-genai` 3.6.1, _api_client.py.
"""

from __future__ import annotations

from collections.abc import Callable

from yuzui import __version__
from yuzui.core.target import Target

Place = Callable[[Target], str]
"""The path of a target's model, up to its method."""


def gemini_place(target: Target) -> str:
    """Below a `base_url` that ends with the version: `/models/NAME`."""
    model = target.model
    return f"/{model}" if model.startswith(("models/", "tunedModels/")) else f"/models/{model}"


def vertex_place(target: Target) -> str:
    """Below the service's own address. A model may name its publisher (`publishers/…`) or be an endpoint."""
    project, location = target.parameters.get("project_id", ""), target.parameters.get("location", "global")
    model = target.model
    if not model.startswith(("publishers/", "endpoints/")):
        model = f"publishers/google/models/{model}"
    return f"/v1/projects/{project}/locations/{location}/{model}"


def write_headers(target: Target, *, is_stream: bool = False) -> dict[str, str]:
    """All headers that the target gets; the one of a short-lived token is added where tokens are fetched."""
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream" if is_stream else "application/json",
        "user-agent": f"yuzui/{__version__}",
    }
    if target.api_key and target.quirks.auth != "none":
        headers["x-goog-api-key"] = target.api_key
    headers.update(target.quirks.headers)
    return headers
